// The program of a test host. It does the work of the lbhost role, with the test's authority.
// needs: haproxy, keepalived
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pino from 'pino';
import { Peers } from '../../../../platform/machines/peers.ts';
import {
  Confinement,
  usualFirstUid,
} from '../../../../subgraphs/loadbalancer/agents/lbhost/confinement/confinement.ts';
import { LbHost } from '../../../../subgraphs/loadbalancer/agents/lbhost/lb-host.ts';
import { Ip } from '../../../../subgraphs/loadbalancer/agents/lbhost/providers/ip.ts';
import { LoopbackProvider } from '../../../../subgraphs/loadbalancer/agents/lbhost/providers/loopback.ts';
import { NetnsProvider } from '../../../../subgraphs/loadbalancer/agents/lbhost/providers/netns.ts';
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
const programs = { haproxy: '/usr/sbin/haproxy', keepalived: '/usr/sbin/keepalived' };
const confinement = await Confinement.open({ folder, programs: Object.values(programs), firstUid: usualFirstUid });
const host = await LbHost.open({
  ...{ folder, urls, log, provider, confinement, ...programs },
  facts: {
    ...{ provider: provider.name, site: null, maxNodes: 100, healthPort },
    publicRange: netns?.publicRange ?? range,
    managementRange: netns?.managementRange ?? range,
    tunnelAddress: netns?.tunnelAddress ?? null,
  },
  tls: { ...tls, peers: new Peers(log) },
  addressesOf: () => [],
});
await writeFile(join(folder, 'test-host.ready'), JSON.stringify({ confinementFault: confinement.fault }), {
  mode: 0o600,
});
host.start();
process.once('SIGTERM', () => void host.stop().then(() => process.exit(0)));
process.stdout.write('ready\n');
