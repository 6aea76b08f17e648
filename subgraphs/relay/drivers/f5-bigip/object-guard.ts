// A name may belong to another object since. iControl REST has no request that depends on more than the name. So each change has a
// guard: a read, directly before it on the same connection, must show an object with the mark of a call, or an adopted one, which may have
// no mark, with the settings that were recorded.

import { writeFailure } from '../answer.ts';
import type { HttpCall, HttpReply, JsonObject, Outcome } from '../driver.ts';
import { isMeant, notMeant } from '../meant-object.ts';
import { isGone, isIt, type LtmKind, readOf, valuesOf } from './ltm-kind.ts';
import { get, readAnswer } from './rest.ts';

/** The change with its guard. */
export function guardOf(kind: LtmKind, args: JsonObject, call: HttpCall): HttpCall {
  const { path } = get(readOf(kind, args));
  return { ...call, guard: { path, allows: (reply) => obstacle(kind, args, reply) === undefined } };
}

/** The outcome of a call that its guard stopped. Undefined if the call was sent. */
export function refusedByGuard(kind: LtmKind, args: JsonObject, reply: HttpReply): Outcome | undefined {
  if (reply.unsent !== true) return undefined;
  return obstacle(kind, args, reply) ?? busy('The device answered differently when asked again.');
}

function obstacle(kind: LtmKind, args: JsonObject, reply: HttpReply): Outcome | undefined {
  const place = kind.place(args);
  const answer = readAnswer(reply);
  if (answer.kind === 'refused') return writeFailure(answer, isGone(answer.missing, place));
  if (answer.kind !== 'object') return busy(`It could not be read, so nothing was sent. ${answer.message}`);
  if (!isIt(kind, answer.object, place)) return busy('The device returned something else, so nothing was sent.');
  if (isMeant(args, answer.object.description, valuesOf(kind, answer.object, args))) return undefined;
  return { state: 'FAILED', code: 'CHANGED', message: notMeant };
}

function busy(message: string): Outcome {
  return { state: 'FAILED', code: 'DEVICE_BUSY', message: message.slice(0, 4_096) };
}
