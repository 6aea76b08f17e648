// The name of a load balancer on real servers, from its creation to its deletion. Answers contain only serving
// addresses and are never empty, and foreign records stay.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { fenceName } from '../../../../../dns/servers/fence.ts';
import { encodeId } from '../../../../../platform/values/ids.ts';
import { zone } from '../../../../dns/support/name-servers.ts';
import { freePort } from '../../../../support/machine/free-port.ts';
import { waitFor } from '../../../../support/machine/temporary-folder.ts';
import { LbWorld } from '../../support/lb-world.ts';

describe.each(['PowerDNS', 'BIND'] as const)('%s', (named) => {
  let world: LbWorld;

  beforeAll(async () => {
    world = await LbWorld.open({ dns: named, settings: { nodeDrainMs: 500, hostGoneMs: 3_000 } });
    for (const name of ['host-1', 'host-2']) await world.addHost(name);
    await waitFor('hosts', () => world.link.connected === 2);
  }, 60_000);
  afterAll(() => world.close());

  const serverOf = ({ dns }: LbWorld) => {
    if (dns === undefined) throw new Error('the world has a name server');
    return dns;
  };
  const remove = async (id: string) => {
    await world.balancers.delete(world.context, { id: encodeId('LoadBalancer', id) });
    await waitFor('DELETED', async () => (await world.balancer(id)).provisioningStatus === 'DELETED');
  };

  test('a name with foreign records stays untouched; a load balancer with that name reports it, and gets the name once they are gone', async () => {
    const server = serverOf(world);
    const name = `theirs.default.${zone}`;
    await server.nsupdate(`update add ${name} 60 A 198.51.100.7`);
    const id = await world.create('theirs', 1, await freePort());
    await waitFor('the reason', async () =>
      ((await world.balancer(id)).provisioningReason ?? '').includes('NAME_TAKEN_BY_OTHERS'),
    );
    expect(await server.dig(name, 'A')).toEqual(['198.51.100.7']);
    await server.nsupdate(`update delete ${name} A`);
    await world.untilActive(id);
    const [node] = await world.nodes(id);
    expect(await world.answer(id)).toEqual([node?.address]);
    await server.nsupdate(`update add ${name} 60 TXT "theirs"`);
    await remove(id);
    expect(await server.dig(name, 'A')).toEqual([]);
    expect(await server.dig(name, 'TXT')).toEqual(['"theirs"']);
  }, 120_000);

  test('a load balancer that never served leaves foreign records unchanged', async () => {
    const server = serverOf(world);
    const name = `never.default.${zone}`;
    await server.nsupdate(`update add ${name} 60 A 198.51.100.8`);
    const id = await world.create('never', 1, await freePort());
    await remove(id);
    expect(await server.dig(name, 'A')).toEqual(['198.51.100.8']);
  }, 120_000);

  test('only serving nodes are in the answer, the last answer stays when none serves, and drift is repaired', async () => {
    const server = serverOf(world);
    const id = await world.create('serves', 2, await freePort());
    await world.untilActive(id);
    const { hostName } = await world.balancer(id);
    const [first, second] = await world.nodes(id);
    if (first === undefined || second === undefined) throw new Error('two nodes were wanted');
    const answers = new Set<string>();
    const watch = new AbortController();
    const watching = (async () => {
      while (!watch.signal.aborted) answers.add((await world.answer(id)).join());
    })();
    await world.signal(first, 'SIGSTOP');
    await waitFor('the answer without it', async () => !(await world.answer(id)).includes(first.address ?? ''));
    await world.signal(first, 'SIGCONT');
    await world.untilActive(id);
    await world.signal(await world.nodes(id), 'SIGSTOP');
    await waitFor('the fall of all', async () =>
      (await world.nodes(id)).every(({ operatingStatus }) => operatingStatus === 'ERROR'),
    );
    await waitFor('the breaker', async () => (await world.balancer(id)).provisioningStatus !== 'ACTIVE');
    expect(await world.answer(id)).not.toEqual([]);
    await world.signal(await world.nodes(id), 'SIGCONT');
    await world.untilActive(id);
    watch.abort();
    await watching;
    expect([...answers]).not.toContain('');
    // The answer still changes until the replaced nodes are gone.
    await waitFor('both nodes, and no others', async () => {
      const nodes = await world.nodes(id);
      const addresses = nodes.map(({ address }) => address ?? '').sort();
      const areServing = nodes.length === 2 && nodes.every(({ state }) => state === 'SERVING');
      return areServing && (await world.answer(id)).join() === addresses.join();
    });
    const before = await world.answer(id);
    const fence = await server.dig(fenceName(hostName), 'TXT');
    await server.nsupdate(`update delete ${hostName} A`, `update add ${hostName} 60 A 198.51.100.9`);
    await waitFor('the mending', async () => (await world.answer(id)).join() === before.join());
    expect(await server.dig(fenceName(hostName), 'TXT')).toEqual(fence);
    await remove(id);
    expect(await world.answer(id)).toEqual([]);
  }, 180_000);
});
