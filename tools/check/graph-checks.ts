// Checks of the graph: the rules of its SDL, the committed schema of clients, and breaking changes since the last release.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { apiSchemaPath, readSupergraph } from '../../platform/graph/generated-schema.ts';
import { apiSchemaOf, readGraph, readOwnGraph } from '../../platform/graph/sdl.ts';
import { apiSchemaText } from '../api-schema.ts';
import { clientGraph, readReleasedGraph } from '../released-graph.ts';
import { findBrokenPromises } from './breaking-changes.ts';
import type { Check, CheckContext } from './check.ts';
import { findStaleFiles } from './generated-file-checks.ts';
import { findStyleFaults } from './graph-style.ts';
import { lintLostFields } from './lost-fields.ts';
import { lintGraph } from './sdl-lint.ts';

const notesFile = 'schema/breaking.md';

export const graphChecks: readonly Check[] = [
  { name: 'the graph follows its rules', run: async () => lintGraph(readGraph()) },
  { name: 'the graph reads as one', run: async () => styleFaults() },
  { name: 'a lost subgraph costs its own fields only', run: async () => lintLostFields(readOwnGraph()) },
  {
    name: 'the committed schema of clients is fresh',
    run: async ({ root }) =>
      findStaleFiles(root, [
        { path: apiSchemaPath, content: apiSchemaText(readSupergraph()), remedy: 'npm run compose' },
      ]),
  },
  { name: 'no breaking change of the graph', run: findBreakingChanges },
];

function styleFaults(): string[] {
  const faults = findStyleFaults(apiSchemaOf(readSupergraph()));
  return [...faults].flatMap(([rule, paths]) => paths.map((path) => `${path}: rule ${rule}`));
}

async function findBreakingChanges({ root }: CheckContext): Promise<string[]> {
  const notes = await readFile(join(root, notesFile), 'utf8');
  const supergraph = readSupergraph();
  const now = clientGraph(apiSchemaText(supergraph), apiSchemaText(supergraph, 'public'));
  return findBrokenPromises(await readReleasedGraph(root), now, notes, new Date().toISOString().slice(0, 10));
}
