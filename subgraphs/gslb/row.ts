// The row of the GSLB subgraph.
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { dnsPart } from '../../dns/part.ts';
import { subgraphRow } from '../../platform/subgraph-row.ts';
import { gslbEvents } from './events.ts';
import { nameServerSettings } from './nameserver/dns-settings.ts';

const quota = (most: number, things: string) =>
  z.coerce.number().int().min(0).max(10_000_000).default(most).describe(`${things} that a project may have`);

export const gslbRow = subgraphRow({
  name: 'gslb',
  sdl: new URL('../../schema/gslb.graphql', import.meta.url),
  migrations: {
    owner: 'gslb',
    folder: fileURLToPath(new URL('../../prisma/migrations/gslb', import.meta.url)),
  },
  uses: [dnsPart],
  events: gslbEvents,
  settings: {
    'gslb.quota.names': quota(1_000, 'GSLBs'),
    'gslb.quota.pools': quota(1_000, 'pools of GSLBs'),
    'gslb.quota.members': quota(10_000, 'members of pools of GSLBs'),
    'gslb.quota.monitors': quota(1_000, 'monitors of GSLBs'),
    ...nameServerSettings,
  },
  roles: [
    {
      name: 'dns',
      standard: false,
      database: false,
      create: async (ground, settings) => (await import('./nameserver/dns-role.ts')).createDnsRole(ground, settings),
    },
  ],
  held: async (sql, projectId) => (await import('./conductor/project-store.ts')).heldBy(sql, projectId),
  async create(ground) {
    const { createGslbSubgraph } = await import('./gslb.ts');
    return createGslbSubgraph(ground);
  },
});
