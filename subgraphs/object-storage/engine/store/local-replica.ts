// This cluster's replica of the registers, in its database. All waiting requests share one transaction, so that each of many clients costs
// little. Several processes of the cluster may do this at once on one database.
import type { Database, SqlValue } from '../../../../platform/database/database.ts';
import { CommitUncertainError } from '../../../../platform/errors/database-errors.ts';
import { NotSentError } from '../../../../platform/registers/errors.ts';
import type { Refusal } from '../../../../platform/registers/registers.ts';
import { accept, type Known, promise } from '../../../../platform/registers/rules.ts';
import { noVersion } from '../../../../platform/registers/version.ts';
import { messageOf } from '../message-of.ts';
import { Batches } from './batches.ts';
import { Changing } from './changing.ts';
import { Durability } from './durability.ts';
import { type GateState, gateOf, gateState, hasGate } from './gate.ts';
import { padded } from './padded.ts';
import {
  type PartitionRow,
  type PartitionState,
  partitionColumns,
  placeId,
  placesCondition,
  refusalOf,
  toBinary,
  toDigits,
  toState,
} from './partition-state.ts';
import type {
  ListAnswer,
  ListRequest,
  RegisterKey,
  Replica,
  ReplicaAnswer,
  ReplicaRequest,
  StoredValue,
} from './register.ts';
import { type HeldRow, type HeldValue, keyId, keyOf, keysCondition, type RegisterRow, toRow } from './register-rows.ts';
import { checkListRequest, checkRequest } from './request-checks.ts';
import { partitionOfScope } from './scope-partition.ts';

interface LocalReplicaOptions {
  readonly db: Database;
  readonly durability?: Durability;
}

type Read = Extract<ReplicaRequest, { op: 'read' }>;
type Write = Exclude<ReplicaRequest, Read>;

const mebibyte = 1024 * 1024;
const writeLimits = {
  ...{ mostItems: 256, mostBytes: 4 * mebibyte },
  ...{ mostWaiting: 4_096, mostWaitingBytes: 64 * mebibyte },
};
/** Sizes of values are unknown in advance: the answers of a batch have at most 64 MiB. */
const readLimits = { mostItems: 64, mostBytes: 64, mostWaiting: 4_096, mostWaitingBytes: 4_096 };

export class LocalReplica implements Replica {
  readonly #db: Database;
  readonly #durability: Durability;
  readonly #writes: Batches<Write, ReplicaAnswer>;
  readonly #reads: Batches<Read, ReplicaAnswer>;

  constructor({ db, durability = new Durability(db) }: LocalReplicaOptions) {
    this.#db = db;
    this.#durability = durability;
    this.#writes = new Batches({ ...writeLimits, sizeOf: sizeOfWrite, run: (batch) => this.#write(batch) });
    this.#reads = new Batches({ ...readLimits, sizeOf: () => 1, run: (batch) => this.#read(batch) });
  }

  /** Rejects with NotSentError if nothing was done. After any other error it may have been done. */
  async ask(request: ReplicaRequest): Promise<ReplicaAnswer> {
    checkRequest(request);
    return request.op === 'read' ? this.#reads.add(request) : this.#writes.add(request);
  }

  /** Answers queued requests and accepts no more. */
  async drain(): Promise<void> {
    await Promise.all([this.#writes.drain(), this.#reads.drain()]);
  }

  async #write(batch: readonly Write[]): Promise<readonly ReplicaAnswer[]> {
    try {
      const { answers, states, isStored } = await this.#db.transaction(async (tx) => {
        const wanted = batch.map(({ op, key }) => ({ key, isRead: op === 'promise' }));
        const changing = await Changing.open(tx, wanted);
        const answers = batch.map((request) => this.#decide(changing, request));
        const isStored = await changing.store();
        return { answers, isStored, states: changing.states().values() };
      });
      if (isStored) this.#durability.note(states);
      // An existing value may come from another process whose commit is not on disk yet.
      else if (answers.some((answer) => answer.refused === undefined && answer.done))
        await this.#durability.flush([...states]);
      return answers;
    } catch (error) {
      throw error instanceof CommitUncertainError ? error : undone(error);
    }
  }

