// Folders of test labs, separate from tests/support/lab.ts because Jest's global set-up can't load Jest's own globals.

import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { removeAbandonedLab } from '../../lab/lab.ts';
import { endLeftRouters } from '../../lab/routers/routers.ts';
import { isRunning } from './temporary-folder.ts';

const FOLDER_PREFIX = 'tidegate-test-lab-';

/** A folder for a lab, named after its owner's process, so that the next run can detect an abandoned one. */
export function labFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), `${FOLDER_PREFIX}${process.pid}-`));
}

/** Removes the labs of test processes that were killed. */
export async function removeAbandonedTestLabs(): Promise<void> {
  for (const name of (await readdir(tmpdir())).filter((each) => each.startsWith(FOLDER_PREFIX)).slice(0, 100)) {
    const owner = Number(name.slice(FOLDER_PREFIX.length).split('-')[0]);
    if (isRunning(owner)) continue;
    const folder = join(tmpdir(), name);
    await removeAbandonedLab(folder);
    await endLeftRouters(folder);
    await rm(folder, { recursive: true, force: true });
  }
}
