// etcd as a host of the cluster reaches it: its own member first.

import { originOf } from '../../platform/net/origin.ts';
import { EtcdClient } from '../etcd.ts';
import { type HostFile, ports, presentVoters } from './host-file.ts';

/** Of an agent, whose leases end soon. */
const agentTimeoutMs = 900;
/** Of a command, which a person waits for: on a busy machine a member may take longer than an agent waits. */
export const commandTimeoutMs = 3_000;

type Known = Pick<HostFile, 'me' | 'members' | 'authority' | 'certificate' | 'key'>;

export function etcdOf(known: Known, timeoutMs = agentTimeoutMs): EtcdClient {
  const { authority, certificate, key } = known;
  return new EtcdClient({ urls: etcdUrlsOf(known), tls: { ca: authority, cert: certificate, key }, timeoutMs });
}

export function etcdUrlsOf({ me, members }: Pick<Known, 'me' | 'members'>): readonly string[] {
  return [...presentVoters(members)]
    .sort((one, other) => Number(other.name === me) - Number(one.name === me))
    .map(({ address }) => originOf({ host: address, port: ports.etcd }));
}
