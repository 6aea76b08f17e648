// The row of the GSLB subgraph.
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { dnsModule, nameRestMsIn } from '../../dns/module.ts';
import { ConfigError } from '../../platform/errors/config-error.ts';
import { type DatabaseContext, subgraphRow } from '../../platform/process/subgraph-row.ts';
import { checkerSettings } from './agents/checker/checker-settings.ts';
import { nameServerSettings } from './agents/nameserver/dns-settings.ts';
import { gslbEvents } from './control/events.ts';
import type { EvaluationDependencies } from './control/verdicts/evaluate-members.ts';
import { leastFreshMs } from './spec/specs.ts';

const quota = (most: number, things: string) =>
  z.coerce.number().int().min(0).max(10_000_000).default(most).describe(`${things} that a project may have`);

const time = (min: number, max: number) => z.coerce.number().int().min(min).max(max);
const port = z.coerce.number().int().min(0).max(65_535);
const checkerPort = 'gslb.checkerPort';
const dnsPort = 'gslb.dnsPort';
const signZones = 'gslb.signZones';
/** Another process queries the members that are load balancers this soon after the holder has died. */
const followerLeaseMs = 1_500;

export const gslbRow = subgraphRow({
  name: 'gslb',
  sdl: new URL('../../schema/gslb.graphql', import.meta.url),
  migrations: {
    owner: 'gslb',
    folder: fileURLToPath(new URL('../../prisma/migrations/gslb', import.meta.url)),
  },
  uses: [dnsModule],
  events: gslbEvents,
  configurations: async () => (await import('./control/configurations.ts')).configurations,
  keyFiles: () => ['sealing'],
  linkPorts: [checkerPort, dnsPort],
  filteredFeeds: ['gslbChanges'],
  settings: {
    'gslb.linkHost': z
      .string()
      .min(1)
      .default('127.0.0.1')
      .describe('address at which GSLB checkers (role checker) and our own name servers (role dns) connect'),
    [checkerPort]: port
      .optional()
      .describe('port at which checkers connect, by mutual TLS; 0 takes a free one; default: no checker can connect'),
    [dnsPort]: port
      .optional()
      .describe(
        'port at which our own name servers connect, by mutual TLS; 0 takes a free one; default: none can connect',
      ),
    [signZones]: z
      .union([z.boolean(), z.stringbool()])
      .default(true)
      .describe(
        'whether the zones that our own name servers answer are signed (DNSSEC); a zone with keys keeps them, because its parent may name them',
      ),
    'gslb.heartbeatMs': time(100, 60_000).default(500).describe('interval between heartbeats of a checker'),
    'gslb.silenceMs': time(300, 600_000)
      .default(1_500)
      .describe(
        'a checker that has not reported for this long is lost, and others of its vantage point take its targets',
      ),
    'gslb.freshMs': time(1_000, 3_600_000)
      .default(leastFreshMs)
      .describe('a report that arrives later is stored as history, and never counts as a vote'),
    'gslb.pendingMs': time(1_000, 3_600_000)
      .default(60_000)
      .describe(
        'a GSLB becomes ERROR, with the reason, when its change was refused for this long, or was slow for five times as long; attempts continue',
      ),
    'retention.gslbHistoryDays': z.coerce
      .number()
      .int()
      .min(1)
      .max(3_650)
      .default(90)
      .describe('days for which verdicts of GSLB members, with their votes, and past answers are kept'),
    'gslb.quota.names': quota(1_000, 'GSLBs'),
    'gslb.quota.pools': quota(1_000, 'pools of GSLBs'),
    'gslb.quota.members': quota(10_000, 'members of pools of GSLBs'),
    'gslb.quota.monitors': quota(1_000, 'monitors of GSLBs'),
    ...checkerSettings,
    ...nameServerSettings,
  },
  roles: [
    {
      name: 'checker',
      standard: false,
      database: false,
      create: async (context, settings) =>
        (await import('./agents/checker/checker-role.ts')).createCheckerRole(context, settings),
    },
    {
      name: 'dns',
      standard: false,
      database: false,
      create: async (context, settings) =>
        (await import('./agents/nameserver/dns-role.ts')).createDnsRole(context, settings),
    },
  ],
  held: async (sql, projectId) => (await import('./control/entities/project-store.ts')).heldBy(sql, projectId),
  async create(context, settings) {
    const { createGslbSubgraph } = await import('./gslb.ts');
    const { GeoFile } = await import('./agents/nameserver/geo-file.ts');
    const { ConductorLinks } = await import('./control/machines/conductor-links.ts');
    const { BalancerFollower } = await import('./control/verdicts/balancer-follower.ts');
    const { Leases } = await import('../../platform/leases/leases.ts');
    const place = async (setting: typeof checkerPort | typeof dnsPort) => {
      const at = settings[setting];
      if (at === undefined) return undefined;
      const tls = await context.tlsOf('gslb');
      if (tls !== undefined) return { host: settings['gslb.linkHost'], port: at, tls };
      throw new ConfigError([
        {
          settings: [setting],
          wrong: 'checkers and name servers connect by mutual TLS only, and this process has no certificate for it',
          given: String(at),
          advice: 'set internal.machineFolder (tidegate join) or internal.tls',
        },
      ]);
    };
    const [checkers, nameServers] = [await place(checkerPort), await place(dnsPort)];
    const sealer = await context.sealer();
    const links = new ConductorLinks({
      ...{ ...context, ...evaluationOf(context, settings) },
      ...{ sealer, signsZones: settings[signZones] },
      ...(checkers === undefined ? {} : { checkers }),
      ...(nameServers === undefined ? {} : { nameServers }),
    });
    const leases = new Leases({ ...context, ttlMs: followerLeaseMs, renewMs: followerLeaseMs / 3 });
    const follower = new BalancerFollower({ ...context, ...evaluationOf(context, settings), leases });
    const geoFile = settings['nameserver.geoFile'];
    return createGslbSubgraph({
      ...{ ...context, links, follower, sealKeys: sealer, voting: evaluationOf(context, settings) },
      heartbeatMs: settings['gslb.heartbeatMs'],
      ...(geoFile === undefined ? {} : { geo: new GeoFile(geoFile, context.log) }),
      quotas: {
        Gslb: settings['gslb.quota.names'],
        GslbPool: settings['gslb.quota.pools'],
        GslbPoolMember: settings['gslb.quota.members'],
        GslbMonitor: settings['gslb.quota.monitors'],
      },
    });
  },
  async work(context, settings) {
    const { createEvaluationQueues } = await import('./control/verdicts/evaluation-queue.ts');
    const { retentionSteps } = await import('./control/retention.ts');
    return {
      queues: createEvaluationQueues({
        ...{ db: context.db, ...evaluationOf(context, settings), pendingMs: settings['gslb.pendingMs'] },
        nameRestMs: nameRestMsIn(settings),
      }),
      retention: retentionSteps(context.db, settings['retention.gslbHistoryDays']),
    };
  },
  async reseal(db, options) {
    const { resealSecrets } = await import('./control/reseal.ts');
    return resealSecrets(db, options);
  },
});

function evaluationOf(
  { wake, egress }: Pick<DatabaseContext, 'wake' | 'egress'>,
  settings: Readonly<Record<'gslb.silenceMs' | 'gslb.heartbeatMs' | 'gslb.freshMs', number>>,
): EvaluationDependencies {
  return {
    ...{ wake, egress, silenceMs: settings['gslb.silenceMs'] },
    ...{ heartbeatMs: settings['gslb.heartbeatMs'], freshMs: settings['gslb.freshMs'] },
  };
}
