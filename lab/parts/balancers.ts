// Load balancer hosts as a part: two with the role lbhost, three web servers, and a client whose resolver is the lab's DNS server. As root
// each is a network namespace; without root all but the client are processes on the loopback network.
import { mkdir, realpath } from 'node:fs/promises';
import { dirname } from 'node:path';
import { pathExists } from '../../embedded/find-program.ts';
import { Balancers, endLeftOver, removeOutside } from '../balancers/balancers.ts';
import { balancersGiven } from '../balancers/given.ts';
import type { LeftOver, StartPart } from '../part.ts';

const programs = ['/usr/sbin/haproxy', '/usr/sbin/nginx'];
const rootPrograms = ['/usr/sbin/keepalived', '/usr/sbin/nft', '/usr/bin/nsenter', '/usr/bin/unshare'];

export const startBalancers: StartPart = async (options) => {
  const isRoot = process.getuid?.() === 0;
  for (const path of [...programs, ...(isRoot ? rootPrograms : [])])
    if (!(await pathExists(path))) return { available: false, unavailable: `${path} is missing` };
  // The part's folder is in the lab's, which is in the data folder.
  const given = await balancersGiven.read(dirname(dirname(options.folder)));
  if (given === undefined)
    return { available: false, unavailable: 'the control plane gave it no place to join: only "npm start" has it' };
  await mkdir(options.folder, { recursive: true, mode: 0o700 });
  const balancers = new Balancers({ ...options, folder: await realpath(options.folder), given });
  try {
    await balancers.start();
  } catch (error) {
    await balancers.stop();
    throw error;
  }
  return {
    available: true,
    hosts: balancers.hosts,
    reaches: balancers.reaches,
    trouble: async () => undefined,
    act: (act, host) => balancers.act(act, host),
    stop: () => balancers.stop(),
  };
};

export const leftOfBalancers: LeftOver = {
  end: async (folder) => endLeftOver(await realpath(folder)),
  remove: async (folder) => removeOutside(await realpath(folder)),
};
