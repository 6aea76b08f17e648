// The partitions that this cluster holds and their epochs: the rings' documents as its replica has applied them.
import { randomBytes } from 'node:crypto';
import type { Database, Transaction } from '../../../../platform/database/database.ts';
import { marksFor } from '../../../../platform/database/sql.ts';
import { later, noVersion, type Version } from '../../../../platform/registers/version.ts';
import type { Durability } from './durability.ts';
import {
  lockPartitions,
  type PartitionRow,
  type PartitionState,
  type Place,
  partitionColumns,
  placeId,
  placesCondition,
  toState,
  writePartitions,
} from './partition-state.ts';

interface MadeReady extends Place {
  readonly epoch: number;
  /** The highest floor among a majority of the previous holders. */
  readonly floor: Version;
}

interface EnteredRing {
  readonly ring: number;
  readonly epoch: number;
  /** Partitions of this cluster. */
  readonly held: ReadonlySet<number>;
  /** Clusters that hold any of the ring. Positions of other clusters are dropped. Undefined keeps the members as before. */
  readonly members?: readonly number[];
  /** Nothing had been stored when this epoch began. */
  readonly isEmpty?: boolean;
  /** This cluster's data of the ring no longer counts: it copies everything from the others. */
  readonly isRecovering?: boolean;
  /** Other recovering clusters: their positions are dropped. */
  readonly recovering?: readonly number[];
  /** It is not known yet whether this cluster was here before and lost its data: new partitions do not become ready. */
  readonly isUnheard?: boolean;
  /** The ring accepts no more blobs. */
  readonly isEnding?: boolean;
}

export interface PartitionFloor {
  readonly partition: number;
  readonly floor: Version;
}

const rowsAtOnce = 1_000;
/** Keeps transactions short: writers in these partitions wait for them. */
const readyAtOnce = 256;
const logBytes = 16;
/** Counter with the epoch in which a ring was lost; see `lose`. */
const lostName = (ring: number): string => `lost/${ring}`;
/** Counter with the epoch from which a ring accepts no blobs. It remains when the ring is gone, for processes with an older document. */
const endingName = (ring: number): string => `ending/${ring}`;
/** Counter with the epoch in which this cluster joined an empty ring, possibly as a new cluster. */
const newName = (ring: number): string => `new/${ring}`;

export class Partitions {
  readonly #db: Database;
  readonly #durability: Durability;

  constructor(options: { readonly db: Database; readonly durability: Durability }) {
    this.#db = options.db;
    this.#durability = options.durability;
  }

