// Checks of the source tree: imports, and use of tables.
import { join } from 'node:path';
import { findAnatomyFaults } from './anatomy.ts';
import { findBoundaryFaults } from './boundaries.ts';
import type { Check, CheckContext } from './check.ts';
import { findCycles } from './cycles.ts';
import { findDocPathFaults } from './doc-paths.ts';
import { findUnusedExports, readNamedInYaml } from './exports.ts';
import { findLengthFaults } from './function-length.ts';
import { findLayerFaults } from './layers.ts';
import { findPathFaults } from './named-paths.ts';
import { findOutgoingFaults } from './outgoing.ts';
import { readSources, type SourceFile } from './source-files.ts';
import { findTableFaults, readTableOwners } from './table-ownership.ts';
import { findHookFaults } from './test-hooks.ts';
import { findNeedFaults } from './test-needs.ts';
import { findPollFaults } from './test-waits.ts';
import { topFolders } from './top-folders.ts';
import { findClockFaults } from './wall-clock.ts';

/** Parsed once for all checks. */
let parsed: { readonly root: string; readonly files: Promise<SourceFile[]> } | undefined;

function sources({ root }: CheckContext): Promise<SourceFile[]> {
  if (parsed?.root !== root) parsed = { root, files: readSources(root, Object.keys(topFolders)) };
  return parsed.files;
}

export const sourceChecks: readonly Check[] = [
  {
    name: 'imports keep to the boundaries',
    run: async (context) => findBoundaryFaults(await sources(context)),
  },
  {
    name: 'subgraphs keep to their folders',
    run: async (context) => findAnatomyFaults(await sources(context)),
  },
  {
    name: 'imports go one way between top-level folders, and within cli, dns, gateway, ha, lab and platform',
    run: async (context) => findLayerFaults(await sources(context)),
  },
  {
    name: 'only platform/net opens connections',
    run: async (context) => findOutgoingFaults(await sources(context)),
  },
  {
    name: 'durations go by the monotonic clock',
    run: async (context) => findClockFaults(await sources(context)),
  },
  {
    name: 'tests name what they need',
    run: async (context) => findNeedFaults(context.root, await sources(context)),
  },
  {
    name: 'test files share modules, and no hooks',
    run: async (context) => findHookFaults(await sources(context)),
  },
  {
    name: 'tests wait with a deadline and a name',
    run: async (context) => findPollFaults(await sources(context)),
  },
  {
    name: 'files that modules name exist',
    run: async (context) => findPathFaults(context.root, await sources(context)),
  },
  {
    name: 'files that pages name exist',
    run: async (context) => findDocPathFaults(context.root, await sources(context)),
  },
  {
    name: 'functions are short enough to read',
    run: async (context) => findLengthFaults(await sources(context)),
  },
  {
    name: 'no import cycles',
    run: async (context) => findCycles(await sources(context)),
  },
  {
    name: 'every export is imported somewhere',
    run: async (context) => findUnusedExports(await sources(context), await readNamedInYaml(context.root)),
  },
  {
    name: 'each part touches its own tables',
    run: async (context) =>
      findTableFaults(await sources(context), await readTableOwners(join(context.root, 'prisma', 'schema'))),
  },
];
