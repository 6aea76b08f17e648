// How an Open vSwitch database is spoken to and understood: one transact of RFC 7047, over OVSDB's own wire or as standard
// input of ovsdb-client over SSH. A transaction is carried out whole or not at all; guards at its beginning make it refuse.

import type { ExecReply, JsonObject, JsonValue, Outcome, OvsdbReply, RenderContext, WireCall } from '../driver.ts';
import { isObject } from '../json.ts';

export type SwitchReply = OvsdbReply | ExecReply;

/**
 * ovsdb-client(1) of 3.1: without a server it takes the local one, and prints the array of results. All of it is JSON from
 * standard input, as one argument.
 */
const command = 'ovsdb-client transact "$(cat)"';
const maxMessageLength = 4_096;

/** Something that must hold, and what it means when it does not. */
export interface Guard {
  readonly wait: JsonObject;
  readonly refusal: { readonly code: string; readonly message: string; readonly absent?: boolean };
}

type Condition = readonly [column: string, test: string, value: JsonValue];

/** Some row of the table is like that. Section 5.2.6; without a timeout it is judged at once. */
export function exists(table: string, where: readonly Condition[], refusal: Guard['refusal']): Guard {
  return { wait: wait(table, where, '!='), refusal };
}

/** No row of the table is like that. */
export function existsNot(table: string, where: readonly Condition[], refusal: Guard['refusal']): Guard {
  return { wait: wait(table, where, '=='), refusal };
}

function wait(table: string, where: readonly Condition[], until: '==' | '!='): JsonObject {
  return { op: 'wait', timeout: 0, table, where, columns: ['_uuid'], until, rows: [] };
}

export function select(table: string, where: readonly Condition[], columns: readonly string[]): JsonObject {
  return { op: 'select', table, where, columns };
}

/** Counts as ovs-vsctl does, so that one can tell when ovs-vswitchd has caught up: it then writes the number to cur_cfg. */
const countUp: JsonObject = { op: 'mutate', table: 'Open_vSwitch', where: [], mutations: [['next_cfg', '+=', 1]] };
const readCount = select('Open_vSwitch', [], ['next_cfg']);
/** On disk before the answer (section 5.2.7). */
const commit: JsonObject = { op: 'commit', durable: true };

export function render(operations: readonly JsonObject[], context: RenderContext): WireCall {
  if (context.backend.transport === 'ovsdb') return { kind: 'ovsdb', operations };
  return { kind: 'exec', command, stdin: JSON.stringify(['Open_vSwitch', ...operations]) };
}

export function renderWrite(
  guards: readonly Guard[],
  changes: readonly JsonObject[],
  context: RenderContext,
): WireCall {
  return render([...guards.map((guard) => guard.wait), ...changes, countUp, readCount, commit], context);
}

/** The same, given up at the end: the server checks guards, tables, columns and types, and changes nothing. */
export function renderWriteCheck(
  guards: readonly Guard[],
  changes: readonly JsonObject[],
  context: RenderContext,
): WireCall {
  return render([...guards.map((guard) => guard.wait), ...changes, { op: 'abort' }], context);
}

export type Answer =
  /** One result for each operation. */
  | { readonly kind: 'results'; readonly results: readonly JsonObject[] }
  /** Nothing was changed. `index`: of the operation that failed; past the last one when the whole could not be committed. */
  | { readonly kind: 'refused'; readonly index: number; readonly error: string; readonly message: string }
  | { readonly kind: 'unreadable'; readonly code: string; readonly message: string };

export function readAnswer(reply: SwitchReply): Answer {
  if (reply.truncated) return unreadable('The reply is too long to be read.', 'REPLY_TOO_LONG');
  return reply.kind === 'ovsdb' ? readRpc(reply) : readProgram(reply);
}

function readRpc({ result, error }: OvsdbReply): Answer {
  return error === null ? readResults(result) : readError(error, 0);
}

