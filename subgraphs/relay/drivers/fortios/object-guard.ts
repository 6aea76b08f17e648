// An object is addressed by its name, or a policy by its number, which FortiOS gives to the next policy once the highest is deleted.
// Its API has no request that depends on more. So each change has a guard: a read, directly before it on the same connection,
// must show the meant object. A policy has this name and, where the mapping's call wrote it, a mark. Any other object has the mark of a
// call. An adopted one may have no mark: it has the settings that were recorded.

import type { HttpCall, HttpReply, JsonObject, MappedObject, Outcome } from '../driver.ts';
import { readMark } from '../mark.ts';
import { isMeant, notMeant, recognised } from '../meant-object.ts';
import { fieldsOf, type Kind, numberOf, tableOf, valuesOf } from './kind.ts';
import { entriesIn, get, guarded, notFound, readAnswer } from './rest.ts';

/** A policy that a call made has a mark, besides its number and name. */
export function recognisedBy(kind: Kind, object: MappedObject): JsonObject {
  return kind.numbered === true && object.madeBy !== undefined ? { marked: true } : recognised(object);
}

/** The change with its guard. */
export function guardOf(kind: Kind, args: JsonObject, call: HttpCall): HttpCall {
  const filter = kind.numbered === true ? `policyid==${String(args.policyId)}` : `name==${String(args.name)}`;
  const read = get(tableOf(kind, args), { filter, format: fieldsOf(kind) });
  return guarded(call, read, (reply) => obstacle(kind, args, reply) === undefined);
}

/** The outcome of a call that its guard stopped. Undefined if the call was sent. */
export function refusedByGuard(kind: Kind, args: JsonObject, reply: HttpReply): Outcome | undefined {
  if (reply.unsent !== true) return undefined;
  return obstacle(kind, args, reply) ?? busy('The device answered differently when asked again.');
}

function obstacle(kind: Kind, args: JsonObject, reply: HttpReply): Outcome | undefined {
  const answer = readAnswer(reply, tableOf(kind, args));
  const entries = answer.kind === 'done' ? entriesIn(answer.object) : undefined;
  if (entries === undefined) {
    const message = 'message' in answer ? answer.message : `The device did not return a list of ${kind.many}.`;
    return busy(`The ${kind.resource} could not be read, so nothing was sent. ${message}`);
  }
  return kind.numbered === true ? otherPolicy(kind, args, entries) : otherObject(kind, args, entries);
}

function otherObject(kind: Kind, args: JsonObject, entries: readonly JsonObject[]): Outcome | undefined {
  const name = String(args.name);
  // A filter ignores case.
  if (entries.some((each) => String(each.name).toLowerCase() !== name.toLowerCase()))
    return busy(`The device returned another ${kind.resource}, so nothing was sent.`);
  const entry = entries.find((each) => each.name === name);
  if (entry === undefined) return { ...notFound(kind.resource, name), absent: true };
  if (isMeant(args, entry[kind.comment], valuesOf(kind, entry, String(args.vdom)))) return undefined;
  return { state: 'FAILED', code: 'CHANGED', message: notMeant };
}

function otherPolicy(kind: Kind, args: JsonObject, entries: readonly JsonObject[]): Outcome | undefined {
  const [entry] = entries;
  const number = String(args.policyId);
  if (entry === undefined) return { ...notFound(kind.resource, number), absent: true };
  if (numberOf(entry) !== args.policyId) return busy('The device returned another policy, so nothing was sent.');
  if (args.settingsSha256 !== undefined && !isMeant(args, undefined, valuesOf(kind, entry, String(args.vdom))))
    return { state: 'FAILED', code: 'CHANGED', message: notMeant };
  if (entry.name === args.name && (args.marked !== true || readMark(entry[kind.comment]) !== undefined))
    return undefined;
  const now = String(entry.name).slice(0, 80);
  const message = `Number ${number} belongs to the policy ${now}, which is not the wanted one. Nothing was sent: verify the mapping.`;
  return { state: 'FAILED', code: 'OTHER_OBJECT', message };
}

function busy(message: string): Outcome {
  return { state: 'FAILED', code: 'DEVICE_BUSY', message: message.slice(0, 4_096) };
}
