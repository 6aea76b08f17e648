// Load balancers and the nouns of their parts.
import { expect } from '@jest/globals';
import { encodeId, newUuid } from '../../../../platform/values/ids.ts';
import { byId, done, each, list, type Row, refused, type Scenes } from '../command-table.ts';
import type { Answers } from '../graph-server.ts';

const at = '2026-01-31T12:00:00.000Z';
const ok = { provisioningStatus: 'ACTIVE', operatingStatus: 'ONLINE', operatingReason: null };
const pool = { ...ok, id: 'P1', name: 'default', memberProtocol: 'HTTP', algorithm: 'ROUND_ROBIN' };
const balancer = (steps: readonly string[], nodeState = 'BUILDING', provisioningStatus = 'PENDING') => ({
  ...{ id: 'LB1', name: 'web', description: '', tags: [], fqdn: 'web.default.lb.test', addresses: [] },
  ...{ urls: ['http://web.default.lb.test/'], topology: 'SPREAD', enabled: true, minNodes: 2, maxNodes: 6 },
  ...{ wantedNodes: 2, generation: 1, provisioningStatus, provisioningReason: null, operatingStatus: 'ONLINE' },
  ...{ operatingReason: null, listeners: [], pools: [pool], scalingDecisions: () => ({ nodes: [] }) },
  nodes: [
    {
      ...{ id: 'N1', name: 'n1', nodeState, sessions: null as number | null, nodeStateReason: null },
      ...{ address: '192.0.2.9', appliedGeneration: 1, operatingStatus: 'ONLINE', subnetAddress: null },
      ...{ deleteAt: null, createdAt: at, loadBalancerHost: null as object | null, replaces: null },
      steps: steps.map((name) => ({ name, doneAt: at })),
    },
  ],
});
const serving = balancer([], 'SERVING', 'ACTIVE');
const named = { loadBalancers: list({ id: 'LB1', name: 'web' }) };
const made = { loadBalancerCreate: done({ loadBalancer: { id: 'LB1' } }) };
const member = {
  ...ok,
  id: 'M1',
  host: '192.0.2.10',
  port: 80,
  weight: 1,
  backup: false,
  enabled: true,
  drainUntil: null,
  sessions: null as number | null,
};
const members = (...all: readonly object[]) => ({ pool: () => ({ members: list(...all) }) });
const listener = { ...ok, id: 'L1', name: '', protocol: 'HTTP', port: 80, defaultPool: null };
const policy = {
  ...{ id: 'Y1', name: 'images', action: 'REDIRECT_TO_POOL', position: 5, redirectUrl: null, redirectPrefix: null },
  ...{ redirectCode: null, enabled: true, operatingStatus: 'ONLINE', redirectPool: { id: 'P1', name: 'default' } },
  l7Rules: [
    {
      ...{ id: 'R1', ruleType: 'PATH', compareType: 'STARTS_WITH', key: null, value: '/images' },
      ...{ invert: true, enabled: true },
    },
  ],
};
const withPolicies = (...l7Policies: readonly object[]) => ({
  ...named,
  loadBalancer: () => ({ ...balancer([]), listeners: [{ ...listener, l7Policies }] }),
});
const atPort = '--loadbalancer web --listener 80';
const tls = '--loadbalancer web --protocol terminated_https --tls-certificate shop --tls-certificate';
const otherCertificate = encodeId('TlsCertificate', newUuid());
const quota = { kind: 'NODES', limit: 9, used: 2 };
const subnet = {
  ...{ id: 'S1', name: 'inner', cidr: '10.0.0.0/24', provisioningStatus: 'ACTIVE', version: 1, createdAt: at },
  ...{ updatedAt: at, project: { id: 'PR1', name: 'p' } },
};
const figures = {
  ...{ startedAt: at, requests: 12, errors: 2, serverErrors: 1, sessions: 3 },
  ...{ bytesIn: 700, bytesOut: 9_000, latencyMs: 4 },
};
const traffic = () => [figures];
const trafficLine = `${at} 12 2 1 3 700 9000 4 ms`;

/** The results of successive reads. The last one stays. */
const looks = (...left: object[]) =>
  Object.assign(() => (left.length > 1 ? left.shift() : left[0]), { left: left as readonly object[] });
