// The lab's firewall as a device: the names of its hosts are in a file for shells.

import { randomBytes } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { StartDevice } from '../device.ts';
import { type RunningLab, startLab } from '../lab.ts';
import { namesFile } from '../names-file.ts';
import { setTrouble } from './device-trouble.ts';

export const startFirewall: StartDevice = async (options) => {
  const lab = await startLab(options);
  if (!lab.available) return lab;
  const { host, port, username, privateKeyPath, hostKeySha256 } = lab.firewall;
  // The device's folder is in the lab's, which is in the data folder.
  await writeNames(join(dirname(dirname(options.folder)), namesFile), lab);
  return {
    available: true,
    backend: {
      ...{ driver: 'linux-nftables', host, port, hostKeySha256 },
      credentials: { username, privateKey: await readFile(privateKeyPath, 'utf8') },
    },
    reaches: [{ host, port }],
    trouble: (trouble) => setTrouble(lab.faults, trouble),
    stop: () => lab.stop(),
  };
};

/** Root's shells read it: root owns it, and it replaces any existing file. */
async function writeNames(path: string, { firewall, client, server }: RunningLab): Promise<void> {
  const lines = {
    FIREWALL: firewall.namespace,
    CLIENT: client.namespace,
    CLIENT_ADDRESS: client.address,
    SERVER: server.namespace,
    SERVER_ADDRESS: server.address,
  };
  const text = Object.entries(lines).map(([name, value]) => `${name}=${value}\n`);
  const temporary = `${path}.${randomBytes(6).toString('hex')}`;
  await writeFile(temporary, text.join(''), { mode: 0o600, flag: 'wx' });
  await rename(temporary, path);
}
