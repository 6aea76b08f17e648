// A policy is addressed by its number, and FortiOS gives the number of the highest policy to the next one once that is deleted.
// Its API has no request that depends on a name. So each change of a policy has a guard: a read, directly before it on the
// same connection, must show the policy with this number, this name and, where the mapping's call wrote it, a mark.

import type { HttpCall, HttpReply, JsonObject, Outcome } from '../driver.ts';
import { readMark } from '../mark.ts';
import { fieldsOf, type Kind, numberOf, tableOf } from './kind.ts';
import { entriesIn, get, guarded, readAnswer } from './rest.ts';

/** The change with its guard. For a kind without numbers, the change as it is. */
export function guardOf(kind: Kind, args: JsonObject, call: HttpCall): HttpCall {
  if (kind.numbered !== true) return call;
  const read = get(tableOf(kind, args), { filter: `policyid==${String(args.policyId)}`, format: fieldsOf(kind) });
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
    const message = 'message' in answer ? answer.message : 'The device did not return a list of policies.';
    return busy(`The policy could not be read, so nothing was sent. ${message}`);
  }
  const [entry] = entries;
  if (entry === undefined)
    return { state: 'FAILED', code: 'NOT_FOUND', message: `there is no policy ${String(args.policyId)}`, absent: true };
  if (numberOf(entry) !== args.policyId) return busy('The device returned another policy, so nothing was sent.');
  if (entry.name === args.name && (args.marked !== true || readMark(entry[kind.comment]) !== undefined))
    return undefined;
  const now = String(entry.name).slice(0, 80);
  const message = `Number ${String(args.policyId)} belongs to the policy ${now}, which is not the wanted one. Nothing was sent: verify the mapping.`;
  return { state: 'FAILED', code: 'OTHER_OBJECT', message };
}

function busy(message: string): Outcome {
  return { state: 'FAILED', code: 'DEVICE_BUSY', message: message.slice(0, 4_096) };
}
