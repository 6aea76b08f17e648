// The row of the load balancer subgraph.
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { dnsPart } from '../../dns/part.ts';
import { ConfigError } from '../../platform/config-error.ts';
import { canonicalAddressBlock } from '../../platform/net/address-block.ts';
import { countHeld } from '../../platform/projects.ts';
import { subgraphRow } from '../../platform/subgraph-row.ts';
import { loadBalancerEvents } from './events.ts';
import { hostSettings } from './host/host-settings.ts';

const count = (min: number, max: number) => z.coerce.number().int().min(min).max(max);
const quota = (most: number, things: string) =>
  count(0, 1_000_000).default(most).describe(`${things} that a project may have, unless a quota is set for it`);
const linkPort = 'loadbalancer.linkPort';

export const loadBalancerRow = subgraphRow({
  name: 'loadbalancer',
  sdl: new URL('../../schema/loadbalancer.graphql', import.meta.url),
  migrations: {
    owner: 'loadbalancer',
    folder: fileURLToPath(new URL('../../prisma/migrations/loadbalancer', import.meta.url)),
  },
  uses: [dnsPart],
  zones: (settings) => [settings['loadbalancer.zone']],
  events: loadBalancerEvents,
  filteredFeeds: ['loadBalancerChanges', 'loadBalancerNodeChanges'],
  settings: {
    'loadbalancer.zone': z
      .string()
      .regex(/^(?=.{1,180}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/)
      .default('lb.internal')
      .describe('DNS zone of load balancers, whose names are NAME.PROJECT.ZONE; lower case, without a dot at the end'),
    'loadbalancer.subnetCidr': z
      .string()
      .refine((text) => canonicalAddressBlock(text) !== undefined, 'not a CIDR block')
      .default('10.64.0.0/20')
      .describe('CIDR block of the subnet that is made for a project without one; those of two projects may overlap'),
    'loadbalancer.linkHost': z
      .string()
      .min(1)
      .default('127.0.0.1')
      .describe('address at which load balancer hosts (role lbhost) connect'),
    [linkPort]: count(0, 65_535)
      .optional()
      .describe('port at which they connect, by mutual TLS; 0 takes a free one; default: no host can connect'),
    'loadbalancer.quota.loadBalancers': quota(100, 'load balancers'),
    'loadbalancer.quota.listeners': quota(500, 'listeners'),
    'loadbalancer.quota.pools': quota(500, 'pools'),
    'loadbalancer.quota.members': quota(5000, 'members'),
    'loadbalancer.quota.l7Policies': quota(2000, 'L7 policies'),
    'loadbalancer.quota.nodes': quota(500, 'nodes, counted by `maxNodes`,'),
    'loadbalancer.quota.certificates': quota(500, 'TLS certificates'),
    'loadbalancer.quota.subnets': quota(10, 'subnets'),
    ...hostSettings,
  },
  roles: [
    {
      name: 'lbhost',
      standard: false,
      database: false,
      create: async (ground, settings) => (await import('./host/host-role.ts')).createHostRole(ground, settings),
    },
  ],
  held: (sql, projectId) =>
    countHeld(sql, projectId, {
      'load balancers': 'SELECT COUNT(*) AS count FROM lb_load_balancer WHERE project_id = ? AND live_name IS NOT NULL',
      subnets: 'SELECT COUNT(*) AS count FROM lb_subnet WHERE project_id = ? AND live_name IS NOT NULL',
      'TLS certificates': 'SELECT COUNT(*) AS count FROM lb_certificate WHERE project_id = ? AND live_name IS NOT NULL',
    }),
  async create(ground, settings) {
    const { createLoadBalancerSubgraph } = await import('./loadbalancer.ts');
    const port = settings[linkPort];
    const tls = port === undefined ? undefined : await ground.tlsOf('loadbalancer');
    if (port !== undefined && tls === undefined)
      throw new ConfigError([
        {
          settings: [linkPort],
          wrong: 'hosts connect by mutual TLS only, and this process has no certificate for it',
          given: String(port),
          advice: 'set internal.machineFolder (tidegate join) or internal.tls',
        },
      ]);
    return createLoadBalancerSubgraph({
      ...ground,
      sealKeys: await ground.sealer(),
      settings: {
        zone: settings['loadbalancer.zone'],
        defaultCidr: settings['loadbalancer.subnetCidr'],
        quotas: {
          LOAD_BALANCERS: settings['loadbalancer.quota.loadBalancers'],
          LISTENERS: settings['loadbalancer.quota.listeners'],
          POOLS: settings['loadbalancer.quota.pools'],
          MEMBERS: settings['loadbalancer.quota.members'],
          L7_POLICIES: settings['loadbalancer.quota.l7Policies'],
          NODES: settings['loadbalancer.quota.nodes'],
          CERTIFICATES: settings['loadbalancer.quota.certificates'],
          SUBNETS: settings['loadbalancer.quota.subnets'],
        },
      },
      ...(port === undefined || tls === undefined
        ? {}
        : { link: { host: settings['loadbalancer.linkHost'], port, tls } }),
    });
  },
  async work({ db, wake }) {
    const { createReconcileQueue } = await import('./reconcile/reconcile-queue.ts');
    const { retentionSteps } = await import('./retention.ts');
    return { queues: [createReconcileQueue({ db, wake })], retention: retentionSteps(db) };
  },
  async reseal(db, options) {
    const { resealCertificates } = await import('./certificates/reseal.ts');
    return resealCertificates(db, options);
  },
});
