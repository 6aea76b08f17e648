// One mistake in a new name and the objects made with it gives one error, at its place.
import { forFile } from '../../../../support/jest/shared.ts';
import { oneMistake } from '../../../support/one-mistake.ts';
import { GslbGraph, identity, openRight } from '../../support/gslb-graph.ts';

const owner = identity('MEMBER');
const graph = forFile(() => GslbGraph.open());
const ids = forFile(async () => {
  await graph.make('dnsZoneCreate', { name: 'gslb.test', rights: [openRight('gslb.test')] });
  // Two flavors, so that the caller must choose one.
  await graph.make('gslbFlavorCreate', { name: 'only' });
  const pool = (name: string) => graph.make('gslbPoolCreate', { name }, owner);
  const flavor = await graph.make('gslbFlavorCreate', { name: 'more' });
  return { flavor, pool: await pool('spare'), fallback: await pool('last') };
});

const treeOf = (number: number) => ({
  ...{
    fqdn: `www-${number}.gslb.test`,
    description: 'a shop',
    flavorId: ids.flavor,
    applianceId: 'a-1',
    poolIds: [ids.pool],
  },
  ...{ ttlSeconds: 30, degradedTtlSeconds: 10, noneUp: 'POOL', fallbackPoolId: ids.fallback },
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

oneMistake((input) => graph.mutate('gslbCreate', { ...input }, owner), treeOf);
