// Paths of the high-availability demo, for the process that runs it and for commands.
import { realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { idOf } from '../device-place.ts';
import { labFolder } from '../folders.ts';

/** Folder of the demo, in the data folder: disks, logs, the lab's firewall and the first accounts. Only root can enter it. */
export function demoFolderIn(dataPath: string): string {
  return join(dataPath, labFolder, 'ha');
}

/** Mount points of the disks: short, because of sockets, and writable by nobody else. */
export function mountsOf(folder: string): string {
  return `/run/tidegate-ha-${idOf(folder)}`;
}

/** For `tidegate lab` commands. */
export function controlSocketOf(folder: string): string {
  return `${mountsOf(folder)}.sock`;
}

/** A folder on the disk of a host. */
export function hostDataFolder(disk: string): string {
  return join(disk, 'data');
}

/** A file in the demo's folder: the URL of the endpoint, while it runs. */
export const demoUrlFile = 'url';
/** A file in the demo's folder: the URLs of the data hosts themselves, one per line. */
export const demoHostUrlsFile = 'host-urls';
/** A file in the demo's folder: the path of the socket for `tidegate lab` commands. */
export const demoControlFile = 'control';

/** The data folder of a running demo's witness: `tidegate ha` may ask any host. Undefined if there is no such folder. */
export async function witnessFolderIn(dataPath: string): Promise<string | undefined> {
  const path = await realpath(dataPath).catch(() => undefined);
  return path === undefined ? undefined : hostDataFolder(join(mountsOf(demoFolderIn(path)), 'w'));
}
