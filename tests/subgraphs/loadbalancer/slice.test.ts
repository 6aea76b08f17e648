// One end-to-end path: a load balancer is created, its nodes are placed on connected hosts, HAProxy serves, members
// change, and hosts restart.
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { Agent, request } from 'undici';
import { encodeId } from '../../../platform/values/ids.ts';
import { readHosts } from '../../../subgraphs/loadbalancer/control/stores/host-store.ts';
import { readChildren } from '../../../subgraphs/loadbalancer/control/stores/part-store.ts';
import { forFile } from '../../support/jest/shared.ts';
import { freePort } from '../../support/machine/free-port.ts';
import { waitFor } from '../../support/machine/temporary-folder.ts';
import { LbWorld } from './support/lb-world.ts';

const world = forFile(() => LbWorld.open());

test('from one mutation to answers, and from each change to the nodes', async () => {
  const first = await world.addHost('host-1');
  const second = await world.addHost('host-2');
  await waitFor('hosts', async () => world.link.connected === 2);
  const port = await freePort();
  const id = await world.create('web', 2, port, world.webs.slice(0, 2));
  await world.untilActive(id);
  const nodes = await world.nodes(id);
  expect(nodes.map(({ state }) => state)).toEqual(['SERVING', 'SERVING']);
  expect(new Set(nodes.map(({ hostId }) => hostId)).size).toBe(2);
  const rows = await readHosts(world.ground.db, [first.machine.id]);
  expect(rows.get(first.machine.id)?.claim.confinementFault).toBe(first.confinementFault);
  const agent = new Agent();
  const ask = async (address: string | null) => {
    const { statusCode, body } = await request(`http://${address}:${port}/`, { dispatcher: agent });
    return `${statusCode} ${await body.text()}`;
  };
  // ACTIVE means that the nodes have the wanted state. Each member serves after its first check.
  for (const { address } of nodes)
    await waitFor('both members', async () => new Set([await ask(address), await ask(address)]).size === 2);

  const { db } = world.ground;
  const pool = (await readChildren(db, 'Pool', [id])).get(id)?.[0];
  const added = await world.parts.change(world.context, 'poolMemberCreate', {
    ...{ poolId: encodeId('Pool', pool?.id ?? ''), host: '127.0.0.1', port: world.webs[2]?.port },
  } as object);
  expect(added.userErrors).toEqual([]);
  for (const { address } of nodes)
    await waitFor('the third member', async () =>
      (await Promise.all([1, 2, 3].map(() => ask(address)))).includes('200 three'),
    );

  // The host's process ends and restarts. Its node keeps serving, and is the same.
  const node = nodes.find(({ hostId }) => hostId === first.machine.id);
  const incarnation = node?.incarnation;
  await world.stopHost(first);
  expect(await ask(node?.address ?? '')).toMatch(/^200/);
  await world.addHost('host-1');
  await waitFor('the host', async () => world.link.connected === 2);
  const removed = await world.parts.change(world.context, 'poolMemberDelete', {
    ...{ id: encodeId('PoolMember', added.entity?.id ?? '') },
  } as object);
  expect(removed.userErrors).toEqual([]);
  await world.untilActive(id);
  const after = (await world.nodes(id)).find(({ hostId }) => hostId === first.machine.id);
  expect(after?.incarnation).toBe(incarnation);

  // A host is away during the deletion and comes back without its documents. It still removes its node, and reports it.
  await world.stopHost(second);
  const deleted = await world.balancers.delete(world.context, { id: encodeId('LoadBalancer', id) });
  expect(deleted.userErrors).toEqual([]);
  await rm(join(second.folder, 'documents'), { recursive: true });
  await world.addHost('host-2');
  await waitFor('DELETED', async () => (await world.balancer(id)).provisioningStatus === 'DELETED');
  for (const { host, folder } of [first, second]) {
    expect(host?.nodeCount).toBe(0);
    expect(await readdir(join(folder, 'nodes'))).toEqual([]);
  }
  await agent.close();
}, 60_000);
