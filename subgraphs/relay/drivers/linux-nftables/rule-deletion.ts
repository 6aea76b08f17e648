// Deletes a rule (deletion.ts). nft can only delete one by its handle.
//
// in:   `chain`, `handle`; `match` an extended regular expression for handle and comment of the wanted rule in nft's JSON; `meant` one that also
//       has its statements; `moved` is `yes` if the comment alone identifies it
// must hold: handles are never used twice in one table.

import { nestsDeeperThan } from '../../../../platform/values/json.ts';
import type { ExecCall, ExecReply, JsonObject, JsonValue, MappedObject, Outcome, RenderContext } from '../driver.ts';
import { argumentsSchema, isObject, jsonIn } from '../json.ts';
import { callId } from '../mark.ts';
import { notMeant } from '../meant-object.ts';
import { scriptCall } from '../script-input.ts';
import { deletionHead, dryRunOutcome, failed, guardOf, verdictIn } from './deletion.ts';
import type { NftOperation } from './nft.ts';
import { chain, findRule, listChain, ruleObject } from './rules.ts';
import { type AddressFamily, family, handle, name, table } from './schema.ts';

type DeleteArguments = {
  family: AddressFamily;
  table: string;
  chain: string;
  name: string;
  handle: number;
  operationId?: string;
  /** JSON text. */
  statements?: string;
};

/** Statements contain expressions, which contain others. */
const deepest = 64;

const prelude = `${deletionHead(['chain', 'handle', 'match', 'meant', 'moved'])}
handles() { printf '%s\\n' "$listed" | grep -Eo -e "$1" | sed -e 's/^"handle": *//' -e 's/,.*//'; }
look() {
  listed=$(ask '-j -a' "{\\"list\\":{\\"chain\\":{$place,\\"name\\":\\"$chain\\"}}}") || return $?
  set -- $(handles "$match")
  found=
  for each; do [ "$each" != "$handle" ] || found=$each; done
  if [ -z "$found" ] && [ "$moved" = yes ] && [ $# -eq 1 ]; then found=$1; fi
  missing=NOT_FOUND
  [ $# -eq 0 ] || missing=MOVED
  if [ -n "$found" ] && [ -n "$meant" ] && ! handles "$meant" | grep -Fqx -e "$found"; then found= missing=CHANGED; fi
  return 0
}
removal() { printf '%s' "{\\"delete\\":{\\"rule\\":{$place,\\"chain\\":\\"$chain\\",\\"handle\\":$found}}}"; }`;

const scripts = {
  delete: `${prelude}
guarded
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
  return `"handle": *[0-9]+, *"comment": *"${mark}${words}"`;
}

/** Undefined if it is no list. */
function listIn(statements: string): JsonValue[] | undefined {
  const value = jsonIn(statements);
  return Array.isArray(value) && !nestsDeeperThan(value, deepest) ? value : undefined;
}

/** The same with its statements, up to the end of the rule. */
function meantOf({ name, operationId, statements }: DeleteArguments): string | undefined {
  if (statements === undefined) return undefined;
  const list = listIn(statements) ?? [];
  const whole = list.length === 0 ? '' : `, *"expr": *${patternOf(list)}`;
  return `${matchOf(name, operationId)}${whole}\\}\\}`;
}

/** A pattern for nft's JSON of a value, whatever spaces it has. */
function patternOf(value: JsonValue | undefined): string {
  const literal = (one: JsonValue) => JSON.stringify(one).replaceAll(/[\\.[\](){}*+?|^$]/g, '\\$&');
  if (Array.isArray(value)) return `\\[${value.map(patternOf).join(', *')}\\]`;
  if (!isObject(value)) return literal(value ?? null);
  const members = Object.entries(value).map(([member, of]) => {
    // What nft counts: counter, quota, last.
    const isCounted = /^(packets|bytes|used|used_unit)$/.test(member);
    return `${literal(member)}: *${isCounted ? '([0-9]+|"[a-z]+")' : patternOf(of)}`;
  });
  return `\\{${members.join(', *')}\\}`;
}

function run(script: keyof typeof scripts, args: DeleteArguments, { operationId }: RenderContext): ExecCall {
  return scriptCall(scripts[script], [
    ['family', args.family],
    ['table', args.table],
    ['chain', args.chain],
    ['handle', args.handle],
    ['match', `${matchOf(args.name, args.operationId)}[,}]`],
    ['meant', meantOf(args)],
    ['moved', args.operationId === undefined ? undefined : 'yes'],
    ['guard', guardOf(operationId)],
  ]);
}

function outcomeOf(reply: ExecReply, args: DeleteArguments, context: RenderContext): Outcome {
  const found = verdictIn(reply, context);
  if ('state' in found) return found;
  const [verdict, what] = found;
  if (verdict === 'deleted' && /^[1-9]\d*$/.test(what ?? ''))
    return { state: 'SUCCEEDED', result: { name: args.name, handle: Number(what) } };
  if (what === 'NOT_FOUND')
    return { state: 'FAILED', code: 'NOT_FOUND', message: `The chain has no rule ${args.name}.`, absent: true };
  if (what === 'MOVED') {
    const message = `Rule ${args.name} no longer has the handle ${args.handle}. Nothing was deleted: verify the mapping.`;
    return { state: 'FAILED', code: 'OTHER_OBJECT', message };
  }
  if (what === 'CHANGED') return { state: 'FAILED', code: 'CHANGED', message: notMeant };
  return failed(verdict, reply, 'rule');
}

/** A rule that a call made is recognised by its mark, and an adopted one by its statements. */
export function recognisedBy({ madeBy, recorded }: MappedObject): JsonObject {
  if (madeBy !== undefined) return { operationId: madeBy };
  return recorded?.statements === undefined ? {} : { statements: JSON.stringify(recorded.statements) };
}

export const ruleDelete: NftOperation<DeleteArguments> = {
  name: 'rule.delete',
  summary:
    'Deletes the rule with this name, if it still has this handle and these statements, or the mark of the call that made it.',
  category: 'USER',
  effect: 'IDEMPOTENT',
  argumentsSchema: argumentsSchema(
    {
      ...{ name, family, table, chain, handle },
      operationId: {
        ...callId,
        description:
          'The id of the call that made the rule. Only a rule with its mark is deleted, whatever its handle is now.',
      },
      statements: {
        type: 'string',
        maxLength: 32_768,
        description:
          'Its statements as rule.list shows them, as JSON text: only a rule with these is deleted, whatever it has counted. Default: for an adopted rule, as recorded in its mapping',
      },
    },
    ['name', 'handle'],
  ),
  example: { name: 'tenant-42-blocked', handle: 7 },
  refine: ({ statements }) =>
    statements === undefined || listIn(statements) !== undefined
      ? []
      : [{ path: ['statements'], message: 'is no list as JSON text' }],
  object: ruleObject,
  mapping: 'deletes',
  recognised: recognisedBy,
  render: (args, context) => run('delete', args, context),
  renderDryRun: (args, context) => run('check', args, context),
  interpretDryRun: (reply, args, context) => dryRunOutcome(outcomeOf(reply, args, context)),
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
