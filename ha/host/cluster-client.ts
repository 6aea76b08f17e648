// etcd from the view of a host of the cluster: its own member comes first.

import { originOf } from '../../platform/net/origin.ts';
import { EtcdClient } from '../etcd.ts';
import { type HostFile, ports, presentVoters } from './host-file.ts';

/** For callers that know no lease. */
const usualTimeoutMs = 900;
/** For a command, whose user can wait: on a busy machine a member may need more time than an agent allows. */
export const commandTimeoutMs = 3_000;

type Known = Pick<HostFile, 'me' | 'members' | 'authority' | 'certificate' | 'key'>;

export function etcdOf(known: Known, timeoutMs = usualTimeoutMs): EtcdClient {
  const { authority, certificate, key } = known;
  return new EtcdClient({ urls: etcdUrlsOf(known), tls: { ca: authority, cert: certificate, key }, timeoutMs });
}

export function etcdUrlsOf({ me, members }: Pick<Known, 'me' | 'members'>): readonly string[] {
  return [...presentVoters(members)]
    .sort((one, other) => Number(other.name === me) - Number(one.name === me))
    .map(({ address }) => originOf({ host: address, port: ports.etcd }));
}
