// Requests and replies of the switch: lines of its command line, typed over SSH or sent to its JSON API in one request. Refusals
// begin with `%` on the command line and have status ERROR in JSON (Mellanox Onyx User Manual 3.7 to 3.10, CLI and JSON API). A
// switch has no transactions: some lines may be done and others refused, which is then reported.

import { type Refused, readFailure, tooLong, type Unreadable, unreadable, writeFailure } from '../answer.ts';
import {
  type CliReply,
  type HttpReply,
  type JsonObject,
  type JsonValue,
  maxMessageLength,
  type Outcome,
  type RenderContext,
  type WireCall,
} from '../driver.ts';
import { isObject, jsonIn } from '../json.ts';

export type SwitchReply = CliReply | HttpReply;

const apiPath = '/admin/launch?script=json';

/**
 * A switch keeps no mark of a call, and has no commands that depend on anything. So a change is sent only if a `show`, directly before it on the
 * same connection, has no obstacle.
 */
export interface SwitchGuard {
  readonly show: string;
  /** Undefined if the change may be sent. */
  obstacle(data: JsonObject): Obstacle | undefined;
}

interface Obstacle {
  readonly code: 'ALREADY_EXISTS' | 'CHANGED' | 'NOT_FOUND' | 'DEVICE_BUSY';
  readonly message: string;
}

export const unreadableGuard: Obstacle = {
  code: 'DEVICE_BUSY',
  message: "It could not be read, so nothing was sent. The switch's answer does not fit the request.",
};

export const notAsMeant = 'Somebody else made it, or changed it. Nothing was sent: verify the mapping.';

/** Lines that change something. */
export function write(lines: readonly string[], { backend }: RenderContext, guard?: SwitchGuard): WireCall {
  const allows = (reply: SwitchReply) => guard !== undefined && obstacleIn(guard, reply) === undefined;
  if (backend.transport === 'ssh')
    return { kind: 'cli', lines, ...(guard === undefined ? {} : { guard: { line: printed(guard.show), allows } }) };
  return {
    ...{ kind: 'http', method: 'POST', path: apiPath, body: { commands: lines, execution_type: 'sync' } },
    ...(guard === undefined ? {} : { guard: { path: apiPath, body: { cmd: guard.show }, allows } }),
  };
}

const printed = (show: string) => `${show} | json-print`;

function obstacleIn(guard: SwitchGuard, reply: SwitchReply): Outcome | undefined {
  const shown = shownIn(reply);
  if (shown.kind === 'refused') return writeFailure(shown);
  if (shown.kind === 'unreadable')
    return {
      state: 'FAILED',
      code: 'DEVICE_BUSY',
      message: `It could not be read, so nothing was sent. ${shown.message}`,
    };
  const obstacle = guard.obstacle(shown.data);
  if (obstacle === undefined) return undefined;
  return { state: 'FAILED', ...obstacle, ...(obstacle.code === 'NOT_FOUND' ? { absent: true } : {}) };
}

/** One `show`, as JSON. */
export function read(show: string, { backend }: RenderContext): WireCall {
  if (backend.transport === 'ssh') return { kind: 'cli', lines: [printed(show)] };
  return { kind: 'http', method: 'POST', path: apiPath, body: { cmd: show } };
}

/** From 3.6.6000 on the switch wraps listed values in lists of one. */
export function onlyOf(value: JsonValue | undefined): JsonObject {
  const one = Array.isArray(value) ? value[0] : value;
  return isObject(one) ? one : {};
}

interface LineResult {
  readonly line: string;
  /** The switch's message. Undefined on success. */
  readonly refusal: string | undefined;
}

type Results = { readonly kind: 'results'; readonly results: readonly LineResult[] } | Unreadable;

/**
 * The outcome of `write`. `absent` in a refusal is the goal of a deletion. Lines that only navigate (`exit`) neither do nor
 * refuse anything.
 */
export function writeOutcome(
  reply: SwitchReply,
  lines: readonly string[],
  result: JsonValue,
  { verb = 'set', guard }: { readonly verb?: 'set' | 'delete'; readonly guard?: SwitchGuard } = {},
): Outcome {
  if (reply.unsent === true && guard !== undefined) {
    const again = { code: 'DEVICE_BUSY', message: 'The switch answered differently when asked again.' };
    return obstacleIn(guard, reply) ?? { state: 'FAILED', ...again };
  }
  const read = resultsOf(reply, lines);
  if (read.kind === 'unreadable') return writeFailure(read);
  const told = read.results.filter(({ line }) => line !== 'exit');
  const refused = told.filter(({ refusal }) => refusal !== undefined);
  if (refused.length === 0) return { state: 'SUCCEEDED', result };
  const [first] = refused;
  const done = told.filter(({ refusal }) => refusal === undefined).map(({ line }) => line);
  if (done.length === 0 || first === undefined) {
    const message = (first?.refusal ?? '').slice(0, maxMessageLength);
    const absent = verb === 'delete' && /does not exist|doesn't exist|not found|no such/i.test(message);
    return { state: 'FAILED', code: 'DEVICE_REFUSED', message, ...(absent ? { absent } : {}) };
  }
  const words = refused.map(({ line, refusal }) => `${line}: ${refusal ?? ''}`).join('; ');
  const message = `${done.length} of ${told.length} lines were carried out. The switch refused: ${words}`;
  return { state: 'FAILED', code: 'PARTLY_APPLIED', message: message.slice(0, maxMessageLength) };
}

