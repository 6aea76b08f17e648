// A name served by a real Designate, end to end: from the graph through a verdict to the answer of the pool's name
// server.
import { afterEach, expect, test } from '@jest/globals';
import { neutronObstacle as obstacle } from '../../../../lab/neutron.ts';
import { patience } from '../../../support/machine/patience.ts';
import { startDesignate } from '../../../support/servers/designate/real-designate.ts';
import { GslbGraph, identity, openRight } from '../support/gslb-graph.ts';
import { explainedServers, publishing, statusOf } from '../support/publishing.ts';
import { twoMembers } from '../support/two-members.ts';

const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

/** The reason why Designate's packages can't run here, if any. */
const skipped = await obstacle();

(skipped === undefined ? test : test.skip)(
  `a name at Designate answers without a member that died, and an explanation asks${skipped ? ` (skipped: ${skipped})` : ''}`,
  async () => {
    const graph = await GslbGraph.open();
    ends.push(() => graph.stop());
    const designate = await startDesignate();
    ends.push(() => designate.remove());
    const { url, authUrl, caCertificates, account, nameServer } = designate;
    const { username, password, project } = account;
    const { address, port } = nameServer.place;
    const who = identity('MEMBER');
    const place = `${address}:${port}`;
    // The zone does not exist there yet.
    const zone = 'new.example.test';
    const fqdn = `shop.${zone}`;

    const backendId = await graph.make('dnsBackendCreate', {
      ...{ name: 'designate', backendType: 'DESIGNATE', credentials: { password } },
      designate: { url, authUrl, caCertificates, username, project, nameServers: [place] },
    });
    await graph.make('dnsZoneCreate', { name: zone, backendId, rights: [openRight(zone)] });
    const { flavorId, monitorId, poolId, members } = await twoMembers(graph, backendId);
    const [one, two] = members;
    // A policy that Designate can't express is refused.
    const geo = { fqdn: `geo.${zone}`, flavorId, poolIds: [poolId], policy: 'GEO' };
    expect((await graph.mutate('gslbCreate', geo, who)).faults).toEqual([expect.stringMatching(/^NOT_SUPPORTED /)]);
    const gslb = await graph.make('gslbCreate', { fqdn, flavorId, poolIds: [poolId] }, who);

    const { say, until, backends } = await publishing(graph, monitorId, 5_000 * patience);
    ends.push(() => backends.close());
    const answered = (addresses: readonly string[]) =>
      until(`${addresses}`, async () => (await nameServer.dig(fqdn, 'A')).join() === addresses.join());
    const isNow = (status: string) =>
      until(`the name to be ${status}`, async () => (await statusOf(graph, gslb)) === status);

    await say({ [one]: 'UP', [two]: 'UP' });
    await answered(['203.0.113.1', '203.0.113.2']);
    await isNow('ACTIVE');
    await say({ [one]: 'DOWN' });
    await answered(['203.0.113.2']);
    await isNow('ACTIVE');

    const told = { planned: null, answered: { records: [{ data: '203.0.113.2' }] }, message: null };
    expect(await explainedServers(graph, fqdn)).toEqual([{ name: place, ...told }]);
    const shown = await graph.ask<{ dnsBackend: unknown }>(
      identity('ADMIN'),
      'query ($id: ID!) { dnsBackend(id: $id) { credentialsSet designate { username nameServers } servers { place serverState message } } }',
      { id: backendId },
    );
    expect(shown.dnsBackend).toEqual({
      ...{ credentialsSet: true, designate: { username, nameServers: [place] } },
      servers: [{ place: url, serverState: 'SERVING', message: null }],
    });
    expect(JSON.stringify(await graph.db.query('SELECT * FROM audit_entry'))).not.toContain(password);

    expect((await graph.mutate('gslbDelete', { id: gslb }, who)).faults).toEqual([]);
    await answered([]);
    await isNow('DELETED');
  },
  300_000 * patience,
);
