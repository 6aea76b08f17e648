// Files made from other files of the checkout: the graph's SDL, the Prisma client, resolver types, the dashboard. Each is made again when
// the hash of its sources changes.

import { access, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BootError } from './boot-error.mjs';
import { contentHash, readStamp } from './content-hash.mjs';
import { isSchemaFresh } from './generated-schema.mjs';
import { withLock } from './lock.mjs';
import { npmCommand, pinnedNode } from './node-packages.mjs';
import { run } from './run.mjs';

const GENERATORS = 'tools/generate';

/** Folders with packages that only build. The root has the command line of Prisma. */
export const BUILD_FOLDERS = ['.', GENERATORS, 'dashboard'];

const PRISMA = {
  name: 'prisma',
  packages: '.',
  sources: ['prisma/schema', 'prisma.config.ts', 'package-lock.json'],
  result: 'generated/prisma',
};
const GRAPH = {
  name: 'graph',
  packages: GENERATORS,
  // The command line and the dashboard have their GraphQL documents in their own folders.
  sources: [
    ...['schema', 'generated/schema', 'codegen.yml', 'cli', 'dashboard/src'],
    `${GENERATORS}/package-lock.json`,
  ],
  result: 'generated/graph',
};
const DASHBOARD = {
  name: 'dashboard',
  packages: 'dashboard',
  // Forms are made from the registry of kinds.
  sources: ['dashboard', 'docs/examples', 'generated/kinds', 'schema/kinds', 'cli/kinds'],
  result: 'dashboard/dist',
};

/** The folders whose packages are needed, because something that they build is out of date. */
export async function staleFolders({ root, withDashboard }) {
  const stale = [];
  for (const product of withDashboard ? [PRISMA, GRAPH, DASHBOARD] : [PRISMA, GRAPH]) {
    if ((await isWanted(root, product)) && !(await isFresh(root, product))) stale.push(product.packages);
  }
  // Its types may differ too.
  if (!isSchemaFresh(root)) stale.push(GRAPH.packages);
  return [...new Set(stale)];
}

/** Its generators must be installed. */
export async function generateCode({ root, progress }) {
  await composeSchema({ root, progress });
  // Side by side: neither reads what the other makes.
  const results = await Promise.allSettled([generateClient({ root, progress }), generateTypes({ root, progress })]);
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}

async function generateClient({ root, progress }) {
  await make(root, PRISMA, async () => {
    const step = progress.start('Generating the database client');
    // Prisma wants to download an engine that generating doesn't use; any executable in its place will do.
    const env = { ...process.env, PRISMA_SCHEMA_ENGINE_BINARY: '/bin/true', CHECKPOINT_DISABLE: '1' };
    await must(
      run(pinnedNode(root), ['node_modules/prisma/build/index.js', 'generate'], { cwd: root, env }),
      'prisma generate',
    );
    step.done();
  });
}

async function generateTypes({ root, progress }) {
  await make(root, GRAPH, async () => {
    const step = progress.start('Generating types of the graph');
    await must(runScript(root, 'generate'), 'npm run generate');
    step.done();
  });
}

/** What is generated after it reads it. Needs no generators. */
async function composeSchema({ root, progress }) {
  if (isSchemaFresh(root)) return;
  await withLock(root, 'boot', async () => {
    if (isSchemaFresh(root)) return;
    const step = progress.start('Composing the graph');
    await must(run(pinnedNode(root), ['tools/compose.ts'], { cwd: root }), 'tools/compose.ts');
    step.done();
  });
}

/** Its packages must be installed. */
export async function buildDashboard({ root, progress }) {
  await make(root, DASHBOARD, async () => {
    const step = progress.start('Building the dashboard');
    await must(runScript(root, 'build:dashboard'), 'npm run build:dashboard');
    step.done();
  });
}

/** A partial checkout, as in the tests of the bootstrap, lacks some. */
function isWanted(root, { sources }) {
  return exists(join(root, sources[0]));
}

function stampPath(root, { name }) {
  return join(root, 'generated', `.${name}-sources`);
}

async function isFresh(root, product) {
  const { sources, result } = product;
  if (!(await exists(join(root, result)))) return false;
  return (await readStamp(stampPath(root, product))) === contentHash(root, sources);
}

async function make(root, product, work) {
  if (!(await isWanted(root, product)) || (await isFresh(root, product))) return;
  await withLock(root, `boot-${product.name}`, async () => {
    if (await isFresh(root, product)) return;
    const hash = contentHash(root, product.sources);
    await work();
    await writeFile(stampPath(root, product), `${hash}\n`);
  });
}

function runScript(root, name) {
  const { command, args, env } = npmCommand(root);
  return run(command, [...args, 'run', '--silent', name], { cwd: root, env });
}

async function must(running, what) {
  const result = await running;
  if (result.exitCode !== 0) throw new BootError(`"${what}" ended with ${result.exitCode}:\n${result.output}`);
}

function exists(path) {
  return access(path).then(
    () => true,
    () => false,
  );
}
