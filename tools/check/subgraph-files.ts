// A subgraph has all its parts: every composed one is also served, and every served one has its tables.
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { readOwnGraph } from '../../platform/graph/sdl.ts';
import { subgraphRows } from '../../subgraphs/rows.ts';
import type { Check } from './check.ts';

/** Names of subgraphs by file; in a file's name NAME stands for the subgraph's. */
export type SubgraphFiles = Readonly<Record<string, readonly string[]>>;

/** Not composed or served yet, so they may lack some parts. */
const begunNow: ReadonlySet<string> = new Set();

/** One line for each subgraph with missing files. */
export function findMissingFiles(files: SubgraphFiles, begun = begunNow): string[] {
  const names = [...new Set(Object.values(files).flat())].sort();
  return names.flatMap((name) => {
    const missing = Object.entries(files)
      .filter(([, having]) => !having.includes(name))
      .map(([file]) => file.replaceAll('NAME', name));
    if (begun.has(name))
      return missing.length > 0 ? [] : [`the subgraph ${name} has all its parts: it is not only begun`];
    return missing.length === 0 ? [] : [`the subgraph ${name} has no ${missing.join(', no ')}`];
  });
}

/** Files that belong to no subgraph: those of platform, dns, and the databases of object storage's clusters. */
const ofNoSubgraph: ReadonlySet<string> = new Set(['base', 'platform', 'dns', 'object-cluster']);

async function readFiles(root: string): Promise<SubgraphFiles> {
  const entries = async (folder: string, end: string) =>
    (await readdir(join(root, folder), { withFileTypes: true }))
      .filter((entry) => (end === '/' ? entry.isDirectory() : entry.name.endsWith(end)))
      .map(({ name }) => (end === '/' ? name : name.slice(0, -end.length)))
      .filter((name) => !ofNoSubgraph.has(name));
  return {
    'schema/NAME.graphql': [...readOwnGraph().keys()],
    'prisma/schema/NAME.prisma': await entries('prisma/schema', '.prisma'),
    'prisma/migrations/NAME/': await entries('prisma/migrations', '/'),
    'folder subgraphs/NAME/': await entries('subgraphs', '/'),
    'row named NAME in subgraphs/rows.ts': subgraphRows.map(({ name }) => name),
    'migrations of owner NAME in its row': subgraphRows.map(({ migrations }) => migrations.owner),
  };
}

export const subgraphFiles: Check = {
  name: 'each subgraph has all its parts',
  run: async ({ root }) => findMissingFiles(await readFiles(root)),
};
