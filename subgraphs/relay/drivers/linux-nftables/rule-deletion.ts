// Deletes a rule. nft can only delete by handle, and handles start again at 1 when the table is made again: after a reboot
// another rule has the handle. So one script finds the rule by its comment and deletes it, in the same table or not at all.
//
// in:   lines of a keyword and its text (script-input.ts): `family`, `table`, `chain`, `handle`; `match` an extended regular
//       expression for handle and comment of the wanted rule in nft's JSON; `moved` is `yes` if the comment alone identifies it;
//       `guard` the name of a chain that exists nowhere else
// does: adds the empty chain `guard`, lists the rules, then deletes `guard` and the rule in one transaction of the kernel
// must hold: handles are never used twice in one table. A table that was made again after the listing has no `guard`, so the
//       transaction fails as a whole and deletes nothing.
// out:  `nft VERDICT GUARD` as the last line, or nft's own exit code and words

import { unknown, writeFailure } from '../answer.ts';
import type { ExecCall, ExecReply, Outcome, RenderContext } from '../driver.ts';
import { argumentsSchema } from '../json.ts';
import { scriptCall, scriptHead } from '../script-input.ts';
import { type NftOperation, readAnswer } from './nft.ts';
import { chain, findRule, listChain, ruleObject } from './rules.ts';
import { type AddressFamily, family, handle, name, table } from './schema.ts';

type DeleteArguments = {
  family: AddressFamily;
  table: string;
  chain: string;
  name: string;
  handle: number;
  operationId?: string;
};

const prelude = `${scriptHead('nft', ['family', 'table', 'chain', 'handle', 'match', 'moved', 'guard'])}
place="\\"family\\":\\"$family\\",\\"table\\":\\"$table\\""
fence="{\\"chain\\":{$place,\\"name\\":\\"$guard\\"}}"
ask() { printf '{"nftables":[%s]}\\n' "$2" | nft $1 -f -; }
leave() { ask -j "{\\"delete\\":$fence}" 2>/dev/null; finish "$1 $guard"; }
look() {
  listed=$(ask '-j -a' "{\\"list\\":{\\"chain\\":{$place,\\"name\\":\\"$chain\\"}}}") || return $?
  handles=$(printf '%s\\n' "$listed" | grep -Eo -e "$match" | sed -e 's/^"handle": *//' -e 's/,.*//')
  found=
  for each in $handles; do [ "$each" != "$handle" ] || found=$each; done
  set -- $handles
  if [ -z "$found" ] && [ "$moved" = yes ] && [ $# -eq 1 ]; then found=$1; fi
  missing=NOT_FOUND
  [ $# -eq 0 ] || missing=MOVED
  return 0
}
removal() { printf '%s' "{\\"delete\\":{\\"rule\\":{$place,\\"chain\\":\\"$chain\\",\\"handle\\":$found}}}"; }`;

const scripts = {
  delete: `${prelude}
ask -j "{\\"add\\":$fence}" || exit $?
look || { code=$?; ask -j "{\\"delete\\":$fence}" 2>/dev/null; exit $code; }
[ -n "$found" ] || leave "refused $missing"
ask -j "{\\"delete\\":$fence},$(removal)" || leave failed
finish "deleted $found $guard"`,
  check: `${prelude}
look || exit $?
[ -n "$found" ] || finish "refused $missing $guard"
ask '-c -j' "$(removal)" || exit $?
finish "deleted $found $guard"`,
} as const;

/** A pattern for the comment of the rule that a call made. Without the call's id, matches any rule with this name. */
function matchOf(name: string, operationId: string | undefined): string {
  const words = name.replaceAll('.', '[.]');
  const mark = operationId === undefined ? '(tg:[0-9a-f-]{36} )?' : `tg:${operationId} `;
  return `"handle": *[0-9]+, *"comment": *"${mark}${words}"[,}]`;
}

/** It has the id of the deletion: a ruleset that others save and load has no such chain. */
const guardOf = (operationId: string) => `tidegate-${operationId}`;

function run(script: keyof typeof scripts, args: DeleteArguments, { operationId }: RenderContext): ExecCall {
  return scriptCall(scripts[script], [
    ['family', args.family],
    ['table', args.table],
    ['chain', args.chain],
    ['handle', args.handle],
    ['match', matchOf(args.name, args.operationId)],
    ['moved', args.operationId === undefined ? undefined : 'yes'],
    ['guard', guardOf(operationId)],
  ]);
}

function outcomeOf(reply: ExecReply, args: DeleteArguments, { operationId }: RenderContext): Outcome {
  const [, words = '', guard] = /(?:^|\n)nft ([A-Za-z_ 0-9]+) (\S+)\n$/.exec(reply.stdout) ?? [];
  if (guard === undefined || reply.exitCode !== 0 || reply.truncated) return withoutVerdict(reply);
  if (guard !== guardOf(operationId)) return unknown('The device answered another call.');
  const [verdict, what] = words.split(' ');
  if (verdict === 'deleted' && /^[1-9]\d*$/.test(what ?? ''))
    return { state: 'SUCCEEDED', result: { name: args.name, handle: Number(what) } };
  if (what === 'NOT_FOUND')
    return { state: 'FAILED', code: 'NOT_FOUND', message: `The chain has no rule ${args.name}.`, absent: true };
  if (what === 'MOVED') {
    const message = `Rule ${args.name} no longer has the handle ${args.handle}. Nothing was deleted: verify the mapping.`;
    return { state: 'FAILED', code: 'OTHER_OBJECT', message };
  }
  if (verdict !== 'failed' || !/\bError: /.test(reply.stderr))
    return unknown('The answer of the device is unreadable.');
  const message = `The ruleset changed while the rule was deleted. Nothing was deleted: send the call again. ${reply.stderr}`;
  return { state: 'FAILED', code: 'DEVICE_BUSY', message: message.trim().slice(0, 4_096) };
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

export const ruleDelete: NftOperation<DeleteArguments> = {
  name: 'rule.delete',
  summary: 'Deletes the rule with this name, if it still has this handle or the mark of the call that made it.',
  category: 'USER',
  effect: 'IDEMPOTENT',
  argumentsSchema: argumentsSchema(
    {
      ...{ name, family, table, chain, handle },
      operationId: {
        type: 'string',
        pattern: '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$',
        description:
          'The id of the call that made the rule. Only a rule with its mark is deleted, whatever its handle is now.',
      },
    },
    ['name', 'handle'],
  ),
  example: { name: 'tenant-42-blocked', handle: 7 },
  object: ruleObject,
  mapping: 'deletes',
  render: (args, context) => run('delete', args, context),
  renderDryRun: (args, context) => run('check', args, context),
  interpretDryRun(reply, args, context) {
    const outcome = outcomeOf(reply, args, context);
    return outcome.state === 'UNKNOWN' ? { ...outcome, state: 'FAILED' } : outcome;
  },
  interpret: outcomeOf,
  probe: {
    render: listChain,
    interpret(reply, args) {
      const { name: key, handle: known, operationId } = args;
      const made = operationId === undefined ? {} : { madeBy: operationId };
      const found = findRule(reply, { scope: '', key, uuid: String(known), ...made });
      return found.finding === 'PRESENT'
        ? { finding: 'PRESENT', ...(found.uuid === undefined ? {} : { uuid: found.uuid }) }
        : found;
    },
  },
};
