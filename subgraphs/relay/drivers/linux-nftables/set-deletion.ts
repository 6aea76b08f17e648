// Deletes a set that is as meant (deletion.ts). nft 1.0.6 keeps no comment of a set that was given as JSON.
//
// in:   `set`, its name; `match` an extended regular expression for the set in nft's JSON, from its type to its end; `element`, in nft's JSON,
//       one that it must have

import { canonicalText } from '../../../../platform/net/address-block.ts';
import type { ExecCall, ExecReply, JsonValue, Outcome, RenderContext } from '../driver.ts';
import { scriptCall } from '../script-input.ts';
import { deletionHead, failed, guardOf, verdictIn } from './deletion.ts';
import type { AddressFamily } from './schema.ts';

interface MeantSet {
  readonly family: AddressFamily;
  readonly table: string;
  readonly name: string;
  readonly match: string;
  readonly element?: JsonValue;
}

const prelude = `${deletionHead(['set', 'match', 'element'])}
which="{\\"set\\":{$place,\\"name\\":\\"$set\\"}}"
look() {
  listed=$(ask '-j -a' "{\\"list\\":$which}") || return $?
  printf '%s\\n' "$listed" | grep -Eq -e "$match"
  meant=$?
  return 0
}
removal="{\\"delete\\":$which}"
[ -z "$element" ] ||
  removal="{\\"delete\\":{\\"element\\":{$place,\\"name\\":\\"$set\\",\\"elem\\":[$element]}}},$removal"`;

const scripts = {
  delete: `${prelude}
guarded
[ "$meant" -eq 0 ] || leave 'refused CHANGED'
ask -j "{\\"delete\\":$fence},$removal" || leave failed
finish "deleted $guard"`,
  check: `${prelude}
look || exit $?
[ "$meant" -eq 0 ] || finish "refused CHANGED $guard"
ask '-c -j' "$removal" || exit $?
finish "deleted $guard"`,
} as const;

const string = '"([^"\\\\]|\\\\.)*"';
const anyValue = `(${string}|\\{"prefix": *\\{"addr": *${string}, *"len": *[0-9]+\\}\\})`;

/** A set of addresses of which each has the mark of a call. */
export function setMatch(ipVersion: 4 | 6 | undefined, blocks: boolean | undefined): string {
  const element = `\\{"elem": *\\{"val": *${anyValue}, *"comment": *"tg:([^"\\\\]|\\\\.)*"\\}\\}`;
  return matchOf(`ipv${ipVersion ?? '[46]'}_addr`, blocks, `(, *"elem": *\\[${element}(, *${element})*\\])?`);
}

/** A set in which this address has the mark of the call. Without a call: a set with this address alone, with any comment or none. */
export function addressMatch(address: string, operationId: string | undefined): string {
  const [addr = '', length] = canonicalText(address).split('/');
  const text = `"${addr.replaceAll('.', '[.]')}"`;
  const value = length === undefined ? text : `\\{"prefix": *\\{"addr": *${text}, *"len": *${length}\\}\\}`;
  const commented = (comment: string) => `\\{"elem": *\\{"val": *${value}, *"comment": *${comment}\\}\\}`;
  const elements =
    operationId === undefined
      ? `(${value}|${commented(string)})`
      : `.*${commented(`"tg:${operationId}( ([^"\\\\]|\\\\.)*)?"`)}.*`;
  return matchOf('ipv[46]_addr', true, `, *"elem": *\\[${elements}\\]`);
}

function matchOf(type: string, blocks: boolean | undefined, elements: string): string {
  const interval = ', *"flags": *(\\["interval"\\]|"interval")';
  const flags = blocks === undefined ? `(${interval})?` : blocks ? interval : '';
  return `"type": *"${type}", *"handle": *[0-9]+${flags}${elements}\\}\\}`;
}

export function run(script: keyof typeof scripts, meant: MeantSet, { operationId }: RenderContext): ExecCall {
  const { family, table, name, match, element } = meant;
  return scriptCall(scripts[script], [
    ['family', family],
    ['table', table],
    ['set', name],
    ['match', match],
    ['element', element === undefined ? undefined : JSON.stringify(element)],
    ['guard', guardOf(operationId)],
  ]);
}

export function outcomeOf(reply: ExecReply, result: JsonValue, changed: string, context: RenderContext): Outcome {
  const found = verdictIn(reply, context);
  if ('state' in found) return found;
  const [verdict, what] = found;
  if (verdict === 'deleted') return { state: 'SUCCEEDED', result };
  if (what === 'CHANGED') return { state: 'FAILED', code: 'CHANGED', message: `${changed} Nothing was deleted.` };
  return failed(verdict, reply, 'set');
}
