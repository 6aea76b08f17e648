// Which partitions this cluster holds, and in which epoch: what the rings' documents say, as its replica knows it.
import { randomBytes } from 'node:crypto';
import type { Database, Transaction } from '../../../platform/database/database.ts';
import { marksFor } from '../../../platform/database/sql.ts';
import { later, noVersion, type Version } from '../../../platform/registers/version.ts';
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

export interface MadeReady extends Place {
  readonly epoch: number;
  /** The highest of a majority of those that held it before. */
  readonly floor: Version;
}

export interface EnteredRing {
  readonly ring: number;
  readonly epoch: number;
  /** Of this cluster. */
  readonly held: ReadonlySet<number>;
  /** The clusters that hold any of it; what this cluster knows of the numbering of others counts no more. Undefined: as before. */
  readonly members?: readonly number[];
  /** Nothing had been stored when this epoch began. */
  readonly isEmpty?: boolean;
  /** What this cluster has of the ring counts no more: it takes over everything from the others. */
  readonly isRecovering?: boolean;
  /** Others for which that is so: what this cluster knows of their numbering counts no more. */
  readonly recovering?: readonly number[];
  /** Whether this cluster was here before, and lost what it had, is not known yet: nothing new is ready. */
  readonly isUnheard?: boolean;
  /** No blob comes into it any more. */
  readonly isEnding?: boolean;
}

export interface PartitionFloor {
  readonly partition: number;
  readonly floor: Version;
}

