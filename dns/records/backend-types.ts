// The types of backends and their features. Unsupported requests are refused, never approximated.
import { isWildcard } from '../names.ts';
import { type NameRecord, type RecordType, recordTypes, type ZoneName } from './record-set.ts';

export const backendTypes = ['ANSWERER', 'POWERDNS', 'RFC2136', 'DESIGNATE'] as const;
export type BackendType = (typeof backendTypes)[number];

interface Capabilities {
  /** Record types with the same answer for every client. Empty if the backend takes plans (dns/policy) instead of records. */
  readonly records: readonly RecordType[];
  readonly wildcards: boolean;
  /** Plans: answers that depend on the client. */
  readonly policies: boolean;
  /**
   * How a late writer is refused. SERVER: the fence is a condition of each update. WRITER: the API has no conditions, so a change
   * is sent only while the claim on its name is valid, right after the fence was read.
   */
  readonly fence: 'SERVER' | 'WRITER';
  /** Whether it creates and deletes zones itself. Otherwise a person has to create them. */
  readonly makesZones: boolean;
  /** Whether it signs zones on request. */
  readonly signsZones: boolean;
}

const plain = { records: recordTypes, wildcards: true, policies: false } as const;

export const capabilities: Readonly<Record<BackendType, Capabilities>> = {
  ANSWERER: { records: [], wildcards: true, policies: true, fence: 'SERVER', makesZones: true, signsZones: true },
  POWERDNS: { ...plain, fence: 'WRITER', makesZones: true, signsZones: true },
  RFC2136: { ...plain, fence: 'SERVER', makesZones: false, signsZones: false },
  DESIGNATE: { ...plain, fence: 'WRITER', makesZones: true, signsZones: false },
};

/** Records that a backend does not support, as an error message. Undefined if it supports all. */
export function unsupported(
  type: BackendType,
  { name, records }: ZoneName & { readonly records: readonly NameRecord[] },
): string | undefined {
  const able = capabilities[type];
  if (able.records.length === 0)
    return `a backend of type ${type} takes names with policies, no records: give ${name} a zone at a backend of another type`;
  if (isWildcard(name) && !able.wildcards) return `a backend of type ${type} has no wildcards: ${name} is one`;
  const wrong = records.find((each) => !able.records.includes(each.type));
  return wrong === undefined
    ? undefined
    : `a backend of type ${type} takes no records of type ${wrong.type}: ${name} has one`;
}
