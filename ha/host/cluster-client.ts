// etcd as a host of the cluster reaches it: its own member first.

import { EtcdClient } from '../etcd.ts';
import { type HostFile, ports, voters } from './host-file.ts';

const timeoutMs = 900;

export function etcdOf({ me, members, authority, certificate, key }: HostFile): EtcdClient {
  const urls = voters(members)
    .filter(({ left }) => left !== true)
    .sort((one, other) => Number(other.name === me) - Number(one.name === me))
    .map(({ address }) => `https://${address.includes(':') ? `[${address}]` : address}:${ports.etcd}`);
  return new EtcdClient({ urls, tls: { ca: authority, cert: certificate, key }, timeoutMs });
}
