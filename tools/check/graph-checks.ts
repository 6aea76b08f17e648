// Checks of the graph: the rules of its SDL, the committed supergraph, and breaking changes since a commit.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { apiSchemaOf, graphOf, readGraph } from '../../platform/graph/sdl.ts';
import { composeSupergraph, supergraphFile } from '../../schema/compose.ts';
import { subgraphRows } from '../../subgraphs/rows.ts';
import { madeFile, typedMutationsSdl } from '../typed-mutations.ts';
import { findUnexplainedChanges } from './breaking-changes.ts';
import type { Check, CheckContext } from './check.ts';
import { runProgram } from './run-program.ts';
import { lintGraph } from './sdl-lint.ts';

const notesFile = 'schema/breaking.md';
const supergraphPath = `schema/${supergraphFile}`;

export const graphChecks: readonly Check[] = [
  { name: 'the graph follows its rules', run: async () => lintGraph(readGraph()) },
  {
    name: 'the supergraph is fresh',
    async run({ root }) {
      const stored = await readFile(join(root, supergraphPath), 'utf8').catch(() => '');
      return stored === composeSupergraph(graphOf(subgraphRows))
        ? []
        : [`${supergraphPath} is out of date: npm run compose`];
    },
  },
  {
    name: 'the typed mutations in the graph are fresh',
    async run({ root }) {
      const stored = await readFile(join(root, madeFile), 'utf8').catch(() => '');
      return stored === typedMutationsSdl() ? [] : [`${madeFile} is out of date: npm run compose`];
    },
  },
  { name: 'no breaking change of the graph', run: findBreakingChanges },
];

async function findBreakingChanges(context: CheckContext): Promise<string[]> {
  const now = apiSchemaOf(composeSupergraph(graphOf(subgraphRows)));
  const notes = await readFile(join(context.root, notesFile), 'utf8').catch(() => '');
  const faults: string[] = [];
  for (const commit of await commitsToCompare(context)) {
    // Undefined when there was no graph at that commit, or git is not available.
    const before = await git(context, ['show', `${commit}:${supergraphPath}`]);
    if (before !== undefined) faults.push(...findUnexplainedChanges(apiSchemaOf(before), now, notes, commit));
  }
  return [...new Set(faults)];
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
