// The identity of backend objects.
import { createHash } from 'node:crypto';
import type { BackendObject } from '../../drivers/driver.ts';

/** Key of claims and mappings: SHA-256 of resource, scope and key, in hex. */
export function objectHash({ resource, scope, key }: BackendObject): string {
  return createHash('sha256')
    .update(JSON.stringify([resource, scope, key]))
    .digest('hex');
}

export function describeObject({ resource, scope, key }: BackendObject): string {
  return `${resource} ${scope} ${key}`;
}
