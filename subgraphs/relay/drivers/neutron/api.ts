// Requests and replies of the Networking API v2.0 of OpenStack. Statuses are from its API reference (201 created, 200 changed, 204
// deleted) and from neutron-server 21. A refusal is a NeutronError. A refused request has no effect, because each request is one
// transaction (docs/relay.md has the exception of networking-sfc's Open vSwitch driver).

import {
  objectIn,
  type Refused,
  readFailure,
  refusal,
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
  type Outcome,
  type RenderContext,
} from '../driver.ts';
import { isObject } from '../json.ts';

/** A call below `/v2.0/`. */
export function call({ backend }: RenderContext, method: HttpCall['method'], path: string, body?: JsonValue): HttpCall {
  const base = typeof backend.options.basePath === 'string' ? backend.options.basePath : '';
  return { kind: 'http', method, path: `${base}/v2.0/${path}`, ...(body === undefined ? {} : { body }) };
}

/** A query string; without undefined values. */
export function queryOf(filters: Readonly<Record<string, string | number | undefined>>): string {
  const given = Object.entries(filters).filter(([, value]) => value !== undefined);
  const pairs = given.map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(String(value))}`);
  return pairs.length === 0 ? '' : `?${pairs.join('&')}`;
}

type Answer =
  /** The body; empty after a deletion. */
  | { readonly kind: 'object'; readonly object: JsonObject }
  /** `absent`: because its object does not exist. */
  | (Refused & { readonly absent: boolean })
  | Unreadable;

export function readAnswer(reply: HttpReply): Answer {
  const { status, body, truncated } = reply;
  if (truncated) return tooLong;
  const object = body.trim() === '' ? {} : objectIn(body);
  if (status >= 200 && status < 300) {
    if (object) return { kind: 'object', object };
    return unreadable(`Neutron answered ${status} without a JSON object.`);
  }
  const error = isObject(object?.NeutronError) ? object.NeutronError : undefined;
  const type = typeof error?.type === 'string' ? error.type : undefined;
  const code = refusalCode(status, type);
  const words = typeof error?.message === 'string' ? `${type ?? 'NeutronError'}: ${error.message}` : titleOf(body, 300);
  const message = `Neutron answered ${status}: ${words}`.slice(0, maxMessageLength);
  if (code === undefined) return unreadable(message);
  // HTTPNotFound is about the URL, not about an object.
  const absent = status === 404 && type !== undefined && type !== 'HTTPNotFound' && type.includes('NotFound');
  return { kind: 'refused', code, message, absent };
}

/** Undefined if it may have been carried out. */
function refusalCode(status: number, type: string | undefined): string | undefined {
  if (status === 401) return 'SESSION_REFUSED';
  // From a load balancer, without a NeutronError, it may stand for a lost answer.
  if (status === 503) return type === undefined ? undefined : 'DEVICE_BUSY';
  if (status < 400 || status >= 500 || status === 408) return undefined;
  if (status === 403) return 'NOT_ALLOWED';
  if (status === 404) return 'NOT_FOUND';
  if (status !== 409) return 'DEVICE_REFUSED';
  if (type === 'OverQuota') return 'QUOTA_EXCEEDED';
  // The latter two are kinds of InUse, too (networking-sfc).
  if (/InUse|^InvalidPortPairGroups$|^ServiceGraphInvalidPortChains$/.test(type ?? '')) return 'IN_USE';
  return /Exists|AlreadyAllocated|Duplicate/.test(type ?? '') ? 'ALREADY_EXISTS' : 'CONFLICT';
}

/** `read` makes the outcome from Neutron's success. It returns undefined if required data is missing. */
export function writeOutcome(reply: HttpReply, read: (object: JsonObject) => Outcome | undefined): Outcome {
  const answer = readAnswer(reply);
  if (answer.kind !== 'object') return writeFailure(answer);
  return read(answer.object) ?? unknown('Neutron reported success, but its answer does not fit the request.');
}

/** The outcome of a deletion. `isIt`: whether the object in the answer is the call's object. */
export function removalOutcome(reply: HttpReply, result: JsonValue, isIt: (object: JsonObject) => boolean): Outcome {
  const answer = readAnswer(reply);
  if (answer.kind === 'refused') return refusal(answer, answer.absent);
  return writeOutcome(reply, (object) => (isIt(object) ? { state: 'SUCCEEDED', result } : undefined));
}

/** READ operations have no unknown outcome. `read`: undefined when required data is missing. */
export function readOutcome(reply: HttpReply, read: (object: JsonObject) => JsonValue | undefined): Outcome {
  const answer = readAnswer(reply);
  if (answer.kind !== 'object') return readFailure(answer);
  const result = read(answer.object);
  return result === undefined ? readFailure(unreadable(nothingReadable.message)) : { state: 'SUCCEEDED', result };
}

/** A success without the requested data. */
export const nothingReadable = {
  finding: 'UNREADABLE',
  message: "Neutron's answer does not fit the request.",
} as const;

/** The objects of a collection. Undefined if it is not a collection. */
export function membersOf(object: JsonObject, collection: string): readonly JsonObject[] | undefined {
  const members = object[collection];
  return Array.isArray(members) && members.every(isObject) ? members : undefined;
}
