// Requests and replies of the Networking API v2.0 of OpenStack. Statuses are those of its API reference (201 created, 200
// changed, 204 deleted) and of neutron-server 21; refusals are a NeutronError, and a refused request has no effect: each is one
// transaction (docs/relay.md has the exception of networking-sfc's Open vSwitch driver).

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

export type Answer =
  /** The body; empty after a deletion. */
  | { readonly kind: 'object'; readonly object: JsonObject }
  /** Nothing was done. `absent`: because its object does not exist. */
  | { readonly kind: 'refused'; readonly code: string; readonly message: string; readonly absent: boolean }
  | { readonly kind: 'unreadable'; readonly message: string };

export function readAnswer(reply: HttpReply): Answer {
  const { status, body, truncated } = reply;
  if (truncated) return { kind: 'unreadable', message: 'The reply is too long to be read.' };
  const object = body.trim() === '' ? {} : parseObject(body);
  if (status >= 200 && status < 300) {
    if (object) return { kind: 'object', object };
    return { kind: 'unreadable', message: `Neutron answered ${status} without a JSON object.` };
  }
  const error = isObject(object?.NeutronError) ? object.NeutronError : undefined;
  const type = typeof error?.type === 'string' ? error.type : undefined;
  const code = refusalCode(status, type);
  const words = typeof error?.message === 'string' ? `${type ?? 'NeutronError'}: ${error.message}` : titleOf(body);
  const message = `Neutron answered ${status}: ${words}`.slice(0, maxMessageLength);
  if (code === undefined) return { kind: 'unreadable', message };
  // HTTPNotFound is about the URL, not about an object.
  const absent = status === 404 && type !== undefined && type !== 'HTTPNotFound' && type.includes('NotFound');
  return { kind: 'refused', code, message, absent };
}

/** Undefined: it may have been carried out. */
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

function parseObject(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Text of a page from a proxy, or from middleware in front of Neutron. */
function titleOf(body: string): string {
  const title = /<title>([^<]{1,200})<\/title>/i.exec(body)?.[1] ?? body.slice(0, 300);
  return title.replaceAll(/\s+/g, ' ').trim() || 'no readable text';
}

/** `read` makes the outcome from Neutron's success; undefined when required data is missing. */
export function writeOutcome(reply: HttpReply, read: (object: JsonObject) => Outcome | undefined): Outcome {
  const answer = readAnswer(reply);
  if (answer.kind === 'refused') return { state: 'FAILED', code: answer.code, message: answer.message };
  const outcome = answer.kind === 'object' ? read(answer.object) : undefined;
  if (outcome) return outcome;
  const message =
    answer.kind === 'unreadable'
      ? answer.message
      : 'Neutron reported success, but its answer does not fit the request.';
  return { state: 'UNKNOWN', code: 'UNREADABLE_REPLY', message };
}

/** The outcome of a deletion. */
export function removalOutcome(reply: HttpReply, result: JsonValue): Outcome {
  const answer = readAnswer(reply);
  if (answer.kind === 'refused' && answer.absent) {
    return { state: 'FAILED', code: answer.code, message: answer.message, absent: true };
  }
  return writeOutcome(reply, () => ({ state: 'SUCCEEDED', result }));
}

/** READ operations have no unknown outcome. `read`: undefined when required data is missing. */
export function readOutcome(reply: HttpReply, read: (object: JsonObject) => JsonValue | undefined): Outcome {
  const answer = readAnswer(reply);
  if (answer.kind === 'refused') return { state: 'FAILED', code: answer.code, message: answer.message };
  const result = answer.kind === 'object' ? read(answer.object) : undefined;
  if (result !== undefined) return { state: 'SUCCEEDED', result };
  const message = answer.kind === 'unreadable' ? answer.message : nothingReadable.message;
  return { state: 'FAILED', code: reply.truncated ? 'REPLY_TOO_LONG' : 'UNREADABLE_REPLY', message };
}

/** A success without what was asked for. */
export const nothingReadable = {
  finding: 'UNREADABLE',
  message: "Neutron's answer does not fit the request.",
} as const;

/** The objects of a collection; undefined: it is not one. */
export function membersOf(object: JsonObject, collection: string): readonly JsonObject[] | undefined {
  const members = object[collection];
  return Array.isArray(members) && members.every(isObject) ? members : undefined;
}
