// Registers the system subgraph with the rest of the program.
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { dnsModule } from '../../dns/module.ts';
import { subgraphRow } from '../../platform/process/subgraph-row.ts';
import { systemEvents } from './control/events.ts';

export const systemRow = subgraphRow({
  name: 'system',
  sdl: new URL('../../schema/system.graphql', import.meta.url),
  migrations: {
    owner: 'system',
    folder: fileURLToPath(new URL('../../prisma/migrations/system', import.meta.url)),
  },
  // Machines with the role of a name server reserve names in DNS.
  uses: [dnsModule],
  events: systemEvents,
  configurations: async () => (await import('./control/configurations.ts')).configurations,
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
    'events.outsidePerMinute': z.coerce
      .number()
      .int()
      .min(100)
      .max(60_000)
      .default(1200)
      .describe(
        'most status events of one subgraph of another team in a minute, in each process of the role system; as many may come at once',
      ),
    'alerts.dashboardUrl': z
      .url({ protocol: /^https?$/ })
      .max(2_048)
      .transform((url) => url.replace(/\/+$/, ''))
      .optional()
      .describe(
        'address of the dashboard for people, for example https://tidegate.example.com; alerts then link to the page of their subject',
      ),
  },
  keyFiles: () => ['system'],
  authenticates: true,
  publicFields: ['Mutation.login', 'Mutation.sessionStart', 'Mutation.sessionRefresh', 'Mutation.machineJoin'],
  machineFields: ['Query.machineRevocations', 'Mutation.machineRenew', 'Mutation.statusEventsAdd'],
  filteredFeeds: ['statusChanges'],
  async create(context, settings) {
    const { MemoryRateLimiter, RedisRateLimiter } = await import('./control/access/rate-limiter.ts');
    const { openAuthority } = await import('../../platform/machines/authority.ts');
    const { createSystemSubgraph } = await import('./system.ts');
    const { db, redis, redisPrefix, log, health, keys } = context;
    const rateLimiter = db.readsOnly
      ? new MemoryRateLimiter()
      : new RedisRateLimiter({ redis, log, prefix: redisPrefix });
    const system = createSystemSubgraph({
      ...{ ...context, rateLimiter, health: () => health.components() },
      dashboardUrl: settings['alerts.dashboardUrl'],
      accessTokenSeconds: settings['sessions.accessTokenSeconds'],
      outsideEventsPerMinute: settings['events.outsidePerMinute'],
      maxSessionsPerUser: settings['sessions.maxPerUser'],
      keyring: await keys.shared('subgraphs'),
      signingKeys: await keys.signing('system'),
      publicKeys: await keys.publicKeys(),
      authority: () => openAuthority(keys.path),
    });
    const { RevivedAccess } = await import('../../platform/restore/revived-access.ts');
    const { systemAccess: access } = await import('./control/access/system-access.ts');
    const revived = new RevivedAccess({ ...context, memories: context.revokedMemories('revoked'), access });
    const { haCluster: cluster } = context;
    const { HaWatch } = await import('./control/ha/ha-watch.ts');
    const watch = cluster && new HaWatch({ ...context, cluster, publicKeys: await keys.publicKeys() });
    const { AlertRuleStore } = await import('./control/stores/alert-rule-store.ts');
    const { AlertWatch } = await import('./control/alerts/alert-watch.ts');
    const { CertificateExpiry } = await import('./control/alerts/certificate-expiry.ts');
    const alertWatch = new AlertWatch({ ...context, rules: new AlertRuleStore(context.db) });
    const certificateExpiry = new CertificateExpiry(context);
    return {
      ...{ subgraph: system, access: system },
      async start() {
        await revived.start();
        watch?.start();
        alertWatch.start();
        certificateExpiry.start();
      },
      async stop() {
        system.ha.stop();
        await certificateExpiry.stop();
        await alertWatch.stop();
        await revived.stop();
        await watch?.stop();
      },
    };
  },
  async work({ db, log, egress, sealer }, settings) {
    const { createDeliveryQueue } = await import('./control/alerts/delivery-queue.ts');
    const { alertRetention } = await import('./control/alerts/retention.ts');
    const { sessionRetention } = await import('./control/access/session-retention.ts');
    const dashboardUrl = settings['alerts.dashboardUrl'] ?? null;
    return {
      queues: [createDeliveryQueue({ db, log, egress, sealer, dashboardUrl })],
      retention: [...alertRetention(db), sessionRetention(db)],
    };
  },
  reseal: async (db, options) => (await import('./control/alerts/reseal.ts')).resealChannels(db, options),
});