const wrongUse = (lines: Readonly<Record<string, string>>): readonly Row[] =>
  Object.entries(lines).map(([run, err]) => ({ run, exit: 64, err }));

const failover = looks(serving, serving, serving, balancer([], 'DRAINING', 'ACTIVE'), serving);
const placed = balancer(['PLACED', 'MADE']);
const hosted = { ...placed, nodes: placed.nodes.map((node) => ({ ...node, loadBalancerHost: { name: 'host1' } })) };
const ofNode = (of: typeof serving) => ({ loadBalancer: () => of, loadBalancerNode: () => of.nodes[0] });
const draining = (sessions: number | null, countedUntil: string | null = null): Answers => {
  const of = balancer(['PLACED'], 'DRAINING', 'ACTIVE');
  const stats = { activeConnections: 0, totalRequests: 0, requestErrors: 0, bytesIn: 0, bytesOut: 0, countedUntil };
  return ofNode({ ...of, ...{ stats }, nodes: of.nodes.map((node) => ({ ...node, sessions })) });
};
const healed = (changedAt: string, name: string, id: string) => ({
  ...{ changedAt, to: 'REPLACE', reason: 'its health checks fail' },
  subject: { __typename: 'LoadBalancerNode', name, loadBalancer: { id } },
});
const autoscaled = (autoscaling: object | null) =>
  done({ loadBalancer: { id: 'LB1', name: 'web', minNodes: 2, maxNodes: 6, autoscaling } });
const policies = (requests: readonly Record<string, unknown>[]) =>
  requests.filter(({ input }) => 'policy' in ((input ?? {}) as object));
const scaled = { ...serving, autoscaling: null as object | null };

