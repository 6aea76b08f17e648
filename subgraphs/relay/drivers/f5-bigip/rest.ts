// Requests and replies of iControl REST 13.1. The meaning of a status is from F5's iControl REST User Guide 13.1 and, where it is
// silent, from reports of others: 500 in HTML may have been carried out (f5-appsvcs-extension#780), 503 while a task runs was not
// (k8s-bigip-ctlr#2192), 404 is not an absence unless mcpd itself says so.

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
export type RestAnswer =
  | { readonly kind: 'object'; readonly object: JsonObject }
  /** Nothing was done. `missing`: mcpd's name of what it did not find: a full path, or the parts of one. */
  | { readonly kind: 'refused'; readonly code: string; readonly message: string; readonly missing?: string }
  | { readonly kind: 'unreadable'; readonly message: string };

export function readAnswer(reply: HttpReply): RestAnswer {
  const { status, body, truncated } = reply;
  if (truncated) return { kind: 'unreadable', message: 'The reply is too long to be read.' };
  const object = body.trim() === '' ? {} : parseObject(body);
  if (status >= 200 && status < 300) {
    if (object) return { kind: 'object', object };
    return { kind: 'unreadable', message: `The device answered ${status} without a JSON object.` };
  }
  const message = typeof object?.message === 'string' ? object.message.slice(0, maxMessageLength) : undefined;
  // Refusals are JSON; the same status in HTML is from a web server on the way, which knows nothing of the call.
  if (message !== undefined) {
    const code = refusalCode(status, message);
    if (code !== undefined) return { kind: 'refused', code, message, ...missingIn(status, message) };
  }
  const words = message ?? titleOf(body);
  return { kind: 'unreadable', message: `The device answered ${status}: ${words}` };
}

/** Undefined: the call may have been carried out. */
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

/** The text of an HTML page that says what happened, or its beginning. */
function titleOf(body: string): string {
  const title = /<title>([^<]{1,200})<\/title>/i.exec(body)?.[1] ?? body.slice(0, 200);
  return title.replaceAll(/\s+/g, ' ').trim() || 'no readable text';
}

function parseObject(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** `read` makes the outcome from a success; undefined when required data is missing. */
export function writeOutcome(reply: HttpReply, read: (object: JsonObject) => Outcome | undefined): Outcome {
  const answer = readAnswer(reply);
  if (answer.kind === 'refused') return { state: 'FAILED', code: answer.code, message: answer.message };
  if (answer.kind === 'unreadable') return unknown(answer.message);
  return read(answer.object) ?? unknown('The device reported success, but its answer does not fit the request.');
}

export function unknown(message: string): Outcome {
  return { state: 'UNKNOWN', code: 'UNREADABLE_REPLY', message };
}

/** READ operations have no unknown outcome. `read`: undefined when required data is missing. */
export function readOutcome(reply: HttpReply, read: (object: JsonObject) => JsonValue | undefined): Outcome {
  const answer = readAnswer(reply);
  if (answer.kind === 'refused') return { state: 'FAILED', code: answer.code, message: answer.message };
  const result = answer.kind === 'object' ? read(answer.object) : undefined;
  if (result !== undefined) return { state: 'SUCCEEDED', result };
  const message = answer.kind === 'unreadable' ? answer.message : "The device's answer does not fit the request.";
  return { state: 'FAILED', code: reply.truncated ? 'REPLY_TOO_LONG' : 'UNREADABLE_REPLY', message };
}

/** The objects of a collection; an empty one has no `items`. Undefined: it is not a collection. */
export function itemsOf(object: JsonObject): readonly JsonObject[] | undefined {
  const { items = [], kind } = object;
  const collection = typeof kind === 'string' && kind.endsWith('collectionstate');
  return collection && Array.isArray(items) && items.every(isObject) ? items : undefined;
}
