// etcd as a host of the cluster reaches it: its own member first.

import { originOf } from '../../platform/net/origin.ts';
import { EtcdClient } from '../etcd.ts';
import { type HostFile, ports, voters } from './host-file.ts';

const timeoutMs = 900;

type Known = Pick<HostFile, 'me' | 'members' | 'authority' | 'certificate' | 'key'>;

export function etcdOf({ me, members, authority, certificate, key }: Known): EtcdClient {
  const urls = voters(members)
    .filter(({ left }) => left !== true)
    .sort((one, other) => Number(other.name === me) - Number(one.name === me))
    .map(({ address }) => originOf({ host: address, port: ports.etcd }));
  return new EtcdClient({ urls, tls: { ca: authority, cert: certificate, key }, timeoutMs });
}
