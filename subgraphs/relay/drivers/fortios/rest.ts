// Requests and replies of the REST API of FortiOS. A reply counts only if it is the API's own envelope and about the request: a
// web server on the way, or a login page, knows nothing of the call. Sources: FortiOS REST API reference (status codes), reply
// samples in insightconnect-plugins#1027.

import {
  type HttpCall,
  type HttpReply,
  type JsonObject,
  type JsonValue,
  maxMessageLength,
  type OperationSpec,
  type Outcome,
} from '../driver.ts';
import { isObject } from '../json.ts';
import { codeOf, isUncertain, meaningOf } from './error-numbers.ts';

export type RestOperation = OperationSpec<JsonObject, HttpReply>;

/** A table, or one entry of it. */
export interface Place {
  /** For example `firewall/address`. */
  readonly table: string;
  readonly vdom: string;
  /** Left out: the table. Never empty: a DELETE without it would empty the table. */
  readonly key?: string;
}

export function get(place: Place, query: Readonly<Record<string, string | number>> = {}): HttpCall {
  return { kind: 'http', method: 'GET', path: pathOf(place, query) };
}

export function post(place: Place & { readonly key?: never }, body: JsonObject): HttpCall {
  return { kind: 'http', method: 'POST', path: pathOf(place), body };
}

export function put(
  place: Required<Place>,
  body: JsonObject,
  query: Readonly<Record<string, string | number>> = {},
): HttpCall {
  return { kind: 'http', method: 'PUT', path: pathOf(place, query), body };
}

export function remove(place: Required<Place>): HttpCall {
  return { kind: 'http', method: 'DELETE', path: pathOf(place) };
}

function pathOf({ table, vdom, key }: Place, query: Readonly<Record<string, string | number>> = {}): string {
  // The schema excludes such names; if one came all the same, this must not become the path of the table.
  if (key !== undefined && /^\.*$/.test(key)) throw new Error("a key of a table can't be empty or dots");
  const entry = key === undefined ? '' : `/${encodeURIComponent(key)}`;
  const pairs = Object.entries({ vdom, ...query });
  const text = pairs.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join('&');
  return `/api/v2/cmdb/${table}${entry}?${text}`;
}

/** The device's answer: success, refusal, or nothing certain. */
export type RestAnswer =
  | { readonly kind: 'done'; readonly object: JsonObject }
  /** Nothing was done. `missing`: because the entry itself does not exist. */
  | { readonly kind: 'refused'; readonly code: string; readonly message: string; readonly missing: boolean }
  | { readonly kind: 'unreadable'; readonly message: string };

export function readAnswer(reply: HttpReply, place: Place): RestAnswer {
  const { status } = reply;
  if (reply.truncated) return { kind: 'unreadable', message: 'The reply is too long to be read.' };
  const object = parseObject(reply.body);
  const envelope = object && isEnvelope(object, status) && isAbout(object, place) ? object : undefined;
  if (status >= 200 && status < 300) {
    if (envelope?.status === 'success') return { kind: 'done', object: envelope };
    return { kind: 'unreadable', message: `The device answered ${status}, but its answer does not fit the request.` };
  }
  const number = envelope?.status === 'error' ? envelope.error : undefined;
  if (typeof number === 'number' && number !== 0 && !isUncertain(number)) {
    const missing = status === 404 && number === -3;
    return { kind: 'refused', code: codeOf(number), message: refusalMessage(envelope, number), missing };
  }
  if (isRefusal(status) && typeof number !== 'number') return refusedBy(status, envelope);
  const said = typeof number === 'number' ? `error ${number}` : titleOf(reply.body);
  return { kind: 'unreadable', message: `The device answered ${status}: ${said}` };
}

/** A server with this answer has neither forwarded nor processed the request. */
function isRefusal(status: number): boolean {
  return [400, 401, 403, 404, 405, 413, 424, 429].includes(status);
}