export const balancers: Scenes = {
  'create sends the whole tree, shows each step once, and prints the URL': {
    answers: {
      ...made,
      loadBalancer: looks(
        balancer(['PLACED']),
        balancer(['PLACED', 'MADE', 'CONFIGURED']),
        balancer(['PLACED', 'MADE', 'CONFIGURED', 'CHECKED', 'IN_DNS'], 'SERVING', 'ACTIVE'),
      ),
    },
    rows: [
      {
        run: 'loadbalancers create web --http 80 --member 192.0.2.10:80 --member [2001:db8::1]:80 --check http:/ --nodes 2..6 --requests-per-node 1000 --cmp tenant/42',
        out: 'n1 PLACED 192.0.2.9\nn1 MADE\nn1 CONFIGURED\nn1 CHECKED\nn1 IN_DNS\nn1 SERVING\nhttp://web.default.lb.test/\n',
        also: ({ requests }) =>
          expect(requests[0]).toMatchObject({
            input: {
              ...{ name: 'web', minNodes: 2, maxNodes: 6, autoscaling: { requestsPerNode: 1_000 } },
              cmpObject: { namespace: 'default', type: 'tenant', externalId: '42' },
              listeners: [{ protocol: 'HTTP', port: 80, defaultPool: 'default' }],
              pools: [
                {
                  ...{ name: 'default', memberProtocol: 'HTTP', healthMonitor: { monitorType: 'HTTP', path: '/' } },
                  members: [{ host: '192.0.2.10', port: 80 }, { host: '2001:db8::1', port: 80 }], // biome-ignore format: two members
                },
              ],
            },
          }),
      },
    ],
  },
  'create takes the topology and the size of nodes, update their size; list takes a tag': {
    answers: {
      ...made,
      loadBalancers: list({ ...serving, tags: ['blue'] }),
      loadBalancer: () => serving,
      loadBalancerUpdate: done({ loadBalancer: serving }),
    },
    rows: [
      {
        run: 'loadbalancers create web --topology active_standby --node-connections 900 --node-threads 2',
        input: { topology: 'ACTIVE_STANDBY', nodeSize: { connections: 900, threads: 2 } },
      },
      { run: 'loadbalancers update web --node-threads 4', input: { id: 'LB1', nodeSize: { threads: 4 } } },
      { run: 'loadbalancers list --tag blue', out: 'web ACTIVE…', sent: { tag: 'blue' } },
    ],
  },
  'what is not in effect in time is told with exit code 4, and what it waits for; a refusal is told with its field': {
    answers: {
      ...made,
      loadBalancer: () => ({ ...balancer([]), provisioningReason: '2 of 2 nodes have no host' }),
    },
    rows: [
      { run: 'loadbalancers create web --wait 1', exit: 4, err: '2 of 2 nodes have no host; it is tried on' },
      {
        run: `loadbalancers create ${'x'.repeat(64)}`,
        answers: { loadBalancerCreate: refused('TOO_LONG', 'name has 64 characters', 'input', 'name') },
        ...{ exit: 1, err: 'name has 64 characters' },
      },
    ],
  },
  'wrong use of create': {
    rows: wrongUse({
      'loadbalancers create web --tcp 53 --http 80': 'give --tcp, or --http and --https',
      'loadbalancers create web --https 443': '--https needs --tls-certificate',
      'loadbalancers create web --member 192.0.2.1': "--member takes HOST:PORT, not '192.0.2.1'",
      'loadbalancers create web --check ping': '--check takes http:PATH, https:PATH, tcp or tls',
      'loadbalancers create web --check tcp:/x': '--check takes http:PATH',
      'loadbalancers create web --nodes 2 --requests-per-node 9': '--requests-per-node needs --nodes MIN..MAX',
      'loadbalancers create web --nodes 2-6': '--nodes takes a number or MIN..MAX',
      'loadbalancers create web --cmp tenant': "'tenant' is not TYPE/ID",
    }),
  },
  'members are named by host and port, in the only pool or a named one': {
    answers: {
      ...{ ...named, ...members(member), loadBalancer: () => serving },
      poolMemberDrain: done({ poolMember: { ...member, operatingStatus: 'DRAINING' } }),
    },
    rows: [
      { run: 'members list --pool web', out: '192.0.2.10:80 1 ACTIVE ONLINE…' },
      {
        ...{ run: 'members list --pool web', out: '192.0.2.10:80 1 ACTIVE DRAINING, 3 sessions left…' },
        answers: members({ ...member, operatingStatus: 'DRAINING', sessions: 3 }),
      },
      {
        run: 'members drain 192.0.2.10:80 --pool web/default --deadline 5',
        ...{ out: 'Operating DRAINING', input: { id: 'M1', deadlineMs: 5_000 } },
      },
      { run: 'members delete 192.0.2.11:80 --pool web', exit: 1, err: "no member '192.0.2.11:80'" },
    ],
  },
  'listeners are named by port, certificates by name or id; a pool that is not there is told': {
    answers: {
      ...named,
      node: () => null,
      tlsCertificates: list({ __typename: 'TlsCertificate', id: 'C1', name: 'shop', project: null }),
      loadBalancer: () => serving,
      listenerCreate: done({ listener: { id: 'L1', port: 443, protocol: 'TERMINATED_HTTPS' } }),
    },
    rows: [
      {
        run: `listeners create 443 ${tls} ${otherCertificate} --default-pool default`,
        out: 'web listens at port 443\n',
        input: {
          ...{ loadBalancerId: 'LB1', port: 443, protocol: 'TERMINATED_HTTPS', defaultPoolId: 'P1' },
          certificateIds: ['C1', otherCertificate],
        },
      },
      { run: `listeners create 443 ${tls} none`, exit: 1, err: "there is no certificate 'none'" },
      {
        run: 'listeners create 80 --loadbalancer web --default-pool none',
        ...{ exit: 1, err: "there is no pool 'none' in 'web'" },
      },
    ],
  },
  'L7 policies are named in their listener, rules by id': {
    answers: {
      ...withPolicies(policy),
      l7PolicyCreate: done({ l7Policy: { id: 'Y2', name: 'old' } }),
      l7PolicyUpdate: done({ l7Policy: policy }),
      l7PolicyDelete: done({ l7Policy: policy }),
      l7RuleCreate: done({ l7Rule: { id: 'R2' } }),
      l7RuleUpdate: done({ l7Rule: { id: 'R1', loadBalancer: { id: 'LB1' } } }),
      l7RuleDelete: done({ l7Rule: { id: 'R1' } }),
    },
    rows: [
      {
        run: `l7policies list ${atPort}`,
        out: 'images 5 REDIRECT_TO_POOL default ONLINE PATH STARTS_WITH /images Y1',
      },
      { run: `l7rules list ${atPort} --policy images`, out: 'PATH - not STARTS_WITH /images ON R1' },
      {
        run: `l7policies create old ${atPort} --action redirect_to_pool --redirect-pool default`,
        input: { listenerId: 'L1', name: 'old', redirectPoolId: 'P1' },
      },
      {
        run: `l7policies update images ${atPort} --off --position 1`,
        input: { id: 'Y1', enabled: false, position: 1 },
      },
      {
        run: `l7rules create ${atPort} --policy Y1 --type header --key x-kind --compare equal_to --value a --invert`,
        out: 'R2\n',
        input: { l7PolicyId: 'Y1', ruleType: 'HEADER', key: 'x-kind', value: 'a', invert: true },
      },
      { run: 'l7rules update R1 --value /pictures', input: { id: 'R1', value: '/pictures' } },
      { run: 'l7rules delete R1', out: 'R1 is deleted\n' },
      { run: `l7policies delete images ${atPort}`, out: 'images is deleted\n' },
    ],
  },
  'what is not there, or is there twice, and wrong use of the parts': {
    answers: withPolicies(policy, { ...policy, id: 'Y2' }),
    rows: [
      { run: `l7policies delete none ${atPort}`, exit: 1, err: "port 80 has no L7 policy 'none'" },
      { run: `l7policies delete images ${atPort}`, exit: 1, err: "several L7 policies have the name 'images'" },
      {
        run: 'l7policies list --loadbalancer web --listener 81',
        ...{ exit: 1, err: "'web' has no listener at port 81" },
      },
      ...wrongUse({
        [`l7policies update Y1 ${atPort}`]: 'nothing to change was given',
        'l7rules update R1': 'nothing to change was given',
        'quotas update NODES --project p': 'give --quota or --default',
        'quotas update cars --project p --default': 'NAME must be one of LOAD_BALANCERS',
      }),
    ],
  },
  'quotas are listed and changed; a subnet gets another name': {
    answers: {
      projects: list({ id: 'PR1', name: 'p' }),
      loadBalancerQuotas: () => [quota],
      me: () => ({ projects: [{ project: { gslbQuotas: [{ kind: 'NAMES', limit: 100, used: 3 }] } }] }),
      project: byId({ id: 'PR1', name: 'p', gslbQuotas: [{ kind: 'POOLS', limit: 5, used: 1 }] }),
      loadBalancerQuotaSet: done({ loadBalancerQuota: quota }),
      projectSubnets: list(subnet),
      node: () => null,
      projectSubnetUpdate: done({ projectSubnet: { ...subnet, name: 'outer' } }),
    },
    rows: [
      { run: 'quotas list', out: ['NODES 2 9', 'GSLB_NAMES 3 100'] },
      { run: 'quotas list --project p', out: 'GSLB_POOLS 1 5' },
      {
        run: 'quotas update nodes --project p --quota 9',
        ...{ out: 'NODES: at most 9, 2 used\n', input: { projectId: 'PR1', kind: 'NODES', limit: 9 } },
      },
      { run: 'quotas update NODES --project p --default', input: { limit: null } },
      {
        run: 'subnets update inner --rename outer',
        ...{ out: 'inner is outer now\n', input: { id: 'S1', name: 'outer' } },
      },
    ],
  },
  'traffic of a load balancer, a listener, a node and a member is one table': {
    answers: {
      ...named,
      ...members({ ...member, host: '2001:db8::1' }),
      loadBalancer: () => ({ ...serving, listeners: [listener], traffic }),
      listener: () => ({ traffic }),
      loadBalancerNode: () => ({ traffic: () => [] }),
      poolMember: () => ({ traffic }),
    },
    rows: [
      {
        run: 'loadbalancers traffic web --period minute --periods 5',
        ...{ out: trafficLine, whole: { id: 'LB1', period: 'MINUTE', periods: 5 } },
      },
      {
        run: 'listeners traffic 80 --loadbalancer web',
        ...{ out: trafficLine, whole: { id: 'L1', period: 'SECOND', periods: 10 } },
      },
      { run: 'members traffic [2001:db8::1]:80 --pool web', out: trafficLine },
      { run: 'nodes traffic n1 --loadbalancer web', out: 'no node reported in this time\n' },
      ...wrongUse({ 'loadbalancers traffic web --period day': 'SECOND, MINUTE, HOUR' }),
    ],
  },
  'the status tree has all members, more than a page of them': {
    answers: {
      ...named,
      ...members(
        ...Array.from({ length: 130 }, (_, index) => ({
          ...{ ...member, id: `M${index}`, host: `192.0.2.${index}` },
          ...(index === 129 && { operatingStatus: 'ERROR', operatingReason: 'the answer has status 503' }),
        })),
      ),
      loadBalancer: () => ({
        ...balancer([], 'REPLACED', 'ACTIVE'),
        ...{ operatingStatus: 'DEGRADED', operatingReason: '1 of 2 nodes serve' },
        listeners: [{ ...listener, l7Policies: [{ ...ok, id: 'Y1', name: 'old', action: 'REJECT' }] }],
        pools: [{ ...pool, healthMonitor: { ...ok, id: 'H1', monitorType: 'HTTP' } }],
      }),
    },
    rows: [
      {
        run: 'loadbalancers status web',
        out: [
          ...[
            'web ACTIVE DEGRADED 1 of 2 nodes serve',
            'listener 80 HTTP ACTIVE ONLINE',
            'policy old REJECT ACTIVE ONLINE',
          ],
          ...['health monitor HTTP ACTIVE ONLINE', 'member 192.0.2.129:80 ACTIVE ERROR the answer has status 503'],
          'node n1 192.0.2.9 REPLACED ONLINE',
        ],
        also: ({ stdout }) => expect(stdout.match(/^ *member 192\.0\.2\./gm)).toHaveLength(130),
      },
    ],
  },
  'all nodes, or one, are replaced; --wait ends when others serve in their place': {
    answers: {
      ...named,
      loadBalancer: failover,
      loadBalancerNodesReplace: done({ loadBalancer: { id: 'LB1', name: 'web', provisioningStatus: 'ACTIVE' } }),
      loadBalancerNodeReplace: done({ loadBalancerNode: serving.nodes[0] }),
    },
    rows: [
      {
        run: 'loadbalancers failover web --wait 10',
        out: 'the nodes of web are replaced\n',
        // It read until the old node no longer served.
        also: () => expect(failover.left).toHaveLength(1),
      },
      { run: 'nodes replace n1 --loadbalancer web', out: 'n1 is being replaced\n', input: { id: 'N1' } },
      { run: 'loadbalancers failover web --wait 1', exit: 4, err: '1 of 1 nodes of web are not replaced yet' },
    ],
  },
  'a node is shown with its steps; its host only to those who see hosts': {
    answers: { ...named, ...ofNode(placed) },
    rows: [
      { run: 'nodes show n1 --loadbalancer web', out: 'Step MADE 2026-01-31T12…' },
      { run: 'nodes list --loadbalancer web', without: ['HOST'] },
      {
        run: 'nodes list --loadbalancer web',
        answers: ofNode(hosted),
        also: ({ stdout }) => expect(stdout).toMatch(/HOST.*\n.*host1/),
      },
    ],
  },
  'of a node that drains, the sessions that are left are told': {
    answers: { ...named, ...draining(null) },
    rows: [
      { run: 'nodes list --loadbalancer web', out: 'n1 DRAINING ONLINE…' },
      { run: 'nodes list --loadbalancer web', answers: draining(1), out: 'n1 DRAINING, 1 session left ONLINE…' },
      ...each(['nodes show n1 --loadbalancer web', 'loadbalancers show web'], {
        ...{ answers: draining(0), out: '…DRAINING, 0 sessions left…' },
      }),
    ],
  },
  'the sums of its traffic say until when they count': {
    answers: { ...named, ...draining(0, '2026-01-31T12:05:00.000Z') },
    rows: [
      { run: 'loadbalancers show web', out: 'Sums as of 12:05:00 UTC: later requests are not counted yet.' },
      { run: 'loadbalancers show web', answers: draining(0), out: 'No minute was counted yet.' },
    ],
  },
  'decisions of healing and autoscaling are one list, newest first, without those of others': {
    answers: {
      ...named,
      loadBalancer: () => ({
        ...{ id: 'LB1', name: 'web', project: { id: 'P' } },
        scalingDecisions: list({
          ...{ fromNodes: 2, recommendedNodes: 3, reason: 'load is 92 %', dryRun: true, figures: [] },
          ...{ decidedAt: '2026-01-31T12:00:01.000Z', action: 'GROW', toNodes: 3 },
        }),
      }),
      statusHistory: list(
        healed('2026-01-31T12:00:02.000Z', 'n1', 'LB1'),
        healed('2026-01-31T12:00:03.000Z', 'x1', 'LB2'),
      ),
    },
    rows: [
      {
        run: 'loadbalancers decisions web',
        also: ({ stdout }) =>
          expect(stdout.replaceAll(/ {2,}/g, '  ').split('\n').slice(1)).toEqual([
            '2026-01-31T12:00:02.000Z  healing  REPLACE n1  its health checks fail',
            '2026-01-31T12:00:01.000Z  autoscaling  GROW 2 → 3 (dry run)  load is 92 %',
            '',
          ]),
      },
    ],
  },
  'a range of nodes is for autoscaling also when it comes later; a policy that there is stays': {
    answers: {
      ...named,
      loadBalancer: () => scaled,
      loadBalancerUpdate: () => done({ loadBalancer: { ...scaled } })(),
      autoscalingPolicySet: () => {
        const schedule = [{ days: [1, 7], from: '08:00', to: '18:00', minNodes: 4, maxNodes: 5 }];
        scaled.autoscaling = { targetPercent: 60, dryRun: false, signal: 'LOAD', schedule };
        return done({ loadBalancer: scaled })();
      },
    },
    rows: [
      { run: 'loadbalancers update web --nodes 3', also: ({ requests }) => expect(policies(requests)).toEqual([]) },
      {
        run: 'loadbalancers update web --nodes 2..6',
        out: ['Autoscaling for a load of 60 %', '4 to 5 from 08:00 to 18:00 on mon, sun'],
        also: ({ requests }) =>
          expect(policies(requests)).toMatchObject([{ input: { loadBalancerId: 'LB1', policy: {} } }]),
      },
      { run: 'loadbalancers update web --nodes 2..8', also: ({ requests }) => expect(policies(requests)).toEqual([]) },
    ],
  },
  'autoscaling is set anew, and ended': {
    answers: {
      ...named,
      autoscalingPolicySet: autoscaled({ targetPercent: 50, dryRun: true, signal: 'LOAD' }),
      autoscalingPolicyDelete: autoscaled(null),
    },
    rows: [
      {
        run: 'loadbalancers autoscale web --target 50 --cooldown 90 --only-decide',
        out: '…2 to 6 nodes, for a load of 50 % (dry run…',
        input: { loadBalancerId: 'LB1', policy: { targetPercent: 50, cooldownMs: 90_000, dryRun: true } },
      },
      {
        run: 'loadbalancers autoscale web --off',
        ...{
          out: 'web has 2 nodes\n',
          whole: { input: { idempotencyKey: expect.any(String), loadBalancerId: 'LB1' } },
        },
      },
      {
        run: 'loadbalancers autoscale web --schedule mon-wed,fri@08:00-18:00=4..10 --schedule sun-mon@22:00-06:00=1..2 --schedule daily@00:00-00:00=2..3 --time-zone CET',
        out: '…',
        input: {
          policy: {
            timeZone: 'CET',
            schedule: [
              { days: [1, 2, 3, 5], from: '08:00', to: '18:00', minNodes: 4, maxNodes: 10 },
              { days: [7, 1], from: '22:00', to: '06:00', minNodes: 1, maxNodes: 2 },
              { days: [1, 2, 3, 4, 5, 6, 7], from: '00:00', to: '00:00', minNodes: 2, maxNodes: 3 },
            ],
          },
        },
      },
      ...each(
        ['monday@08:00-18:00=4..10', 'mon-@08:00-18:00=4..10', 'mon@8-18=4..10', 'mon@08:00-18:00=4'].map(
          (wrong) => `loadbalancers autoscale web --schedule ${wrong}`,
        ),
        { exit: 64, err: '--schedule takes DAYS@FROM-TO' },
      ),
      ...wrongUse({ 'loadbalancers autoscale web --off --target 50': '--off takes no other settings' }),
    ],
  },
};

