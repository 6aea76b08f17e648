// The lab's Open vSwitch as a device: over OVSDB, behind lines that have its ports.

import type { Address } from '../../platform/net/origin.ts';
import type { StartDevice } from '../device.ts';
import { startOpenVswitch } from '../openvswitch.ts';
import { startAs } from './identity.ts';
import { TroubledLine } from './troubled-line.ts';

export const startSwitchDevice: StartDevice = async (options) => {
  const ovs = await startOpenVswitch(options);
  if (!ovs.available) return ovs;
  const { certificates, ...at } = ovs.ovsdb;
  const { device: lines } = await startAs(options.folder, ({ ports }) => layLines(at, ovs.ssh, ports), portsOf).catch(
    async (error: unknown) => {
      await ovs.stop();
      throw error;
    },
  );
  const { host, port } = lines.ovsdb;
  const ssh = lines.ssh.port;
  const { cert, key } = certificates.client;
  return {
    available: true,
    backend: {
      ...{ driver: 'openvswitch', host, port, caCertificates: certificates.ca },
      options: { datapathType: 'netdev', ports: { ssh } },
      credentials: { username: ovs.ssh.username, clientCertificate: cert, privateKey: key },
    },
    reaches: [
      { host, port },
      { host, port: ssh },
    ],
    async trouble(trouble) {
      for (const line of [lines.ovsdb, lines.ssh]) line.setTrouble(trouble);
    },
    async stop() {
      for (const line of [lines.ovsdb, lines.ssh]) await line.stop();
      await ovs.stop();
    },
  };
};

interface Lines {
  readonly ovsdb: TroubledLine;
  readonly ssh: TroubledLine;
}

const portsOf = ({ ovsdb, ssh }: Lines) => ({ ovsdb: ovsdb.port, ssh: ssh.port });

async function layLines(at: Address, login: Address, ports: Readonly<Record<string, number>>): Promise<Lines> {
  const ovsdb = await TroubledLine.lay(at, ports.ovsdb ?? 0);
  try {
    return { ovsdb, ssh: await TroubledLine.lay(login, ports.ssh ?? 0) };
  } catch (error) {
    await ovsdb.stop();
    throw error;
  }
}
