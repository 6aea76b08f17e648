// Checks of the source tree: imports, and use of tables.
import { join } from 'node:path';
import { findBoundaryFaults } from './boundaries.ts';
import type { Check, CheckContext } from './check.ts';
import { findCycles } from './cycles.ts';
import { findLayerFaults } from './layers.ts';
import { findOutgoingFaults } from './outgoing.ts';
import { readSources, type SourceFile } from './source-files.ts';
import { findTableFaults, readTableOwners } from './table-ownership.ts';

const folders = [
  ...['bin', 'bench', 'dns', 'embedded', 'gateway', 'lab', 'platform', 'schema', 'simulators', 'subgraphs', 'tools'],
  ...['workers', 'clients', 'tests', 'dashboard/src'],
];

/** Parsed once for all of them. */
let parsed: { readonly root: string; readonly files: Promise<SourceFile[]> } | undefined;

function sources({ root }: CheckContext): Promise<SourceFile[]> {
  if (parsed?.root !== root) parsed = { root, files: readSources(root, folders) };
  return parsed.files;
}

export const sourceChecks: readonly Check[] = [
  {
    name: 'imports keep to the boundaries',
    run: async (context) => findBoundaryFaults(await sources(context)),
  },
  {
    name: 'imports go one way among layers',
    run: async (context) => findLayerFaults(await sources(context)),
  },
  {
    name: 'only platform/net opens connections',
    run: async (context) => findOutgoingFaults(await sources(context)),
  },
  {
    name: 'no import cycles',
    run: async (context) => findCycles(await sources(context)),
  },
  {
    name: 'each part touches its own tables',
    run: async (context) =>
      findTableFaults(await sources(context), await readTableOwners(join(context.root, 'prisma', 'schema'))),
  },
];
