// The lab's Neutron and Keystone as a part: one project, Neutron behind a line that has its port.

import { startNeutron, usualCacheFolder } from '../neutron.ts';
import type { StartPart } from '../part.ts';
import { startAs } from './identity.ts';
import { TroubledLine } from './troubled-line.ts';

export const startNeutronPart: StartPart = async ({ folder, log, signal }) => {
  const cacheFolder = usualCacheFolder();
  const { device, identity } = await startAs(
    folder,
    async ({ certificate, ports }) => {
      const started = await startNeutron({
        ...{ folder, cacheFolder, log, signal, certificate, keystonePort: ports.keystone ?? 0 },
      });
      if (!started.available) return started;
      try {
        return { ...started, line: await TroubledLine.lay(started.neutron, ports.neutron ?? 0) };
      } catch (error) {
        await started.stop();
        throw error;
      }
    },
    (started): Record<string, number> =>
      started.available ? { neutron: started.line.port, keystone: started.keystone.port } : {},
  );
  if (!device.available) return device;
  const { line, keystone, accounts } = device;
  const { host, port } = line;
  const { username, password, project } = accounts.alpha;
  return {
    available: true,
    backend: {
      ...{ driver: 'neutron', host, port, certificateSha256: identity.certificate.sha256 },
      options: { authUrl: `https://${keystone.host}:${keystone.port}/v3`, project },
      credentials: { username, password },
    },
    reaches: [
      { host, port },
      { host: keystone.host, port: keystone.port },
    ],
    trouble: async (trouble) => line.setTrouble(trouble),
    async stop() {
      await line.stop();
      await device.stop();
    },
  };
};
