// Names at third-party DNS backends, end to end with real servers: from the graph through a verdict to the answer that
// dig(1) gets. A dead server does not delay the others, and is brought up to date before it counts again.
import { afterEach, describe, expect, test } from '@jest/globals';
import { bind, knot, zone as madeZone, type NameServer } from '../../../dns/support/name-servers.ts';
import { powerdnsApi } from '../../../dns/support/powerdns-api.ts';
import { patience } from '../../../support/machine/patience.ts';
import { GslbGraph, type Input, identity, openRight } from '../support/gslb-graph.ts';
import { explainedServers, publishing, statusOf } from '../support/publishing.ts';
import { twoMembers } from '../support/two-members.ts';

interface Place {
  readonly servers: readonly [NameServer, NameServer];
  /** Input of dnsBackendCreate. */
  readonly backend: Input;
  /** Input of dnsZoneCreate. */
  readonly zone: Input & { readonly name: string };
}

async function updatedServers(): Promise<Place> {
  const first = await bind();
  const servers = [first, await knot(first.keyFile)] as const;
  const places = servers.map(({ place: { address, port } }) => `${address}:${port}`);
  const credentials = { keySecret: first.key.secret.toString('base64') };
  return {
    servers,
    backend: {
      name: 'both',
      backendType: 'RFC2136',
      rfc2136: { servers: places, keyName: first.key.name },
      credentials,
    },
    zone: { name: madeZone },
  };
}

async function apiServers(): Promise<Place> {
  const servers = [await powerdnsApi(), await powerdnsApi()] as const;
  const places = servers.map(({ url, certificateSha256, place: { address, port } }) => {
    const dns = `${address}:${port}`;
    return { url, certificateSha256, dns };
  });
  const credentials = { apiKey: servers[0].apiKey };
  return {
    servers,
    backend: { name: 'both', backendType: 'POWERDNS', powerdns: { servers: places }, credentials },
    // The zone does not exist there yet.
    zone: { name: 'new.example.test', nameServers: ['ns1.example.test'] },
  };
}

const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

describe.each([
  ['BIND and Knot by RFC 2136', updatedServers],
  ['PowerDNS by its API', apiServers],
] as const)('%s', (_what, open) => {
  test(
    'a dead member leaves the answers, also while one server is dead, and that server is updated before it counts',
    async () => {
      const graph = await GslbGraph.open();
      ends.push(() => graph.stop());
      const { servers, backend, zone } = await open();
      for (const server of servers) ends.push(() => server.remove());
      const [alive, other] = servers;
      const who = identity('MEMBER');

      const backendId = await graph.make('dnsBackendCreate', backend);
      await graph.make('dnsZoneCreate', { ...zone, backendId, rights: [openRight(zone.name)] });
      const { flavorId, monitorId, poolId, members } = await twoMembers(graph, backendId);
      const [one, two] = members;
      const fqdn = `shop.${zone.name}`;
      const gslb = await graph.make('gslbCreate', { fqdn, flavorId, poolIds: [poolId] }, who);

      const { say, until, backends } = await publishing(graph, monitorId, 2_000);
      ends.push(() => backends.close());
      const answered = (server: NameServer, addresses: readonly string[]) =>
        until(
          `${addresses} at port ${server.place.port}`,
          async () => (await server.dig(fqdn, 'A')).join() === addresses.join(),
        );
      const isNow = (status: string) =>
        until(`the name to be ${status}`, async () => (await statusOf(graph, gslb)) === status);
      const states = async () => {
        const query = 'query ($id: ID!) { dnsBackend(id: $id) { servers { serverState } } }';
        const seen = await graph.ask<{ dnsBackend: { servers: { serverState: string }[] } }>(identity('ADMIN'), query, {
          id: backendId,
        });
        return seen.dnsBackend.servers.map(({ serverState }) => serverState);
      };

      await say({ [one]: 'UP', [two]: 'UP' });
      for (const server of servers) await answered(server, ['203.0.113.1', '203.0.113.2']);
      await isNow('ACTIVE');

      let woken = 0;
      ends.push(async () => unsubscribe());
      const unsubscribe = graph.wake.on('owed', () => {
        woken += 1;
      });
      await say({ [one]: 'DOWN' });
      // The verdict's own commit owes this work. Nothing else has run since.
      expect(
        await graph.db.query("SELECT 1 FROM owed_work WHERE kind = 'dns-publish' AND due_at <= NOW(3)"),
      ).toHaveLength(1);
      expect(woken).toBeGreaterThan(0);
      for (const server of servers) await answered(server, ['203.0.113.2']);

      await other.kill();
      await say({ [one]: 'UP' });
      await answered(alive, ['203.0.113.1', '203.0.113.2']);
      expect((await graph.mutate('gslbUpdate', { id: gslb, ttlSeconds: 20 }, who)).faults).toEqual([]);
      await say({ [two]: 'DOWN' });
      await answered(alive, ['203.0.113.1']);
      await until('the dead one to be left out', async () => (await states()).join() === 'SERVING,FAILING');
      // Not all servers have the change.
      expect(await statusOf(graph, gslb)).toBe('PENDING');

      await other.start();
      await until('it to count again', async () => (await states()).join() === 'SERVING,SERVING');
      expect(await other.dig(fqdn, 'A')).toEqual(['203.0.113.1']);
      // An explanation queries these servers like our own.
      const told = { planned: null, answered: { records: [{ data: '203.0.113.1' }] }, message: null };
      const placed = servers.map(({ place: { address, port } }) => `${address}:${port}`);
      expect(await explainedServers(graph, fqdn)).toEqual(placed.map((name) => ({ name, ...told })));
      await isNow('ACTIVE');

      expect((await graph.mutate('gslbDelete', { id: gslb }, who)).faults).toEqual([]);
      for (const server of servers) await answered(server, []);
      await isNow('DELETED');
    },
    180_000 * patience,
  );
});
