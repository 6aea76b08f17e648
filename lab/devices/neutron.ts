// The lab's Neutron and Keystone as a device: one project, Neutron behind a line that has its port.

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { StartDevice } from '../device.ts';
import { startNeutron, usualCacheFolder } from '../neutron.ts';
import { startAs } from './identity.ts';
import { TroubledLine } from './troubled-line.ts';

/** A login for a person, in the device's folder. */
const openrcName = 'openrc';

export const startNeutronDevice: StartDevice = async ({ folder, log, signal }) => {
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
  const certificatePath = join(folder, 'certificate.pem');
  await writeFile(certificatePath, identity.certificate.cert);
  const login = {
    OS_AUTH_URL: `https://${keystone.host}:${keystone.port}/v3`,
    ...{ OS_USERNAME: username, OS_PASSWORD: password, OS_PROJECT_NAME: project, OS_CACERT: certificatePath },
    ...{ OS_USER_DOMAIN_NAME: 'Default', OS_PROJECT_DOMAIN_NAME: 'Default' },
    ...{ OS_NETWORK_URL: `https://${host}:${port}/v2.0` },
  };
  const lines = Object.entries(login).map(([name, value]) => `export ${name}='${value}'\n`);
  await writeFile(join(folder, openrcName), lines.join(''), { mode: 0o600 });
  return {
    available: true,
    backend: {
      ...{ driver: 'neutron', host, port, certificateSha256: identity.certificate.sha256 },
      options: { authUrl: login.OS_AUTH_URL, project },
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
