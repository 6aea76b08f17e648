// One mistake in a new name and what is made with it has one error, at its place.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { mistakesIn } from '../../../../support/mistakes.ts';
import { GslbGraph, identity, openRight } from '../../support/gslb-graph.ts';

let graph: GslbGraph;
const owner = identity('MEMBER');

beforeAll(async () => {
  graph = await GslbGraph.open();
  await graph.make('dnsZoneCreate', { name: 'gslb.test', rights: [openRight('gslb.test')] });
  await graph.make('gslbFlavorCreate', { name: 'only' });
});
afterAll(() => graph.stop());

test('one mistake in the tree of a name has one error', async () => {
  const flavorId = await graph.make('gslbFlavorCreate', { name: 'more' });
  const pool = (name: string) => graph.make('gslbPoolCreate', { name }, owner);
  const [poolId, fallbackPoolId] = [await pool('spare'), await pool('last')];
  // What is right after all makes a name, so that each has its own.
  const treeOf = (number: number) => ({
    ...{ fqdn: `www-${number}.gslb.test`, description: 'a shop', flavorId, applianceId: 'a-1', poolIds: [poolId] },
    ...{ ttlSeconds: 30, degradedTtlSeconds: 10, noneUp: 'POOL', fallbackPoolId },
    ...{ policy: 'GEO', policyOptions: { geoBy: ['COUNTRY'], toleranceKm: 100 } },
    cmpObject: { type: 'tenant', externalId: '7' },
    clientBlocks: [{ cidr: '198.51.100.0/24', region: 'north' }],
    pools: [
      {
        ...{ name: `own-${number}`, description: 'of the shop', minUp: 1, answerScope: 'REGION' },
        ...{
          quorum: { leastRegions: 1, leastVoters: 1, freshMs: 60_000 },
          failback: { mode: 'DELAYED', delayMs: 500 },
        },
        members: [
          {
            ...{ name: 'eu', description: 'in the east', addresses: ['203.0.113.3'], servicePort: 8_080, weight: 3 },
            ...{ priority: 1, memberRegion: 'north' },
            place: { continent: 'EU', country: 'DE', latitude: 50, longitude: 8 },
          },
        ],
        monitors: [
          {
            ...{
              name: `web-${number}`,
              description: 'asks for a page',
              checkType: 'HTTP',
              targetPort: 80,
              intervalMs: 6_000,
            },
            ...{ timeoutMs: 1_000, fall: 3, rise: 3, targetHost: '203.0.113.9' },
            parameters: { http: { path: '/alive', expectedCodes: '204', body: 'fine', hostHeader: 'alive.test' } },
          },
        ],
      },
    ],
  });
  const wrong: string[] = [];
  let accepted = 0;
  const count = mistakesIn(treeOf(0)).length;
  for (let number = 0; number < count; number += 1) {
    const mistake = mistakesIn(treeOf(number))[number];
    if (mistake === undefined) continue;
    const { told, faults } = await graph.mutate('gslbCreate', { ...mistake.input }, owner, '{ id }');
    const at = ['input', mistake.path].join('.');
    const what = `${mistake.path} ${String(mistake.value).slice(0, 9)}`;
    if (told.length === 0) accepted += 1;
    else if (told.length > 1 || !at.startsWith(told[0]?.field.join('.') ?? '?'))
      wrong.push(`${what}: ${faults.join(', ')}`);
  }
  expect(wrong).toEqual([]);
  expect(count - accepted).toBeGreaterThan(80);
});
