// Checks of the graph: the rules of its SDL, the committed schema of clients, and breaking changes since a commit.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buildSchema } from 'graphql';
import { apiSchemaPath, publicSchemaPath, readSupergraph } from '../../platform/graph/generated-schema.ts';
import { apiSchemaOf, readGraph, readOwnGraph } from '../../platform/graph/sdl.ts';
import { apiSchemaText } from '../api-schema.ts';
import { compareVersions, parseVersion } from '../release/semver.ts';
import { earlierSchema, findUnexplainedChanges } from './breaking-changes.ts';
import type { Check, CheckContext } from './check.ts';
import { findStaleFiles } from './generated-file-checks.ts';
import { findStyleFaults } from './graph-style.ts';
import { lintLostFields } from './lost-fields.ts';
import { runProgram } from './run-program.ts';
import { lintGraph } from './sdl-lint.ts';

const notesFile = 'schema/breaking.md';

export const graphChecks: readonly Check[] = [
  { name: 'the graph follows its rules', run: async () => lintGraph(readGraph()) },
  { name: 'the graph reads as one', run: async () => styleFaults() },
  { name: 'a lost subgraph costs its own fields only', run: async () => lintLostFields(readOwnGraph()) },
  {
    name: 'the committed schemas of clients are fresh',
    run: async ({ root }) =>
      findStaleFiles(root, [
        { path: apiSchemaPath, content: apiSchemaText(readSupergraph()), remedy: 'npm run compose' },
        { path: publicSchemaPath, content: apiSchemaText(readSupergraph(), 'public'), remedy: 'npm run compose' },
      ]),
  },
  { name: 'no breaking change of the graph', run: findBreakingChanges },
];

function styleFaults(): string[] {
  const faults = findStyleFaults(apiSchemaOf(readSupergraph()));
  return [...faults].flatMap(([rule, paths]) => paths.map((path) => `${path}: rule ${rule}`));
}

/** The first version whose graph clients may rely on. */
const firstRelease = '0.2.0';

async function findBreakingChanges(context: CheckContext): Promise<string[]> {
  const { version } = JSON.parse(await readFile(join(context.root, 'package.json'), 'utf8')) as { version: string };
  if (isBefore(version, firstRelease)) return [];
  const now = buildSchema(apiSchemaText(readSupergraph()));
  const notes = await readFile(join(context.root, notesFile), 'utf8').catch(() => '');
  const faults: string[] = [];
  for (const commit of await commitsToCompare(context)) {
    const before = await earlierSchema((path) => git(context, ['show', `${commit}:${path}`]));
    if (before !== undefined) faults.push(...findUnexplainedChanges(before, now, notes, commit));
  }
  return [...new Set(faults)];
}

function isBefore(version: string, other: string): boolean {
  const [one, two] = [parseVersion(version), parseVersion(other)];
  return one !== undefined && two !== undefined && compareVersions(one, two) < 0;
}

/** The last commit, and the commit where this branch left the given one. */
async function commitsToCompare(context: CheckContext): Promise<string[]> {
  if (context.base === undefined) return ['HEAD'];
  const merged = await git(context, ['merge-base', 'HEAD', context.base]);
  if (merged === undefined) throw new Error(`git knows no common commit of HEAD and '${context.base}'`);
  return ['HEAD', merged.trim()];
}

async function git({ root, signal }: CheckContext, args: readonly string[]): Promise<string | undefined> {
  const result = await runProgram('git', args, { cwd: root, signal, timeoutMs: 10_000 }).catch(() => undefined);
  return result?.exitCode === 0 ? result.stdout : undefined;
}
