// A server that takes updates by RFC 2136, signed with TSIG: PowerDNS, BIND, Knot and others. Each update is conditional on the fence, so the server
// refuses late writers, and never changes records of others.
import { setTimeout as sleep } from 'node:timers/promises';
import { type NameRecord, recordTypes, sortedRecords } from '../records/record-set.ts';
import {
  classes,
  decodeAddress,
  decodeTarget,
  decodeText,
  encodeAddress,
  encodeText,
  types,
  type WireRecord,
} from '../wire/message.ts';
import { encodeName } from '../wire/name.ts';
import { DnsClient, type DnsClientOptions } from './dns-client.ts';
import { DnsError } from './dns-error.ts';
import { type Fence, fenceName, fenceText, parseFence } from './fence.ts';
import type { PublishResult, RecordServer, WantedName } from './record-server.ts';
import { endedBy, fenceOf, hasOurs, isAsWanted, isFenceOf, isLeftOver, type Seen } from './seen.ts';
import { nameOfPlace } from './transport.ts';

/** Writers of one name take turns. More rounds indicate a fault, not a race. */
const mostRounds = 5;
/** A server's cache may have the old answer for a moment. Pauses before further reads, in milliseconds. */
const readBackPausesMs = [20, 50, 100, 200, 400, 800];

/** Record types of other writers that exclude an alias at the same name. None of them is ever removed. */
const typesOfOthers = [2, 6, 12, 13, 15, 16, 17, 29, 33, 35, 37, 39, 43, 44, 52, 53, 61, 64, 65, 99, 256, 257];
/** Never cached, so that each writer sees the previous one's fence. */
const fenceTtlSeconds = 0;

export class Rfc2136Server implements RecordServer {
  readonly name: string;
  readonly refusesLate = true;
  readonly #client: DnsClient;

  constructor(options: DnsClientOptions) {
    this.name = nameOfPlace(options.place);
    this.#client = new DnsClient(options);
  }

  async check(zone: string, signal: AbortSignal): Promise<void> {
    await this.#client.query({ name: zone, type: types.SOA }, signal);
  }

  async publish(wanted: WantedName, signal: AbortSignal): Promise<PublishResult> {
    for (let round = 1; ; round += 1) {
      const seen = await this.#look(wanted, signal);
      const ended = endedBy(wanted, seen);
      if (ended !== undefined) return ended;
      if (isAsWanted(seen, wanted)) return { state: 'PUBLISHED' };
      if (round > mostRounds) throw await this.#whyNot(wanted, signal);
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

  /** The reason why its conditions failed again and again. */
  async #whyNot({ name, records }: WantedName, signal: AbortSignal): Promise<DnsError> {
    const isAlias = records.some(({ type }) => type === 'CNAME');
    const others = isAlias ? typesOfOthers.map((type) => this.#client.query({ name, type }, signal)) : [];
    const found = (await Promise.all(others)).flat().some(({ type }) => type !== types.CNAME);
    return found
      ? new DnsError('NAME_TAKEN_BY_OTHERS', `${name} has records of other types, which exclude an alias`)
      : new DnsError('CHANGED_MEANWHILE', `the name changed ${mostRounds} times while it was being published`);
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
    return lookAt(this.#client, name, signal);
  }
}

/** Reads a server's answers for a name. */
export async function lookAt(client: DnsClient, name: string, signal: AbortSignal): Promise<Seen> {
  const ask = (asked: string, type: number) => client.query({ name: asked, type }, signal);
  const [texts, ...answers] = await Promise.all([
    ask(fenceName(name), types.TXT),
    // An alias is in the answer to each.
    ...[types.A, types.AAAA].map((type) => ask(name, type)),
  ]);
  const fences = texts.flatMap((record) => (record.type === types.TXT ? (parseFence(decodeText(record)) ?? []) : []));
  const found = answers.flat();
  return {
    fence: fences[0],
    records: sortedRecords(found.map(recordFrom)),
    ttls: new Set(found.map(({ ttl }) => ttl)),
  };
}

function recordFrom(record: WireRecord): NameRecord {
  if (record.type === types.CNAME) return { type: 'CNAME', value: decodeTarget(record) };
  return { type: record.type === types.A ? 'A' : 'AAAA', value: decodeAddress(record) };
}

/** The conditions under which the name is ours to change. */
function prerequisitesOf(seen: Seen, wanted: WantedName): WireRecord[] {
  const { name, records, earlierRecords } = wanted;
  const fence = fenceName(name);
  // RFC 2136 section 3.4.2.2: a server silently drops an alias where other records exist.
  const noOthers = records.some(({ type }) => type === 'CNAME')
    ? typesOfOthers.map((type) => condition(name, type, classes.NONE))
    : [];
  if (seen.fence !== undefined) {
    const isOurs = seen.fence.records > 0 || records.length === 0;
    return [fenceIs(fence, seen.fence), ...(isOurs ? noOthers : [isUnused(name)])];
  }
  const isFree = condition(fence, types.TXT, classes.NONE);
  // The fence was lost. The records are ours if they match exactly the records that we wrote.
  if (isLeftOver(seen, earlierRecords)) {
    const existing = earlierRecords.map((record) => condition(name, types[record.type], classes.IN, dataOf(record)));
    const absent = recordTypes.filter((type) => !earlierRecords.some((record) => record.type === type));
    return [isFree, ...existing, ...absent.map((type) => condition(name, types[type], classes.NONE)), ...noOthers];
  }
  return records.length === 0 ? [isFree] : [isFree, isUnused(name)];
}

function changesOf(seen: Seen, wanted: WantedName): WireRecord[] {
  const { name, records, ttlSeconds } = wanted;
  const fence = fenceName(name);
  return [
    ...(hasOurs(seen, wanted) ? recordTypes.map((type) => removal(name, types[type])) : []),
    ...records.map((each) => record(name, types[each.type], ttlSeconds, dataOf(each))),
    removal(fence, types.TXT),
    record(fence, types.TXT, fenceTtlSeconds, encodeText(fenceText(fenceOf(wanted)))),
  ];
}

function dataOf({ type, value }: NameRecord): Buffer {
  return type === 'CNAME' ? encodeName(value) : encodeAddress(value);
}

function fenceIs(name: string, fence: Fence): WireRecord {
  return condition(name, types.TXT, classes.IN, encodeText(fenceText(fence)));
}

/** RFC 2136 section 2.4.5: the name has no records. */
function isUnused(name: string): WireRecord {
  return condition(name, types.ANY, classes.NONE);
}

/** RFC 2136 section 2.4: with IN the type has exactly the given records, with NONE it has none. */
function condition(name: string, type: number, group: number, data: Buffer = Buffer.alloc(0)): WireRecord {
  return { name, type, class: group, ttl: 0, data };
}

function record(name: string, type: number, ttl: number, data: Buffer): WireRecord {
  return { name, type, class: classes.IN, ttl, data };
}

/** RFC 2136 section 2.5.2: deletes all records of the type. */
function removal(name: string, type: number): WireRecord {
  return { name, type, class: classes.ANY, ttl: 0, data: Buffer.alloc(0) };
}
