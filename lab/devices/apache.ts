// The lab's Apache with ModSecurity as a device: over SSH, behind a line that has its port.

import { readFile } from 'node:fs/promises';
import { startApacheWaf } from '../apache-waf.ts';
import type { StartDevice } from '../device.ts';
import { startAs } from './identity.ts';
import { TroubledLine } from './troubled-line.ts';

export const startApache: StartDevice = async (options) => {
  const waf = await startApacheWaf(options);
  if (!waf.available) return waf;
  const { username, privateKeyPath, hostKeySha256, ...at } = waf.ssh;
  const { device: line } = await startAs(
    options.folder,
    ({ ports }) => TroubledLine.lay(at, ports.ssh ?? 0),
    ({ port }) => ({ ssh: port }),
  ).catch(async (error: unknown) => {
    await waf.stop();
    throw error;
  });
  const { host, port } = line;
  return {
    available: true,
    backend: {
      ...{ driver: 'modsecurity', host, port, hostKeySha256 },
      credentials: { username, privateKey: await readFile(privateKeyPath, 'utf8') },
    },
    reaches: [{ host, port }],
    trouble: async (trouble) => line.setTrouble(trouble),
    async stop() {
      await line.stop();
      await waf.stop();
    },
  };
};