const rowsAtOnce = 1_000;
/** Short transactions: who writes in these partitions waits meanwhile. */
const readyAtOnce = 256;
const logBytes = 16;
/** Of the epoch in which a ring was lost; see `lose`. */
const lostName = (ring: number): string => `lost/${ring}`;
/** Of the epoch since which no blob may come into a ring; it stays when the ring is gone, for who still has an older document. */
const endingName = (ring: number): string => `ending/${ring}`;
/** Of the epoch in which this cluster came into an empty ring, as one that may be new. */
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

  /** The epoch of the ring at this cluster; 0: it never held any of it. */
  async epochOf(ring: number): Promise<number> {
    // All partitions of a ring enter together.
    const [row] = await this.#db.query<{ epoch: number }>(
      'SELECT epoch FROM store_partition WHERE ring = ? ORDER BY partition_number LIMIT 1',
      [ring],
      { prepared: true },
    );
    return row?.epoch ?? 0;
  }

  /** Of a ring, in one look: its epoch as `epochOf` tells it, and whether blobs may not come into it any more. */
  async stateOf(ring: number): Promise<{ readonly epoch: number; readonly isEnding: boolean }> {
    const [row] = await this.#db.query<{ epoch: number | null; ending: number | null }>(
      `SELECT (SELECT epoch FROM store_partition WHERE ring = ? ORDER BY partition_number LIMIT 1) AS epoch,
        (SELECT number FROM store_counter WHERE name = ?) AS ending`,
      [ring, endingName(ring)],
      { prepared: true },
    );
    return { epoch: row?.epoch ?? 0, isEnding: row?.ending != null };
  }

  /** The epoch of each ring of which it holds or held any. */
  async epochs(): Promise<ReadonlyMap<number, number>> {
    // One row of each: looking at all of them takes ten times as long.
    const rows = await this.#db.query<{ ring: number; epoch: number }>(
      `SELECT known.ring, (SELECT one.epoch FROM store_partition one WHERE one.ring = known.ring
        ORDER BY one.partition_number LIMIT 1) AS epoch FROM (SELECT DISTINCT ring FROM store_partition) known`,
    );
    return new Map(rows.map(({ ring, epoch }) => [ring, epoch]));
  }

  /**
   * Enters an epoch of a ring, of which this cluster holds these partitions; an older epoch changes nothing. Those of the ring's first epoch
   * are ready at once, and those of one that is empty still; a later one makes new ones that have to be made ready. What is not held any more
   * is refused.
   */
  async enterRing(entered: EnteredRing): Promise<void> {
    const { ring, epoch, held, isEmpty = false, isRecovering = false, recovering = [] } = entered;
    const { isUnheard = false, isEnding = false, members = [] } = entered;
    // Refused from here on; and then gone, with the numbering of their changes, which others have followed further than it is now.
    if (isRecovering)
      await this.#db.execute('UPDATE store_partition SET is_held = 0 WHERE ring = ? AND epoch < ?', [ring, epoch]);
    // Whoever writes in these partitions waits for the transaction: what can be known before it is read before it.
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
      // All of a ring are in one epoch. Another process of this cluster may be ahead.
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
   * What this cluster has is not what it has told others: it has forgotten what it promised. Nothing of it votes until its ring is recovered.
   * @returns the rings
   */
  lose(): Promise<readonly number[]> {
    return this.#db.transaction(async (tx) => {
      const rows = await tx.query<{ ring: number; epoch: number }>(
        'SELECT ring, MAX(epoch) AS epoch FROM store_partition WHERE is_held GROUP BY ring ORDER BY ring',
      );
      // A change, so that the processes of this cluster tell others no more of what it has.
      await tx.execute('UPDATE store_partition SET is_ready = 0, changes = changes + 1 WHERE is_ready');
      for (const { ring, epoch } of rows)
        await tx.execute('REPLACE INTO store_counter (name, number) VALUES (?, ?)', [lostName(ring), epoch]);
      return rows.map(({ ring }) => ring);
    });
  }

  /** The rings that are lost, and not recovered yet. */
  async lost(): Promise<ReadonlySet<number>> {
    const rows = await this.#db.query<{ name: string }>("SELECT name FROM store_counter WHERE name LIKE 'lost/%'");
    return new Set(rows.map(({ name }) => Number(name.slice(lostName(0).length - 1))));
  }

  /**
   * Whether it came into the ring while that was empty. What of it does not vote yet lacks nothing: without its confirmation nothing was
   * forgotten.
   */
  async isNew(ring: number): Promise<boolean> {
    return (await this.#db.query('SELECT 1 FROM store_counter WHERE name = ?', [newName(ring)])).length > 0;
  }

  /** They vote from now on, except those that are in another epoch or not held. @throws Error of a ring that is lost */
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

  /** What was forgotten, by partition: only of those that are ready in this epoch. For a new member, which asks a majority. */
  async floors(ring: number, epoch: number): Promise<readonly PartitionFloor[]> {
    const states = (await this.of(ring)).filter((each) => each.epoch === epoch && each.isHeld && each.isReady);
    await this.#durability.ensure(states);
    return states.map(({ partition, floor }) => ({ partition, floor }));
  }

  /** Deletes rows of partitions that are not held any more. @returns how many; 0: none is left */
  async clearLeft(ring: number): Promise<number> {
    // Only those that have any: thousands may have been left.
    const left = await this.#db.query<Pick<PartitionRow, 'partition_number'>>(
      `SELECT partition_number FROM store_partition own WHERE ring = ? AND is_held = 0 AND EXISTS
        (SELECT 1 FROM store_register had WHERE had.ring = own.ring AND had.partition_number = own.partition_number)
        LIMIT ${readyAtOnce}`,
      [ring],
    );
    return left.length === 0 ? 0 : this.#clearSome(left.map((row) => ({ ring, partition: row.partition_number })));
  }

  /** What it lost of a ring that it has left is nothing that it needs; when it comes back, it numbers its changes anew. */
  async #leaveLost(tx: Transaction, ring: number, epoch: number): Promise<void> {
    const names = [lostName(ring), newName(ring)];
    // Rows that are not there are not locked: other processes enter other rings.
    const found = await tx.query('SELECT 1 FROM store_counter WHERE name IN (?, ?) AND number < ?', [...names, epoch]);
    if (found.length === 0) return;
    await tx.execute('DELETE FROM store_counter WHERE name IN (?, ?) AND number < ?', [...names, epoch]);
    await tx.execute('UPDATE store_partition SET log = ?, changes = changes + 1 WHERE ring = ?', [
      randomBytes(logBytes),
      ring,
    ]);
  }

  /** The ring is gone: so is what this cluster has of it, of which nothing refers to anything. */
  async endRing(ring: number): Promise<void> {
    await this.#db.transaction(async (tx) => {
      await markEnding(tx, ring, 0);
      // First: nobody writes into it any more.
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

  /** What it has of a partition that it left is old: what others deleted and forgot since would come back with it. */
  async #clearReturning(returning: readonly Place[]): Promise<void> {
    for (let from = 0; from < returning.length; from += readyAtOnce) {
      const some = returning.slice(from, from + readyAtOnce);
      while ((await this.#clearSome(some)) > 0);
    }
  }

  /** Of one ring. @returns how many rows of registers; 0: none is left */
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

/** Under the partitions' locks: whoever loses them waits, or has done it. */
async function mustNotBeLost(tx: Transaction, rings: ReadonlySet<number>): Promise<void> {
  const names = [...rings].map(lostName);
  const rows = await tx.query(
    `SELECT 1 FROM store_counter WHERE name IN (${marksFor(names)}) LOCK IN SHARE MODE`,
    names,
  );
  if (rows.length > 0)
    throw new Error('what this cluster has of a ring is lost: recover it with tidegate rings change --recover');
}

/**
 * In one statement. What comes or goes does not vote yet, and no more; in an empty ring it votes at once.
 * @returns whether anything of the ring was in an older epoch
 */
async function raiseEpoch(tx: Transaction, entered: EnteredRing): Promise<boolean> {
  const { ring, epoch, held, isEmpty = false, isUnheard = false } = entered;
  const isHeld = held.size === 0 ? 'FALSE' : `partition_number IN (${[...held].join(', ')})`;
  const isReady = isEmpty && !isUnheard ? isHeld : `IF(is_held = (${isHeld}), is_ready, 0)`;
  // In this order: readiness looks at what was held before. The number of a change, so that the epoch is on disk before anybody answers by it.
  const { affectedRows } = await tx.execute(
    `UPDATE store_partition SET epoch = ?, changes = changes + 1, is_ready = ${isReady}, is_held = (${isHeld})
      WHERE ring = ? AND epoch < ?`,
    [epoch, ring, epoch],
  );
  return affectedRows > 0;
}

/** Undefined: it does not end. */
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
