// Requests and replies of an Open vSwitch database: one transact of RFC 7047, over OVSDB's own wire or as standard input of
// ovsdb-client over SSH. A transaction is carried out as a whole or not at all; guards at its beginning can refuse it.

import { readFailure, tooLong, type Unreadable, unknown, unreadable, writeFailure } from '../answer.ts';
import {
  type ExecReply,
  foundRow,
  type JsonObject,
  type JsonValue,
  type MappedObject,
  maxMessageLength,
  type Outcome,
  type OvsdbReply,
  type RenderContext,
  type WireCall,
} from '../driver.ts';
import { isObject, jsonIn } from '../json.ts';
import { uuid } from './values.ts';

export type SwitchReply = OvsdbReply | ExecReply;

/**
 * ovsdb-client(1) of 3.1: without a server argument it uses the local one, and prints the array of results. The JSON is read from
 * standard input, as one argument.
 */
const command = 'ovsdb-client transact "$(cat)"';
/**
 * in: the `find` of an OvsdbCall, then its operations with one `foundRow`, each a transaction on one line
 * does: finds the row, and sends the operations with its id
 */
export const findingCommand = `IFS= read -r find && IFS= read -r change || exit 1
found=$(ovsdb-client transact "$find") || exit
id=${foundRow}
case $found in *'["uuid","'*) id=\${found#*'["uuid","'}; id=\${id%%\\"*} ;; esac
ovsdb-client transact "\${change%%${foundRow}*}$id\${change#*${foundRow}}"`;

/** A condition that must hold, and its meaning when it does not. */
export interface Guard {
  readonly wait: JsonObject;
  readonly refusal: { readonly code: string; readonly message: string; readonly absent?: boolean };
}

type Condition = readonly [column: string, test: string, value: JsonValue];

/** Some row of the table matches. Section 5.2.6; without a timeout it is evaluated at once. */
export function exists(table: string, where: readonly Condition[], refusal: Guard['refusal']): Guard {
  return { wait: wait(table, where, '!='), refusal };
}

/** No row of the table matches. */
export function existsNot(table: string, where: readonly Condition[], refusal: Guard['refusal']): Guard {
  return { wait: wait(table, where, '=='), refusal };
}

function wait(table: string, where: readonly Condition[], until: '==' | '!='): JsonObject {
  return { op: 'wait', timeout: 0, table, where, columns: ['_uuid'], until, rows: [] };
}

/** A row by its name and, if given, by its id. */
export function rowOf(name: string, id: string | undefined): readonly Condition[] {
  const isNamed = ['name', '==', name] as const;
  return id === undefined ? [isNamed] : [isNamed, ['_uuid', '==', uuid(id)]];
}

/** The row is there, and is the meant one. */
export function isMeant(
  table: 'Bridge' | 'Port' | 'Interface',
  name: string,
  id: string | undefined,
): readonly Guard[] {
  const what = `${table.toLowerCase()} ${name}`;
  const isThere = exists(table, rowOf(name, undefined), { code: 'NOT_FOUND', message: `There is no ${what}.` });
  if (id === undefined) return [isThere];
  const message = `The ${what} does not have the uuid ${id}: somebody deleted it and made another one. Nothing was changed: verify the mapping. To take over what is there now, forget the mapping and adopt it.`;
  return [isThere, exists(table, rowOf(name, id), { code: 'CHANGED', message })];
}

/** By its id a mapped row is recognised, if its mapping has it. */
export function recognised({ uuid: id }: MappedObject): JsonObject {
  return id === null ? {} : { uuid: id };
}

export function select(table: string, where: readonly Condition[], columns: readonly string[]): JsonObject {
  return { op: 'select', table, where, columns };
}

/** Counts like ovs-vsctl: ovs-vswitchd writes the number to cur_cfg when it has applied the change. */
const countUp: JsonObject = { op: 'mutate', table: 'Open_vSwitch', where: [], mutations: [['next_cfg', '+=', 1]] };
const readCount = select('Open_vSwitch', [], ['next_cfg']);
/** On disk before the answer (section 5.2.7). */
const commit: JsonObject = { op: 'commit', durable: true };

export function render(operations: readonly JsonObject[], context: RenderContext, find?: JsonObject): WireCall {
  if (context.backend.transport === 'ovsdb') return { kind: 'ovsdb', operations, ...(find && { find }) };
  const transaction = (of: readonly JsonObject[]) => JSON.stringify(['Open_vSwitch', ...of]);
  if (find === undefined) return { kind: 'exec', command, stdin: transaction(operations) };
  return { kind: 'exec', command: findingCommand, stdin: `${transaction([find])}\n${transaction(operations)}\n` };
}

export function renderWrite(
  guards: readonly Guard[],
  changes: readonly JsonObject[],
  context: RenderContext,
  find?: JsonObject,
): WireCall {
  // ovs-vsctl and the Python clients also add a comment. In the database's own log (ovsdb-tool show-log) a person can then find the
  // call of each change, even if no row keeps a mark (RFC 7047 section 5.2.9).
  const comment = { op: 'comment', comment: `tidegate ${context.operationId}` };
  return render([...guards.map((guard) => guard.wait), ...changes, countUp, readCount, comment, commit], context, find);
}

/** The same with an abort at the end: the server checks guards, tables, columns and types, and changes nothing. */
export function renderWriteCheck(
  guards: readonly Guard[],
  changes: readonly JsonObject[],
  context: RenderContext,
  find?: JsonObject,
): WireCall {
  return render([...guards.map((guard) => guard.wait), ...changes, { op: 'abort' }], context, find);
}

