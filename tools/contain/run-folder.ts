// Folders for temporary files of runs. Their names carry the owner's process id and start time, because process ids come again.
import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { processMark } from '../../embedded/process-mark.ts';

// Short: paths of Unix sockets have at most 107 characters.
const folderName = /^tg-(\d+)-(\d+)-\w{6}$/;

/** Makes the folder of this process's run; its path. */
export async function makeRunFolder(parent: string): Promise<string> {
  const folder = await mkdtemp(join(parent, `tg-${process.pid}-${processMark(process.pid)?.startTicks}-`));
  // Other accounts of a run pass through it, such as that of the embedded servers.
  await chmod(folder, 0o711);
  return folder;
}

/** Removes the folders of runs whose owner has ended; their paths. */
export async function removeAbandonedFolders(parent: string): Promise<readonly string[]> {
  const abandoned = (await readdir(parent)).filter((name) => {
    const [, pid, startTicks] = folderName.exec(name) ?? [];
    return pid !== undefined && processMark(Number(pid))?.startTicks !== startTicks;
  });
  const folders = abandoned.map((name) => join(parent, name));
  for (const folder of folders) await rm(folder, { recursive: true, force: true, maxRetries: 10 });
  return folders;
}
