// Finds deletions that are old enough to be forgotten, and asks the partition's members to confirm them. One member of each partition does
// this, so that they don't all ask for the same. A deletion waits for all members: an absent one delays nothing else.
import type { Database } from '../../../../platform/database/database.ts';
import type { Logger } from '../../../../platform/log/log.ts';
import type { Version } from '../../../../platform/registers/version.ts';
import { Looped } from '../../../../platform/work/loop.ts';
import { within } from '../../../../platform/work/within.ts';
import type { ForgetRequest, TombstonePeer } from './catch-up.ts';
import { type Place, toBinary, toDigits } from './partition-state.ts';
import type { RegisterKey } from './register.ts';
import { kinds } from './register-rows.ts';
import type { Tombstones } from './tombstones.ts';

export interface Membership {
  readonly epoch: number;
  readonly members: readonly number[];
}

interface TombstoneCollectorOptions {
  readonly db: Database;
  readonly log: Logger;
  readonly tombstones: Tombstones;
  /** This cluster's number. */
  readonly cluster: number;
  /** Undefined if unknown, or if the ring is changing. */
  readonly membersOf: (place: Place) => Membership | undefined;
  /** The other clusters, by number. */
  readonly peers: () => ReadonlyMap<number, TombstonePeer>;
  /** Writes the name's present value with a later version, at a majority: an abandoned promise blocks forgetting. */
  readonly settle: (key: RegisterKey) => Promise<unknown>;
  /**
   * Age by its version's time; default 10 minutes. A shorter time is correct too, but changes that lagging members lack would then need
   * later versions.
   */
  readonly afterMs?: number | undefined;
  /** Time between two rounds; default 1 minute. */
  readonly pauseMs?: number | undefined;
  readonly nowMs?: () => number;
}

interface TombstoneRow {
  readonly scope: Buffer;
  readonly name: Buffer;
  readonly version: Buffer;
  readonly promised: Buffer;
}

const requestMs = 30_000;
const rowsAtOnce = 200;
const mostSettled = 16;

export class TombstoneCollector extends Looped {
  readonly #options: TombstoneCollectorOptions;

  constructor(options: TombstoneCollectorOptions) {
    const { log, pauseMs = 60_000 } = options;
    super({
      name: 'forget deletions',
      log,
      pauseMs: () => pauseMs,
      run: async (signal) => {
        await this.round(signal);
        return false;
      },
    });
    this.#options = options;
  }

  /** Forgets all deletions that can be forgotten now. @returns how many all members have confirmed */
  async round(signal: AbortSignal): Promise<number> {
    let forgotten = 0;
    for (const place of await this.#places(kinds.deletion)) {
      signal.throwIfAborted();
      const membership = this.#options.membersOf(place);
      if (membership !== undefined && this.#isMine(place, membership))
        forgotten += await this.#forgetIn(place, membership, signal);
    }
    for (const place of await this.#places(kinds.promise)) {
      signal.throwIfAborted();
      await this.#forgetPromisesIn(place, signal);
    }
    return forgotten;
  }

  #isMine({ partition }: Place, { members }: Membership): boolean {
    const inOrder = members.toSorted((one, other) => one - other);
    return inOrder[partition % inOrder.length] === this.#options.cluster;
  }

  async #places(kind: number): Promise<readonly Place[]> {
    const rows = await this.#options.db.query<{ ring: number; partition_number: number }>(
      'SELECT DISTINCT ring, partition_number FROM store_register WHERE kind = ?',
      [kind],
    );
    return rows.map(({ ring, partition_number: partition }) => ({ ring, partition }));
  }

  async #forgetIn(place: Place, { epoch, members }: Membership, signal: AbortSignal): Promise<number> {
    const { cluster, tombstones: own, peers } = this.#options;
    const others = members.filter((member) => member !== cluster).map((member) => peers().get(member));
    if (others.some((peer) => peer === undefined)) return 0;
    const all: readonly TombstonePeer[] = [own, ...others.flatMap((peer) => peer ?? [])];
    let forgotten = 0;
    for await (const rows of this.#pages(kinds.deletion, place, 'version')) {
      signal.throwIfAborted();
      await this.#settleOpen(place, rows, signal);
      const tombstones = rows
        // A gate keeps its value as long as anybody asks for it.
        .filter(({ name }) => place.ring === 0 || name.length > 0)
        .map(({ scope, name, version }) => ({
          ...{ scope: toDigits(scope), name: name.toString(), version: toDigits(version) },
        }));
      const request: ForgetRequest = { ...place, epoch, tombstones };
      const answers = await Promise.all(all.map((member) => this.#ask(() => member.confirms(request), signal))).catch(
        () => undefined,
      );
      // A member is absent: the rest of the partition waits for it too.
      if (answers === undefined) return forgotten;
      const confirmed = tombstones.filter((_, index) => answers.every((answer) => answer[index] === true));
      if (confirmed.length === 0) continue;
      await Promise.allSettled(
        all.map((member) => this.#ask(() => member.forget({ ...request, tombstones: confirmed }), signal)),
      );
      forgotten += confirmed.length;
    }
    return forgotten;
  }

  /** A coordinator that died after a promise leaves it behind, and with it the deletion. */
  async #settleOpen({ ring }: Place, rows: readonly TombstoneRow[], signal: AbortSignal): Promise<void> {
    const { settle } = this.#options;
    const open = rows.filter(({ version, promised }) => promised.compare(version) > 0).slice(0, mostSettled);
    const keys = open.map(({ scope, name }) => ({ ring, scope: toDigits(scope), name: name.toString() }));
    await Promise.allSettled(keys.map((key) => this.#ask(() => settle(key), signal)));
  }

  async #forgetPromisesIn(place: Place, signal: AbortSignal): Promise<void> {
    for await (const rows of this.#pages(kinds.promise, place, 'promised')) {
      signal.throwIfAborted();
      const keys = rows.map(({ scope, name }) => ({ ring: place.ring, scope: toDigits(scope), name: name.toString() }));
      await this.#options.tombstones.forgetPromises(keys, this.#before());
    }
  }

  /** Rows of a kind that are old enough, in order of names. */
  async *#pages(kind: number, { ring, partition }: Place, column: 'version' | 'promised') {
    let scope: Buffer = Buffer.alloc(0);
    let name: Buffer = Buffer.alloc(0);
    for (;;) {
      const rows = await this.#options.db.query<TombstoneRow>(
        `SELECT scope, name, version, promised FROM store_register FORCE INDEX (store_register_kind_idx)
          WHERE kind = ? AND ring = ? AND partition_number = ? AND (scope > ? OR (scope = ? AND name > ?)) AND ${column} < ?
          ORDER BY scope, name LIMIT ${rowsAtOnce}`,
        [kind, ring, partition, scope, scope, name, toBinary(this.#before())],
      );
      const last = rows.at(-1);
      if (last === undefined) return;
      yield rows;
      ({ scope, name } = last);
    }
  }

  #before(): Version {
    const { afterMs = 600_000, nowMs = Date.now } = this.#options;
    return Math.max(0, nowMs() - afterMs)
      .toString(16)
      .padStart(12, '0')
      .padEnd(32, '0');
  }

  #ask<Result>(request: () => Promise<Result>, signal: AbortSignal): Promise<Result> {
    return within(requestMs, 'a cluster did not answer', request, signal);
  }
}
