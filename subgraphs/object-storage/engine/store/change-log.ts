// Serves other clusters that catch up with this one: the partitions that have moved, and their changes in order. Only changes on disk are
// returned: a number lost in a crash would be used again for another change, and be mistaken for the first.
import { randomUUID } from 'node:crypto';
import type { Database } from '../../../../platform/database/database.ts';
import {
  type Heads,
  mostWantedAtOnce,
  type PartitionChanges,
  type PartitionHead,
  type RegisterChange,
  type WantedChanges,
  type WholeHeads,
} from './catch-up.ts';
import type { Durability } from './durability.ts';
import {
  type PartitionRow,
  type PartitionState,
  type Place,
  placeId,
  placesCondition,
  toDigits,
} from './partition-state.ts';
import type { Partitions } from './partitions.ts';
import { hasValue, type RegisterRow } from './register-rows.ts';

/** Page size. A single larger change is returned alone. */
const mostChanges = 500;
const mostBytes = 2 * 1024 * 1024;
/** Requests of several clusters within this time share one poll. */
const lookEveryMs = 250;
const usualOthersEveryMs = 2_000;
const statesAtOnce = 500;

interface ChangeLogOptions {
  readonly db: Database;
  /** Reports the changes of this process itself. */
  readonly durability: Durability;
  readonly partitions: Partitions;
  /** Shortest time between two polls for changes of other processes, over all partitions; default 2000. */
  readonly othersEveryMs?: number;
}

interface Moved {
  readonly state: PartitionState;
  /** Number of the last change of an existing register. Other numbered changes, such as a new epoch, need not be copied. */
  readonly last: number;
  /** Number of the poll that saw it. */
  readonly look: number;
}

/** Sums over a ring. They never fall, so equal sums mean that nothing has changed. */
interface Totals {
  readonly ring: number;
  readonly partitions: number;
  readonly changes: number;
  readonly epochs: number;
  /** Epoch of all its partitions. */
  readonly epoch: number;
  /** Partitions that it holds and in which it does not vote. */
  readonly unready: number;
}

interface SizeRow {
  readonly ring: number;
  readonly partition_number: number;
  readonly change_number: number;
  readonly size: number;
}

interface ChangeRow extends RegisterRow, SizeRow {}

export class ChangeLog {
  readonly #db: Database;
  readonly #durability: Durability;
  readonly #partitions: Partitions;
  readonly #othersEveryMs: number;
  /** Distinguishes marks of this process from those of others. */
  readonly #id = randomUUID();
  readonly #moved = new Map<string, Moved>();
  /** As of the last time they were summed. */
  #totals = new Map<number, Totals>();
  #totalsAtMs = Number.NEGATIVE_INFINITY;
  #look = 0;
  #looking: Promise<void> | undefined;
  #lookedAtMs = Number.NEGATIVE_INFINITY;

  constructor({ db, durability, partitions, othersEveryMs = usualOthersEveryMs }: ChangeLogOptions) {
    this.#db = db;
    this.#durability = durability;
    this.#partitions = partitions;
    this.#othersEveryMs = othersEveryMs;
  }

