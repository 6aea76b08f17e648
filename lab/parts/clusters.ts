// Clusters of object storage as a part: three that are linked and one that stands ready, each in a network namespace with databases, a disk folder
// and a process of its own.
import { mkdir, realpath } from 'node:fs/promises';
import { dirname } from 'node:path';
import { pathExists } from '../../embedded/find-program.ts';
import { Clusters, endLeftOver, removeLeftOver } from '../clusters/clusters.ts';
import { clustersGiven } from '../clusters/given.ts';
import type { LeftOver, StartPart } from '../part.ts';

const programs = ['/usr/sbin/nft', '/usr/bin/nsenter'];

export const startClusters: StartPart = async (options) => {
  for (const path of programs)
    if (!(await pathExists(path))) return { available: false, unavailable: `${path} is missing` };
  // The part's folder is in the lab's, which is in the data folder.
  const given = await clustersGiven.read(dirname(dirname(options.folder)));
  if (given === undefined)
    return { available: false, unavailable: 'the control plane gave it no place to join: only "npm start" has it' };
  await mkdir(options.folder, { recursive: true, mode: 0o700 });
  const clusters = new Clusters({ ...options, folder: await realpath(options.folder), given });
  try {
    await clusters.start();
  } catch (error) {
    await clusters.stop();
    throw error;
  }
  return {
    available: true,
    hosts: clusters.hosts,
    // Clusters connect to the centre, not the other way round.
    reaches: [],
    trouble: async () => undefined,
    act: (act, host) => clusters.act(act, host),
    stop: () => clusters.stop(),
  };
};

export const leftOfClusters: LeftOver = {
  end: async (folder) => endLeftOver(await realpath(folder)),
  remove: async (folder) => removeLeftOver(await realpath(folder)),
};