const onNodes = {
  ...{ configuration: '-  weight 1\n+  weight 5\n', commands: ['set server p/m weight 5'], reloads: false },
  ...{ reloadReason: null, replacesNodes: false, wantedNodes: 2, userErrors: [] },
};
const preview = (more: object | null): Answers => ({ loadBalancerPreview: () => more && { ...onNodes, ...more } });
const l7 = `${atPort} --policy images`;
const inPool = '192.0.2.10:80 --pool web';
/** By command, the change whose effect the server is asked to preview. */
const previews: Readonly<Record<string, object>> = {
  'loadbalancers update web --nodes 3..4': { loadBalancerUpdate: { id: 'LB1', minNodes: 3, maxNodes: 4 } },
  'loadbalancers delete web': { loadBalancerDelete: { id: 'LB1' } },
  'loadbalancers autoscale web --target 50': {
    autoscalingPolicySet: { loadBalancerId: 'LB1', policy: { targetPercent: 50, dryRun: false } },
  },
  'loadbalancers autoscale web --off': { autoscalingPolicyDelete: { loadBalancerId: 'LB1' } },
  'listeners create 81 --loadbalancer web': { listenerCreate: { loadBalancerId: 'LB1', port: 81, protocol: 'HTTP' } },
  'listeners update 80 --loadbalancer web --connection-limit 9': { listenerUpdate: { id: 'L1', connectionLimit: 9 } },
  'listeners delete 80 --loadbalancer web': { listenerDelete: { id: 'L1' } },
  'pools delete default --loadbalancer web': { poolDelete: { id: 'P1' } },
  'members create 192.0.2.2:80 --pool web': {
    poolMemberCreate: { poolId: 'P1', host: '192.0.2.2', port: 80, backup: false },
  },
  [`members update ${inPool} --weight 5`]: { poolMemberUpdate: { id: 'M1', weight: 5 } },
  [`members drain ${inPool}`]: { poolMemberDrain: { id: 'M1' } },
  [`members drain ${inPool} --end`]: { poolMemberDrainCancel: { id: 'M1' } },
  [`members delete ${inPool}`]: { poolMemberDelete: { id: 'M1' } },
  [`l7policies create new ${atPort} --action reject`]: {
    l7PolicyCreate: { listenerId: 'L1', name: 'new', action: 'REJECT' },
  },
  [`l7policies update images ${atPort} --off`]: { l7PolicyUpdate: { id: 'Y1', enabled: false } },
  [`l7policies delete images ${atPort}`]: { l7PolicyDelete: { id: 'Y1' } },
  [`l7rules create ${l7} --type path --compare equal_to --value /a`]: {
    l7RuleCreate: { l7PolicyId: 'Y1', ruleType: 'PATH', compareType: 'EQUAL_TO', value: '/a', invert: false },
  },
  'l7rules update R1 --value /b': { l7RuleUpdate: { id: 'R1', value: '/b' } },
  'l7rules delete R1': { l7RuleDelete: { id: 'R1' } },
};

