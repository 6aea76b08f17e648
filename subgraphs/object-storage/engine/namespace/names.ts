// Reads and writes registers by key over the clusters of a topology. Lists a scope by reading the rows of a majority.
import { setTimeout as sleep } from 'node:timers/promises';
import { ClosedError, NoQuorumError, NotSentError } from '../../../../platform/registers/errors.ts';
import { gather } from '../../../../platform/registers/gather.ts';
import { clustersOf, isBeyondQuorum, isQuorum, type Placement } from '../../../../platform/registers/placement.ts';
import { type Decision, type Refusal, Registers, type WriteLimit } from '../../../../platform/registers/registers.ts';
import type { Written } from '../../../../platform/registers/rules.ts';
import { noVersion, type Version, type VersionClock } from '../../../../platform/registers/version.ts';
import { partitionOf } from '../../../../platform/rings/ring.ts';
import { Turns } from '../../../../platform/work/turns.ts';
import type { Listed, ListedRow, ListRequest, RegisterKey, Replica, StoredValue } from '../store/register.ts';
import { keyOf, nameOf } from './register-names.ts';
import type { Topology } from './topology.ts';

interface NamesOptions {
  readonly topology: Topology;
  readonly clock: VersionClock;
}

interface PageRequest {
  readonly ring: number;
  readonly scope: string;
  readonly prefix: string;
  readonly after: string;
  /** 1 to 1000 rows of each replica, including deletions. */
  readonly limit: number;
}

/** An existing name; deletions are left out. */
interface PageRow {
  readonly name: string;
  readonly version: Version;
  readonly head: string;
}

interface Page {
  readonly rows: readonly PageRow[];
  /** Start of the next page, exclusive. Undefined if this is the last page. */
  readonly next: string | undefined;
}

/** Clusters learn of a step of a ring change one after the other, within seconds. */
const attempts = 32;
const pauseMs = 25;
const longestPauseMs = 200;
const mostReadsAtOnce = 16;
/** Pages of this process that are read at once. A page has up to 1,000 heads of 16 KiB from each replica. */
const mostPagesAtOnce = 16;

export class Names {
  readonly #topology: Topology;
  readonly #registers: Registers<StoredValue>;
  readonly #pages = new Turns(mostPagesAtOnce);

