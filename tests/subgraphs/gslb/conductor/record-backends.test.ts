// Names at backends of other people's servers, the whole way with real ones: from the graph over a verdict to what dig(1) gets. A server that
// is dead delays no other; when it returns it is made right before it counts.
import { afterEach, describe, expect, test } from '@jest/globals';
import { BackendOpener } from '../../../../dns/backends/open-backends.ts';
import { createZoneQueue } from '../../../../dns/backends/zone-queue.ts';
import { createPublishQueue } from '../../../../dns/publish/publish-queue.ts';
import { createServerQueue } from '../../../../dns/publish/server-queue.ts';
import { createJudgeQueues } from '../../../../subgraphs/gslb/conductor/judge-queue.ts';
import { bind, knot, zone as madeZone, type NameServer } from '../../../dns/support/name-servers.ts';
import { powerdnsApi } from '../../../dns/support/powerdns-api.ts';
import { OwedRunner } from '../../../support/owed-runner.ts';
import { patience } from '../../../support/patience.ts';
import { waitFor } from '../../../support/temporary-folder.ts';
import { GslbGraph, type Input, identity } from '../support/gslb-graph.ts';
import { speaker } from '../support/speaker.ts';
import { twoMembers } from '../support/two-members.ts';

interface Place {
  readonly servers: readonly [NameServer, NameServer];
  /** Of dnsBackendCreate. */
  readonly backend: Input;
  /** Of dnsZoneCreate. */
  readonly zone: Input & { readonly name: string };
}

async function updatedServers(): Promise<Place> {
  const first = await bind();
  const servers = [first, await knot(first.keyFile)] as const;
  const places = servers.map(({ place: { address, port } }) => `${address}:${port}`);
  const credentials = { keySecret: first.key.secret.toString('base64') };
  return {
    servers,
    backend: { name: 'both', type: 'RFC2136', rfc2136: { servers: places, keyName: first.key.name }, credentials },
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
    backend: { name: 'both', type: 'POWERDNS', powerdns: { servers: places }, credentials },
    // Nobody has made it there.
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
    'answer without a member that died, also while one of them is dead, and it is right before it counts',
    async () => {
      const graph = await GslbGraph.open();
      ends.push(() => graph.stop());
      const { servers, backend, zone } = await open();
      for (const server of servers) ends.push(() => server.remove());
      const [alive, other] = servers;
      const who = identity('MEMBER');

      const backendId = await graph.make('dnsBackendCreate', backend);
      await graph.make('dnsZoneCreate', { ...zone, backendId, rights: [{ suffix: zone.name }] });
      const { flavorId, monitorId, poolId, members } = await twoMembers(graph, backendId);
      const [one, two] = members;
      const fqdn = `shop.${zone.name}`;
      const gslb = await graph.make('gslbCreate', { fqdn, flavorId, poolIds: [poolId] }, who);

      const { parts, say } = await speaker(graph, monitorId);
      const { db, wake, log, egress } = graph;
      const backends = new BackendOpener({ db, egress, sealer: async () => graph.sealer, timeoutMs: 2_000 });
      ends.push(() => backends.close());
      const runner = new OwedRunner(db, [
        ...createJudgeQueues({ ...parts, db, pendingMs: 3_600_000 }),
        createZoneQueue({ db, backends }),
        createPublishQueue({ db, wake, servers: [], backends }),
        createServerQueue({ db, wake, log, servers: [], backends }),
      ]);
      const answered = (server: NameServer, addresses: readonly string[]) =>
        waitFor(`${addresses} at port ${server.place.port}`, async () => {
          const errors = await runner.runDue();
          const answer = await server.dig(fqdn, 'A');
          if (answer.join() === addresses.join()) return true;
          if (errors.length > 0) log.info({ errors: errors.map(String) }, 'not published yet');
          return false;
        });
      const seen = () =>
        graph.ask<{ gslb: { provisioningStatus: string }; dnsBackend: { servers: { state: string }[] } }>(
          identity('ADMIN'),
          'query ($gslb: ID!, $backend: ID!) { gslb(id: $gslb) { provisioningStatus } dnsBackend(id: $backend) { servers { state error } } }',
          { gslb, backend: backendId },
        );
      const status = async () =>
        (
          await graph.ask<{ gslb: { provisioningStatus: string } }>(
            who,
            'query ($id: ID!) { gslb(id: $id) { provisioningStatus } }',
            { id: gslb },
          )
        ).gslb.provisioningStatus;
      const states = async () => (await seen()).dnsBackend.servers.map(({ state }) => state);

      await say({ [one]: 'UP', [two]: 'UP' });
      for (const server of servers) await answered(server, ['203.0.113.1', '203.0.113.2']);
      await waitFor('the name to be ACTIVE', async () => {
        await runner.runDue();
        return (await status()) === 'ACTIVE';
      });

      let woken = 0;
      ends.push(async () => unsubscribe());
      const unsubscribe = wake.on('owed', () => {
        woken += 1;
      });
      await say({ [one]: 'DOWN' });
      // In the verdict's own commit; nothing else has run since.
      expect(await db.query("SELECT 1 FROM owed_work WHERE kind = 'dns-publish' AND due_at <= NOW(3)")).toHaveLength(1);
      expect(woken).toBeGreaterThan(0);
      for (const server of servers) await answered(server, ['203.0.113.2']);

      await other.kill();
      await say({ [one]: 'UP' });
      await answered(alive, ['203.0.113.1', '203.0.113.2']);
      expect((await graph.mutate('gslbUpdate', { id: gslb, ttlSeconds: 20 }, who)).faults).toEqual([]);
      await say({ [two]: 'DOWN' });
      await answered(alive, ['203.0.113.1']);
      await waitFor('the dead one to be left out', async () => {
        await runner.runDue();
        return (await states()).join() === 'SERVING,FAILING';
      });
      // Not all have it.
      expect(await status()).toBe('PENDING');

      await other.start();
      await waitFor('it to count again', async () => {
        await runner.runDue();
        return (await states()).join() === 'SERVING,SERVING';
      });
      expect(await other.dig(fqdn, 'A')).toEqual(['203.0.113.1']);
      // An explanation asks them, as it asks servers of ours.
      const { gslbExplain } = await graph.ask<{ gslbExplain: { servers: readonly object[] } }>(
        who,
        'query ($name: String!) { gslbExplain(name: $name) { servers { name planned { outcome } answered { records { data } } error } } }',
        { name: fqdn },
      );
      const told = { planned: null, answered: { records: [{ data: '203.0.113.1' }] }, error: null };
      const placed = servers.map(({ place: { address, port } }) => `${address}:${port}`);
      expect(gslbExplain.servers).toEqual(placed.map((name) => ({ name, ...told })));
      await waitFor('the name to be ACTIVE', async () => {
        await runner.runDue();
        return (await status()) === 'ACTIVE';
      });

      expect((await graph.mutate('gslbDelete', { id: gslb }, who)).faults).toEqual([]);
      for (const server of servers) await answered(server, []);
      await waitFor('its end', async () => {
        await runner.runDue();
        return (await status()) === 'DELETED';
      });
    },
    180_000 * patience,
  );
});
