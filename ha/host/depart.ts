// Handling of a host's data folder after the host has left. The folder of the last host becomes the folder of a single machine again, in
// place. Any other folder is an old copy that must never be served. The file for `tidegate serve` stays there as a marker.

import { rename, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type DataFolder, openDataFolder } from '../../embedded/data-folder.ts';
import { pathExists } from '../../embedded/find-program.ts';
import { isAlive, killMarked } from '../../embedded/process-mark.ts';
import { endAddress } from '../address/virtual-address.ts';
import { ServerFile } from '../agent/server-file.ts';
import { forgetHostFile, type HostFile, isPresent, readHostFile, writeHostFile } from './host-file.ts';
import { servedAuthorityPath, servedFilePath, servedFolder, writeServedFile } from './served-file.ts';

const endMs = 10_000;
const lookEveryMs = 50;

/** Whether this is the only host of the cluster. Others join at the first host only, so its own list is complete. */
export function isLast({ me, members, first }: HostFile): boolean {
  return first !== undefined && members.every((each) => each.name === me || !isPresent(each));
}

/** `file`: the host file, in which this host has left. The caller holds the lock of the folder, and the agent has ended. May be repeated. */
export async function depart(folder: DataFolder, file: HostFile): Promise<void> {
  const { path, serviceUser } = folder;
  // If this process is killed, the next one continues.
  await writeHostFile(path, file);
  await endServer(join(path, 'mariadb'));
  await endAddress(join(path, 'ha', 'address'));
  await rm(join(path, 'etcd'), { recursive: true, force: true });
  if (!isLast(file)) {
    if (file.members.find(({ name }) => name === file.me)?.kind === 'data')
      await writeServedFile(path, file, serviceUser);
    return forgetHostFile(path);
  }
  await rm(servedFilePath(path), { force: true });
  await rm(servedAuthorityPath(path), { force: true });
  // Settings are kept, and so are writes of a lost primary that its successor lacked. Keys are not, because the folder may get another
  // owner. Another cluster creates its own.
  const served = servedFolder(path);
  if (await pathExists(served)) await rename(served, join(path, 'ha', basename(served)));
  const ended = join(path, `ha.ended-${file.cluster}`);
  await rename(join(path, 'ha'), ended);
  await rm(join(ended, 'host.json'), { force: true });
}

/**
 * The last host leaves without etcd, whose majority may be lost with the other hosts. It had every acknowledged write when they left. The
 * agent must have ended. Throws SetupError.
 */
export async function departAlone(dataPath: string, version: number): Promise<void> {
  const folder = await openDataFolder(dataPath, { version });
  try {
    const file = await readHostFile(dataPath);
    const members = file.members.map((each) => (each.name === file.me ? { ...each, left: true } : each));
    await depart(folder, { ...file, members });
  } finally {
    await folder.close();
  }
}

async function endServer(home: string): Promise<void> {
  const file = new ServerFile(home);
  await file.killLeftOver();
  for (const endsAtMs = performance.now() + endMs; ; await sleep(lookEveryMs)) {
    const kept = await file.running();
    if (kept === undefined || !isAlive(kept.mark) || performance.now() > endsAtMs) return;
    killMarked(kept.mark);
  }
}