function refusedBy(status: number, envelope: JsonObject | undefined): RestAnswer {
  const code = { 404: 'NOT_FOUND', 429: 'DEVICE_BUSY' }[status] ?? 'DEVICE_REFUSED';
  const message = { 401: 'the session or token was refused', 403: 'the administrator lacks the permission' }[status];
  // Only the API itself knows whether its table has the entry; older releases say so without a number.
  const missing = status === 404 && envelope?.status === 'error';
  return { kind: 'refused', code, message: `HTTP ${status}${message === undefined ? '' : `: ${message}`}`, missing };
}

function refusalMessage(envelope: JsonObject | undefined, number: number): string {
  const lines = typeof envelope?.cli_error === 'string' ? envelope.cli_error.split('\n') : [];
  const own = lines.map((line) => line.trim()).filter((line) => line !== '' && !line.startsWith('Command fail'));
  const said = own.length > 0 ? own.join('; ') : meaningOf(number);
  return (said === undefined ? `error ${number}` : `error ${number}: ${said}`).slice(0, maxMessageLength);
}

function isEnvelope(object: JsonObject, status: number): boolean {
  return typeof object.http_method === 'string' && object.http_status === status;
}

function isAbout(object: JsonObject, { table, vdom }: Place): boolean {
  return `${String(object.path)}/${String(object.name)}` === table && object.vdom === vdom;
}

/** The entry's key in a reply: a number or a text, depending on the release. */
export function keyIn(object: JsonObject): string | undefined {
  const { mkey } = object;
  return typeof mkey === 'string' || typeof mkey === 'number' ? String(mkey) : undefined;
}

/** The entries of a read; undefined when there is no list of objects. */
export function entriesIn(object: JsonObject): readonly JsonObject[] | undefined {
  const { results } = object;
  return Array.isArray(results) && results.every(isObject) ? results : undefined;
}

/** `read` makes the outcome from a success; undefined when required data is missing. */
export function writeOutcome(
  reply: HttpReply,
  place: Place,
  read: (object: JsonObject) => Outcome | undefined,
): Outcome {
  const answer = readAnswer(reply, place);
  if (answer.kind === 'refused') return { state: 'FAILED', code: answer.code, message: answer.message };
  if (answer.kind === 'unreadable') return unknown(answer.message);
  return read(answer.object) ?? unknown('The device reported success, but its answer does not fit the request.');
}

export function unknown(message: string): Outcome {
  return { state: 'UNKNOWN', code: 'UNREADABLE_REPLY', message: message.slice(0, maxMessageLength) };
}

/** READ operations have no unknown outcome. `read`: a result, an outcome of its own, or undefined when it can't be read. */
export function readOutcome(
  reply: HttpReply,
  place: Place,
  read: (entries: readonly JsonObject[]) => { readonly result: JsonValue } | Outcome | undefined,
): Outcome {
  const answer = readAnswer(reply, place);
  if (answer.kind === 'refused') return { state: 'FAILED', code: answer.code, message: answer.message };
  const entries = answer.kind === 'done' ? entriesIn(answer.object) : undefined;
  const found = entries && read(entries);
  if (found) return 'state' in found ? found : { state: 'SUCCEEDED', result: found.result };
  return unreadableRead(reply, answer.kind === 'unreadable' ? answer.message : undefined);
}

/** A missing entry. */
export function notFound(resource: string, which: string) {
  return { state: 'FAILED', code: 'NOT_FOUND', message: `there is no ${resource} ${which}` } as const;
}

export function unreadableRead(reply: HttpReply, message = "The device's answer does not fit the request."): Outcome {
  return { state: 'FAILED', code: reply.truncated ? 'REPLY_TOO_LONG' : 'UNREADABLE_REPLY', message };
}

/** The text of an HTML page that says what happened, or its beginning. */
function titleOf(body: string): string {
  const title = /<title>([^<]{1,200})<\/title>/i.exec(body)?.[1] ?? body.slice(0, 200);
  return title.replaceAll(/\s+/g, ' ').trim() || 'no readable text';
}

export function parseObject(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
