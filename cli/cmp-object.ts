// Parses a CMP's object on the command line: TYPE/ID, or NAMESPACE:TYPE/ID.
import { UsageError } from './failures.ts';
import { one } from './option.ts';

export interface CmpObjectName {
  readonly namespace: string;
  readonly type: string;
  readonly externalId: string;
}

export function cmpObjectText({ namespace, type, externalId }: CmpObjectName): string {
  return namespace === 'default' ? `${type}/${externalId}` : `${namespace}:${type}/${externalId}`;
}

/** Throws UsageError. The server checks the parts. */
export function parseCmpObject(text: string, name = 'CMP object'): CmpObjectName {
  const [, namespace = 'default', type, externalId] = /^(?:([^:/]+):)?([^:/]+)\/(.+)$/s.exec(text) ?? [];
  if (type === undefined || externalId === undefined)
    throw new UsageError(`${name}: '${text}' is not TYPE/ID, for example tenant/42`);
  return { namespace, type, externalId };
}

/** Option of every verb that takes a CMP object. */
export const cmpOption = {
  ...one('TYPE/ID', 'The CMP object; NAMESPACE:TYPE/ID for one of another CMP.', parseCmpObject),
  also: 'cmp-object',
  fields: ['cmpObject'],
} as const;
