// A server that takes updates by RFC 2136, signed with TSIG: PowerDNS, BIND, Knot and others. Each update has the fence as its
// condition, so the server refuses a writer that came late, and records that others made are never touched.
import { setTimeout as sleep } from 'node:timers/promises';
import type { AddressRecord } from '../records/record-set.ts';
import { sortedRecords } from '../records/record-set.ts';
import {
  classes,
  decodeAddress,
  decodeText,
  encodeAddress,
  encodeText,
  types,
  type WireRecord,
} from '../wire/message.ts';
import { DnsClient, type DnsClientOptions } from './dns-client.ts';
import { DnsError } from './dns-error.ts';
import { type Fence, fenceName, fenceText, parseFence } from './fence.ts';
import type { PublishResult, RecordServer, WantedName } from './record-server.ts';

/** What the server answers for a name. */
interface Seen {
  readonly fence: Fence | undefined;
  readonly records: readonly AddressRecord[];
  readonly ttls: ReadonlySet<number>;
}

/** Writers of one name take turns: more rounds are not a race but a fault. */
const mostRounds = 5;
/** A server's cache may still have the old answer for a moment. Pauses before each further look, in milliseconds. */
const readBackPausesMs = [20, 50, 100, 200, 400, 800];

const addressTypes = ['A', 'AAAA'] as const;
/** Never cached, so that each writer sees the last one's. */
const fenceTtlSeconds = 0;

export class Rfc2136Server implements RecordServer {
  readonly name: string;
  readonly #client: DnsClient;

  constructor(options: DnsClientOptions) {
    const { address, port } = options.place;
    this.name = address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
    this.#client = new DnsClient(options);
  }

  async publish(wanted: WantedName, signal: AbortSignal): Promise<PublishResult> {
    for (let round = 1; ; round += 1) {
      const seen = await this.#look(wanted, signal);
      const { fence } = seen;
      if (fence !== undefined && fence.writer !== wanted.writer) return this.#othersFence(wanted, fence);
      if (fence !== undefined && fence.generation > wanted.generation)
        return { state: 'OVERTAKEN', generation: fence.generation };
      if (isAsWanted(seen, wanted)) return { state: 'PUBLISHED' };
      if (round > mostRounds)
        throw new DnsError('CHANGED_MEANWHILE', `the name changed ${mostRounds} times while it was to be published`);
      const prerequisites = prerequisitesOf(seen, wanted);
      const result = await this.#client.update(
        { zone: wanted.zone, prerequisites, changes: changesOf(seen, wanted) },
        { atMs: wanted.readAtMs, signal },
      );
      if (result === 'DONE') return this.#readBack(wanted, signal);
      if (result === 'IN_USE' && round > 1)
        throw new DnsError('NAME_TAKEN_BY_OTHERS', `${wanted.name} has records that Tidegate did not make`);
    }
  }

  async has(wanted: WantedName, signal: AbortSignal): Promise<boolean> {
    return isAsWanted(await this.#look(wanted, signal), wanted);
  }

  async forget(wanted: WantedName, signal: AbortSignal): Promise<void> {
    const { fence } = await this.#look(wanted, signal);
    if (fence === undefined || !isFenceOf(fence, wanted)) return;
    const name = fenceName(wanted.name);
    await this.#client.update(
      { zone: wanted.zone, prerequisites: [fenceIs(name, fence)], changes: [removal(name, types.TXT)] },
      { atMs: wanted.readAtMs, signal },
    );
  }

  /** Of a withdrawn name nothing of ours is there. */
  #othersFence({ name, records }: WantedName, { owner }: Fence): PublishResult {
    if (records.length === 0) return { state: 'PUBLISHED' };
    throw new DnsError('NAME_TAKEN_BY_OTHERS', `${name} belongs to ${owner} of another installation, says its fence`);
  }

  async #readBack(wanted: WantedName, signal: AbortSignal): Promise<PublishResult> {
    for (const pauseMs of [0, ...readBackPausesMs]) {
      if (pauseMs > 0) await sleep(pauseMs, undefined, { signal });
      const seen = await this.#look(wanted, signal);
      if (isAsWanted(seen, wanted)) return { state: 'PUBLISHED' };
      const generation = seen.fence?.generation ?? 0;
      if (seen.fence?.writer === wanted.writer && generation > wanted.generation)
        return { state: 'OVERTAKEN', generation };
    }
    throw new DnsError('NOT_AS_PUBLISHED', `it took the update of ${wanted.name}, but still answers something else`);
  }

  async #look({ name }: WantedName, signal: AbortSignal): Promise<Seen> {
    const ask = (asked: string, type: number) => this.#client.query({ name: asked, type }, signal);
    const [texts, ...addresses] = await Promise.all([
      ask(fenceName(name), types.TXT),
      ...addressTypes.map((type) => ask(name, types[type])),
    ]);
    const fences = texts.flatMap((record) => parseFence(decodeText(record)) ?? []);
    const records = addressTypes.flatMap((type, index) =>
      (addresses[index] ?? []).map((record) => ({ type, value: decodeAddress(record) })),
    );
    const ttls = new Set(addresses.flat().map(({ ttl }) => ttl));
    return { fence: fences[0], records: sortedRecords(records), ttls };
  }
}

