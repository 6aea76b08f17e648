// An object of a CMP as a call or a mapping refers to it, and the hash by which backend objects are told apart.
import { createHash } from 'node:crypto';
import type { MappingCmpObjectInput } from '../../generated/graph/relay.ts';
import { type CmpObjectKey, cmpObjectProblems } from '../../platform/graph/cmp-object.ts';
import type { InputCheck } from '../../platform/input.ts';
import type { BackendObject } from './drivers/driver.ts';

export interface CmpReference extends CmpObjectKey {
  /** What the backend object is to the CMP object; empty: nothing special. */
  readonly role: string;
}

export function cmpReferenceOf(input: MappingCmpObjectInput): CmpReference;
export function cmpReferenceOf(input: MappingCmpObjectInput | null | undefined): CmpReference | null;
export function cmpReferenceOf(input: MappingCmpObjectInput | null | undefined): CmpReference | null {
  if (input == null) return null;
  const { namespace, type, externalId, role } = input;
  return { namespace: namespace ?? 'default', type, externalId, role: role ?? '' };
}

const rolePattern = /^[A-Za-z0-9._-]*$/;

export function checkCmpObject(check: InputCheck, input: MappingCmpObjectInput | null | undefined): void {
  const cmp = cmpReferenceOf(input);
  if (cmp === null) return;
  for (const problem of cmpObjectProblems(cmp))
    check.fault(`cmpObject.${problem.field}`, problem.message, problem.code);
  const wants = 'letters, digits, dot, hyphen, underscore';
  check.text('cmpObject.role', cmp.role, { max: 63, pattern: rolePattern, wants });
}

/** Claims and mappings are unique by it: SHA-256 of resource, scope and key, in hex. */
export function objectHash(object: BackendObject): string {
  return createHash('sha256')
    .update(JSON.stringify([object.resource, object.scope, object.key]))
    .digest('hex');
}

export function describeObject(object: BackendObject): string {
  return `${object.resource} ${object.scope} ${object.key}`;
}