  constructor({ topology, clock }: NamesOptions) {
    this.#topology = topology;
    this.#registers = new Registers<StoredValue>({
      clock,
      placements: {
        of: (name, leastEpoch) => {
          const { ring, scope } = keyOf(name);
          return topology.placement(ring, partitionOf(scope), leastEpoch);
        },
      },
      replicas: {
        read: (cluster, name, epoch) => this.#replica(cluster).ask({ op: 'read', key: keyOf(name), epoch }),
        promise: (cluster, name, epoch, ballot) =>
          this.#replica(cluster).ask({ op: 'promise', key: keyOf(name), epoch, ballot }),
        accept: (cluster, name, epoch, written) =>
          this.#replica(cluster).ask({ op: 'accept', key: keyOf(name), epoch, written }),
      },
      readOrder: (clusters) => this.#nearestFirst(clusters),
    });
  }

  #nearestFirst(clusters: readonly number[]): readonly number[] {
    const known = clusters.map((cluster) => ({ cluster, distanceMs: this.#replica(cluster).distanceMs?.() ?? 0 }));
    return known
      .sort((one, other) => (one.distanceMs < other.distanceMs ? -1 : Number(one.distanceMs > other.distanceMs)))
      .map(({ cluster }) => cluster);
  }

  read(key: RegisterKey): Promise<Written<StoredValue>> {
    return this.#registers.read(nameOf(key));
  }

  write(key: RegisterKey, value: StoredValue | undefined, limit?: WriteLimit): Promise<Version> {
    return this.#registers.write(nameOf(key), value, limit);
  }

  async update<Result>(
    key: RegisterKey,
    decide: (found: Written<StoredValue>) => Decision<StoredValue, Result>,
    limit?: WriteLimit,
  ): Promise<{ readonly written: Written<StoredValue>; readonly result: Result }> {
    return this.#registers.update(nameOf(key), decide, limit);
  }

  /** Writes the name's present value with a later version, at a majority. This supersedes promises without an accept. */
  async settle(key: RegisterKey): Promise<void> {
    await this.update(key, ({ version, value }) =>
      version === noVersion ? { keeps: true, result: undefined } : { keeps: false, value, result: undefined },
    );
  }

  /** In order of UTF-8 bytes. A page may be empty without being the last. @throws NoQuorumError, ClosedError */
  async page(request: PageRequest): Promise<Page> {
    const { placement, listed } = await this.#list(request);
    const bound = boundOf([...listed.values()]);
    const unsettled: string[] = [];
    const found = new Map<string, PageRow>();
    const named = byName(listed);
    const names = [...named.keys()].filter((name) => bound === undefined || compareNames(name, bound) <= 0);
    for (const name of names) {
      const rows = named.get(name) ?? new Map<number, ListedRow>();
      const newest = newestOf(rows);
      if (newest.version === noVersion) continue;
      const holders = new Set(
        [...rows].filter(([, row]) => row.version === newest.version).map(([cluster]) => cluster),
      );
      if (!isQuorum(placement, holders)) unsettled.push(name);
      else if (newest.head !== undefined) found.set(name, { name, version: newest.version, head: newest.head });
    }
    // Before a listing shows a version that too few replicas have, it is copied to a majority or replaced by a later one.
    for (let from = 0; from < unsettled.length; from += mostReadsAtOnce)
      await Promise.all(
        unsettled.slice(from, from + mostReadsAtOnce).map(async (name) => {
          const { version, value } = await this.read({ ring: request.ring, scope: request.scope, name });
          if (value !== undefined) found.set(name, { name, version, head: value.head });
        }),
      );
    const rows = names.flatMap((name) => found.get(name) ?? []).toSorted((a, b) => compareNames(a.name, b.name));
    return { rows, next: bound };
  }

  /**
   * Whether no replica of a majority has a value after `after` while its gate is sealed with this version. A value that too few replicas
   * have counts as existing.
   * @throws NoQuorumError; ClosedError if the seal has another version
   */
  async isEmpty(request: Omit<PageRequest, 'prefix' | 'limit'>, sealed: Version): Promise<boolean> {
    let { after } = request;
    for (;;) {
      const { listed } = await this.#list({ ...request, after, prefix: '', limit: 1000, sealed });
      const bound = boundOf([...listed.values()]);
      for (const [name, rows] of byName(listed)) {
        if (bound !== undefined && compareNames(name, bound) > 0) continue;
        if (newestOf(rows).head !== undefined) return false;
      }
      if (bound === undefined) return true;
      after = bound;
    }
  }

  async #list(
    request: Omit<ListRequest, 'epoch'>,
  ): Promise<{ readonly placement: Placement; readonly listed: ReadonlyMap<number, Listed> }> {
    let leastEpoch = 0;
    for (let attempt = 1; ; attempt += 1) {
      const placement = await this.#topology.placement(request.ring, partitionOf(request.scope), leastEpoch);
      const { answered } = await this.#pages.run(() =>
        gather(
          clustersOf(placement),
          (cluster) => this.#replica(cluster).list({ ...request, epoch: placement.epoch }),
          (soFar) => {
            const isDone = (cluster: number) => soFar.answered.get(cluster)?.refused === undefined;
            const done = new Set([...soFar.answered.keys()].filter(isDone));
            const refused = [...soFar.answered.keys()].filter((each) => !isDone(each));
            const not = new Set([...soFar.failed.keys(), ...refused]);
            return isQuorum(placement, done) || isBeyondQuorum(placement, not);
          },
        ),
      );
      const listed = new Map<number, Listed>();
      const refusals: Refusal[] = [];
      for (const [cluster, answer] of answered)
        if (answer.refused === undefined) listed.set(cluster, answer);
        else refusals.push(answer);
      if (isQuorum(placement, listed)) return { placement, listed };
      if (refusals.some(({ refused }) => refused === 'CLOSED')) throw new ClosedError('the container is closed');
      const epochs = refusals.flatMap((each) => (each.refused === 'STALE' ? [each.epoch] : []));
      const mayHelp = epochs.length > 0 || refusals.some(({ refused }) => refused === 'UNREADY');
      if (!mayHelp || attempt === attempts) throw new NoQuorumError('too few clusters answered a listing');
      leastEpoch = Math.max(placement.epoch, ...epochs);
      await sleep(Math.min(longestPauseMs, pauseMs * attempt));
    }
  }

  #replica(cluster: number): Replica {
    const replica = this.#topology.replica(cluster);
    if (replica !== undefined) return replica;
    const none = () => Promise.reject(new NotSentError(`cluster ${cluster} has no known address`));
    return { ask: none, list: none, distanceMs: () => Number.POSITIVE_INFINITY };
  }
}

/** Order of UTF-8 bytes, which is code point order. JavaScript's string order differs past U+FFFF. */
export function compareNames(one: string, other: string): number {
  return Buffer.compare(Buffer.from(one, 'utf8'), Buffer.from(other, 'utf8'));
}

/** Up to this name all replicas have returned everything. */
function boundOf(listed: readonly Listed[]): string | undefined {
  const lasts = listed.flatMap(({ isWhole, rows }) => (isWhole ? [] : [rows.at(-1)?.name ?? '']));
  return lasts.length === 0 ? undefined : lasts.reduce((one, other) => (compareNames(other, one) < 0 ? other : one));
}

function byName(listed: ReadonlyMap<number, Listed>): ReadonlyMap<string, ReadonlyMap<number, ListedRow>> {
  const named = new Map<string, Map<number, ListedRow>>();
  for (const [cluster, { rows }] of listed)
    for (const row of rows) {
      const known = named.get(row.name);
      if (known === undefined) named.set(row.name, new Map([[cluster, row]]));
      else known.set(cluster, row);
    }
  return named;
}

function newestOf(rows: ReadonlyMap<number, ListedRow>): Pick<ListedRow, 'version' | 'head'> {
  let newest: Pick<ListedRow, 'version' | 'head'> = { version: noVersion, head: undefined };
  for (const row of rows.values()) if (row.version > newest.version) newest = row;
  return newest;
}
