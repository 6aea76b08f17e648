// The program of a test's host: what the role lbhost does, with an authority of the test.
import pino from 'pino';
import { Peers } from '../../../../platform/machines/peers.ts';
import { LbHost } from '../../../../subgraphs/loadbalancer/host/lb-host.ts';
import { Ip } from '../../../../subgraphs/loadbalancer/host/providers/ip.ts';
import { LoopbackProvider } from '../../../../subgraphs/loadbalancer/host/providers/loopback.ts';
import { NetnsProvider } from '../../../../subgraphs/loadbalancer/host/providers/netns.ts';
import { readHostProcessOptions } from './host-process.ts';

const {
  folder,
  urls,
  tls,
  healthPort,
  netns,
  range = '127.91.0.0/16',
} = await readHostProcessOptions(process.argv[2] ?? '');
const log = pino({ level: process.env.HOST_LOG ?? 'silent' }, pino.destination(2));
const provider =
  netns === undefined ? new LoopbackProvider() : new NetnsProvider({ ...netns, folder, ip: new Ip(netns.via) });
const host = await LbHost.open({
  ...{ folder, urls, log, provider, haproxy: '/usr/sbin/haproxy', keepalived: '/usr/sbin/keepalived' },
  facts: {
    ...{ provider: provider.name, site: null, maxNodes: 100, healthPort },
    publicRange: netns?.publicRange ?? range,
    managementRange: netns?.managementRange ?? range,
    tunnelAddress: netns?.tunnelAddress ?? null,
  },
  tls: { ...tls, peers: new Peers(log) },
  addressesOf: () => [],
});
host.start();
process.once('SIGTERM', () => void host.stop().then(() => process.exit(0)));
process.stdout.write('ready\n');
