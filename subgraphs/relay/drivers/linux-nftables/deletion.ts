// What the scripts that delete share. nft finds an object by its handle or its name alone, and handles start again at 1 when the table is made
// again: after a reboot another object has them. So one script finds the meant object in a listing, and deletes it in the same table or not
// at all.
//
// in:   lines of a keyword and its text (script-input.ts): `family`, `table`; `guard` the name of a chain that exists nowhere else
// does: adds the empty chain `guard`, lists, then deletes `guard` and the object in one transaction of the kernel
// must hold: a table that was made again after the listing has no `guard`, so the transaction fails as a whole and deletes nothing.
// out:  `nft VERDICT GUARD` as the last line, or nft's own exit code and words

import { unknown, writeFailure } from '../answer.ts';
import type { ExecReply, Outcome, RenderContext } from '../driver.ts';
import { scriptHead } from '../script-input.ts';
import { readAnswer } from './nft.ts';

/** `ask OPTIONS COMMANDS` sends a batch; `leave VERDICT` takes the guard away and ends the script. */
export function deletionHead(keywords: readonly string[]): string {
  return `${scriptHead('nft', ['family', 'table', ...keywords, 'guard'])}
place="\\"family\\":\\"$family\\",\\"table\\":\\"$table\\""
fence="{\\"chain\\":{$place,\\"name\\":\\"$guard\\"}}"
ask() { printf '{"nftables":[%s]}\\n' "$2" | nft $1 -f -; }
leave() { ask -j "{\\"delete\\":$fence}" 2>/dev/null; finish "$1 $guard"; }
guarded() { ask -j "{\\"add\\":$fence}" || exit $?; look || { code=$?; ask -j "{\\"delete\\":$fence}" 2>/dev/null; exit $code; }; }`;
}

/** It has the id of the deletion: a ruleset that others save and load has no such chain. */
export const guardOf = (operationId: string) => `tidegate-${operationId}`;

/** The words of the script's verdict, or the outcome of a script that has none. */
export function verdictIn(reply: ExecReply, { operationId }: RenderContext): readonly string[] | Outcome {
  const [, words = '', guard] = /(?:^|\n)nft ([A-Za-z_ 0-9]+) (\S+)\n$/.exec(reply.stdout) ?? [];
  if (guard === undefined || reply.exitCode !== 0 || reply.truncated) return withoutVerdict(reply);
  if (guard !== guardOf(operationId)) return unknown('The device answered another call.');
  return words.split(' ');
}

/** A verdict that is neither a deletion nor a refusal of the script: the kernel refused the transaction. */
export function failed(verdict: string | undefined, reply: ExecReply, what: string): Outcome {
  if (verdict !== 'failed' || !/\bError: /.test(reply.stderr))
    return unknown('The answer of the device is unreadable.');
  const words = reply.stderr.trim();
  if (/resource busy/i.test(words)) return { state: 'FAILED', code: 'DEVICE_REFUSED', message: words.slice(0, 4_096) };
  const message = `The ruleset changed while the ${what} was deleted. Nothing was deleted: send the call again. ${words}`;
  return { state: 'FAILED', code: 'DEVICE_BUSY', message: message.slice(0, 4_096) };
}

/** The script ended early, or nft could not read the ruleset. */
function withoutVerdict(reply: ExecReply): Outcome {
  const refused = /(?:^|\n)nft refused (BAD_INPUT|CUT_SHORT)\n$/.exec(reply.stdout)?.[1];
  if (refused !== undefined)
    return { state: 'FAILED', code: refused, message: 'The input of the script did not arrive as a whole.' };
  const answer = readAnswer(reply);
  if (answer.kind === 'objects') return unknown('No verdict.');
  return writeFailure(answer, answer.kind === 'refused' && answer.absent);
}

/** Of a dry run, which changes nothing: without a verdict it has failed. */
export function dryRunOutcome(outcome: Outcome): Outcome {
  return outcome.state === 'UNKNOWN' ? { ...outcome, state: 'FAILED' } : outcome;
}
