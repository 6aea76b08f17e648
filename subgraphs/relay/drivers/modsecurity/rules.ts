// Custom rules of a site, each in a separate file.

import type { ArgumentFault, ExecReply, JsonObject, OperationSpec } from '../driver.ts';
import { argumentsSchema } from '../json.ts';
import { madeBy } from '../mark.ts';
import { configRootOf } from './options.ts';
import { readOutcome, type Section, sectionsOf, writeOutcome } from './replies.ts';
import { desiredOf, linesOf, needsPattern, type Rule, readRule } from './rule-text.ts';
import {
  action,
  message,
  operator,
  pattern,
  phase,
  ruleId,
  site,
  status,
  transformations,
  variables,
} from './schema.ts';
import { run } from './scripts.ts';

type SiteArguments = { site: string };
type RuleArguments = SiteArguments & { id: number };
type DeleteArguments = RuleArguments & { madeBy?: string[]; fileSha256?: string };
type CreateArguments = SiteArguments & Rule;

const object = (args: RuleArguments) => ({ resource: 'rule', scope: args.site, key: String(args.id) });

function patternFaults({ operator: name, pattern: text }: CreateArguments): ArgumentFault[] {
  const path = ['pattern'];
  if (!needsPattern(name))
    return text === undefined ? [] : [{ path, message: `is not allowed with the operator ${name}` }];
  if (text === undefined) return [{ path, message: `is required with the operator ${name}` }];
  // Apache would replace ${…} with its own settings, and ModSecurity %{…} with a request's values.
  if (/[$%]\{/.test(text))
    return [{ path, message: 'must not contain ${ or %{, which Apache and ModSecurity replace' }];
  return text.trim() === text ? [] : [{ path, message: 'must not begin or end with a space' }];
}

/** `'` ends a quoted action value, but the message has none; a status only qualifies a denial. */
function refine(args: CreateArguments): readonly ArgumentFault[] {
  const faults = patternFaults(args);
  if (args.action === 'log' && args.status !== undefined)
    faults.push({ path: ['status'], message: 'is allowed only with the action deny' });
  return faults;
}

export const ruleCreate: OperationSpec<CreateArguments, ExecReply> = {
  name: 'rule.create',
  summary:
    'Creates a custom rule of a site. The rule is written, tested and loaded; if that fails, it is removed again.',
  category: 'USER',
  effect: 'NON_IDEMPOTENT',
  argumentsSchema: argumentsSchema(
    { site, id: ruleId, variables, operator, pattern, transformations, phase, action, status, message },
    ['site', 'id', 'variables'],
  ),
  example: { site: 'shop.lab', id: 1_042, variables: ['ARGS'], operator: 'contains', pattern: 'forbidden' },
  refine,
  object,
  mapping: 'creates',
  desired: (args) => ({ site: args.site, ...desiredOf(args) }),
  render: (args, context) =>
    run(
      'ruleCreate',
      [configRootOf(context), args.site, String(args.id), ...linesOf(args, context.operationId)],
      context,
    ),
  renderDryRun: (args, context) =>
    run(
      'ruleCheck',
      [configRootOf(context), args.site, String(args.id), ...linesOf(args, context.operationId)],
      context,
    ),
  interpretDryRun: (reply, _args, call) => readOutcome(reply, call, () => null),
  interpret: (reply, { site, id }, call) => writeOutcome(reply, call, { site, id }),
};

export const ruleDelete: OperationSpec<DeleteArguments, ExecReply> = {
  name: 'rule.delete',
  summary: 'Deletes a custom rule of a site, if it has the mark of the call that made it, or exactly this file.',
  category: 'USER',
  // Deleting it again is refused and changes nothing.
  effect: 'IDEMPOTENT',
  argumentsSchema: argumentsSchema(
    {
      ...{ site, id: ruleId, madeBy },
      fileSha256: {
        type: 'string',
        pattern: '^[0-9a-f]{64}$',
        description: "The SHA-256 sum of the rule's file, as rule.list shows it: only a rule with this file is deleted",
      },
    },
    ['site', 'id'],
  ),
  example: { site: 'shop.lab', id: 1_042, madeBy: ['00000000-0000-4000-8000-000000000000'] },
  refine: ({ madeBy: made, fileSha256 }, backend) =>
    backend === undefined || made !== undefined || fileSha256 !== undefined
      ? []
      : [{ path: ['madeBy'], message: 'give madeBy, or fileSha256: another rule may have this number' }],
  object,
  mapping: 'deletes',
  render: ({ site: of, id, madeBy: made = [], fileSha256 = '' }, context) =>
    run('ruleDelete', [configRootOf(context), of, String(id), made.join(' '), fileSha256], context),
  interpret: (reply, { site, id }, call) => writeOutcome(reply, call, { site, id }, true),
};

export const ruleList: OperationSpec<SiteArguments, ExecReply> = {
  name: 'rule.list',
  summary: 'Lists the custom rules of a site.',
  category: 'USER',
  effect: 'READ',
  argumentsSchema: argumentsSchema({ site }, ['site']),
  example: { site: 'shop.lab' },
  render: (args, context) => run('ruleList', [configRootOf(context), args.site, 'all'], context),
  interpret: (reply, _args, call) => readOutcome(reply, call, (lines) => ({ rules: sectionsOf(lines).map(describe) })),
};

/** `native` is the unchanged file; the other fields are null when it is not of the form written here. */
function describe({ name, text, sum }: Section): JsonObject {
  const { operationId = null, values } = readRule(text);
  return { file: name, operationId, fileSha256: sum, rule: values ?? null, native: text };
}