  async heads(mark: string): Promise<Heads> {
    await this.#refresh();
    const [id, look] = mark.split('/');
    const after = id === this.#id ? Number(look) : -1;
    const whole = this.#whole();
    if (after === this.#look) return { mark, heads: [], whole };
    const heads = [...this.#moved.values()]
      .filter((each) => each.look > after && each.state.isHeld && each.state.isReady)
      .map(
        ({ state: { ring, partition, epoch, log }, last: changes }): PartitionHead => ({
          ...{ ring, partition, epoch, log, changes },
        }),
      );
    return { mark: `${this.#id}/${this.#look}`, heads, whole };
  }

  #whole(): WholeHeads {
    const whole = [...this.#totals.values()].filter(({ unready }) => unready === 0);
    return {
      agoMs: performance.now() - this.#totalsAtMs,
      rings: whole.map(({ ring, epoch }) => ({ ring, epoch })),
    };
  }

  async changes(wanted: readonly WantedChanges[]): Promise<readonly PartitionChanges[]> {
    const states = await this.#partitions.at(wanted.slice(0, mostWantedAtOnce));
    const told: Told[] = [];
    let most = 0;
    for (const each of wanted.slice(0, mostWantedAtOnce)) {
      const state = states.get(placeId(each.ring, each.partition));
      // Earlier partitions may have filled the page.
      if (most >= mostChanges || state === undefined || !isTold(state, each)) continue;
      told.push({ ...each, head: state.changes });
      most += Math.max(0, state.changes - each.after);
    }
    if (told.length === 0) return [];
    const chosen = choose(told, await this.#sizes(told));
    const rows = await this.#rows(chosen);
    const pages = chosen.map(({ ring, partition, log, head, isWhole, ...each }): PartitionChanges => {
      const changes = rows
        .filter((row) => row.ring === ring && row.partition_number === partition)
        .map(toChange)
        .sort((one, other) => one.number - other.number);
      const upTo = isWhole ? Math.max(head, changes.at(-1)?.number ?? 0) : each.upTo;
      return { ring, partition, log, upTo, isWhole, changes };
    });
    await this.#durability.ensure(pages.map(({ ring, partition, upTo }) => ({ ring, partition, changes: upTo })));
    return pages;
  }

  /** Concurrent callers share it. */
  #refresh(): Promise<void> {
    if (performance.now() - this.#lookedAtMs < lookEveryMs) return this.#looking ?? Promise.resolve();
    this.#looking ??= this.#lookAgain().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  /** Polls for changes since the last poll. */
  async #lookAgain(): Promise<void> {
    const atMs = performance.now();
    const places = new Map(this.#durability.takeRaised().map((each) => [placeId(each.ring, each.partition), each]));
    const isDue = atMs - this.#totalsAtMs > this.#othersEveryMs;
    const totals = isDue ? await this.#addUp() : undefined;
    for (const each of totals === undefined ? [] : await this.#movedBy(totals))
      places.set(placeId(each.ring, each.partition), each);
    await this.#take([...places.values()]);
    // Set only now: after a failure the next poll finds what was left out, and nobody has relied on it yet.
    if (totals !== undefined) [this.#totals, this.#totalsAtMs] = [totals, atMs];
    this.#lookedAtMs = atMs;
  }

  async #addUp(): Promise<Map<number, Totals>> {
    const rows = await this.#db.query<Totals>(
      `SELECT ring, COUNT(*) AS partitions, SUM(changes) AS changes, SUM(epoch) AS epochs, MAX(epoch) AS epoch,
        COUNT(CASE WHEN is_held AND NOT is_ready THEN 1 END) AS unready FROM store_partition GROUP BY ring`,
    );
    return new Map(rows.map((row) => [row.ring, row]));
  }

  /** Reads only numbers: most partitions have not moved, and there may be thousands. */
  async #movedBy(totals: ReadonlyMap<number, Totals>): Promise<readonly Place[]> {
    const places: Place[] = [];
    for (const { ring, partitions, changes, epochs } of totals.values()) {
      const before = this.#totals.get(ring);
      if (before?.partitions === partitions && before.changes === changes && before.epochs === epochs) continue;
      const rows = await this.#db.query<Pick<PartitionRow, 'partition_number' | 'epoch' | 'changes'>>(
        'SELECT partition_number, epoch, changes FROM store_partition WHERE ring = ?',
        [ring],
      );
      for (const { partition_number: partition, epoch, changes: now } of rows) {
        const known = this.#moved.get(placeId(ring, partition))?.state;
        if (known?.changes !== now || known.epoch !== epoch) places.push({ ring, partition });
      }
    }
    return places;
  }

  /** The last changes are read after the states, so they are never behind them. */
  async #take(places: readonly Place[]): Promise<void> {
    if (places.length === 0) return;
    const look = this.#look + 1;
    const meet = (states: Iterable<PartitionState>, lasts: ReadonlyMap<string, number>) => {
      for (const state of states) {
        const id = placeId(state.ring, state.partition);
        this.#moved.set(id, { state, last: lasts.get(id) ?? 0, look });
      }
    };
    const few: Place[] = [];
    // All partitions of a ring move when its epoch changes.
    for (const [ring, some] of Map.groupBy(places, (each) => each.ring))
      if (some.length > statesAtOnce) meet(await this.#partitions.of(ring), await this.#lastsIn(ring));
      else few.push(...some);
    for (let from = 0; from < few.length; from += statesAtOnce) {
      const some = few.slice(from, from + statesAtOnce);
      meet((await this.#partitions.at(some)).values(), await this.#lasts(some));
    }
    this.#look = look;
  }

  async #lasts(places: readonly Place[]): Promise<ReadonlyMap<string, number>> {
    const { sql, values } = placesCondition(places);
    const rows = await this.#db.query<LastRow>(
      `SELECT p.ring, p.partition_number, (SELECT r.change_number FROM store_register r
        WHERE r.ring = p.ring AND r.partition_number = p.partition_number ORDER BY r.change_number DESC LIMIT 1) AS last
        FROM store_partition p WHERE ${sql}`,
      values,
    );
    return byPlace(rows);
  }

  /** Reads a whole ring in one index scan, rather than one for each partition. */
  async #lastsIn(ring: number): Promise<ReadonlyMap<string, number>> {
    const sql = `SELECT ring, partition_number, MAX(change_number) AS last FROM store_register
      WHERE ring = ? GROUP BY ring, partition_number`;
    return byPlace(await this.#db.query<LastRow>(sql, [ring]));
  }

  #sizes(told: readonly WantedChanges[]): Promise<SizeRow[]> {
    const each = `(SELECT ring, partition_number, change_number, COALESCE(LENGTH(head), 0) + COALESCE(LENGTH(body), 0) AS size
      FROM store_register WHERE ring = ? AND partition_number = ? AND change_number > ? ORDER BY change_number LIMIT ${mostChanges})`;
    return this.#db.query<SizeRow>(
      told.map(() => each).join(' UNION ALL '),
      told.flatMap(({ ring, partition, after }) => [ring, partition, after]),
    );
  }

