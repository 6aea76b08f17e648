// The lab's BIG-IP: a simulator that keeps its configuration.

import { BigIp } from '../../simulators/f5-bigip/bigip.ts';
import type { StartDevice } from '../device.ts';
import { setFault } from './fault-of.ts';
import { FileMemory } from './file-memory.ts';
import { startAs } from './identity.ts';

const username = 'netops';

export const startBigIp: StartDevice = async ({ folder, log }) => {
  const { device, identity } = await startAs(
    folder,
    ({ password, certificate, ports }) =>
      BigIp.start({
        ...{ hostname: 'lab-bigip.example.com', users: { [username]: password } },
        memory: new FileMemory(folder, log),
        tls: { certificate, port: ports.https ?? 0 },
      }),
    ({ server }) => ({ https: server.port }),
  );
  const { host, port, certificate } = device.server;
  const { maxTokensPerUser } = device.tokens.knobs;
  return {
    available: true,
    backend: {
      ...{ driver: 'f5-bigip', host, port, certificateSha256: certificate.sha256 },
      credentials: { username, password: identity.password },
    },
    reaches: [{ host, port }],
    async trouble(trouble) {
      setFault(device.faults, trouble);
      device.tokens.knobs.maxTokensPerUser = trouble === 'full' ? 0 : maxTokensPerUser;
      if (trouble === 'full') device.tokens.revokeAll();
    },
    stop: () => device.stop(),
  };
};
