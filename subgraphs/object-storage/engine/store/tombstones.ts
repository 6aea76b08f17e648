// Forgets deletions. A tombstone is deleted after every member of the partition has confirmed it, all in one epoch without a ring change.
// Its version remains as the partition's floor; otherwise a late message could bring the name back.
import type { Database } from '../../../../platform/database/database.ts';
import { isForgettable } from '../../../../platform/registers/rules.ts';
import { noVersion, type Version } from '../../../../platform/registers/version.ts';
import { type ForgetRequest, mostForgottenAtOnce, type TombstonePeer } from './catch-up.ts';
import { Changing } from './changing.ts';
import type { Durability } from './durability.ts';
import { type PartitionState, placeId } from './partition-state.ts';
import type { RegisterKey } from './register.ts';
import { checkName, checkPlace, checkWritten } from './request-checks.ts';
import { partitionOfScope } from './scope-partition.ts';

/** Confirms and forgets for this cluster's replica. */
export class Tombstones implements TombstonePeer {
  readonly #db: Database;
  readonly #durability: Durability;

  constructor(options: { readonly db: Database; readonly durability: Durability }) {
    this.#db = options.db;
    this.#durability = options.durability;
  }

  async confirms(request: ForgetRequest): Promise<readonly boolean[]> {
    const { tombstones } = request;
    const { state, confirmed } = await this.#inOrder(request, async (changing, keys) => ({
      state: changing.states().get(placeId(request.ring, request.partition)),
      confirmed: keys.map((key, index) => {
        // Names behind a gate in state DELETED are never sent or accepted again.
        if (changing.gate(key) === 'DELETED') return true;
        const known = changing.known(key);
        const version = tombstones[index]?.version ?? '';
        return known.row === undefined ? known.floor >= version : isForgettable(known, version);
      }),
    }));
    if (state === undefined || confirmed.length === 0) return tombstones.map(() => false);
    // A confirmation that was lost in a crash would leave the name here alone after the others have forgotten it.
    await this.#durability.ensure([state]);
    return confirmed;
  }

  async forget(request: ForgetRequest): Promise<void> {
    await this.#inOrder(request, async (changing, keys) => {
      for (const [index, key] of keys.entries()) {
        const { version = '' } = request.tombstones[index] ?? {};
        if (changing.gate(key) === 'DELETED' || isForgettable(changing.known(key), version))
          changing.forget(key, version);
      }
      await changing.store();
      return { state: undefined, confirmed: [] };
    });
  }

  /**
   * Deletes rows that have only a promise below `before`: the floor blocks at least as much as the promise did. No other cluster needs to
   * know.
   * @returns how many
   */
  forgetPromises(keys: readonly RegisterKey[], before: Version): Promise<number> {
    return this.#db.transaction(async (tx) => {
      const changing = await Changing.open(
        tx,
        keys.map((key) => ({ key, isRead: false })),
      );
      const idle = keys.filter((key) => {
        const { row } = changing.state(key) === undefined ? {} : changing.known(key);
        return row !== undefined && row.version === noVersion && row.promised < before;
      });
      for (const key of idle) changing.forget(key, changing.known(key).row?.promised ?? noVersion);
      await changing.store();
      return idle.length;
    });
  }

  /** Runs under the partition's lock. Does nothing if the partition has another epoch or does not vote. */
  async #inOrder(
    { ring, partition, epoch, tombstones }: ForgetRequest,
    act: (changing: Changing, keys: readonly RegisterKey[]) => Promise<Found>,
  ): Promise<Found> {
    if (tombstones.length > mostForgottenAtOnce)
      throw new Error(`at most ${mostForgottenAtOnce} deletions can be forgotten at once`);
    const keys = tombstones.map(({ scope, name, version }) => {
      checkPlace(ring, scope, epoch);
      checkName('a name', name);
      checkWritten({ version, value: undefined });
      if (partitionOfScope(scope) !== partition) throw new Error(`${scope} is not in partition ${partition}`);
      return { ring, scope, name };
    });
    return this.#db.transaction(async (tx) => {
      const wanted = keys.map((key) => ({ key, isRead: false }));
      const changing = await Changing.open(tx, wanted, [{ ring, partition }]);
      const state = changing.states().get(placeId(ring, partition));
      if (state?.epoch !== epoch || !state.isHeld || !state.isReady) return { state: undefined, confirmed: [] };
      return act(changing, keys);
    });
  }
}

interface Found {
  readonly state: PartitionState | undefined;
  readonly confirmed: readonly boolean[];
}
