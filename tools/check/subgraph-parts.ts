// A subgraph has all its parts: every composed one is also served, and every served one has its tables.
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { readOwnGraph } from '../../platform/graph/sdl.ts';
import { subgraphRows } from '../../subgraphs/rows.ts';
import type { Check } from './check.ts';

/** Names of subgraphs by part; in a part's name NAME stands for the subgraph's. */
export type SubgraphParts = Readonly<Record<string, readonly string[]>>;

/** Not composed or served yet: they may have some of the parts. */
const begunNow: ReadonlySet<string> = new Set();

/** One line for each subgraph with missing parts. */
export function findMissingParts(parts: SubgraphParts, begun = begunNow): string[] {
  const names = [...new Set(Object.values(parts).flat())].sort();
  return names.flatMap((name) => {
    const missing = Object.entries(parts)
      .filter(([, having]) => !having.includes(name))
      .map(([part]) => part.replaceAll('NAME', name));
    if (begun.has(name))
      return missing.length > 0 ? [] : [`the subgraph ${name} has all its parts: it is not only begun`];
    return missing.length === 0 ? [] : [`the subgraph ${name} has no ${missing.join(', no ')}`];
  });
}

/** Files of platform, of dns, and of the databases of object storage's clusters, beside those of the subgraphs. */
const ofNoSubgraph: ReadonlySet<string> = new Set(['base', 'platform', 'dns', 'object-cluster']);

async function readParts(root: string): Promise<SubgraphParts> {
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

export const subgraphParts: Check = {
  name: 'each subgraph has all its parts',
  run: async ({ root }) => findMissingParts(await readParts(root)),
};