  /** In one statement, so as of one moment: a register that changes at the same time has its old number or its new one. */
  #rows(chosen: readonly Chosen[]): Promise<ChangeRow[]> {
    const each = `SELECT ring, partition_number, change_number, scope, name, kind, version, promised, head, body FROM store_register
      WHERE ring = ? AND partition_number = ? AND change_number > ? AND change_number <= ?`;
    return this.#db.query<ChangeRow>(
      chosen.map(() => each).join(' UNION ALL '),
      chosen.flatMap(({ ring, partition, after, upTo, isWhole }) => [
        ...[ring, partition, after, isWhole ? Number.MAX_SAFE_INTEGER : upTo],
      ]),
    );
  }
}

interface LastRow extends Pick<SizeRow, 'ring' | 'partition_number'> {
  /** Null if it has none. */
  readonly last: number | null;
}

function byPlace(rows: readonly LastRow[]): ReadonlyMap<string, number> {
  return new Map(rows.map(({ ring, partition_number, last }) => [placeId(ring, partition_number), Number(last ?? 0)]));
}

interface Told extends WantedChanges {
  readonly head: number;
}

interface Chosen extends Told {
  readonly upTo: number;
  /** Everything, whatever the last number is by then. */
  readonly isWhole: boolean;
}

function isTold({ epoch, log, isHeld, isReady }: PartitionState, wanted: WantedChanges): boolean {
  return epoch === wanted.epoch && log === wanted.log && isHeld && isReady;
}

/** Decides how far each partition is returned, so that all of them fill one page. */
function choose(told: readonly Told[], sizes: readonly SizeRow[]): readonly Chosen[] {
  let [count, bytes] = [0, 0];
  const chosen: Chosen[] = [];
  for (const each of told) {
    const own = sizes
      .filter((row) => row.ring === each.ring && row.partition_number === each.partition)
      .sort((one, other) => one.change_number - other.change_number);
    let upTo = each.after;
    let fits = 0;
    for (const { change_number: number, size } of own) {
      if (count > 0 && (count === mostChanges || bytes + size > mostBytes)) break;
      [count, bytes, upTo, fits] = [count + 1, bytes + size, number, fits + 1];
    }
    const isWhole = fits === own.length && own.length < mostChanges;
    if (upTo > each.after || isWhole) chosen.push({ ...each, upTo, isWhole });
    if (!isWhole) break;
  }
  return chosen;
}

function toChange({ change_number: number, scope, name, version, head, body, kind }: ChangeRow): RegisterChange {
  const value = head === null || !hasValue(kind) ? undefined : { head, ...(body === null ? {} : { body }) };
  return { number, scope: toDigits(scope), name: name.toString(), version: toDigits(version), value };
}
