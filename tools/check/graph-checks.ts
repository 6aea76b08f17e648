// Checks of the graph: the rules of its SDL, the supergraph that is checked in, and breaking changes since a commit.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { GraphQLSchema } from 'graphql';
import { composeSubgraphs, readSubgraphs, supergraphFile } from '../../schema/compose.ts';
import { withTypedMutations } from '../typed-mutations.ts';
import { findUnexplainedChanges } from './breaking-changes.ts';
import type { Check, CheckContext } from './check.ts';
import { runProgram } from './run-program.ts';
import { lintSdl } from './sdl-lint.ts';

const notesFile = 'schema/breaking.md';

export const graphChecks: readonly Check[] = [
  {
    name: 'the graph follows its rules',
    async run({ root }) {
      const subgraphs = await readSubgraphs(join(root, 'schema'));
      return [...subgraphs].flatMap(([name, sdl]) => lintSdl(name, sdl));
    },
  },
  {
    name: 'the supergraph is fresh',
    async run({ root }) {
      const { supergraphSdl } = composeSubgraphs(await readSubgraphs(join(root, 'schema')));
      const stored = await readFile(join(root, 'schema', supergraphFile), 'utf8').catch(() => '');
      return stored === supergraphSdl ? [] : [`schema/${supergraphFile} is out of date: npm run compose`];
    },
  },
  {
    name: 'the typed mutations in the graph are fresh',
    async run({ root }) {
      const sdl = await readFile(join(root, 'schema', 'relay.graphql'), 'utf8');
      return sdl === withTypedMutations(sdl) ? [] : ['schema/relay.graphql is out of date: npm run compose'];
    },
  },
  { name: 'no breaking change of the graph', run: findBreakingChanges },
];

async function findBreakingChanges(context: CheckContext): Promise<string[]> {
  const folder = join(context.root, 'schema');
  const { apiSchema } = composeSubgraphs(await readSubgraphs(folder));
  const notes = await readFile(join(context.root, notesFile), 'utf8').catch(() => '');
  const faults: string[] = [];
  for (const commit of await commitsToCompare(context)) {
    const before = await schemaAt(context, commit);
    if (before !== undefined) faults.push(...findUnexplainedChanges(before, apiSchema, notes, commit));
  }
  return [...new Set(faults)];
}

/** The last commit, and where this branch left the given one. */
async function commitsToCompare(context: CheckContext): Promise<string[]> {
  if (context.base === undefined) return ['HEAD'];
  const merged = await git(context, ['merge-base', 'HEAD', context.base]);
  if (merged === undefined) throw new Error(`git knows no common commit of HEAD and '${context.base}'`);
  return ['HEAD', merged.trim()];
}

/** Undefined when there was no graph at that commit, or there is no git. */
async function schemaAt(context: CheckContext, commit: string): Promise<GraphQLSchema | undefined> {
  const listing = await git(context, ['ls-tree', '--name-only', commit, 'schema/']);
  const files = (listing ?? '')
    .split('\n')
    .filter((file) => file.endsWith('.graphql') && !file.endsWith(supergraphFile));
  if (files.length === 0) return undefined;
  const subgraphs = new Map<string, string>();
  for (const file of files) {
    const sdl = await git(context, ['show', `${commit}:${file}`]);
    subgraphs.set(file.slice('schema/'.length, -'.graphql'.length), sdl ?? '');
  }
  return composeSubgraphs(subgraphs).apiSchema;
}

async function git({ root, signal }: CheckContext, args: readonly string[]): Promise<string | undefined> {
  const result = await runProgram('git', args, { cwd: root, signal, timeoutMs: 10_000 }).catch(() => undefined);
  return result?.exitCode === 0 ? result.stdout : undefined;
}
