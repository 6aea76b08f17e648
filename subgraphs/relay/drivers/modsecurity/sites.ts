// Sites, and the modes of their engines.

import type { ExecReply, JsonObject, OperationSpec } from '../driver.ts';
import { argumentsSchema, plainRead } from '../json.ts';
import { markIn, markLine } from './mark-line.ts';
import { configRootOf } from './options.ts';
import { readOutcome, type Section, sectionsOf, writeOutcome } from './replies.ts';
import { type Mode, modes, site } from './schema.ts';
import { endMark, run } from './scripts.ts';

type ModeArguments = { site: string; mode: Mode };

export const siteList: OperationSpec<JsonObject, ExecReply> = {
  name: 'site.list',
  summary: 'Lists the sites with their engine mode and their number of custom rules.',
  ...plainRead,
  render: (_args, context) => run('siteList', [configRootOf(context)], context),
  interpret: (reply, _args, call) => readOutcome(reply, call, (lines) => ({ sites: sitesOf(sectionsOf(lines)) })),
};

/** Each site is followed by a line `rule` for each of its rules. */
function sitesOf(sections: readonly Section[]): JsonObject[] {
  const sites: { site: string; mode: string | null; rules: number }[] = [];
  for (const { kind, name, text } of sections) {
    const last = sites.at(-1);
    if (kind === 'site') sites.push({ site: name, mode: readMode(text).mode ?? null, rules: 0 });
    else if (last) last.rules += 1;
  }
  return sites;
}

export const modeSet: OperationSpec<ModeArguments, ExecReply> = {
  name: 'mode.set',
  summary: 'Sets the engine of a site: On blocks attacks, DetectionOnly only reports them, Off ignores them.',
  category: 'USER',
  effect: 'IDEMPOTENT',
  argumentsSchema: argumentsSchema({ site, mode: { type: 'string', enum: modes } }, ['site', 'mode']),
  example: { site: 'shop.lab', mode: 'DetectionOnly' },
  object: (args) => ({ resource: 'site', scope: '', key: args.site }),
  mapping: 'updates',
  render: (args, context) =>
    run(
      'modeSet',
      [
        ...[configRootOf(context), args.site, 'mode'],
        ...[markLine(context.operationId), `SecRuleEngine ${args.mode}`, endMark],
      ],
      context,
    ),
  interpret: (reply, args, call) => writeOutcome(reply, call, { site: args.site, mode: args.mode }),
};

/** The mode of the last SecRuleEngine in a site's mode.conf, because the last one wins. */
export function readMode(text: string): { readonly mode?: string; readonly operationId?: string } {
  const mode = [...text.matchAll(/^\s*SecRuleEngine\s+"?(\w+)"?\s*$/gim)].at(-1)?.[1];
  return { ...(mode === undefined ? {} : { mode }), ...markIn(text) };
}
