// A transaction that changes registers of some partitions. It locks the partitions, reads the rows, lets the rules decide in memory, and
// writes all changes at once. Rows need no locks: they change only under their partition's lock.
import type { Transaction } from '../../../../platform/database/database.ts';
import { invariant } from '../../../../platform/errors/errors.ts';
import type { Known, Row } from '../../../../platform/registers/rules.ts';
import { later, noVersion, type Version } from '../../../../platform/registers/version.ts';
import { type GateState, gateOf, gateState, hasGate } from './gate.ts';
import { padded } from './padded.ts';
import { lockPartitions, type PartitionState, type Place, placeId, writePartitions } from './partition-state.ts';
import type { RegisterKey, StoredValue } from './register.ts';
import {
  type Change,
  type HeldRow,
  type HeldValue,
  keyId,
  keyOf,
  keysCondition,
  type Promised,
  promisesSql,
  type RegisterRow,
  toRow,
  valuesSql,
} from './register-rows.ts';
import { partitionOfScope } from './scope-partition.ts';

interface Wanted {
  readonly key: RegisterKey;
  /** Whether the value is needed, and not only its version. */
  readonly isRead: boolean;
}

export class Changing {
  readonly #tx: Transaction;
  readonly #states: Map<string, PartitionState>;
  readonly #rows: Map<string, HeldRow>;
  readonly #stored: ReadonlyMap<string, HeldRow>;
  readonly #changed = new Map<string, RegisterKey>();
  readonly #changedPlaces = new Set<string>();

  private constructor(
    tx: Transaction,
    states: ReadonlyMap<string, PartitionState>,
    rows: ReadonlyMap<string, HeldRow>,
  ) {
    this.#tx = tx;
    this.#states = new Map(states);
    this.#rows = new Map(rows);
    this.#stored = rows;
  }

  /** Locks the partitions of these names and of `places`. Reads the names' rows and their scopes' gates. */
  static async open(tx: Transaction, wanted: readonly Wanted[], places: readonly Place[] = []): Promise<Changing> {
    const byPlace = new Map(places.map((each) => [placeId(each.ring, each.partition), each]));
    const plain = new Map<string, RegisterKey>();
    const read = new Map<string, RegisterKey>();
    for (const { key, isRead } of wanted) {
      const partition = partitionOfScope(key.scope);
      byPlace.set(placeId(key.ring, partition), { ring: key.ring, partition });
      (isRead ? read : plain).set(keyId(key), key);
      if (hasGate(key)) plain.set(keyId(gateOf(key)), gateOf(key));
    }
    for (const id of read.keys()) plain.delete(id);
    // Sent together: the locks are acquired before the rows are read.
    const [states, ...found] = await Promise.all([
      lockPartitions(tx, [...byPlace.values()]),
      readRows(tx, [...plain.values()], "IF(name = '', head, NULL) AS head, NULL AS body"),
      readRows(tx, [...read.values()], 'head, body'),
    ]);
    return new Changing(tx, states, new Map(found.flat().map((row) => [keyId(keyOf(row)), toRow(row)])));
  }

  /** States of the locked partitions. */
  states(): ReadonlyMap<string, PartitionState> {
    return this.#states;
  }

  state(key: RegisterKey): PartitionState | undefined {
    return this.#states.get(placeId(key.ring, partitionOfScope(key.scope)));
  }

  /** For a name whose partition is locked. */
  known(key: RegisterKey): Known<HeldValue> {
    return { row: this.#rows.get(keyId(key)), floor: this.#mustHave(key).floor };
  }

  gate(key: RegisterKey): GateState {
    return hasGate(key) ? gateState(this.#rows.get(keyId(gateOf(key)))) : 'OPEN';
  }

  put(key: RegisterKey, row: HeldRow): void {
    const id = keyId(key);
    const before = this.#rows.get(id);
    if (before?.version === row.version && before.promised === row.promised) return;
    this.#rows.set(id, row);
    this.#changed.set(id, key);
  }

  /** Deletes the row and raises the floor. */
  forget(key: RegisterKey, version: Version): void {
    const id = keyId(key);
    const state = this.#mustHave(key);
    this.#rows.delete(id);
    this.#changed.set(id, key);
    // Counts as a change although no row has its number, so that the floor is on disk before it is reported.
    this.#setState({ ...state, floor: later(state.floor, version), changes: state.changes + 1 });
  }

  /** Writes all changes. False if there are none. */
  async store(): Promise<boolean> {
    const changes: Change[] = [];
    const promises: Promised[] = [];
    const gone: RegisterKey[] = [];
    for (const [id, key] of this.#changed) {
      const row = this.#rows.get(id);
      const before = this.#stored.get(id);
      if (row === undefined) {
        if (before !== undefined) gone.push(key);
      } else if (row.version === (before?.version ?? noVersion)) promises.push({ key, row });
      else changes.push({ key, row: whole(row), number: this.#nextNumber(key) });
    }
    const states = [...this.#changedPlaces].flatMap((id) => this.#states.get(id) ?? []);
    // Sent together: none of it remains unless the transaction is committed afterwards.
    await Promise.all([
      this.#write(changes, valuesSql, sizeOf(changes)),
      this.#write(promises, promisesSql),
      this.#write(gone, (keys) => {
        const { sql, values } = keysCondition(keys);
        return { sql: `DELETE FROM store_register WHERE ${sql}`, values };
      }),
      states.length === 0 ? undefined : writePartitions(this.#tx, states),
    ]);
    return changes.length + promises.length + gone.length + states.length > 0;
  }

  async #write<Item>(
    items: readonly Item[],
    sqlOf: (items: readonly Item[]) => ReturnType<typeof valuesSql>,
    bytes = 0,
  ) {
    if (items.length === 0) return;
    const { items: filled, prepared } = padded(items, bytes);
    const { sql, values } = sqlOf(filled);
    await this.#tx.query(sql, values, { prepared });
  }

  #nextNumber(key: RegisterKey): number {
    const state = this.#mustHave(key);
    const changes = state.changes + 1;
    this.#setState({ ...state, changes });
    return changes;
  }

  #mustHave(key: RegisterKey): PartitionState {
    const state = this.state(key);
    invariant(state !== undefined, `the partition of ${keyId(key)} is not held`);
    return state;
  }

  #setState(state: PartitionState): void {
    const id = placeId(state.ring, state.partition);
    this.#states.set(id, state);
    this.#changedPlaces.add(id);
  }
}

function whole({ version, promised, value }: HeldRow): Row<StoredValue> {
  invariant(value !== 'KEPT', 'cannot write a value that was not read');
  return { version, promised, value };
}

function sizeOf(changes: readonly Change[]): number {
  return changes.reduce((sum, { row }) => sum + (row.value?.head.length ?? 0) + (row.value?.body?.length ?? 0), 0);
}

function readRows(tx: Transaction, keys: readonly RegisterKey[], values: string): Promise<RegisterRow[]> {
  if (keys.length === 0) return Promise.resolve([]);
  const { items, prepared } = padded(keys);
  const { sql, values: keyValues } = keysCondition(items);
  return tx.query<RegisterRow>(
    `SELECT ring, scope, name, kind, version, promised, ${values} FROM store_register WHERE ${sql}`,
    keyValues,
    { prepared },
  );
}
