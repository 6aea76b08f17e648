// Answers of a device other than success, for all drivers: a refusal, or a reply that leaves the outcome unknown.
import type { JsonObject, Outcome } from './driver.ts';
import { isObject, jsonIn } from './json.ts';

/** Nothing was done. */
export interface Refused {
  readonly kind: 'refused';
  readonly code: string;
  readonly message: string;
}

/** The call may have been carried out. `ended`: its script reported that it has ended. */
export interface Unreadable {
  readonly kind: 'unreadable';
  readonly code: 'UNREADABLE_REPLY' | 'REPLY_TOO_LONG';
  readonly message: string;
  readonly ended?: true;
}

export function unreadable(message: string): Unreadable {
  return { kind: 'unreadable', code: 'UNREADABLE_REPLY', message };
}

/** A truncated reply. */
export const tooLong: Unreadable = {
  kind: 'unreadable',
  code: 'REPLY_TOO_LONG',
  message: 'The reply is too long to be read.',
};

/** `absent`: the device refused because the object does not exist. */
export function refusal({ code, message }: Omit<Refused, 'kind'>, absent = false): Outcome {
  return { state: 'FAILED', code, message, ...(absent ? { absent } : {}) };
}

export function unknown(message: string, ended?: true): Outcome {
  return { state: 'UNKNOWN', code: 'UNREADABLE_REPLY', message, ...(ended === true ? { ended } : {}) };
}

/** The outcome of a write that did not succeed. `absent`: the device refused because the object does not exist. */
export function writeFailure(answer: Refused | Unreadable, absent = false): Outcome {
  return answer.kind === 'refused' ? refusal(answer, absent) : unknown(answer.message, answer.ended);
}

/** The outcome of a read that did not succeed: READ operations have no unknown outcome. */
export function readFailure({ code, message }: Refused | Unreadable): Outcome {
  return { state: 'FAILED', code, message };
}

export function objectIn(text: string): JsonObject | undefined {
  const value = jsonIn(text);
  return isObject(value) ? value : undefined;
}

/** The title of an HTML page, or the beginning of another text. */
export function titleOf(body: string, most = 200): string {
  const title = /<title>([^<]{1,200})<\/title>/i.exec(body)?.[1] ?? body.slice(0, most);
  return title.replaceAll(/\s+/g, ' ').trim() || 'no readable text';
}
