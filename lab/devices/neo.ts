// The lab's NEO with two switches: a simulator that keeps their configuration.

import { Neo } from '../../simulators/neo/neo.ts';
import type { StartDevice } from '../device.ts';
import { setFault } from './fault-of.ts';
import { FileMemory } from './file-memory.ts';
import { startAs } from './identity.ts';

const username = 'admin';

export const startNeo: StartDevice = async ({ folder, log }) => {
  const { device, identity } = await startAs(
    folder,
    ({ password, certificate, ports }) =>
      Neo.start({
        users: { [username]: password },
        memory: new FileMemory(folder, log),
        tls: { certificate, port: ports.https ?? 0 },
      }),
    ({ server }) => ({ https: server.port }),
  );
  const { host, port, certificate } = device.server;
  return {
    available: true,
    backend: {
      ...{ driver: 'neo', host, port, certificateSha256: certificate.sha256 },
      credentials: { username, password: identity.password },
    },
    reaches: [{ host, port }],
    trouble: async (trouble) => setFault(device.faults, trouble),
    stop: () => device.stop(),
  };
};