  async of(ring: number): Promise<readonly PartitionState[]> {
    const rows = await this.#db.query<PartitionRow>(
      `SELECT ${partitionColumns} FROM store_partition WHERE ring = ? ORDER BY partition_number`,
      [ring],
    );
    return rows.map(toState);
  }

  async at(places: readonly Place[]): Promise<ReadonlyMap<string, PartitionState>> {
    if (places.length === 0) return new Map();
    const { sql, values } = placesCondition(places);
    const rows = await this.#db.query<PartitionRow>(
      `SELECT ${partitionColumns} FROM store_partition WHERE ${sql}`,
      values,
    );
    return new Map(rows.map((row) => [placeId(row.ring, row.partition_number), toState(row)]));
  }

  /** The epoch of the ring at this cluster. 0 if it never held any of it. */
  async epochOf(ring: number): Promise<number> {
    // All partitions of a ring enter together.
    const [row] = await this.#db.query<{ epoch: number }>(
      'SELECT epoch FROM store_partition WHERE ring = ? ORDER BY partition_number LIMIT 1',
      [ring],
      { prepared: true },
    );
    return row?.epoch ?? 0;
  }

  /** In one query: the epoch as from `epochOf`, and whether the ring accepts no more blobs. */
  async stateOf(ring: number): Promise<{ readonly epoch: number; readonly isEnding: boolean }> {
    const [row] = await this.#db.query<{ epoch: number | null; ending: number | null }>(
      `SELECT (SELECT epoch FROM store_partition WHERE ring = ? ORDER BY partition_number LIMIT 1) AS epoch,
        (SELECT number FROM store_counter WHERE name = ?) AS ending`,
      [ring, endingName(ring)],
      { prepared: true },
    );
    return { epoch: row?.epoch ?? 0, isEnding: row?.ending != null };
  }

  /** The epoch of each ring of which it holds, or once held, any partition. */
  async epochs(): Promise<ReadonlyMap<number, number>> {
    // One row for each ring: reading all rows takes ten times as long.
    const rows = await this.#db.query<{ ring: number; epoch: number }>(
      `SELECT known.ring, (SELECT one.epoch FROM store_partition one WHERE one.ring = known.ring
        ORDER BY one.partition_number LIMIT 1) AS epoch FROM (SELECT DISTINCT ring FROM store_partition) known`,
    );
    return new Map(rows.map(({ ring, epoch }) => [ring, epoch]));
  }

  /**
   * Enters an epoch of a ring in which this cluster holds these partitions; an older epoch changes nothing. Partitions are ready at once in
   * the first epoch, and while the ring is empty. In a later epoch, new ones have to be made ready. Requests for partitions no longer held
   * are refused.
   */
  async enterRing(entered: EnteredRing): Promise<void> {
    const { ring, epoch, held, isEmpty = false, isRecovering = false, recovering = [] } = entered;
    const { isUnheard = false, isEnding = false, members = [] } = entered;
    // First refused from here on, then deleted, together with their numbering, which others have followed further than this replica now is.
    if (isRecovering)
      await this.#db.execute('UPDATE store_partition SET is_held = 0 WHERE ring = ? AND epoch < ?', [ring, epoch]);
    // Read before the transaction: writers in these partitions wait for it.
    const before = await this.#db.query<Pick<PartitionRow, 'partition_number' | 'epoch' | 'is_held'>>(
      'SELECT partition_number, epoch, is_held FROM store_partition WHERE ring = ?',
      [ring],
    );
    const returning = before.filter((row) => row.epoch < epoch && row.is_held === 0 && held.has(row.partition_number));
    await this.#clearReturning(returning.map((row) => ({ ring, partition: row.partition_number })));
    const known = new Set(before.map((row) => row.partition_number));
    const mayLack = isRecovering || [...held].some((partition) => !known.has(partition));
    await this.#db.transaction(async (tx) => {
      if (isRecovering) {
        await tx.execute('DELETE FROM store_partition WHERE ring = ? AND epoch < ?', [ring, epoch]);
        await tx.execute('DELETE FROM store_counter WHERE name IN (?, ?) AND number < ?', [
          ...[lostName(ring), newName(ring)],
          epoch,
        ]);
      }
      if (held.size === 0) await this.#leaveLost(tx, ring, epoch);
      const isRaised = await raiseEpoch(tx, entered);
      const rows = await tx.query<Pick<PartitionRow, 'partition_number' | 'epoch'>>(
        `SELECT partition_number, epoch FROM store_partition WHERE ring = ? ORDER BY partition_number
          ${mayLack ? '' : 'LIMIT 1'} FOR UPDATE`,
        [ring],
      );
      // All partitions of a ring have one epoch. Another process of this cluster may be ahead.
      if (rows.some((row) => row.epoch > epoch)) return;
      await markEnding(tx, ring, isEnding ? epoch : undefined);
      if (isRaised && recovering.length > 0)
        await tx.execute(`DELETE FROM store_position WHERE ring = ? AND peer IN (${marksFor(recovering)})`, [
          ring,
          ...recovering,
        ]);
      if (isRaised && members.length > 0)
        await tx.execute(`DELETE FROM store_position WHERE ring = ? AND peer NOT IN (${marksFor(members)})`, [
          ring,
          ...members,
        ]);
      const isFirst = epoch === 1 || isEmpty;
      const there = new Set(rows.map((row) => row.partition_number));
      const fresh = [...(mayLack ? held : [])]
        .filter((partition) => !there.has(partition))
        .map((partition) => firstState(ring, partition, epoch, !isUnheard && isFirst));
      await writePartitions(tx, fresh);
      if (isUnheard && isFirst && (fresh.length > 0 || isRaised))
        await tx.execute('INSERT IGNORE INTO store_counter (name, number) VALUES (?, ?)', [newName(ring), epoch]);
    });
  }

  /**
   * This cluster's data is older than what it has sent to others: it has forgotten promises. Nothing of it votes until its rings are
   * recovered.
   * @returns the rings
   */
  lose(): Promise<readonly number[]> {
    return this.#db.transaction(async (tx) => {
      const rows = await tx.query<{ ring: number; epoch: number }>(
        'SELECT ring, MAX(epoch) AS epoch FROM store_partition WHERE is_held GROUP BY ring ORDER BY ring',
      );
      // Counts as a change, so that the processes of this cluster stop serving its data to others.
      await tx.execute('UPDATE store_partition SET is_ready = 0, changes = changes + 1 WHERE is_ready');
      for (const { ring, epoch } of rows)
        await tx.execute('REPLACE INTO store_counter (name, number) VALUES (?, ?)', [lostName(ring), epoch]);
      return rows.map(({ ring }) => ring);
    });
  }

  /** Rings that are lost and not recovered yet. */
  async lost(): Promise<ReadonlySet<number>> {
    const rows = await this.#db.query<{ name: string }>("SELECT name FROM store_counter WHERE name LIKE 'lost/%'");
    return new Set(rows.map(({ name }) => Number(name.slice(lostName(0).length - 1))));
  }

  /**
   * Whether it joined the ring while that was empty. Partitions that do not vote yet lack nothing: nothing was forgotten without their
   * confirmation.
   */
  async isNew(ring: number): Promise<boolean> {
    return (await this.#db.query('SELECT 1 FROM store_counter WHERE name = ?', [newName(ring)])).length > 0;
  }

  /** They vote from now on, except those in another epoch or not held. @throws Error for a lost ring */
  async makeReady(all: readonly MadeReady[]): Promise<void> {
    for (let from = 0; from < all.length; from += readyAtOnce) {
      const some = all.slice(from, from + readyAtOnce);
      await this.#db.transaction(async (tx) => {
        const states = await lockPartitions(tx, some);
        await mustNotBeLost(tx, new Set(some.map(({ ring }) => ring)));
        const ready = some.flatMap(({ ring, partition, epoch, floor }) => {
          const state = states.get(placeId(ring, partition));
          if (state === undefined || state.epoch !== epoch || !state.isHeld || state.isReady) return [];
          return [{ ...state, isReady: true, floor: later(state.floor, floor), changes: state.changes + 1 }];
        });
        await writePartitions(tx, ready);
      });
    }
  }

  /** The floor of each partition that is ready in this epoch. For a new member, which asks a majority. */
  async floors(ring: number, epoch: number): Promise<readonly PartitionFloor[]> {
    const states = (await this.of(ring)).filter((each) => each.epoch === epoch && each.isHeld && each.isReady);
    await this.#durability.ensure(states);
    return states.map(({ partition, floor }) => ({ partition, floor }));
  }

  /** Deletes rows of partitions that are no longer held. @returns how many; 0 if none is left */
  async clearLeft(ring: number): Promise<number> {
    // Only partitions that have rows: thousands may have been left.
    const left = await this.#db.query<Pick<PartitionRow, 'partition_number'>>(
      `SELECT partition_number FROM store_partition own WHERE ring = ? AND is_held = 0 AND EXISTS
        (SELECT 1 FROM store_register had WHERE had.ring = own.ring AND had.partition_number = own.partition_number)
        LIMIT ${readyAtOnce}`,
      [ring],
    );
    return left.length === 0 ? 0 : this.#clearSome(left.map((row) => ({ ring, partition: row.partition_number })));
  }

  /** Lost data of a ring that it has left is not needed. If the cluster returns, it starts a new numbering. */
  async #leaveLost(tx: Transaction, ring: number, epoch: number): Promise<void> {
    const names = [lostName(ring), newName(ring)];
    // Missing rows are not locked: other processes enter other rings.
    const found = await tx.query('SELECT 1 FROM store_counter WHERE name IN (?, ?) AND number < ?', [...names, epoch]);
    if (found.length === 0) return;
    await tx.execute('DELETE FROM store_counter WHERE name IN (?, ?) AND number < ?', [...names, epoch]);
    await tx.execute('UPDATE store_partition SET log = ?, changes = changes + 1 WHERE ring = ?', [
      randomBytes(logBytes),
      ring,
    ]);
  }

  /** The ring is gone: deletes this cluster's data of it, to which nothing refers. */
  async endRing(ring: number): Promise<void> {
    await this.#db.transaction(async (tx) => {
      await markEnding(tx, ring, 0);
      // First, so that nobody writes into it any more.
      await tx.execute('DELETE FROM store_partition WHERE ring = ?', [ring]);
      await tx.execute('DELETE FROM store_position WHERE ring = ?', [ring]);
      await tx.execute('DELETE FROM store_counter WHERE name IN (?, ?)', [lostName(ring), newName(ring)]);
    });
    for (;;) {
      const { affectedRows } = await this.#db.execute(`DELETE FROM store_register WHERE ring = ? LIMIT ${rowsAtOnce}`, [
        ring,
      ]);
      if (affectedRows < rowsAtOnce) return;
    }
  }

  /** Data of a partition that it left is old: it would bring back names that others have deleted and forgotten since. */
  async #clearReturning(returning: readonly Place[]): Promise<void> {
    for (let from = 0; from < returning.length; from += readyAtOnce) {
      const some = returning.slice(from, from + readyAtOnce);
      while ((await this.#clearSome(some)) > 0);
    }
  }

  /** For one ring. @returns the number of deleted register rows; 0 if none is left */
  async #clearSome(places: readonly Place[]): Promise<number> {
    return this.#db.transaction(async (tx) => {
      const states = [...(await lockPartitions(tx, places)).values()].filter(({ isHeld }) => !isHeld);
      const [first] = states;
      if (first === undefined) return 0;
      const partitions = states.map(({ partition }) => partition);
      const condition = `ring = ? AND partition_number IN (${marksFor(partitions)})`;
      const values = [first.ring, ...partitions];
      await tx.execute(`DELETE FROM store_position WHERE ${condition}`, values);
      const { affectedRows } = await tx.execute(
        `DELETE FROM store_register WHERE ${condition} LIMIT ${rowsAtOnce}`,
        values,
      );
      return affectedRows;
    });
  }
}

