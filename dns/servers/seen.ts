// Compares a server's records of a name with the desired ones, for every type of server.
import { type NameRecord, sortedRecords } from '../records/record-set.ts';
import { DnsError } from './dns-error.ts';
import { type Fence, fenceText } from './fence.ts';
import type { PublishResult, WantedName } from './record-server.ts';

export interface Seen {
  readonly fence: Fence | undefined;
  /** Records of the written types, sorted. */
  readonly records: readonly NameRecord[];
  readonly ttls: ReadonlySet<number>;
}

/** From an API that shows all records at a name. */
export interface SeenWithOthers extends Seen {
  /** Other types of records at the name. */
  readonly others: readonly string[];
}

export function fenceOf({ writer, generation, records, owner }: WantedName): Fence {
  return { writer, generation, records: records.length, owner };
}

export function isFenceOf(fence: Fence, wanted: WantedName): boolean {
  return fenceText(fence) === fenceText(fenceOf(wanted));
}

export function isAsWanted({ fence, records, ttls }: Seen, wanted: WantedName): boolean {
  if (fence === undefined || !isFenceOf(fence, wanted)) return false;
  // Without records of ours, a wildcard may answer, or the name belongs to others.
  if (wanted.records.length === 0) return true;
  return isSame(records, wanted.records) && [...ttls].every((ttl) => ttl === wanted.ttlSeconds);
}

/** Whether the records at the name are the ones that we wrote, although their fence was lost. */
export function isLeftOver({ records }: Seen, earlier: readonly NameRecord[]): boolean {
  return earlier.length > 0 && isSame(records, earlier);
}

/** The records at the name are ours to remove. */
export function hasOurs(seen: Seen, { earlierRecords }: WantedName): boolean {
  return seen.fence === undefined ? isLeftOver(seen, earlierRecords) : seen.fence.records > 0;
}

/** The fence belongs to another writer. True if the name is withdrawn, because then nothing of ours exists. Otherwise throws NAME_TAKEN_BY_OTHERS. */
function othersFence({ name, records }: WantedName, { owner }: Fence): PublishResult {
  if (records.length === 0) return { state: 'PUBLISHED' };
  throw new DnsError(
    'NAME_TAKEN_BY_OTHERS',
    `${name} belongs to ${owner} of another installation, according to its fence`,
  );
}

/** What became of the name, if its fence is of another writer or newer. */
export function endedBy(wanted: WantedName, { fence }: Pick<Seen, 'fence'>): PublishResult | undefined {
  if (fence === undefined) return undefined;
  if (fence.writer !== wanted.writer) return othersFence(wanted, fence);
  return fence.generation > wanted.generation ? { state: 'OVERTAKEN', generation: fence.generation } : undefined;
}

/** For an API without conditions: throws NAME_TAKEN_BY_OTHERS if the name is not ours to change. */
export function refuseTaken(seen: SeenWithOthers, wanted: WantedName): void {
  const { name, records } = wanted;
  if (records.length === 0) return;
  if (!hasOurs(seen, wanted) && (seen.records.length > 0 || seen.others.length > 0))
    throw new DnsError('NAME_TAKEN_BY_OTHERS', `${name} has records that Tidegate did not make`);
  if (records.some(({ type }) => type === 'CNAME') && seen.others.length > 0)
    throw new DnsError(
      'NAME_TAKEN_BY_OTHERS',
      `${name} has records of other types (${seen.others.join(', ')}), which exclude an alias`,
    );
}

function isSame(some: readonly NameRecord[], others: readonly NameRecord[]): boolean {
  return JSON.stringify(some) === JSON.stringify(sortedRecords(others));
}
