// A name at Designate, the whole way with the real one: from the graph over a verdict to what its pool's name server answers.
import { afterEach, expect, test } from '@jest/globals';
import { BackendOpener } from '../../../../dns/backends/open-backends.ts';
import { createZoneQueue } from '../../../../dns/backends/zone-queue.ts';
import { createPublishQueue } from '../../../../dns/publish/publish-queue.ts';
import { createServerQueue } from '../../../../dns/publish/server-queue.ts';
import { neutronObstacle as obstacle } from '../../../../lab/neutron.ts';
import { createJudgeQueues } from '../../../../subgraphs/gslb/conductor/judge-queue.ts';
import { startDesignate } from '../../../support/designate/real-designate.ts';
import { OwedRunner } from '../../../support/owed-runner.ts';
import { patience } from '../../../support/patience.ts';
import { waitFor } from '../../../support/temporary-folder.ts';
import { GslbGraph, identity } from '../support/gslb-graph.ts';
import { speaker } from '../support/speaker.ts';
import { twoMembers } from '../support/two-members.ts';

const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

/** Why Designate's packages can't run here. */
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
    // Nobody has made it there.
    const zone = 'new.example.test';
    const fqdn = `shop.${zone}`;

    const backendId = await graph.make('dnsBackendCreate', {
      ...{ name: 'designate', type: 'DESIGNATE', credentials: { password } },
      designate: { url, authUrl, caCertificates, username, project, nameServers: [place] },
    });
    await graph.make('dnsZoneCreate', { name: zone, backendId, rights: [{ suffix: zone }] });
    const { flavorId, monitorId, poolId, members } = await twoMembers(graph, backendId);
    const [one, two] = members;
    // What it has no way to say is refused.
    const geo = { fqdn: `geo.${zone}`, flavorId, poolIds: [poolId], policy: 'GEO' };
    expect((await graph.mutate('gslbCreate', geo, who)).faults).toEqual([expect.stringMatching(/^NOT_SUPPORTED /)]);
    const gslb = await graph.make('gslbCreate', { fqdn, flavorId, poolIds: [poolId] }, who);

    const { parts, say } = await speaker(graph, monitorId);
    const { db, wake, log, egress } = graph;
    const backends = new BackendOpener({ db, egress, sealer: async () => graph.sealer, timeoutMs: 5_000 * patience });
    ends.push(() => backends.close());
    const runner = new OwedRunner(db, [
      ...createJudgeQueues({ ...parts, db, pendingMs: 3_600_000 }),
      createZoneQueue({ db, backends }),
      createPublishQueue({ db, wake, servers: [], backends }),
      createServerQueue({ db, wake, log, servers: [], backends }),
    ]);
    const until = (what: string, isSo: () => Promise<boolean>) =>
      waitFor(what, async () => {
        const errors = await runner.runDue();
        if (await isSo()) return true;
        if (errors.length > 0) log.info({ errors: errors.map(String) }, 'not published yet');
        return false;
      });
    const answered = (addresses: readonly string[]) =>
      until(`${addresses}`, async () => (await nameServer.dig(fqdn, 'A')).join() === addresses.join());
    const isNow = (status: string) =>
      until(`the name to be ${status}`, async () => {
        const query = 'query ($id: ID!) { gslb(id: $id) { provisioningStatus } }';
        const seen = await graph.ask<{ gslb: { provisioningStatus: string } }>(who, query, { id: gslb });
        return seen.gslb.provisioningStatus === status;
      });

    await say({ [one]: 'UP', [two]: 'UP' });
    await answered(['203.0.113.1', '203.0.113.2']);
    await isNow('ACTIVE');
    await say({ [one]: 'DOWN' });
    await answered(['203.0.113.2']);
    await isNow('ACTIVE');

    const { gslbExplain } = await graph.ask<{ gslbExplain: { servers: readonly object[] } }>(
      who,
      'query ($name: String!) { gslbExplain(name: $name) { servers { name planned { outcome } answered { records { data } } error } } }',
      { name: fqdn },
    );
    const told = { planned: null, answered: { records: [{ data: '203.0.113.2' }] }, error: null };
    expect(gslbExplain.servers).toEqual([{ name: place, ...told }]);
    const shown = await graph.ask<{ dnsBackend: unknown }>(
      identity('ADMIN'),
      'query ($id: ID!) { dnsBackend(id: $id) { hasCredentials designate { username nameServers } servers { place state error } } }',
      { id: backendId },
    );
    expect(shown.dnsBackend).toEqual({
      ...{ hasCredentials: true, designate: { username, nameServers: [place] } },
      servers: [{ place: url, state: 'SERVING', error: null }],
    });
    expect(JSON.stringify(await db.query('SELECT * FROM audit_entry'))).not.toContain(password);

    expect((await graph.mutate('gslbDelete', { id: gslb }, who)).faults).toEqual([]);
    await answered([]);
    await isNow('DELETED');
  },
  300_000 * patience,
);
