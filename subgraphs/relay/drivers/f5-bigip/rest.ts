// Requests and replies of iControl REST 13.1. The meaning of a status is from F5's iControl REST User Guide 13.1. Gaps are filled
// from reports of others: 500 in HTML may have been carried out (f5-appsvcs-extension#780), 503 while a task runs was not
// (k8s-bigip-ctlr#2192), and 404 is an absence only if mcpd itself reports it.

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

export type RestOperation = OperationSpec<JsonObject, HttpReply>;

export function get(path: string): HttpCall {
  return { kind: 'http', method: 'GET', path };
}

export function post(path: string, body: JsonValue): HttpCall {
  return { kind: 'http', method: 'POST', path, body };
}

export function patch(path: string, body: JsonValue): HttpCall {
  return { kind: 'http', method: 'PATCH', path, body };
}

export function remove(path: string): HttpCall {
  return { kind: 'http', method: 'DELETE', path };
}

/** The device's answer: an object (an empty one for success without a body), a refusal, or nothing certain. */
type RestAnswer =
  | { readonly kind: 'object'; readonly object: JsonObject }
  /** `missing`: mcpd's name of the missing object: a full path, or parts of a path. */
  | (Refused & { readonly missing?: string })
  | Unreadable;

export function readAnswer(reply: HttpReply): RestAnswer {
  const { status, body, truncated } = reply;
  if (truncated) return tooLong;
  const object = body.trim() === '' ? {} : objectIn(body);
  if (status >= 200 && status < 300) {
    if (object) return { kind: 'object', object };
    return unreadable(`The device answered ${status} without a JSON object.`);
  }
  const message = typeof object?.message === 'string' ? object.message.slice(0, maxMessageLength) : undefined;
  // Refusals are JSON; the same status in HTML is from a web server on the way, which knows nothing of the call.
  if (message !== undefined) {
    const code = refusalCode(status, message);
    if (code !== undefined) return { kind: 'refused', code, message, ...missingIn(status, message) };
  }
  return unreadable(`The device answered ${status}: ${message ?? titleOf(body)}`);
}

/** Undefined if the call may have been carried out. */
function refusalCode(status: number, message: string): string | undefined {
  if (status === 503) return 'DEVICE_BUSY';
  if (status < 400 || status >= 500) return undefined;
  if (status === 404) return /not registered/.test(message) ? 'DEVICE_BUSY' : 'NOT_FOUND';
  if (status === 409) return 'ALREADY_EXISTS';
  // In use, referenced by a pool member, monitor in use.
  if (/^(01070265|01070110|01070083):/.test(message)) return 'IN_USE';
  return 'DEVICE_REFUSED';
}

function missingIn(status: number, message: string): { missing?: string } {
  const [, missing] = /^01020036:\d+: The requested .* \((\/[^)]+)\) was not found/.exec(message) ?? [];
  return status === 404 && missing !== undefined ? { missing } : {};
}

/** `read` makes the outcome from a success. It returns undefined if required data is missing. */
export function writeOutcome(reply: HttpReply, read: (object: JsonObject) => Outcome | undefined): Outcome {
  const answer = readAnswer(reply);
  if (answer.kind !== 'object') return writeFailure(answer);
  return read(answer.object) ?? unknown('The device reported success, but its answer does not fit the request.');
}

/** READ operations have no unknown outcome. `read`: undefined when required data is missing. */
export function readOutcome(reply: HttpReply, read: (object: JsonObject) => JsonValue | undefined): Outcome {
  const answer = readAnswer(reply);
  if (answer.kind !== 'object') return readFailure(answer);
  const result = read(answer.object);
  return result === undefined
    ? readFailure(unreadable("The device's answer does not fit the request."))
    : { state: 'SUCCEEDED', result };
}

/** The objects of a collection; an empty one has no `items`. Undefined if it is not a collection. */
export function itemsOf(object: JsonObject): readonly JsonObject[] | undefined {
  const { items = [], kind } = object;
  const collection = typeof kind === 'string' && kind.endsWith('collectionstate');
  return collection && Array.isArray(items) && items.every(isObject) ? items : undefined;
}
