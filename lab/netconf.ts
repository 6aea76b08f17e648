// A real NETCONF server: netconfd behind OpenSSH in a network namespace, with the lab's YANG modules. Its configuration ends with it.
// needs: netconfd, root

import { mkdir, realpath, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SetupLog } from '../embedded/setup-log.ts';
import { type LoneDevice, startLoneDevice } from './lone-device.ts';
import { namespaceObstacle } from './obstacle.ts';
import { deviceNeeds } from './ssh-device.ts';

export interface RunningNetconf extends LoneDevice {
  readonly username: string;
  /** The log of netconfd itself. */
  readonly serverLogPath: string;
}

type Netconf = RunningNetconf | { readonly available: false; readonly unavailable: string };

interface NetconfOptions {
  /** A private folder. */
  readonly folder: string;
  readonly log: SetupLog;
  /** The datastore that clients edit. Default: the candidate. */
  readonly target?: 'candidate' | 'running';
  readonly signal?: AbortSignal;
}

/** The namespaces of the lab's own YANG modules, for a backend's options. */
export const netconfModules = { 'lab-vpn': 'urn:tidegate:lab:vpn', 'lab-notes': 'urn:tidegate:lab:notes' } as const;

const username = 'netops';
const programs = ['/usr/sbin/netconfd', '/usr/sbin/netconf-subsystem', '/usr/share/yuma/modules', ...deviceNeeds];
const definition = join(import.meta.dirname, 'device', 'netconf.sh');

/** Returns the reason why it can't run here. Undefined if it can. */
function netconfObstacle(): Promise<string | undefined> {
  return namespaceObstacle(programs);
}

/** Starts it, or returns the reason why it can't. Throws only if it should have worked and did not. */
export async function startNetconf(options: NetconfOptions): Promise<Netconf> {
  const obstacle = await netconfObstacle();
  if (obstacle !== undefined) return { available: false, unavailable: obstacle };
  await mkdir(options.folder, { recursive: true, mode: 0o700 });
  const folder = await realpath(options.folder);
  const device = await startLoneDevice(
    { ...options, name: "The lab's NETCONF server", device: definition, folder },
    () => writeFile(join(folder, 'device', 'target'), options.target ?? 'candidate'),
  );
  return device.available ? { ...device, username, serverLogPath: join(folder, 'device', 'netconfd.log') } : device;
}