type Shown = { readonly kind: 'shown'; readonly data: JsonObject } | Refused | Unreadable;

/** The result of `read`. */
export function shownIn(reply: SwitchReply): Shown {
  if (reply.truncated) return tooLong;
  return reply.kind === 'cli' ? shownOnTerminal(reply) : shownByApi(reply);
}

/** Outcome of a read: READ operations have no unknown outcome. `parse` returns undefined if it can't read the text. */
export function readOutcome(reply: SwitchReply, parse: (data: JsonObject) => JsonValue | undefined): Outcome {
  const shown = shownIn(reply);
  if (shown.kind !== 'shown') return readFailure(shown);
  const result = parse(shown.data);
  if (result !== undefined) return { state: 'SUCCEEDED', result };
  return readFailure(unreadable("The switch's answer does not fit the request."));
}

function resultsOf(reply: SwitchReply, lines: readonly string[]): Results {
  if (reply.truncated) return tooLong;
  const results = reply.kind === 'cli' ? linesOfTerminal(reply) : linesOfApi(reply, lines);
  if (results === undefined) return unreadable("The switch's answer is unreadable.");
  const fits = results.every(({ line }, index) => line === lines[index]);
  // After a refusal the JSON API may omit the rest.
  const whole = results.length === lines.length || results.at(-1)?.refusal !== undefined;
  if (fits && whole && results.length > 0) return { kind: 'results', results };
  return unreadable('The switch answered other lines than those sent.');
}

function linesOfTerminal({ outputs }: CliReply): LineResult[] {
  return outputs.map(({ line, output }) => ({ line, refusal: refusalIn(output) }));
}

/** The line that begins with `%`, and the following ones except the hint about the help key. */
function refusalIn(output: string): string | undefined {
  const start = /^%/m.exec(output)?.index;
  if (start === undefined) return undefined;
  return output
    .slice(start)
    .replace(/^Type "\?" for help\.$/m, '')
    .replace(/^%\s*/, '')
    .trim();
}

function linesOfApi(reply: HttpReply, lines: readonly string[]): LineResult[] | undefined {
  const body = bodyOf(reply);
  if (body === undefined) return undefined;
  const results = Array.isArray(body.results) ? body.results : 'executed_command' in body ? [body] : undefined;
  return results?.every(isObject) === true
    ? results.map((result, index) => lineOfApi(result, lines[index] ?? ''))
    : undefined;
}

/** A status that is neither OK nor ERROR does not count: the line then does not match. */
function lineOfApi({ status, executed_command, status_message }: JsonObject, sent: string): LineResult {
  const line = typeof executed_command === 'string' ? executed_command.trim() : sent;
  if (status === 'OK') return { line, refusal: undefined };
  const message = typeof status_message === 'string' ? status_message : '';
  return { line: status === 'ERROR' ? line : '', refusal: refusalIn(message) ?? (message.trim() || 'ERROR') };
}

function bodyOf({ status, body }: HttpReply): JsonObject | undefined {
  if (status !== 200) return undefined;
  const parsed = jsonIn(body);
  return isObject(parsed) ? parsed : undefined;
}

function shownOnTerminal({ outputs }: CliReply): Shown {
  const [first, ...more] = outputs;
  if (first === undefined || more.length > 0) return unreadable('The switch answered other lines than those sent.');
  const refusal = refusalIn(first.output);
  if (refusal !== undefined) return { kind: 'refused', code: 'DEVICE_REFUSED', message: refusal };
  // Some versions print a text before or after it: Ansible's onyx modules cut both off too.
  const start = first.output.search(/[[{]/);
  const end = Math.max(first.output.lastIndexOf('}'), first.output.lastIndexOf(']')) + 1;
  return shownAs(start < 0 ? undefined : jsonIn(first.output.slice(start, end)));
}

function shownByApi(reply: HttpReply): Shown {
  const body = bodyOf(reply);
  if (body === undefined) return unreadable(`The switch answered ${reply.status} without JSON.`);
  const message = typeof body.status_message === 'string' ? body.status_message : '';
  if (body.status === 'ERROR') {
    return { kind: 'refused', code: 'DEVICE_REFUSED', message: refusalIn(message) ?? (message || 'ERROR') };
  }
  return body.status === 'OK' ? shownAs(body.data) : unreadable("The switch's answer does not fit the request.");
}

/** An empty list means that there is nothing. */
function shownAs(data: JsonValue | undefined): Shown {
  if (isObject(data)) return { kind: 'shown', data };
  if (!Array.isArray(data)) return unreadable("The switch's answer is not JSON.");
  return { kind: 'shown', data: Object.assign({}, ...data.filter(isObject)) as JsonObject };
}
