// Sites as a part: three with a web server and a checker each, two name servers and a PowerDNS. As root each site and each name server is a
// network namespace; without root all of them are processes on the loopback network.
import { mkdir, realpath } from 'node:fs/promises';
import { dirname } from 'node:path';
import { pathExists } from '../../embedded/find-program.ts';
import type { LeftOver, StartPart } from '../part.ts';
import { sitesGiven } from '../sites/given.ts';
import { endLeftOver, Sites } from '../sites/sites.ts';

const programs = ['/usr/sbin/nginx', '/usr/sbin/pdns_server'];
const rootPrograms = ['/usr/sbin/nft', '/usr/bin/nsenter', '/usr/bin/unshare'];

export const startSites: StartPart = async (options) => {
  const isRoot = process.getuid?.() === 0;
  for (const path of [...programs, ...(isRoot ? rootPrograms : [])])
    if (!(await pathExists(path))) return { available: false, unavailable: `${path} is missing` };
  // The part's folder is in the lab's, which is in the data folder.
  const given = await sitesGiven.read(dirname(dirname(options.folder)));
  if (given === undefined)
    return { available: false, unavailable: 'the control plane gave it no place to join: only "npm start" has it' };
  await mkdir(options.folder, { recursive: true, mode: 0o700 });
  const sites = new Sites({ ...options, folder: await realpath(options.folder), given });
  try {
    await sites.start();
  } catch (error) {
    await sites.stop();
    throw error;
  }
  return {
    available: true,
    hosts: sites.hosts,
    reaches: sites.reaches,
    trouble: async () => undefined,
    act: (act, host) => sites.act(act, host),
    stop: () => sites.stop(),
  };
};

export const leftOfSites: LeftOver = {
  end: async (folder) => endLeftOver(await realpath(folder)),
  remove: async () => undefined,
};
