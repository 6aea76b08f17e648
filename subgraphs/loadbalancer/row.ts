// The row of the load balancer subgraph.
import { isIP } from 'node:net';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { dnsModule, nameRestMsIn } from '../../dns/module.ts';
import { countHeld } from '../../platform/edge/projects.ts';
import { ConfigError } from '../../platform/errors/config-error.ts';
import { canonicalAddressBlock } from '../../platform/net/address-block.ts';
import { subgraphRow } from '../../platform/process/subgraph-row.ts';
import { hostSettings } from './agents/lbhost/host-settings.ts';
import { loadBalancerEvents } from './control/events.ts';
import { managementRanges } from './rules/management-ranges.ts';

const count = (min: number, max: number) => z.coerce.number().int().min(min).max(max);
const quota = (most: number, things: string) =>
  count(0, 1_000_000).default(most).describe(`${things} that a project may have, unless a quota is set for it`);
const isBlock = (text: string) => canonicalAddressBlock(text) !== undefined;
const linkPort = 'loadbalancer.linkPort';
const collectdListen = 'loadbalancer.collectdListen';
const collectdAuthFile = 'loadbalancer.collectdAuthFile';
const dayMs = 86_400_000;

export const loadBalancerRow = subgraphRow({
  name: 'loadbalancer',
  sdl: new URL('../../schema/loadbalancer.graphql', import.meta.url),
  migrations: {
    owner: 'loadbalancer',
    folder: fileURLToPath(new URL('../../prisma/migrations/loadbalancer', import.meta.url)),
  },
  uses: [dnsModule],
  zones: (settings) => [settings['loadbalancer.zone']],
  events: loadBalancerEvents,
  configurations: async () => (await import('./control/configurations.ts')).configurations,
  keyFiles: () => ['sealing'],
  linkPorts: [linkPort],
  filteredFeeds: ['loadBalancerChanges', 'loadBalancerNodeChanges'],
  settings: {
    'loadbalancer.zone': z
      .string()
      // Leaves room for NAME and PROJECT, of 63 characters each (dns/names.ts).
      .regex(/^(?=.{1,115}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/)
      .default('lb.internal')
      .describe(
        'DNS zone of load balancers, whose names are NAME.PROJECT.ZONE; at most 115 characters, lower case, without a dot at the end',
      ),
    'loadbalancer.subnetCidr': z
      .string()
      .refine(isBlock, 'not a CIDR block')
      .default('10.64.0.0/20')
      .describe('CIDR block of the subnet that is made for a project without one; those of two projects may overlap'),
    'loadbalancer.linkHost': z
      .string()
      .min(1)
      .default('127.0.0.1')
      .describe('address at which load balancer hosts (role lbhost) connect'),
    [linkPort]: count(0, 65_535)
      .optional()
      .describe('port at which they connect, by mutual TLS; 0 takes a free one; without it no host can connect'),
    'loadbalancer.dnsTtlSeconds': count(1, 86_400)
      .default(5)
      .describe('TTL of the addresses of load balancers in DNS; a removed node keeps serving for this long'),
    'loadbalancer.addressRestMs': count(0, dayMs)
      .default(60_000)
      .describe(
        'after the TTL, the address of a deleted load balancer is not given to another one for this long: some clients cache answers for longer',
      ),
    'loadbalancer.managementRanges': z
      .union([z.array(z.string()), z.string().transform((text) => text.split(','))])
      .pipe(z.array(z.string().trim().refine(isBlock, 'not a CIDR block')).min(1).max(64))
      .default([...managementRanges])
      .describe(
        'CIDR blocks, separated by commas, from which hosts may give nodes their management addresses; health checks of nodes connect to no others',
      ),
    'loadbalancer.nodeCheck.intervalMs': count(100, 60_000)
      .default(500)
      .describe('interval of the health checks of a node'),
    'loadbalancer.nodeCheck.timeoutMs': count(50, 60_000)
      .default(400)
      .describe('time for the answer of a node to a health check'),
    'loadbalancer.nodeCheck.fall': count(1, 10)
      .default(2)
      .describe('failed checks in a row after which a node is down'),
    'loadbalancer.nodeCheck.rise': count(1, 10)
      .default(2)
      .describe('successful checks in a row after which a node that was down is healthy'),
    'loadbalancer.replacedNodeKeepMs': count(1_000, 3_600_000)
      .default(600_000)
      .describe(
        'a node that failed and was replaced is deleted when it has been away for longer; if it is healthy before that, it takes its place back',
      ),
    'loadbalancer.nodeDrainMs': count(0, 3_600_000)
      .default(30_000)
      .describe('longest time for the remaining sessions of a removed node, from when its host drains it'),
    'loadbalancer.nodeBuildMs': count(5_000, 3_600_000)
      .default(120_000)
      .describe('a node that is not ready after this time is replaced, if possible on another host'),
    'loadbalancer.hostGoneMs': count(10_000, 3_600_000)
      .default(600_000)
      .describe(
        'a host without a connection for longer is given up: its nodes that should be deleted count as deleted, and its drains count as ended',
      ),
    'loadbalancer.mostTakeBacks': count(0, 100)
      .default(3)
      .describe('a node that was taken back this often within an hour is not taken back again'),
    [collectdListen]: z
      .string()
      .refine((text) => collectdAddress(text) !== undefined, 'not an ADDRESS:PORT')
      .optional()
      .describe(
        'ADDRESS:PORT (UDP) at which collectds send values for autoscaling, for example 10.0.0.5:25826; port 0 takes a free one; without it none can send values',
      ),
    'loadbalancer.collectdSecurity': z
      .enum(['none', 'sign', 'encrypt'])
      .default('sign')
      .describe('least protection of values from collectd; others are dropped'),
    [collectdAuthFile]: z
      .string()
      .optional()
      .describe(
        'file with a line "user: password" for each sender, like the AuthFile of collectd; only its owner may read it',
      ),
    'retention.scalingDecisionDays': count(1, 3650)
      .default(90)
      .describe('days for which autoscaling decisions are kept; decisions without a change are kept for one day'),
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
      create: async (context, settings) =>
        (await import('./agents/lbhost/host-role.ts')).createHostRole(context, settings),
    },
  ],
  held: (sql, projectId) =>
    countHeld(sql, projectId, {
      'load balancers': 'SELECT COUNT(*) AS count FROM lb_load_balancer WHERE project_id = ? AND live_name IS NOT NULL',
      subnets: 'SELECT COUNT(*) AS count FROM lb_subnet WHERE project_id = ? AND live_name IS NOT NULL',
      'TLS certificates': 'SELECT COUNT(*) AS count FROM lb_certificate WHERE project_id = ? AND live_name IS NOT NULL',
    }),
  async create(context, settings) {
    const { createLoadBalancerSubgraph } = await import('./loadbalancer.ts');
    const port = settings[linkPort];
    const tls = port === undefined ? undefined : await context.tlsOf('loadbalancer');
    if (port !== undefined && tls === undefined)
      throw new ConfigError([
        {
          settings: [linkPort],
          wrong: 'hosts connect by mutual TLS only, and this process has no certificate for it',
          given: String(port),
          advice: 'set internal.machineFolder (tidegate join) or internal.tls',
        },
      ]);
    const listen = settings[collectdListen];
    const collectd = listen === undefined ? undefined : collectdAddress(listen);
    const level = settings['loadbalancer.collectdSecurity'];
    const authFile = settings[collectdAuthFile];
    if (collectd !== undefined && level !== 'none' && authFile === undefined)
      throw new ConfigError([
        {
          settings: [collectdAuthFile],
          wrong: 'signed or encrypted values from collectd need the passwords of their senders',
          advice:
            'set it to a file with a line "user: password" for each, or set loadbalancer.collectdSecurity to none',
        },
      ]);
    return createLoadBalancerSubgraph({
      ...context,
      sealKeys: await context.sealer(),
      settings: {
        zone: settings['loadbalancer.zone'],
        dnsTtlSeconds: settings['loadbalancer.dnsTtlSeconds'],
        nameRestMs: nameRestMsIn(settings),
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
      ...(collectd === undefined
        ? {}
        : { collectd: { ...collectd, level, ...(authFile === undefined ? {} : { authFile }) } }),
    });
  },
  async work(context, settings) {
    const { db, wake, egress } = context;
    const { createReconcileQueue } = await import('./control/reconcile/reconcile-queue.ts');
    const { createNodeChecks } = await import('./control/nodes/node-checks.ts');
    const { dnsNames } = await import('./control/balancers/dns-names.ts');
    const { retentionSteps } = await import('./control/retention.ts');
    // Applies without DNS servers too: names then count as published, and are ready for servers that are added later.
    const nameRestMs = nameRestMsIn(settings);
    const names = dnsNames({ wake, ttlSeconds: settings['loadbalancer.dnsTtlSeconds'], nameRestMs });
    const { createScalingWork } = await import('./control/scaling/scaling-work.ts');
    const scaling = createScalingWork(context, { changedMs: settings['retention.scalingDecisionDays'] * dayMs });
    return {
      checks: [
        createNodeChecks({
          ...{ db, wake, egress },
          settings: {
            intervalMs: settings['loadbalancer.nodeCheck.intervalMs'],
            timeoutMs: settings['loadbalancer.nodeCheck.timeoutMs'],
            fall: settings['loadbalancer.nodeCheck.fall'],
            rise: settings['loadbalancer.nodeCheck.rise'],
            managementRanges: settings['loadbalancer.managementRanges'],
          },
        }),
      ],
      queues: [
        createReconcileQueue({
          ...{ db, wake, names },
          settings: {
            replacedNodeKeepMs: settings['loadbalancer.replacedNodeKeepMs'],
            nodeDrainMs: settings['loadbalancer.nodeDrainMs'],
            nodeBuildMs: settings['loadbalancer.nodeBuildMs'],
            hostGoneMs: settings['loadbalancer.hostGoneMs'],
            mostTakeBacks: settings['loadbalancer.mostTakeBacks'],
            addressRestMs: settings['loadbalancer.dnsTtlSeconds'] * 1_000 + settings['loadbalancer.addressRestMs'],
          },
        }),
        ...scaling.queues,
      ],
      retention: [...retentionSteps(db), ...scaling.retention],
    };
  },
  async reseal(db, options) {
    const { resealCertificates } = await import('./control/certificates/reseal.ts');
    return resealCertificates(db, options);
  },
});

/** Undefined if the text is not one. */
function collectdAddress(text: string): { readonly host: string; readonly port: number } | undefined {
  const [, host = '', port = ''] = /^(.+):(\d{1,5})$/.exec(text) ?? [];
  const address = host.replace(/^\[(.*)\]$/, '$1');
  return isIP(address) === 0 || Number(port) > 65_535 ? undefined : { host: address, port: Number(port) };
}
