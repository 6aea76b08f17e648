// Where the demo of high availability has its things, for the process that keeps it and for commands.
import { realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { labFolder } from '../folders.ts';
import { idOf } from '../part-place.ts';

/** Of the demo, in the data folder: disks, logs, the lab's firewall and the first accounts. Only root can enter it. */
export function demoFolderIn(dataPath: string): string {
  return join(dataPath, labFolder, 'ha');
}

/** Where the disks are: short, for sockets, and in nobody else's hands. */
export function mountsOf(folder: string): string {
  return `/run/tidegate-ha-${idOf(folder)}`;
}

/** On the disk of a host. */
export function hostDataFolder(disk: string): string {
  return join(disk, 'data');
}

/** In the demo's folder: the URL of the endpoint, while it runs. */
export const demoUrlFile = 'url';
/** There: those of the data hosts themselves, one a line. */
export const demoHostUrlsFile = 'host-urls';
/** There: the path of the socket that takes `tidegate lab` commands. */
export const demoControlFile = 'control';

/** Of the witness of a demo that runs: `tidegate ha` may ask any host. Undefined: there is no such data folder. */
export async function witnessFolderIn(dataPath: string): Promise<string | undefined> {
  const path = await realpath(dataPath).catch(() => undefined);
  return path === undefined ? undefined : hostDataFolder(join(mountsOf(demoFolderIn(path)), 'w'));
}
