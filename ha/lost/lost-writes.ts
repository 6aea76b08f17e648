// The writes of a lost primary that the next one lacks, told by the objects that they concern. A returning host has saved its binary log in a
// folder (history.ts). Its transactions have the rows of the audit trail, of commit records and of status events.

import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isObject } from '../../platform/values/json.ts';
import { isOfHost } from '../agent/server-program.ts';
import {
  type InsertedRow,
  type LoggedTable,
  rowsOf,
  tableIdOf,
  tableOf,
  UndecodableError,
  type WantedTables,
} from './inserted-rows.ts';
import { eventsIn, type LogEvent } from './log-events.ts';

/** A log has no names of columns. Migrations only append columns, so these names also fit a log of an earlier version. */
export const loggedColumns = {
  audit_entry: {
    columns: [
      ...['id', 'position', 'at', 'project_id', 'actor_kind', 'actor_id', 'actor_name', 'action', 'subject_type'],
      ...['subject_id', 'outcome', 'code', 'request_id', 'caller_request_id', 'details', 'previous_hash', 'hash'],
    ],
  },
  commit_record: { columns: ['id', 'timeline', 'at'] },
  idempotency_key: {
    columns: [...['scope', 'operation', 'key_hash', 'request_hash', 'result', 'call_id', 'created_at', 'expires_at']],
  },
  status_change: {
    columns: [
      ...['id', 'seq', 'event_id', 'project_id', 'kind', 'subject_type', 'subject_id', 'subject_version'],
      ...['from_status', 'to_status', 'reason', 'request_id', 'cmp_namespace', 'cmp_type', 'cmp_id', 'at'],
      'subject_name',
    ],
  },
} as const satisfies WantedTables;

interface CmpObject {
  readonly namespace: string;
  readonly type: string;
  readonly externalId: string;
}

export interface LostMutation {
  readonly mutation: string;
  /** Null if the request had no idempotency key, or a long input, of which the audit trail has an excerpt. */
  readonly idempotencyKey: string | null;
  /** SHA-256 of the key, in hexadecimal digits. */
  readonly keySha256: string | null;
  readonly cmpObject: CmpObject | null;
  readonly subjectType: string | null;
  /** UUID. */
  readonly subjectId: string | null;
  readonly projectId: string | null;
  readonly caller: { readonly kind: string; readonly id: string | null; readonly name: string } | null;
  readonly requestId: string | null;
  readonly callerRequestId: string | null;
}

export interface LostTransaction {
  readonly gtid: string;
  /** When its COMMIT began, by the clock of the lost primary. */
  readonly at: string;
  /** The commit record that its clients' commit tokens name. */
  readonly recordId: string | null;
  /** Empty if no request has caused it. */
  readonly mutations: readonly LostMutation[];
  /** The number of mutations beyond those. */
  readonly furtherMutations: number;
  /** Tables that it changed. */
  readonly tables: readonly string[];
  /** The part that could not be decoded. Null if there is none. */
  readonly undecoded: string | null;
}

const events = { query: 2, xid: 16, tableMap: 19, writeRows: 23, updateRows: 24, deleteRows: 25, gtid: 162 } as const;
const compressedRows: ReadonlySet<number> = new Set([165, 166, 167, 168, 169, 170, 171]);
const newRows: ReadonlySet<number> = new Set([30, 31, 32]);
const read = new Set<number>([...Object.values(events), ...compressedRows, ...newRows]);
/** In one transaction. */
const mostMutations = 1_000;
const mostTables = 50;

/** `folder`: of this machine. Throws system errors, for example if the folder is missing. */
export async function* lostTransactions(
  { gtids }: { readonly gtids: readonly string[] },
  folder: string,
): AsyncGenerator<LostTransaction> {
  const [, server = 0, first = 0] = gtids[0]?.split('-').map(Number) ?? [];
  let open: Transaction | undefined;
  const files = (await readdir(folder)).sort();
  for (const name of files) {
    for await (const event of eventsIn(join(folder, name), read)) {
      if (event.type !== events.gtid) {
        open?.add(event);
        continue;
      }
      if (open !== undefined) yield open.told();
      const { gtid, number } = gtidOf(event);
      const isLost = number >= first && isOfHost(event.serverId, server);
      open = isLost ? new Transaction(gtid, event.seconds) : undefined;
    }
    // A transaction is in one file.
    if (open !== undefined) yield open.told();
    open = undefined;
  }
}

function gtidOf({ body, serverId }: LogEvent): { readonly gtid: string; readonly number: number } {
  const [number, domain] = [body?.readBigUInt64LE(0) ?? 0n, body?.readUInt32LE(8) ?? 0];
  return { gtid: `${domain}-${serverId}-${number}`, number: Number(number) };
}

class Transaction {
  readonly #gtid: string;
  readonly #seconds: number;
  readonly #tables = new Map<string, LoggedTable>();
  readonly #changed = new Set<string>();
  readonly #keys: InsertedRow[] = [];
  readonly #audited: InsertedRow[] = [];
  readonly #events: InsertedRow[] = [];
  #further = 0;
  #hasEnded = false;
  #recordId: string | null = null;
  #undecoded: string | null = null;

  constructor(gtid: string, seconds: number) {
    this.#gtid = gtid;
    this.#seconds = seconds;
  }

  add(event: LogEvent): void {
    try {
      this.#read(event);
    } catch (error) {
      if (!(error instanceof UndecodableError)) throw error;
      this.#undecoded ??= error.message;
    }
  }

