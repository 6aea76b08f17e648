// Requests and replies of the REST API of FortiOS. A reply counts only if it is the API's own envelope and about the request: a
// web server on the way, or a login page, knows nothing of the call. Sources: FortiOS REST API reference (status codes), reply
// samples in insightconnect-plugins#1027.

import {
  objectIn,
  type Refused,
  readFailure,
  titleOf,
  tooLong,
  type Unreadable,
  unknown,
  unreadable,
  writeFailure,
} from '../answer.ts';
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

/** Identifies a table or one of its entries. */
export interface Place {
  /** For example `firewall/address`. */
  readonly table: string;
  readonly vdom: string;
  /** If absent, the whole table. Never empty, because a DELETE without the key would empty the table. */
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

/** The call, sent only while the read allows it. FortiOS has no conditional requests: between the two is one round trip. */
export function guarded(call: HttpCall, read: HttpCall, allows: (reply: HttpReply) => boolean): HttpCall {
  return { ...call, guard: { path: read.path, allows } };
}

function pathOf({ table, vdom, key }: Place, query: Readonly<Record<string, string | number>> = {}): string {
  // The schema excludes such names. Should one arrive anyway, this must not become the path of the table.
  if (key !== undefined && /^\.*$/.test(key)) throw new Error("a key of a table can't be empty or dots");
  const entry = key === undefined ? '' : `/${encodeURIComponent(key)}`;
  const pairs = Object.entries({ vdom, ...query });
  const text = pairs.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join('&');
  return `/api/v2/cmdb/${table}${entry}?${text}`;
}

/** The device's answer: success, refusal, or nothing certain. */
type RestAnswer =
  | { readonly kind: 'done'; readonly object: JsonObject }
  /** `missing`: because the entry itself does not exist. */
  | (Refused & { readonly missing: boolean })
  | Unreadable;

export function readAnswer(reply: HttpReply, place: Place): RestAnswer {
  const { status } = reply;
  if (reply.truncated) return tooLong;
  const object = objectIn(reply.body);
  const envelope = object && isEnvelope(object, status) && isAbout(object, place) ? object : undefined;
  if (status >= 200 && status < 300) {
    if (envelope?.status === 'success') return { kind: 'done', object: envelope };
    return unreadable(`The device answered ${status}, but its answer does not fit the request.`);
  }
  const number = envelope?.status === 'error' ? envelope.error : undefined;
  if (typeof number === 'number' && number !== 0 && !isUncertain(number)) {
    const missing = status === 404 && number === -3;
    return { kind: 'refused', code: codeOf(number), message: refusalMessage(envelope, number), missing };
  }
  if (isRefusal(status) && typeof number !== 'number') return refusedBy(status, envelope);
  const said = typeof number === 'number' ? `error ${number}` : titleOf(reply.body);
  return unreadable(`The device answered ${status}: ${said}`);
}

/** A server with this answer has neither forwarded nor processed the request. */
function isRefusal(status: number): boolean {
  return [400, 401, 403, 404, 405, 413, 424, 429].includes(status);
}

function refusedBy(status: number, envelope: JsonObject | undefined): RestAnswer {
  const code = { 404: 'NOT_FOUND', 429: 'DEVICE_BUSY' }[status] ?? 'DEVICE_REFUSED';
  const message = { 401: 'the session or token was refused', 403: 'the administrator lacks the permission' }[status];
  // Only the API itself knows whether its table has the entry. Older releases report this without a number.
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

/** `read` makes the outcome from a success. It returns undefined if required data is missing. */
export function writeOutcome(
  reply: HttpReply,
  place: Place,
  read: (object: JsonObject) => Outcome | undefined,
): Outcome {
  const answer = readAnswer(reply, place);
  if (answer.kind !== 'done') return writeFailure(answer);
  return read(answer.object) ?? unknown('The device reported success, but its answer does not fit the request.');
}

/** READ operations have no unknown outcome. `read`: a result, an outcome of its own, or undefined when it can't be read. */
export function readOutcome(
  reply: HttpReply,
  place: Place,
  read: (entries: readonly JsonObject[]) => { readonly result: JsonValue } | Outcome | undefined,
): Outcome {
  const answer = readAnswer(reply, place);
  if (answer.kind !== 'done') return readFailure(answer);
  const entries = entriesIn(answer.object);
  const found = entries && read(entries);
  if (found === undefined) return readFailure(unreadable("The device's answer does not fit the request."));
  return 'state' in found ? found : { state: 'SUCCEEDED', result: found.result };
}

/** A missing entry. */
export function notFound(resource: string, which: string) {
  return { state: 'FAILED', code: 'NOT_FOUND', message: `there is no ${resource} ${which}` } as const;
}
