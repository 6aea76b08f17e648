// Builds the pages like `npm run build:dashboard`, into a folder of the test's own, because dashboard/dist may be in use.
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const rootFolder = join(import.meta.dirname, '../../..');
const deadlineMs = 110_000;

/** Returns the folder; remove it with `removePages`. */
export async function buildPages(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'tidegate-pages-'));
  const vite = join(rootFolder, 'dashboard/node_modules/vite/bin/vite.js');
  await promisify(execFile)(process.execPath, [vite, 'build', 'dashboard', '--outDir', folder, '--logLevel', 'error'], {
    cwd: rootFolder,
    timeout: deadlineMs,
    env: { ...process.env, NODE_OPTIONS: '', NODE_ENV: 'production' },
  });
  return folder;
}

export async function removePages(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
}
