// Requests and replies of NEO 2.7. NVIDIA NEO REST API Guide 2.7.20: reads answer with JSON; every write becomes a job, named in
// the Location header or in the body.

import {
  type Refused,
  readFailure,
  refusal,
  titleOf,
  tooLong,
  type Unreadable,
  unknown,
  unreadable,
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
import { isObject, jsonIn } from '../json.ts';

export type NeoOperation = OperationSpec<JsonObject, HttpReply>;

/** Statuses of requests that were refused before anything was done. Other statuses, such as 408, leave that open. */
const refusals = new Set([400, 401, 403, 404, 405, 409, 415]);

export function get(path: string): HttpCall {
  return { kind: 'http', method: 'GET', path };
}

export function post(path: string, body: JsonValue): HttpCall {
  return { kind: 'http', method: 'POST', path, body };
}

type NeoAnswer = { readonly kind: 'value'; readonly value: JsonValue } | Refused | Unreadable;

/** The reply to a read. */
export function readAnswer(reply: HttpReply): NeoAnswer {
  if (reply.truncated) return tooLong;
  const value = jsonIn(reply.body);
  if (reply.status === 200 && value !== undefined) return { kind: 'value', value };
  return refusalIn(reply) ?? unreadable(`NEO answered ${reply.status}: ${wordsOf(reply)}`);
}

function refusalIn(reply: HttpReply): Refused | undefined {
  if (reply.truncated || !refusals.has(reply.status)) return undefined;
  const code = reply.status === 404 ? 'NOT_FOUND' : 'DEVICE_REFUSED';
  return { kind: 'refused', code, message: wordsOf(reply) };
}

/** The outcome of a write: the job that it became. */
export function jobOutcome(reply: HttpReply): Outcome {
  const refused = refusalIn(reply);
  if (refused) return refusal(refused);
  const job = jobIn(reply);
  if (reply.status >= 200 && reply.status < 300 && job !== undefined) return { state: 'ACCEPTED', result: { job } };
  const message =
    reply.status >= 200 && reply.status < 300
      ? 'NEO reported success, but did not return the job.'
      : `NEO answered ${reply.status}: ${wordsOf(reply)}`;
  return unknown(message);
}

/**
 * The number of the job: by the guide in the Location header. The NEO SDK (NeoSdk, _validateJob) searches the body for `app/jobs/N`,
 * and networking-mlnx takes it from JSON or from a link in a page: here a text in quotes that ends with it, or the whole body. A body
 * that names several jobs names none.
 */
function jobIn({ headers, body, truncated }: HttpReply): string | undefined {
  const inHeader = /\/neo\/app\/jobs\/(\d{1,15})\/?$/.exec(headers.location ?? '')?.[1];
  if (inHeader !== undefined || truncated) return inHeader;
  const named = /(?:^|["'])(?:[^"'<>\s]{0,255}\/)?app\/jobs\/(\d{1,15})\/?(?:["']|$)/g;
  const inBody = new Set([...body.trim().matchAll(named)].map(([, number]) => number));
  const [only] = inBody;
  return inBody.size === 1 ? only : undefined;
}

/** READ operations have no unknown outcome. `read`: undefined when required data is missing. */
export function readOutcome(reply: HttpReply, read: (value: JsonValue) => JsonValue | undefined): Outcome {
  const answer = readAnswer(reply);
  if (answer.kind !== 'value') return readFailure(answer);
  const result = read(answer.value);
  return result === undefined
    ? readFailure(unreadable("NEO's answer does not fit the request."))
    : { state: 'SUCCEEDED', result };
}

/** A list of objects; undefined when it is not one. */
export function objectsIn(value: JsonValue): readonly JsonObject[] | undefined {
  return Array.isArray(value) && value.every(isObject) ? value : undefined;
}

/** The guide does not specify error texts: a message in JSON, or a page's title. */
function wordsOf({ body }: HttpReply): string {
  const value = jsonIn(body);
  const words = isObject(value) ? (value.error ?? value.message ?? value.description) : undefined;
  if (typeof words === 'string' && words !== '') return words.slice(0, maxMessageLength);
  return titleOf(body);
}
