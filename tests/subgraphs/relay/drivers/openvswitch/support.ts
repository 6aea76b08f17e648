// The driver with a real Open vSwitch, over either wire.
import type { RunningOpenVswitch } from '../../../../../lab/openvswitch.ts';
import { openVswitch } from '../../../../../subgraphs/relay/drivers/openvswitch/driver.ts';
import type { Endpoint } from '../../../../../subgraphs/relay/transports/session.ts';
import { DriverCaller } from '../../support/driver-caller.ts';
import { sshEndpoint } from '../../support/endpoints.ts';

type Wire = 'ovsdb' | 'ssh';

export async function switchCaller(ovs: RunningOpenVswitch, wire: Wire, concurrency = 4): Promise<DriverCaller> {
  const { certificates, ...at } = ovs.ovsdb;
  const { cert, key } = certificates.client;
  const endpoint: Endpoint =
    wire === 'ssh'
      ? await sshEndpoint(ovs.ssh)
      : {
          ...{ ...at, hostKeySha256: null, caCertificates: certificates.ca, cryptoProfile: 'MODERN' },
          credentials: { username: '', clientCertificate: cert, privateKey: key },
        };
  const options = { transport: wire, datapathType: 'netdev' };
  return new DriverCaller(openVswitch, endpoint, { options, concurrency });
}

/** All data that calls can change, read from the database. */
export async function contents(ovs: RunningOpenVswitch): Promise<string> {
  const parts = [
    ['--columns=_uuid,name,ports,datapath_type,external_ids', 'list', 'Bridge'],
    ['--columns=_uuid,name,interfaces,tag,trunks,vlan_mode,external_ids', 'list', 'Port'],
    ['--columns=_uuid,name,type,options,external_ids', 'list', 'Interface'],
    ['--columns=bridges,next_cfg', 'list', 'Open_vSwitch'],
  ];
  const listed = await Promise.all(parts.map((part) => ovs.vsctl('--no-wait', ...part)));
  return listed.map(({ stdout }) => stdout.split('\n\n').sort().join('\n\n')).join('\n----\n');
}

/** Deletes all bridges. */
export async function empty(ovs: RunningOpenVswitch): Promise<void> {
  const { stdout } = await ovs.vsctl('list-br');
  for (const bridge of stdout.split('\n').filter((line) => line !== '')) await ovs.vsctl('del-br', bridge);
}