export const balancerPreviews: Scenes = {
  '--preview asks what the change does to the nodes, and sends no mutation': {
    answers: {
      ...{ ...withPolicies(policy), ...members(member), ...preview({}) },
      l7Rule: () => ({ loadBalancer: { id: 'LB1' } }),
    },
    rows: Object.entries(previews).map(([line, change]) => ({
      run: `${line} --preview`,
      out: '2 nodes; HAProxy does not reload\n> set server p/m weight 5\n-  weight 1\n+  weight 5\n',
      ...{ whole: { id: 'LB1', change }, inputs: [] },
    })),
  },
  'a preview tells of a reload, of nodes that go or are replaced, and of refusals': {
    answers: named,
    rows: [
      {
        ...{ answers: preview({ reloads: true, reloadReason: 'the listener l changed' }) },
        out: '2 nodes; HAProxy reloads: the listener l changed…',
      },
      { answers: preview({ wantedNodes: 0 }), out: '…all nodes are deleted…' },
      {
        ...{ answers: preview({ replacesNodes: true }) },
        out: '…2 nodes, which are replaced one by one by nodes of another size…',
      },
      {
        answers: preview({ userErrors: [{ code: 'IN_USE', message: 'used', field: ['change', 'x'] }] }),
        ...{ exit: 1, err: 'IN_USE: used (change.x)' },
      },
      { answers: preview(null), exit: 1, err: "there is no load balancer 'LB1'" },
    ].map((row) => ({ ...row, run: 'loadbalancers update web --off --preview' })),
  },
};
