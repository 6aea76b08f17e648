// One whole way: a load balancer is created, its nodes are placed on connected hosts, HAProxy serves, members change, hosts restart.
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Agent, request } from 'undici';
import { ownersOf } from '../../../bin/compose/owners.ts';
import type { LoadBalancerCreateInput } from '../../../generated/graph/loadbalancer.ts';
import { migrate } from '../../../platform/database/migrate.ts';
import type { RequestContext } from '../../../platform/identity.ts';
import { encodeId, newUuid } from '../../../platform/ids.ts';
import { LinkServer } from '../../../platform/link/link-server.ts';
import type { CertificateAndKey } from '../../../platform/net/certificates.ts';
import { OwedWork } from '../../../platform/owed-work.ts';
import { recordProject } from '../../../platform/projects.ts';
import { BalancerService } from '../../../subgraphs/loadbalancer/balancers/balancer-service.ts';
import { PartService } from '../../../subgraphs/loadbalancer/balancers/part-service.ts';
import { LbHost } from '../../../subgraphs/loadbalancer/host/lb-host.ts';
import { LoopbackProvider } from '../../../subgraphs/loadbalancer/host/providers/loopback.ts';
import { HostSessions } from '../../../subgraphs/loadbalancer/hosts/host-sessions.ts';
import { NodeDocuments } from '../../../subgraphs/loadbalancer/hosts/node-documents.ts';
import { Quotas } from '../../../subgraphs/loadbalancer/model/quotas.ts';
import { MemberAddresses } from '../../../subgraphs/loadbalancer/parts/member-addresses.ts';
import { createReconcileQueue } from '../../../subgraphs/loadbalancer/reconcile/reconcile-queue.ts';
import { loadBalancerRow } from '../../../subgraphs/loadbalancer/row.ts';
import { readBalancer } from '../../../subgraphs/loadbalancer/stores/balancer-store.ts';
import { nodesOf } from '../../../subgraphs/loadbalancer/stores/node-store.ts';
import { readChildren } from '../../../subgraphs/loadbalancer/stores/part-store.ts';
import { SubnetService } from '../../../subgraphs/loadbalancer/subnets/subnet-service.ts';
import { type TestDatabase, testDatabase } from '../../support/database.ts';
import { freePort } from '../../support/free-port.ts';
import { Ground } from '../../support/ground.ts';
import { endProcessesOf } from '../../support/left-processes.ts';
import { testAuthority, testMachine } from '../../support/machines.ts';
import { waitFor } from '../../support/temporary-folder.ts';

const most = 1_000;
const quotas = new Quotas({
  ...{ LOAD_BALANCERS: most, LISTENERS: most, POOLS: most, MEMBERS: most, L7_POLICIES: most, NODES: most },
  ...{ CERTIFICATES: most, SUBNETS: most },
});

let place: TestDatabase;
let ground: Ground;
let authority: CertificateAndKey;
let folder: string;
let link: LinkServer;
const hosts: LbHost[] = [];
const webs: { server: Server; port: number }[] = [];
let balancers: BalancerService;
let parts: PartService;
let working = true;
let worker: Promise<void>;
const projectId = newUuid();
const context: RequestContext = {
  identity: { kind: 'user', id: newUuid(), name: 'root', admin: true, projects: {}, credentialId: newUuid() },
  requestId: 'test',
  loaders: new Map(),
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lb-slice-'));
  place = await testDatabase({ migrated: false });
  await migrate(place.connection, ownersOf(['loadbalancer'], [loadBalancerRow]));
  ground = await new Ground({ connection: place.connection }).start();
  authority = await testAuthority();
  const { db, wake, mutations, log, sealer, egress } = ground;
  await db.transaction((tx) => recordProject(tx, projectId, 'default'));
  const common = { db, wake, mutations, quotas };
  const memberAddresses = new MemberAddresses(egress);
  parts = new PartService({ ...common, memberAddresses });
  const subnets = new SubnetService({ ...common, defaultCidr: '10.0.0.0/24' });
  balancers = new BalancerService({
    ...{ ...common, parts, subnets, memberAddresses, zone: 'lb.test' },
  });
  const documents = new NodeDocuments({ db, sealer });
  const sessions = new HostSessions({ db, wake, log, documents });
  link = await LinkServer.listen({
    ...{
      host: '127.0.0.1',
      port: 0,
      tls: await testMachine(authority, 'loadbalancer', 'control', log),
      role: 'lbhost',
      log,
    },
    open: (peer) => sessions.open(peer),
  });
  for (const name of ['one', 'two', 'three']) {
    const server = createServer((_, response) => response.end(name));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    webs.push({ server, port: (server.address() as AddressInfo).port });
  }
  worker = work();
});
afterAll(async () => {
  working = false;
  await worker;
  for (const host of hosts) await host.stop();
  await endProcessesOf(folder);
  await link.stop();
  await ground.stop();
  await place.drop();
  for (const { server } of webs) {
    server.closeAllConnections();
    server.close();
  }
  await rm(folder, { recursive: true, force: true });
});

