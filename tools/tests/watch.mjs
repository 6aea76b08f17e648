// npm run test:changed -- --watch: runs the tests that depend on what changed since main, and again each time a file is saved.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { watchFiles } from '../watch-files.mjs';

const root = dirname(dirname(import.meta.dirname));
const notWatched = new Set(['node_modules', 'generated', 'docs']);
const words = process.argv.slice(2).filter((word) => word !== '--watch');

const folders = readdirSync(root, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.') && !notWatched.has(entry.name))
  .map(({ name }) => name);
let change = Promise.withResolvers();
watchFiles(root, folders, () => change.resolve());

for (;;) {
  change = Promise.withResolvers();
  // A run that a save overtakes comes to its end: what it has started must not be left behind.
  await once(
    spawn('sh', [join(root, 'bin/test'), ...words], { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] }),
    'close',
  );
  process.stdout.write('Waiting for a change. Ctrl-C ends.\n');
  await change.promise;
}
