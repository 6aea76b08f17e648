// Another project's objects look nonexistent, at every root field and entity of GSLB.
import { expect, test } from '@jest/globals';
import { isolation } from '../support/isolation.ts';
import { type GslbWorld, gslb, owner, stranger } from './contract.ts';
import { GslbGraph } from './support/gslb-graph.ts';

const run = isolation(gslb);

test('a preview of a change reveals nothing about names of another project', async () => {
  const { graph, names } = run.world as GslbWorld;
  const seen = (who: typeof owner) =>
    graph.ask(
      who,
      `query ($change: GslbChangeInput!) { seen: gslbPreview(change: $change) { total names { fqdn } userErrors { code } } }`,
      {
        change: { gslbPoolMemberDelete: { id: names.member } },
      },
    );
  expect(await seen(stranger)).toEqual({ seen: { total: 0, names: [], userErrors: [{ code: 'NOT_FOUND' }] } });
  expect(await seen(owner)).toMatchObject({
    seen: { names: expect.arrayContaining([{ fqdn: 'shop.gslb.test' }]), userErrors: [] },
  });
});

test('a single vantage point, zone or backend is shown to administrators only', async () => {
  const { graph, names } = run.world as GslbWorld;
  for (const [field, id] of [
    ['gslbVantagePoint', names.vantagePoint],
    ['dnsZone', names.zone],
    ['dnsBackend', names.knot],
  ])
    expect(await graph.ask(owner, `query ($id: ID!) { one: ${field}(id: $id) { id } }`, { id })).toEqual({ one: null });
});

test('a quota belongs to one project', async () => {
  const small = await GslbGraph.open({ quotas: 1 });
  try {
    expect((await small.mutate('gslbPoolCreate', { name: 'one' }, owner)).faults).toEqual([]);
    expect((await small.mutate('gslbPoolCreate', { name: 'two' }, owner)).faults).toEqual(['QUOTA_EXCEEDED ']);
    expect((await small.mutate('gslbPoolCreate', { name: 'one' }, stranger)).faults).toEqual([]);
  } finally {
    await small.stop();
  }
});
