// The lab's Onyx switch: a simulator that keeps its configuration.

import { OnyxSwitch } from '../../simulators/onyx/switch.ts';
import type { StartDevice } from '../device.ts';
import { setFault } from './fault-of.ts';
import { FileMemory } from './file-memory.ts';
import { startAs } from './identity.ts';

export const startOnyx: StartDevice = async ({ folder, log }) => {
  const { device, identity } = await startAs(
    folder,
    ({ password, certificate, sshHostKey, ports }) =>
      OnyxSwitch.start({
        ...{ hostname: 'lab-onyx', accounts: { admin: password } },
        memory: new FileMemory(folder, log),
        tls: { certificate, port: ports.https ?? 0 },
        ssh: { hostKey: sshHostKey, port: ports.ssh ?? 0 },
      }),
    ({ https, ssh }) => ({ https: https.port, ssh: ssh.port }),
  );
  const { host, port, hostKeySha256 } = device.ssh;
  const { https = 0 } = identity.ports;
  return {
    available: true,
    backend: {
      ...{ driver: 'onyx', host, port, hostKeySha256, options: { ports: { https } } },
      certificateSha256: identity.certificate.sha256,
      credentials: { username: 'admin', password: identity.password },
    },
    reaches: [
      { host, port },
      { host, port: https },
    ],
    async trouble(trouble) {
      const full = trouble === 'full';
      setFault(device.faults, trouble);
      device.knobs.maxShells = full ? 0 : Number.POSITIVE_INFINITY;
      device.knobs.maxWebSessions = full ? 0 : Number.POSITIVE_INFINITY;
      if (full) {
        device.ssh.cutAll();
        device.api.forgetSessions();
      }
    },
    stop: () => device.stop(),
  };
};
