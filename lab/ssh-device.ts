// A device of the lab: real programs behind an OpenSSH server in a network namespace, with one log of everything that reached them and one
// set of faults. A file like device/nftables.sh defines the device, and files like device/nft.pl define how its programs are read.
// needs: openssh-server, openssh-client
import { mkdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { ServerProcess } from '../embedded/server-process.ts';
import type { SetupLog } from '../embedded/setup-log.ts';
import { DeviceFaults } from './device-faults.ts';

interface DeviceOptions {
  /** Name for messages, for example `The lab's firewall`. */
  readonly name: string;
  /** The file that defines it (device/start.sh). */
  readonly device: string;
  /** A private folder with keys/ (`ensureKeys`); its device/ has the log and the faults, and is the login's home. */
  readonly folder: string;
  readonly namespace: string;
  /** Address in the namespace. */
  readonly address: string;
  readonly log: SetupLog;
  readonly signal?: AbortSignal;
}

export const devicePort = 22;
/** Programs of this machine, besides the device's own. */
export const deviceNeeds: readonly string[] = ['/usr/sbin/sshd', '/usr/bin/ssh-keygen', '/usr/bin/perl'];

/** The exit code of own-root.sh. */
const NO_OWN_ROOT = 78;
const READY_TIMEOUT_MS = 60_000;
const SCRIPTS = join(import.meta.dirname, 'device');

/** Read it with `readDeviceLog`. */
export const deviceLogPath = (folder: string): string => join(folder, 'device', 'device.ndjson');

/** The faults of the device in this folder: none at first. */
export async function deviceFaults(folder: string): Promise<DeviceFaults> {
  for (const name of ['device', 'mount']) await mkdir(join(folder, name), { recursive: true, mode: 0o700 });
  const faults = new DeviceFaults(join(folder, 'device'));
  await faults.clear();
  return faults;
}

/**
 * Starts sshd, or returns the reason why the device can't have a root folder of its own here. sshd is process 1 of a process namespace, so that
 * ending it ends every session and every program of the device, even one that hangs. `unshare` ends with this process, and sshd with it.
 */
export async function startDevice(options: DeviceOptions): Promise<ServerProcess | string> {
  const device = new ServerProcess({
    name: options.name,
    command: 'ip',
    args: [
      ...['netns', 'exec', options.namespace],
      ...['unshare', '--mount', '--pid', '--ipc', '--fork', '--kill-child=KILL', '--propagation', 'private'],
      ...['sh', join(SCRIPTS, 'start.sh'), options.folder, SCRIPTS, options.address, options.device],
    ],
    cwd: '/',
    runAs: undefined,
    log: options.log,
    endSignal: 'SIGKILL',
  });
  try {
    await device.waitUntilReady(() => sshBanner(options.address), READY_TIMEOUT_MS, options.signal);
    return device;
  } catch (error) {
    if ((await device.exited).code !== NO_OWN_ROOT) throw error;
    return /^no root of its own: (.*)$/m.exec(device.lastOutput)?.[1] ?? 'a root folder of its own is refused';
  }
}

/** RFC 4253 section 4.2: the server's first line starts with `SSH-`. */
function sshBanner(host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port: devicePort, timeout: 1_000 });
    socket.once('error', reject);
    socket.once('timeout', () => reject(new Error('no SSH banner within 1 s')));
    socket.once('close', () => reject(new Error('connection closed before an SSH banner')));
    socket.once('data', (data: Buffer) => {
      if (data.toString('latin1').startsWith('SSH-')) resolve();
      else reject(new Error('not an SSH server'));
      socket.destroy();
    });
  });
}
