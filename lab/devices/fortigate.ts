// The lab's FortiGate: a simulator that keeps its configuration.

import { FortiGate } from '../../simulators/fortios/fortigate.ts';
import type { StartDevice } from '../device.ts';
import { setFault } from './fault-of.ts';
import { FileMemory } from './file-memory.ts';
import { startAs } from './identity.ts';

const maxSessions = 100;

export const startFortiGate: StartDevice = async ({ folder, log }) => {
  const { device: gate, identity } = await startAs(
    folder,
    ({ password, certificate, sshHostKey, ports }) =>
      FortiGate.start({
        ...{ version: '7.4.5', hostname: 'lab-fortigate', multiVdom: true, password, maxSessions },
        memory: new FileMemory(folder, log),
        tls: { certificate, port: ports.https ?? 0 },
        ssh: { hostKey: sshHostKey, port: ports.ssh ?? 0 },
      }),
    ({ https, ssh }) => ({ https: https.port, ssh: ssh.port }),
  );
  const { host } = gate;
  const { https = 0, ssh = 0 } = identity.ports;
  return {
    available: true,
    backend: {
      ...{ driver: 'fortios', host, port: https, options: { ports: { ssh } } },
      ...{ certificateSha256: identity.certificate.sha256, hostKeySha256: gate.ssh.hostKeySha256 },
      credentials: { username: 'admin', password: identity.password },
    },
    reaches: [
      { host, port: https },
      { host, port: ssh },
    ],
    async trouble(trouble) {
      const { accounts, faults } = gate.device;
      setFault(faults, trouble);
      accounts.maxSessions = trouble === 'full' ? 0 : maxSessions;
      if (trouble === 'full') accounts.closeAll();
    },
    stop: () => gate.stop(),
  };
};
