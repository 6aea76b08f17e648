// Builds the pages like `npm run build:dashboard`, into a folder of the test run, because dashboard/dist may be in use.
// needs: dashboard
import { execFile } from 'node:child_process';
import { mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { pathExists } from '../../../embedded/find-program.ts';
import { testServers } from '../../support/stores/servers.ts';

const rootFolder = join(import.meta.dirname, '../../..');
const deadlineMs = 110_000;

/** The folder of the pages. They are built once per run; two files that begin together both build, and share one result. */
export async function builtPages(): Promise<string> {
  const { sharedFolder } = testServers();
  const pages = join(sharedFolder, 'dashboard-pages');
  if (await pathExists(pages)) return pages;
  const own = await mkdtemp(`${pages}-`);
  await build(own);
  await rename(own, pages).catch(async (error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    await rm(own, { recursive: true });
  });
  return pages;
}

async function build(folder: string): Promise<void> {
  const vite = join(rootFolder, 'dashboard/node_modules/vite/bin/vite.js');
  await promisify(execFile)(process.execPath, [vite, 'build', 'dashboard', '--outDir', folder, '--logLevel', 'error'], {
    cwd: rootFolder,
    timeout: deadlineMs,
    env: { ...process.env, NODE_OPTIONS: '', NODE_ENV: 'production' },
  });
}
