// What is made from other files of the checkout: the Prisma client, resolver types, the dashboard's files. Each is made
// again when the hash of its sources changes.

import { access, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BootError } from './boot-error.mjs';
import { contentHash, readStamp } from './content-hash.mjs';
import { withLock } from './lock.mjs';
import { npmCommand, pinnedNode } from './node-packages.mjs';
import { run } from './run.mjs';

export async function generateCode({ root, progress }) {
  await make(root, {
    name: 'prisma',
    sources: ['prisma/schema', 'prisma.config.ts', 'package-lock.json'],
    result: 'generated/prisma',
    async work() {
      progress.start('Generating the database client');
      // Prisma wants to download an engine that generating doesn't use; any executable in its place will do.
      const env = { ...process.env, PRISMA_SCHEMA_ENGINE_BINARY: '/bin/true', CHECKPOINT_DISABLE: '1' };
      await must(
        run(pinnedNode(root), ['node_modules/prisma/build/index.js', 'generate'], { cwd: root, env }),
        'prisma generate',
      );
      progress.done();
    },
  });
  if (await hasScript(root, 'generate')) {
    await make(root, {
      name: 'graph',
      sources: ['schema', 'codegen.yml', 'package-lock.json'],
      result: 'generated/graph',
      async work() {
        progress.start('Generating resolver types');
        await must(runScript(root, 'generate'), 'npm run generate');
        progress.done();
      },
    });
  }
}

export async function buildDashboard({ root, progress }) {
  if (!(await hasScript(root, 'build:dashboard'))) return;
  await make(root, {
    name: 'dashboard',
    sources: ['dashboard', 'package-lock.json'],
    result: 'dashboard/dist',
    async work() {
      progress.start('Building the dashboard');
      await must(runScript(root, 'build:dashboard'), 'npm run build:dashboard');
      progress.done();
    },
  });
}

async function make(root, { name, sources, result, work }) {
  if (!(await exists(join(root, sources[0])))) return;
  const stampPath = join(root, 'generated', `.${name}-sources`);
  const isFresh = async () =>
    (await exists(join(root, result))) && (await readStamp(stampPath)) === (await contentHash(root, sources));
  if (await isFresh()) return;
  await withLock(root, async () => {
    if (await isFresh()) return;
    const hash = await contentHash(root, sources);
    await work();
    await writeFile(stampPath, `${hash}\n`);
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

async function hasScript(root, name) {
  const { scripts = {} } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  return scripts[name] !== undefined;
}

function exists(path) {
  return access(path).then(
    () => true,
    () => false,
  );
}