/** Called under the partitions' locks: a concurrent `lose` waits, or is already done. */
async function mustNotBeLost(tx: Transaction, rings: ReadonlySet<number>): Promise<void> {
  const names = [...rings].map(lostName);
  const rows = await tx.query(
    `SELECT 1 FROM store_counter WHERE name IN (${marksFor(names)}) LOCK IN SHARE MODE`,
    names,
  );
  if (rows.length > 0)
    throw new Error("this cluster's data of a ring is lost: recover it with tidegate rings change --recover");
}

/**
 * In one statement. Partitions that are gained do not vote yet, those that are lost no longer vote; in an empty ring they vote at once.
 * @returns whether any partition of the ring had an older epoch
 */
async function raiseEpoch(tx: Transaction, entered: EnteredRing): Promise<boolean> {
  const { ring, epoch, held, isEmpty = false, isUnheard = false } = entered;
  const isHeld = held.size === 0 ? 'FALSE' : `partition_number IN (${[...held].join(', ')})`;
  const isReady = isEmpty && !isUnheard ? isHeld : `IF(is_held = (${isHeld}), is_ready, 0)`;
  // In this order, because readiness depends on what was held before. Counts as a change, so that the epoch is on disk before anybody
  // relies on it.
  const { affectedRows } = await tx.execute(
    `UPDATE store_partition SET epoch = ?, changes = changes + 1, is_ready = ${isReady}, is_held = (${isHeld})
      WHERE ring = ? AND epoch < ?`,
    [epoch, ring, epoch],
  );
  return affectedRows > 0;
}

/** Undefined if it does not end. */
async function markEnding(tx: Transaction, ring: number, epoch: number | undefined): Promise<void> {
  const name = endingName(ring);
  if (epoch === undefined) {
    const found = await tx.query('SELECT 1 FROM store_counter WHERE name = ?', [name]);
    if (found.length > 0) await tx.execute('DELETE FROM store_counter WHERE name = ?', [name]);
  } else await tx.execute('REPLACE INTO store_counter (name, number) VALUES (?, ?)', [name, epoch]);
}

function firstState(ring: number, partition: number, epoch: number, isReady: boolean): PartitionState {
  const log = randomBytes(logBytes).toString('hex');
  return { ring, partition, epoch, isHeld: true, isReady, floor: noVersion, changes: 0, log };
}
