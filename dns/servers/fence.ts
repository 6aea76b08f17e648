// The fence: a TXT record next to each name. It identifies the database and generation that wrote the name's records. It changes in the same update
// as the records, on the condition that it is unchanged since it was read. So the server itself refuses late writers.
import { fenceLabel, isWildcard } from '../names.ts';

export interface Fence {
  /** UUID of the database's zone. */
  readonly writer: string;
  readonly generation: number;
  /** Number of our records at the name. 0 if there are none. */
  readonly records: number;
  readonly owner: string;
}

/** A wildcard's fence is not below the `*`, which would then exist without records of its own. Host names contain no underscore. */
export function fenceName(name: string): string {
  return `${fenceLabel}.${isWildcard(name) ? `_any${name.slice(1)}` : name}`;
}

export function fenceText({ writer, generation, records, owner }: Fence): string {
  return `tidegate writer=${writer} generation=${generation} records=${records} owner=${owner}`;
}

const pattern =
  /^tidegate writer=([0-9a-f-]{36}) generation=(\d{1,10}) records=(\d{1,5}) owner=([a-z0-9-]{1,40}\/[A-Za-z0-9-]{1,59})$/;

/** Undefined if it is not a fence, for example the answer of a wildcard. */
export function parseFence(text: string): Fence | undefined {
  const [, writer, generation, records, owner] = pattern.exec(text) ?? [];
  if (writer === undefined || owner === undefined) return undefined;
  return { writer, generation: Number(generation), records: Number(records), owner };
}
