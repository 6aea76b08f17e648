// The fence: a TXT record beside each name says which database wrote the name's records, and from which generation. It changes in one
// update with them, under the condition that it is as it was read: so a server itself refuses whoever comes late.
import { fenceLabel, isWildcard } from '../names.ts';

export interface Fence {
  /** UUID of the database's zone. */
  readonly writer: string;
  readonly generation: number;
  /** Number of records at the name; 0: it has none of ours. */
  readonly records: number;
  readonly owner: string;
}

/** Of a wildcard it is not below the `*`, which would then be there without records of its own. No host name has an underscore. */
export function fenceName(name: string): string {
  return `${fenceLabel}.${isWildcard(name) ? `_any${name.slice(1)}` : name}`;
}

export function fenceText({ writer, generation, records, owner }: Fence): string {
  return `tidegate writer=${writer} generation=${generation} records=${records} owner=${owner}`;
}

const pattern =
  /^tidegate writer=([0-9a-f-]{36}) generation=(\d{1,10}) records=(\d{1,5}) owner=([a-z0-9-]{1,40}\/[A-Za-z0-9-]{1,59})$/;

/** Undefined: not a fence, for example the answer of a wildcard. */
export function parseFence(text: string): Fence | undefined {
  const [, writer, generation, records, owner] = pattern.exec(text) ?? [];
  if (writer === undefined || owner === undefined) return undefined;
  return { writer, generation: Number(generation), records: Number(records), owner };
}