type Answer =
  /** One result for each operation. */
  | { readonly kind: 'results'; readonly results: readonly JsonObject[] }
  /** Nothing was changed. `index` of the failed operation. It is past the last one if the whole transaction could not be committed. */
  | { readonly kind: 'refused'; readonly index: number; readonly error: string; readonly message: string }
  | Unreadable;

export function readAnswer(reply: SwitchReply): Answer {
  if (reply.truncated) return tooLong;
  return reply.kind === 'ovsdb' ? readRpc(reply) : readProgram(reply);
}

function readRpc({ result, error }: OvsdbReply): Answer {
  return error === null ? readResults(result) : readError(error, 0);
}

function readProgram({ exitCode, stdout, stderr }: ExecReply): Answer {
  const words = stderr.trim().slice(0, maxMessageLength);
  // The shell did not run it: no such program, or an argument that is too long.
  if (exitCode === 126 || exitCode === 127) {
    return {
      kind: 'refused',
      index: 0,
      error: 'COMMAND_NOT_FOUND',
      message: words || 'The program ovsdb-client is missing on the device.',
    };
  }
  if (exitCode !== 0) {
    const rpc = /^ovsdb-client: transaction returned error: (\{.*\})$/.exec(words)?.[1];
    if (rpc !== undefined) return readError(jsonIn(rpc), 0);
    if (/^ovsdb-client: failed to connect to /.test(words)) {
      return { kind: 'refused', index: 0, error: 'NO_DATABASE', message: words };
    }
    return unreadable(`ovsdb-client ended with ${exitCode ?? 'a signal'}: ${words || 'no message'}.`);
  }
  return readResults(jsonIn(stdout));
}

/** Section 4.1.3: an error ends the transaction; the results of later operations are null. */
function readResults(result: JsonValue | undefined): Answer {
  if (!Array.isArray(result) || result.length === 0) return unreadable('The reply is not a list of results.');
  const failed = result.findIndex((each) => isObject(each) && typeof each.error === 'string');
  if (failed >= 0) return readError(result[failed], failed);
  if (!result.every(isObject)) return unreadable('The reply has results of unknown form.');
  return { kind: 'results', results: result };
}

/** After a failure to write to disk or in a cluster the change may have succeeded all the same. */
function readError(error: JsonValue | undefined, index: number): Answer {
  if (!isObject(error) || typeof error.error !== 'string') return unreadable('The reply has an error of unknown form.');
  const details = typeof error.details === 'string' ? `: ${error.details}` : '';
  const message = `${error.error}${details}`.slice(0, maxMessageLength);
  if (/^(I\/O error|cluster error)$/i.test(error.error)) return unreadable(message);
  return { kind: 'refused', index, error: error.error, message };
}

/**
 * The outcome of `renderWrite`. `read` gets the results of `changes`. It returns undefined if required data is missing. The result
 * has `configuration`: ovs-vswitchd has applied the change when the switch's `applied` reaches it.
 */
export function writeOutcome(
  reply: SwitchReply,
  guards: readonly Guard[],
  read: (results: readonly JsonObject[]) => { result: JsonObject; uuid?: string } | undefined,
): Outcome {
  const answer = readAnswer(reply);
  if (answer.kind === 'unreadable') return writeFailure(answer);
  if (answer.kind === 'refused') return refusal(answer, guards);
  const changed = read(answer.results.slice(guards.length, -4));
  const rows = answer.results.at(-3)?.rows;
  const configuration = Array.isArray(rows) && isObject(rows[0]) ? rows[0].next_cfg : undefined;
  if (changed === undefined || typeof configuration !== 'number') {
    return unknown('The switch reported success, but its answer does not fit the request.');
  }
  return { state: 'SUCCEEDED', ...changed, result: { ...changed.result, configuration } };
}

/** The outcome of `renderWriteCheck`. */
export function checkOutcome(reply: SwitchReply, guards: readonly Guard[]): Outcome {
  const answer = readAnswer(reply);
  if (answer.kind === 'refused' && answer.error === 'aborted') return { state: 'SUCCEEDED', result: null };
  if (answer.kind === 'refused') return refusal(answer, guards);
  const message = answer.kind === 'unreadable' ? answer.message : 'The switch did not abort the transaction.';
  return { state: 'FAILED', code: 'UNREADABLE_REPLY', message };
}

/** Outcome of a read: READ operations have no unknown outcome. */
export function readOutcome(reply: SwitchReply, read: (tables: readonly JsonObject[][]) => JsonValue): Outcome {
  const answer = readAnswer(reply);
  if (answer.kind === 'results') return { state: 'SUCCEEDED', result: read(answer.results.map(rowsOf)) };
  if (answer.kind === 'unreadable') return readFailure(answer);
  return { state: 'FAILED', code: 'DEVICE_REFUSED', message: answer.message };
}

/** Rows in the result of a `select`. */
export function rowsOf(result: JsonObject | undefined): JsonObject[] {
  return Array.isArray(result?.rows) ? result.rows.filter(isObject) : [];
}

function refusal(answer: Extract<Answer, { kind: 'refused' }>, guards: readonly Guard[]): Outcome {
  const guard = answer.error === 'timed out' ? guards[answer.index] : undefined;
  if (guard !== undefined) return { state: 'FAILED', ...guard.refusal };
  const code = answer.error === 'COMMAND_NOT_FOUND' ? answer.error : 'DEVICE_REFUSED';
  return { state: 'FAILED', code, message: answer.message };
}
