// An object of a CMP as a call or a mapping refers to it, and the hash by which backend objects are told apart.
import { createHash } from 'node:crypto';
import type { CmpObjectKey } from '../../platform/graph/cmp-object.ts';
import type { BackendObject } from './drivers/driver.ts';

export interface CmpReference extends CmpObjectKey {
  /** What the backend object is to the CMP object; empty: nothing special. */
  readonly role: string;
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
