// The row of the system subgraph.
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { subgraphRow } from '../../platform/subgraph-row.ts';
import { systemEvents } from './events.ts';

export const systemRow = subgraphRow({
  name: 'system',
  sdl: new URL('../../schema/system.graphql', import.meta.url),
  migrations: {
    owner: 'system',
    folder: fileURLToPath(new URL('../../prisma/migrations/system', import.meta.url)),
  },
  events: systemEvents,
  settings: {
    'sessions.accessTokenSeconds': z.coerce
      .number()
      .int()
      .min(5)
      .max(86_400)
      .default(900)
      .describe('seconds for which an access token is valid; sockets end with it, and clients refresh it'),
    'sessions.maxPerUser': z.coerce
      .number()
      .int()
      .min(5)
      .max(100_000)
      .default(1000)
      .describe(
        'maximum number of sessions of one user; a login beyond it ends the one that was not refreshed for longest',
      ),
  },
  authenticates: true,
  publicFields: ['Mutation.login', 'Mutation.sessionRefresh', 'Mutation.machineJoin'],
  machineFields: ['Query.machineRevocations', 'Mutation.machineRenew'],
  filteredFeeds: ['statusChanges'],
  async create(ground, settings) {
    const { RedisRateLimiter } = await import('./access/rate-limiter.ts');
    const { openAuthority } = await import('../../platform/machines/authority.ts');
    const { createSystemSubgraph } = await import('./system.ts');
    const { redis, redisPrefix, log, health, keys } = ground;
    const rateLimiter = new RedisRateLimiter({ redis, log, prefix: redisPrefix });
    const system = createSystemSubgraph({
      ...{ ...ground, rateLimiter, health: () => health.parts() },
      accessTokenSeconds: settings['sessions.accessTokenSeconds'],
      maxSessionsPerUser: settings['sessions.maxPerUser'],
      keyring: await keys.shared('subgraphs'),
      signingKeys: await keys.signing('system'),
      publicKeys: await keys.publicKeys(),
      authority: () => openAuthority(keys.path),
    });
    const { haCluster: cluster } = ground;
    const { HaWatch } = await import('./ha/ha-watch.ts');
    const watch = cluster && new HaWatch({ ...ground, cluster, publicKeys: await keys.publicKeys() });
    return {
      ...{ subgraph: system, access: system },
      start: () => watch?.start(),
      async stop() {
        system.ha.stop();
        await watch?.stop();
      },
    };
  },
});