  #decide(changing: Changing, request: Write): ReplicaAnswer {
    const { op, key, epoch } = request;
    const refusal = refusalOf(changing.state(key), epoch);
    if (refusal !== undefined) return refusal;
    // A promise allows a change, so a gate that refuses changes refuses promises too.
    if (changing.gate(key) !== 'OPEN') return { refused: 'CLOSED' };
    const known = changing.known(key);
    const next = op === 'accept' ? accept(known, request.written) : promise(known, request.ballot);
    if (next !== undefined) changing.put(key, next);
    const now = changing.known(key);
    const done = next !== undefined;
    return { ...(op === 'accept' ? withoutValue(now) : withValue(now)), done };
  }

  async #read(batch: readonly Read[]): Promise<readonly ReplicaAnswer[]> {
    const keys = new Map(batch.map(({ key }) => [keyId(key), key]));
    for (const { key } of batch) if (hasGate(key)) keys.set(keyId(gateOf(key)), gateOf(key));
    const { states, rows } = await this.#snapshot([...keys.values()]).catch((error: unknown) => {
      throw undone(error);
    });
    return batch.map(({ key, epoch }) => {
      const state = states.get(placeId(key.ring, partitionOfScope(key.scope)));
      const refusal = refusalOf(state, epoch) ?? gateRefusal(key, rows);
      if (refusal !== undefined) return refusal;
      return { ...withValue({ row: rows.get(keyId(key)), floor: state?.floor ?? noVersion }), done: true };
    });
  }

  /** Rows and the states of their partitions as of one moment, and on disk. */
  async #snapshot(keys: readonly RegisterKey[]) {
    const { items, prepared } = padded(keys);
    const inPlaces = placesCondition(items.map(({ ring, scope }) => ({ ring, partition: partitionOfScope(scope) })));
    const inKeys = keysCondition(items);
    const found = await this.#db.query<SnapshotRow>(
      `${stateSelect} WHERE ${inPlaces.sql} UNION ALL ${rowSelect('head, body')} WHERE ${inKeys.sql}`,
      [...inPlaces.values, ...inKeys.values],
      { prepared },
    );
    return this.#settled(found);
  }

  async #settled(found: readonly SnapshotRow[]) {
    const states = new Map<string, PartitionState>();
    const rows = new Map<string, HeldRow>();
    for (const each of found)
      if (each.kind === null) states.set(placeId(each.ring, each.partition_number), toState(each));
      else rows.set(keyId(keyOf(each)), toRow(each as RegisterRow));
    await this.#durability.ensure([...states.values()]);
    return { states, rows };
  }

  async list(request: ListRequest): Promise<ListAnswer> {
    checkListRequest(request);
    const { ring, scope, epoch, after, prefix, limit, sealed } = request;
    const partition = partitionOfScope(scope);
    const [first, end] = [Buffer.from(prefix), endOf(prefix)];
    const values: SqlValue[] = [
      ring,
      partition,
      ring,
      toBinary(scope),
      ring,
      toBinary(scope),
      Buffer.from(after),
      first,
    ];
    const found = await this.#db
      .query<SnapshotRow>(
        `${stateSelect} WHERE ring = ? AND partition_number = ?
          UNION ALL ${rowSelect('head, NULL')} WHERE ring = ? AND scope = ? AND name = ''
          UNION ALL (${rowSelect('head, NULL')} WHERE ring = ? AND scope = ? AND name > ? AND name >= ?
            ${end === undefined ? '' : 'AND name < ?'} ORDER BY name LIMIT ?)`,
        [...values, ...(end === undefined ? [] : [end]), limit + 1],
      )
      .catch((error: unknown) => {
        throw undone(error);
      });
    const { states, rows } = await this.#settled(found);
    const state = states.get(placeId(ring, partition));
    const refusal = refusalOf(state, epoch);
    if (refusal !== undefined) return refusal;
    const gateKey = gateOf({ ring, scope });
    const gate = rows.get(keyId(gateKey));
    if (ring !== 0 && !mayList(gate, sealed)) return { refused: 'CLOSED' };
    const listed = found.filter(({ kind, name }) => kind !== null && name.length > 0);
    return {
      rows: listed.slice(0, limit).map(({ name, version, promised, head }) => ({
        ...{ name: name.toString(), version: toDigits(version), promised: toDigits(promised) },
        head: head ?? undefined,
      })),
      isWhole: listed.length <= limit,
      floor: state?.floor ?? noVersion,
    };
  }
}

/** `kind` is null in the row of a partition's state. */
type SnapshotRow = PartitionRow & Omit<RegisterRow, 'kind'> & { readonly kind: number | null };

const stateSelect = `SELECT ${partitionColumns}, NULL AS kind, NULL AS scope, NULL AS name, NULL AS version, NULL AS promised,
  NULL AS head, NULL AS body FROM store_partition`;

function rowSelect(values: string): string {
  return `SELECT ring, partition_number, 0, 0, 0, NULL, 0, NULL, kind, scope, name, version, promised, ${values} FROM store_register`;
}

function gateRefusal(key: RegisterKey, rows: ReadonlyMap<string, HeldRow>): Refusal | undefined {
  if (!hasGate(key)) return undefined;
  return gateState(rows.get(keyId(gateOf(key)))) === 'DELETED' ? { refused: 'CLOSED' } : undefined;
}

function mayList(gate: HeldRow | undefined, sealed: string | undefined): boolean {
  const state: GateState = gateState(gate);
  return sealed === undefined ? state !== 'DELETED' : state === 'SEALED' && gate?.version === sealed;
}

/** The end of all names with this prefix. Undefined if there is none. UTF-8 has no byte 0xff. */
function endOf(prefix: string): Buffer | undefined {
  return prefix === '' ? undefined : Buffer.concat([Buffer.from(prefix), Buffer.from([0xff])]);
}

function withValue({ row, floor }: Known<HeldValue>): Known<StoredValue> {
  if (row === undefined) return { row, floor };
  const { version, promised, value } = row;
  if (value === 'KEPT') throw new Error('a value was not read');
  return { row: { version, promised, value }, floor };
}

function withoutValue({ row, floor }: Known<HeldValue>): Known<StoredValue> {
  return { row: row === undefined ? undefined : { ...row, value: undefined }, floor };
}

function sizeOfWrite(request: Write): number {
  const { value } = request.op === 'accept' ? request.written : { value: undefined };
  return 256 + request.key.name.length + (value?.head.length ?? 0) + (value?.body?.length ?? 0);
}

/** A transaction that was not committed did nothing; neither did a read. */
function undone(error: unknown): NotSentError {
  const reason = messageOf(error);
  return new NotSentError(`the database of this cluster failed: ${reason}`, { cause: error });
}