function readProgram({ exitCode, stdout, stderr }: ExecReply): Answer {
  const words = stderr.trim().slice(0, maxMessageLength);
  // The shell has not run it: no such program, or more than an argument may be long.
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
    if (rpc !== undefined) return readError(parse(rpc), 0);
    if (/^ovsdb-client: failed to connect to /.test(words)) {
      return { kind: 'refused', index: 0, error: 'NO_DATABASE', message: words };
    }
    return unreadable(`ovsdb-client ended with ${exitCode ?? 'a signal'}: ${words || 'no message'}.`);
  }
  return readResults(parse(stdout));
}

/** Section 4.1.3: an error ends the transaction; the operations after it have null. */
function readResults(result: JsonValue | undefined): Answer {
  if (!Array.isArray(result) || result.length === 0) return unreadable('The reply is not a list of results.');
  const failed = result.findIndex((each) => isObject(each) && typeof each.error === 'string');
  if (failed >= 0) return readError(result[failed], failed);
  if (!result.every(isObject)) return unreadable('The reply has results of unknown form.');
  return { kind: 'results', results: result };
}

/** What went wrong in writing to disk or in a cluster may have gone well all the same. */
function readError(error: JsonValue | undefined, index: number): Answer {
  if (!isObject(error) || typeof error.error !== 'string') return unreadable('The reply has an error of unknown form.');
  const details = typeof error.details === 'string' ? `: ${error.details}` : '';
  const message = `${error.error}${details}`.slice(0, maxMessageLength);
  if (/^(I\/O error|cluster error)$/i.test(error.error)) return unreadable(message);
  return { kind: 'refused', index, error: error.error, message };
}

function unreadable(message: string, code = 'UNREADABLE_REPLY'): Answer {
  return { kind: 'unreadable', code, message };
}

function parse(text: string): JsonValue | undefined {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return undefined;
  }
}

/**
 * The outcome of `renderWrite`. `read` gets the results of `changes`; undefined when what must be there is not. The result
 * has `configuration`: when the switch's `applied` has reached it, ovs-vswitchd has carried the change out.
 */
export function writeOutcome(
  reply: SwitchReply,
  guards: readonly Guard[],
  read: (results: readonly JsonObject[]) => { result: JsonObject; uuid?: string } | undefined,
): Outcome {
  const answer = readAnswer(reply);
  if (answer.kind === 'unreadable') return { state: 'UNKNOWN', code: 'UNREADABLE_REPLY', message: answer.message };
  if (answer.kind === 'refused') return refusal(answer, guards);
  const changed = read(answer.results.slice(guards.length, -3));
  const rows = answer.results.at(-2)?.rows;
  const configuration = Array.isArray(rows) && isObject(rows[0]) ? rows[0].next_cfg : undefined;
  if (changed === undefined || typeof configuration !== 'number') {
    return {
      state: 'UNKNOWN',
      code: 'UNREADABLE_REPLY',
      message: 'The switch reported success, but its answer does not fit the request.',
    };
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
  if (answer.kind === 'unreadable') return { state: 'FAILED', code: answer.code, message: answer.message };
  return { state: 'FAILED', code: 'DEVICE_REFUSED', message: answer.message };
}

/** The rows of a `select`. */
export function rowsOf(result: JsonObject | undefined): JsonObject[] {
  return Array.isArray(result?.rows) ? result.rows.filter(isObject) : [];
}

function refusal(answer: Extract<Answer, { kind: 'refused' }>, guards: readonly Guard[]): Outcome {
  const guard = answer.error === 'timed out' ? guards[answer.index] : undefined;
  if (guard !== undefined) return { state: 'FAILED', ...guard.refusal };
  const code = answer.error === 'COMMAND_NOT_FOUND' ? answer.error : 'DEVICE_REFUSED';
  return { state: 'FAILED', code, message: answer.message };
}