  #read({ type, body }: LogEvent): void {
    if (type === events.xid) {
      this.#hasEnded = true;
      return;
    }
    if (body === undefined) throw new UndecodableError('an event is longer than 16 MiB');
    if (type === events.query) {
      this.#statement(body);
      return;
    }
    if (compressedRows.has(type) || newRows.has(type))
      throw new UndecodableError(`rows of the type ${type}, which this server does not write`);
    if (type === events.tableMap) {
      const { id, table } = tableOf(body);
      this.#tables.set(id, table);
      return;
    }
    const table = this.#tables.get(tableIdOf(body));
    if (table === undefined) throw new UndecodableError('rows of an unknown table');
    if (this.#changed.size < mostTables) this.#changed.add(table.name);
    if (type === events.writeRows && Object.hasOwn(loggedColumns, table.name))
      this.#rows(body, table, table.name as keyof typeof loggedColumns);
  }

  /** A change of tables. Its text may have secrets, so only its first two words are told. */
  #statement(body: Buffer): void {
    // A change of tables is alone in its transaction. Else this is its COMMIT.
    this.#hasEnded = true;
    const at = 13 + body.readUInt16LE(11) + body.readUInt8(8) + 1;
    const [verb = '', what = ''] = body.subarray(at).toString('utf8').trim().split(/\s+/, 2);
    if (!['BEGIN', 'COMMIT', 'ROLLBACK', 'SAVEPOINT'].includes(verb))
      this.#undecoded ??= `a statement: ${verb} ${what}`;
  }

  #rows(body: Buffer, table: LoggedTable, name: keyof typeof loggedColumns): void {
    for (const row of rowsOf(body, table, loggedColumns[name].columns)) {
      if (name === 'commit_record' && row.timeline !== 0) this.#recordId = `${row.timeline}.${row.id}`;
      const rows = { audit_entry: this.#audited, status_change: this.#events, idempotency_key: this.#keys };
      // A refusal is in the audit trail too, and has changed nothing.
      if (name === 'commit_record' || (name === 'audit_entry' && row.outcome !== 'ACCEPTED')) continue;
      if (rows[name].length < mostMutations) rows[name].push(row);
      else if (name === 'audit_entry') this.#further += 1;
    }
  }

  told(): LostTransaction {
    const keyOf = (operation: unknown) => this.#keys.find((each) => each.operation === operation)?.key_hash;
    const audited = this.#audited.map((row) => mutationOf(row, keyOf(row.action), this.#objectOf(row.subject_id)));
    // Work that began with a request has its key without an audit entry.
    const others = this.#keys.filter(({ operation }) => !this.#audited.some(({ action }) => action === operation));
    const unaudited = others.map((row) =>
      mutationOf({ action: row.operation ?? null }, row.key_hash, this.#objectOf(null)),
    );
    return {
      ...{ gtid: this.#gtid, at: new Date(this.#seconds * 1_000).toISOString(), recordId: this.#recordId },
      ...{ mutations: [...audited, ...unaudited], furtherMutations: this.#further },
      ...{ tables: [...this.#changed].sort() },
      undecoded: this.#undecoded ?? (this.#hasEnded ? null : 'the log ends within this transaction'),
    };
  }

  /** From the status event of that subject, or the only one that the transaction has. */
  #objectOf(subjectId: unknown): CmpObject | null {
    const found = this.#events.find((each) => each.subject_id === subjectId && typeof each.cmp_id === 'string');
    const objects = this.#events.flatMap(({ cmp_namespace, cmp_type, cmp_id }) =>
      cmpObjectIn({ namespace: cmp_namespace, type: cmp_type, externalId: cmp_id }),
    );
    if (found === undefined)
      return new Set(objects.map((each) => JSON.stringify(each))).size === 1 ? (objects[0] ?? null) : null;
    const { cmp_namespace, cmp_type, cmp_id } = found;
    return cmpObjectIn({ namespace: cmp_namespace, type: cmp_type, externalId: cmp_id })[0] ?? null;
  }
}

function mutationOf(row: InsertedRow, keyHash: unknown, ofEvents: CmpObject | null): LostMutation {
  const input = inputOf(row.details);
  return {
    mutation: textOf(row.action) ?? '',
    idempotencyKey: textOf(input.idempotencyKey),
    keySha256: textOf(keyHash),
    cmpObject: cmpObjectIn(input.cmpObject)[0] ?? ofEvents,
    ...{ subjectType: textOf(row.subject_type), subjectId: textOf(row.subject_id), projectId: textOf(row.project_id) },
    caller:
      row.actor_kind === undefined
        ? null
        : { kind: textOf(row.actor_kind) ?? '', id: textOf(row.actor_id), name: textOf(row.actor_name) ?? '' },
    ...{ requestId: textOf(row.request_id), callerRequestId: textOf(row.caller_request_id) },
  };
}

/** Empty if there is none, or if the audit trail has only an excerpt. */
function inputOf(details: unknown): Record<string, unknown> {
  try {
    const input: unknown = JSON.parse(textOf(details) ?? 'null');
    return isObject(input) ? input : {};
  } catch {
    return {};
  }
}

function cmpObjectIn(value: unknown): CmpObject[] {
  if (!isObject(value)) return [];
  const [namespace, type, externalId] = [value.namespace ?? 'default', value.type, value.externalId].map(textOf);
  return namespace == null || type == null || externalId == null ? [] : [{ namespace, type, externalId }];
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}