function isAsWanted({ fence, records, ttls }: Seen, wanted: WantedName): boolean {
  if (fence === undefined || !isFenceOf(fence, wanted)) return false;
  // Where there are none of ours, a wildcard may answer, or others have the name.
  if (wanted.records.length === 0) return true;
  return isSame(records, wanted.records) && [...ttls].every((ttl) => ttl === wanted.ttlSeconds);
}

function isFenceOf(fence: Fence, wanted: WantedName): boolean {
  return fenceText(fence) === fenceText(fenceOf(wanted));
}

function fenceOf({ writer, generation, records, owner }: WantedName): Fence {
  return { writer, generation, records: records.length, owner };
}

function isSame(some: readonly AddressRecord[], others: readonly AddressRecord[]): boolean {
  return JSON.stringify(some) === JSON.stringify(sortedRecords(others));
}

/** The conditions under which the name is ours to change. */
function prerequisitesOf(seen: Seen, wanted: WantedName): WireRecord[] {
  const { name, records, earlierRecords } = wanted;
  const fence = fenceName(name);
  if (seen.fence !== undefined) {
    const isOurs = seen.fence.records > 0 || records.length === 0;
    return [fenceIs(fence, seen.fence), ...(isOurs ? [] : [isUnused(name)])];
  }
  const isFree = condition(fence, types.TXT, classes.NONE);
  // The fence was lost: the records beside it are ours if they are exactly those that we made.
  if (isLeftOver(seen, earlierRecords)) {
    const existing = earlierRecords.map((record) => condition(name, types[record.type], classes.IN, dataOf(record)));
    const absent = addressTypes.filter((type) => !earlierRecords.some((record) => record.type === type));
    return [isFree, ...existing, ...absent.map((type) => condition(name, types[type], classes.NONE))];
  }
  return records.length === 0 ? [isFree] : [isFree, isUnused(name)];
}

function changesOf(seen: Seen, wanted: WantedName): WireRecord[] {
  const { name, records, ttlSeconds, earlierRecords } = wanted;
  const fence = fenceName(name);
  const hasOurs = (seen.fence?.records ?? 0) > 0 || (seen.fence === undefined && isLeftOver(seen, earlierRecords));
  return [
    ...(hasOurs ? addressTypes.map((type) => removal(name, types[type])) : []),
    ...records.map((each) => record(name, types[each.type], ttlSeconds, dataOf(each))),
    removal(fence, types.TXT),
    record(fence, types.TXT, fenceTtlSeconds, encodeText(fenceText(fenceOf(wanted)))),
  ];
}

function isLeftOver({ records }: Seen, earlier: readonly AddressRecord[]): boolean {
  return earlier.length > 0 && isSame(records, earlier);
}

function dataOf({ value }: AddressRecord): Buffer {
  return encodeAddress(value);
}

function fenceIs(name: string, fence: Fence): WireRecord {
  return condition(name, types.TXT, classes.IN, encodeText(fenceText(fence)));
}

/** RFC 2136 section 2.4.5: there are no records at the name. */
function isUnused(name: string): WireRecord {
  return condition(name, types.ANY, classes.NONE);
}

/** RFC 2136 section 2.4: with IN the records of the type are exactly those given, with NONE there are none. */
function condition(name: string, type: number, group: number, data: Buffer = Buffer.alloc(0)): WireRecord {
  return { name, type, class: group, ttl: 0, data };
}

function record(name: string, type: number, ttl: number, data: Buffer): WireRecord {
  return { name, type, class: classes.IN, ttl, data };
}

/** RFC 2136 section 2.5.2: all records of the type. */
function removal(name: string, type: number): WireRecord {
  return { name, type, class: classes.ANY, ttl: 0, data: Buffer.alloc(0) };
}