/** The worker's part, without Redis. */
async function work(): Promise<void> {
  const owed = new OwedWork({ db: ground.db });
  const queue = createReconcileQueue({ db: ground.db, wake: ground.wake });
  while (working) {
    for (const { kind, key } of await owed.dueRows({ kinds: [queue.kind], limit: 10 })) {
      const job = await owed.claim(kind, key);
      if (job === undefined) continue;
      await queue.run(job, { signal: new AbortController().signal }).catch((error: unknown) => owed.fail(job, error));
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function addHost(name: string, index: number, tls?: Awaited<ReturnType<typeof testMachine>>): Promise<LbHost> {
  const machine = tls ?? (await testMachine(authority, 'lbhost', name, ground.log));
  const host = await LbHost.open({
    folder: join(folder, name),
    haproxy: '/usr/sbin/haproxy',
    keepalived: '/usr/sbin/keepalived',
    provider: new LoopbackProvider(),
    facts: {
      ...{ provider: 'LOOPBACK', site: null, tunnelAddress: null, maxNodes: 10, healthPort: healthPort },
      ...{ publicRange: `127.77.${index}.0/24`, managementRange: `127.77.${index}.0/24` },
    },
    urls: [`wss://127.0.0.1:${link.port}/link`],
    ...{ tls: machine, log: ground.log, addressesOf: () => [], access: () => undefined },
  });
  host.start();
  hosts.push(host);
  return host;
}

const healthPort = 18_999;

test('from one mutation to answers, and from each change to the nodes', async () => {
  const machine = await testMachine(authority, 'lbhost', 'host-1', ground.log);
  const first = await addHost('host-1', 1, machine);
  const otherMachine = await testMachine(authority, 'lbhost', 'host-2', ground.log);
  const second = await addHost('host-2', 2, otherMachine);
  await waitFor('hosts', async () => link.connected === 2);
  const port = await freePort();
  const input = {
    ...{ name: 'web', projectId: encodeId('Project', projectId), minNodes: 2 },
    listeners: [{ protocol: 'HTTP', port, defaultPool: 'web' }],
    pools: [
      {
        ...{ name: 'web', protocol: 'HTTP', drainMs: 500 },
        members: webs.slice(0, 2).map((web) => ({ host: '127.0.0.1', port: web.port })),
        healthMonitor: { type: 'HTTP', intervalMs: 200, timeoutMs: 100 },
      },
    ],
  } as unknown as LoadBalancerCreateInput;
  const created = await balancers.create(context, input);
  expect(created.userErrors).toEqual([]);
  const id = created.entity?.id ?? '';
  await waitFor('ACTIVE', async () => (await readBalancer(ground.db, id))?.provisioningStatus === 'ACTIVE');
  const nodes = (await nodesOf(ground.db, [id])).get(id) ?? [];
  expect(nodes.map(({ state }) => state)).toEqual(['SERVING', 'SERVING']);
  expect(new Set(nodes.map(({ hostId }) => hostId)).size).toBe(2);
  const agent = new Agent();
  const ask = async (address: string | null) => {
    const { statusCode, body } = await request(`http://${address}:${port}/`, { dispatcher: agent });
    return `${statusCode} ${await body.text()}`;
  };
  // ACTIVE: the nodes have what is wanted; each member serves after its first check.
  for (const { address } of nodes)
    await waitFor('both members', async () => new Set([await ask(address), await ask(address)]).size === 2);

  const pool = (await readChildren(ground.db, 'Pool', [id])).get(id)?.[0];
  const added = await parts.change(context, 'memberCreate', {
    ...{ poolId: encodeId('Pool', pool?.id ?? ''), host: '127.0.0.1', port: webs[2]?.port },
  } as object);
  expect(added.userErrors).toEqual([]);
  for (const { address } of nodes)
    await waitFor('the third member', async () =>
      (await Promise.all([1, 2, 3].map(() => ask(address)))).includes('200 three'),
    );

  // The host's process ends and comes back: its node serves on, and is the same.
  const node = nodes.find(({ hostId }) => hostId === machine.id);
  const incarnation = node?.incarnation;
  await first.stop();
  hosts.splice(hosts.indexOf(first), 1);
  expect(await ask(node?.address ?? '')).toMatch(/^200/);
  await addHost('host-1', 1, machine);
  await waitFor('the host', async () => link.connected === 2);
  const removed = await parts.change(context, 'memberDelete', {
    ...{ id: encodeId('Member', added.entity?.id ?? '') },
  } as object);
  expect(removed.userErrors).toEqual([]);
  await waitFor('ACTIVE', async () => (await readBalancer(ground.db, id))?.provisioningStatus === 'ACTIVE');
  const after = ((await nodesOf(ground.db, [id])).get(id) ?? []).find(({ hostId }) => hostId === machine.id);
  expect(after?.incarnation).toBe(incarnation);

  // A host is away meanwhile, and comes back without its documents: it still removes its node, and says so.
  await second.stop();
  hosts.splice(hosts.indexOf(second), 1);
  expect((await balancers.delete(context, { id: encodeId('LoadBalancer', id) })).userErrors).toEqual([]);
  await rm(join(folder, 'host-2', 'documents'), { recursive: true });
  await addHost('host-2', 2, otherMachine);
  await waitFor('DELETED', async () => (await readBalancer(ground.db, id))?.provisioningStatus === 'DELETED');
  expect(hosts.map(({ nodeCount }) => nodeCount)).toEqual([0, 0]);
  for (const name of ['host-1', 'host-2']) expect(await readdir(join(folder, name, 'nodes'))).toEqual([]);
  await agent.close();
}, 60_000);
