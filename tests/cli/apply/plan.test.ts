// The plan of an applied file: what is compared, sent and left unchanged. Pure.
import { describe, expect, test } from '@jest/globals';
import { keyFor } from '../../../cli/apply/carry-out.ts';
import { differences } from '../../../cli/apply/compare.ts';
import type { Existing } from '../../../cli/apply/existing.ts';
import { readManifests } from '../../../cli/apply/manifests.ts';
import { planManifests } from '../../../cli/apply/plan.ts';
import { ownIdOfPolicy } from '../../../cli/apply/settings.ts';
import { encodeId, newUuid } from '../../../platform/values/ids.ts';
import type { JsonObject } from '../../../platform/values/json.ts';
import { defaultPolicy } from '../../../subgraphs/loadbalancer/rules/scaling-policy.ts';

const member = (id: string, host: string, more: object = {}) => ({
  ...{ id, version: 4, name: '', host, port: 80, weight: 1, backup: false, monitorHost: null, monitorPort: null },
  ...{ enabled: true, tags: [], ...more },
});
const rule = (id: string, ruleType: string, value: string) => ({
  ...{ id, version: 1, ruleType, compareType: 'EQUAL_TO', key: null, value, invert: false, enabled: true, tags: [] },
});
const pool = {
  ...{ id: 'P1', version: 2, name: 'default', description: '', memberProtocol: 'HTTP', algorithm: 'ROUND_ROBIN' },
  ...{ drainMs: 5_000, persistence: { type: 'HTTP_COOKIE', cookieName: 'SRV', timeoutMs: null }, tags: [] },
  ...{ clientCertificate: null, members: [member('M1', '192.0.2.1'), member('M2', '192.0.2.2')] },
  healthMonitor: { id: 'H1', version: 3, monitorType: 'HTTP', path: '/', intervalMs: 2_000 },
};
const listener = {
  ...{ id: 'L1', version: 6, name: '', protocol: 'TERMINATED_HTTPS', port: 443, connectionLimit: 100 },
  ...{ defaultPool: { id: 'P1', name: 'default' }, certificates: [{ id: 'C1' }] },
  l7Policies: [
    {
      ...{ id: 'Y1', version: 1, name: 'old', action: 'REJECT', position: 1, redirectPool: null },
      l7Rules: [rule('R1', 'PATH', '/a'), rule('R2', 'HOST_NAME', 'a.test')],
    },
  ],
};
const here = {
  balancers: [
    {
      ...{ id: 'LB1', version: 7, generation: 9, name: 'web', description: '', tags: [], enabled: true },
      ...{ topology: 'SPREAD', minNodes: 2, maxNodes: 4, nodeSize: { connections: 5_000, threads: 1 } },
      ...{ provisioningStatus: 'ACTIVE', cmpObject: null, subnet: { id: 'S1', name: 'inner' } },
      autoscaling: { version: 3, ...defaultPolicy },
      ...{ pools: [pool], listeners: [listener] },
    },
  ],
  certificates: [{ id: 'C1', version: 1, name: 'old', chain: 'PEM' }],
  subnets: [{ id: 'S1', version: 1, name: 'inner', cidr: '10.0.0.0/24' }],
} as unknown as Existing;

const fileOf = (text: string) => ({ path: '/wanted.yaml', short: 'wanted.yaml', folder: '/', text });

async function planned(text: string, { prune = false, existing = here } = {}) {
  const { manifests, faults } = await readManifests([fileOf(text)], { env: {}, allowed: 'all' });
  expect(faults).toEqual([]);
  const plan = planManifests(manifests, existing, { prune, projectId: undefined });
  const sent = plan.steps.flatMap(({ request }) =>
    request === undefined ? [] : [[request.mutation, request.input] as const],
  );
  return { ...plan, sent };
}
const web = (more: string) => planned(`kind: LoadBalancer\nname: web\n${more}`);
const inPool = (more: string) => web(`pools: [{ name: default, memberProtocol: HTTP, ${more} }]`);
const inListener = (more: string) =>
  web(`listeners: [{ protocol: TERMINATED_HTTPS, port: 443, certificateIds: [old], ${more} }]`);

describe('an existing load balancer', () => {
  test.each<[string, () => ReturnType<typeof planned>, readonly (readonly [string, JsonObject])[]]>([
    ['nothing is wanted', () => web(''), []],
    ['all as it is', () => web('minNodes: 2\nnodeSize: { threads: 1 }\nsubnetId: inner\ntopology: SPREAD'), []],
    ['a size of which a part is null', () => web('nodeSize: { connections: 5000, threads: null }'), []],
    [
      'its own fields',
      () => web('maxNodes: 6\nminNodes: 2\ntags: [a]'),
      [['loadBalancerUpdate', { id: 'LB1', expectedVersion: 7, maxNodes: 6, tags: ['a'] }]],
    ],
    [
      'one bound of the nodes',
      () => web('maxNodes: 1'),
      [['loadBalancerUpdate', { id: 'LB1', expectedVersion: 7, maxNodes: 1 }]],
    ],
    ['a pool as it is', () => inPool('drainMs: 5000, persistence: { type: HTTP_COOKIE }'), []],
    [
      'of an object in a pool what the file leaves out is kept',
      () => inPool('persistence: { type: HTTP_COOKIE, timeoutMs: 1000 }'),
      [
        [
          'poolUpdate',
          { id: 'P1', expectedVersion: 2, persistence: { type: 'HTTP_COOKIE', cookieName: 'SRV', timeoutMs: 1_000 } },
        ],
      ],
    ],
    [
      'of another type nothing is kept',
      () => inPool('persistence: { type: SOURCE_IP }'),
      [['poolUpdate', { id: 'P1', expectedVersion: 2, persistence: { type: 'SOURCE_IP' } }]],
    ],
    [
      'null is the default',
      () => inPool('drainMs: null'),
      [['poolUpdate', { id: 'P1', expectedVersion: 2, drainMs: null }]],
    ],
    ['null, where the default is set', () => inPool('algorithm: null'), []],
    [
      'a member: only what differs',
      () => inPool('members: [{ host: 192.0.2.1, port: 80, weight: 9, backup: false }]'),
      [['poolMemberUpdate', { id: 'M1', expectedVersion: 4, weight: 9 }]],
    ],
    [
      'a new member',
      () => inPool('members: [{ host: 192.0.2.3, port: 80 }]'),
      [['poolMemberCreate', { poolId: 'P1', host: '192.0.2.3', port: 80 }]],
    ],
    [
      'a health monitor',
      () => inPool('healthMonitor: { monitorType: HTTP, path: /alive }'),
      [['poolHealthMonitorUpdate', { id: 'H1', expectedVersion: 3, path: '/alive' }]],
    ],
    ['a listener as it is', () => inListener('defaultPool: default'), []],
    [
      'a listener without its pool and limit',
      () => inListener('defaultPool: null, connectionLimit: null'),
      [['listenerUpdate', { id: 'L1', expectedVersion: 6, defaultPoolId: null, connectionLimit: null }]],
    ],
    [
      'a rule with another value is changed, not added',
      () =>
        inListener(
          'l7Policies: [{ name: old, action: REJECT, l7Rules: [{ ruleType: HOST_NAME, compareType: EQUAL_TO, value: b.test }, { ruleType: PATH, compareType: EQUAL_TO, value: /a }] }]',
        ),
      [['l7RuleUpdate', { id: 'R2', expectedVersion: 1, value: 'b.test' }]],
    ],
    [
      'autoscaling is set as a whole, with what the file leaves out',
      () => web('autoscaling: { targetPercent: 50 }'),
      [
        [
          'autoscalingPolicySet',
          { loadBalancerId: 'LB1', policy: { ...defaultPolicy, targetPercent: 50 } as unknown as JsonObject },
        ],
      ],
    ],
    ['no autoscaling', () => web('autoscaling: null'), [['autoscalingPolicyDelete', { loadBalancerId: 'LB1' }]]],
  ])('%s', async (_what, plan, wanted) => {
    const { sent, faults } = await plan();
    expect([sent, faults]).toEqual([wanted, []]);
  });

  test.each([
    [
      'a protocol',
      () => inPool('').then(() => web('pools: [{ name: default, memberProtocol: TCP }]')),
      "memberProtocol can't be changed, it is HTTP",
    ],
    [
      'a monitor',
      () => inPool('healthMonitor: { monitorType: TCP }'),
      "monitorType can't be changed, it is HTTP: delete the health monitor first",
    ],
    ['the topology', () => web('topology: ACTIVE_STANDBY\nminNodes: 2\nmaxNodes: 2'), "topology can't be changed"],
    ['the CMP object', () => web('cmpObject: { type: t, externalId: "1" }'), "cmpObject can't be changed"],
    ['the subnet', () => planned('kind: ProjectSubnet\nname: inner\ncidr: 10.1.0.0/24'), "cidr can't be changed"],
  ])('%s that is fixed is a fault', async (_what, plan, message) => {
    expect((await plan()).faults).toEqual([expect.objectContaining({ message: expect.stringContaining(message) })]);
  });

  test('parts are deleted only with prune, and only in lists that the file has', async () => {
    const text =
      'kind: LoadBalancer\nname: web\npools: [{ name: default, memberProtocol: HTTP, members: [{ host: 192.0.2.1, port: 80 }], healthMonitor: null }]\n';
    expect((await planned(text)).sent).toEqual([]);
    expect((await planned(text, { prune: true })).sent).toEqual([
      ['poolHealthMonitorDelete', { id: 'H1', expectedVersion: 3 }],
      ['poolMemberDelete', { id: 'M2', expectedVersion: 4 }],
    ]);
  });
});

test('a new load balancer is one request; a certificate of the same file is referred to by name until it has an id', async () => {
  const text = `kind: LoadBalancer
name: new
pools: [{ name: p, memberProtocol: HTTP, members: [{ host: 192.0.2.1, port: 80 }] }]
listeners: [{ protocol: TERMINATED_HTTPS, port: 443, defaultPool: p, certificateIds: [old, C1] }]
`;
  expect((await planned(text)).sent).toEqual([
    [
      'loadBalancerCreate',
      {
        name: 'new',
        pools: [{ name: 'p', memberProtocol: 'HTTP', members: [{ host: '192.0.2.1', port: 80 }] }],
        listeners: [{ protocol: 'TERMINATED_HTTPS', port: 443, defaultPool: 'p', certificateIds: ['C1', 'C1'] }],
      },
    ],
  ]);
});

test('a new pool without a health monitor', async () => {
  const text =
    'kind: LoadBalancer\nname: new\npools: [{ name: p, memberProtocol: HTTP, healthMonitor: null, members: [] }]\n';
  const pools = [{ name: 'p', memberProtocol: 'HTTP', healthMonitor: null, members: [] }];
  expect((await planned(text)).sent).toEqual([['loadBalancerCreate', { name: 'new', pools }]]);
});

test('documents without a name are reported as such, and not as repeated', async () => {
  const text = 'kind: LoadBalancer\n---\nkind: LoadBalancer\n---\nkind: AutoscalingPolicy\n';
  const { faults } = await readManifests([fileOf(text)], { env: {}, allowed: 'all' });
  expect(faults.map(({ line, message }) => [line, message])).toEqual([
    [1, 'name is missing'],
    [3, 'name is missing'],
    [5, 'loadBalancer is missing'],
  ]);
});

test('a host name of a member is compared without regard to case', async () => {
  const members = [member('M1', 'app.test')];
  const balancers = here.balancers.map((each) => ({ ...each, pools: [{ ...pool, members }] }));
  const text =
    'kind: LoadBalancer\nname: web\npools: [{ name: default, memberProtocol: HTTP, members: [{ host: App.test, port: 80 }] }]\n';
  const { sent, faults } = await planned(text, { existing: { ...here, balancers } as unknown as Existing });
  expect([sent, faults]).toEqual([[], []]);
});

test('if several projects use a name, none is guessed', async () => {
  const twice = [...here.certificates, { id: 'C2', version: 1, name: 'old', chain: 'OTHER' }];
  const text =
    'kind: LoadBalancer\nname: web\nlisteners: [{ protocol: TERMINATED_HTTPS, port: 443, certificateIds: [old] }]\n';
  const { faults } = await planned(text, { existing: { ...here, certificates: twice } });
  expect(faults).toEqual([
    expect.objectContaining({
      message: expect.stringContaining("several projects have a certificate 'old': give --project"),
    }),
  ]);
});

test('the autoscaling of a new load balancer waits for its id', async () => {
  const text = 'kind: AutoscalingPolicy\nloadBalancer: new\ntargetPercent: 50\n---\nkind: LoadBalancer\nname: new\n';
  expect((await planned(text)).sent.at(-1)).toEqual([
    'autoscalingPolicySet',
    { loadBalancerId: { notYetMade: 'LoadBalancer new' }, policy: { targetPercent: 50 } },
  ]);
});

test('the source still knows a policy that moved from its own document into its load balancer', async () => {
  const [project, id] = [{ id: encodeId('Project', newUuid()) }, encodeId('LoadBalancer', newUuid())];
  const balancers = here.balancers.map((each) => ({ ...each, id, project }));
  const existing = { ...here, balancers } as unknown as Existing;
  const ownId = ownIdOfPolicy(project.id, id);
  const policies = async (text: string) =>
    (await planned(text, { existing })).steps.filter(({ kind }) => kind === 'AutoscalingPolicy');
  const before = await policies('kind: AutoscalingPolicy\nloadBalancer: web\n');
  expect(before).toMatchObject([{ action: 'nothing', ownId, isSourced: true }]);
  for (const autoscaling of ['{}', '{ targetPercent: 50 }', 'null']) {
    const [after] = await policies(`kind: LoadBalancer\nname: web\nautoscaling: ${autoscaling}\n`);
    expect(after).toMatchObject({ ownId });
    expect(after?.isSourced).toBeUndefined();
  }
});

test('a load balancer that is being deleted is not changed', async () => {
  const balancers = here.balancers.map((each) => ({ ...each, provisioningStatus: 'DELETING' as const }));
  const { faults, steps } = await planned('kind: LoadBalancer\nname: web\n', { existing: { ...here, balancers } });
  expect([steps, faults]).toEqual([
    [],
    [expect.objectContaining({ message: expect.stringContaining('is being deleted') })],
  ]);
});

test.each<[string, JsonObject, JsonObject, readonly string[]]>([
  ['another notation of an address', { a: '2001:DB8::0/32' }, { a: '2001:db8::/32' }, []],
  ['line feeds around a certificate', { a: '-----BEGIN\r\nx\n\n' }, { a: '-----BEGIN\nx\n' }, []],
  [
    'blank lines in a chain, and lines of another length',
    { a: '-----BEGIN X-----\nAAAA\n-----END X-----\n\n-----BEGIN X-----\nBB\nBB\n-----END X-----' },
    { a: '-----BEGIN X-----\nAA\nAA\n-----END X-----\n-----BEGIN X-----\nBBBB\n-----END X-----\n' },
    [],
  ],
  ['another certificate', { a: '-----BEGIN X-----\nAAAA\n' }, { a: '-----BEGIN X-----\nAAAB\n' }, ['a']],
  ['null and an empty text or list', { a: null, b: null, c: null }, { a: '', b: [], c: 'x' }, ['c']],
  ['the order of a list', { a: ['x', 'y'] }, { a: ['y', 'x'] }, ['a']],
  ['null and nothing', { a: null }, {}, []],
  ['a number and a text', { a: 1 }, { a: '1' }, ['a']],
  ['part of an object', { a: { b: 1 } }, { a: { b: 1, c: 2 } }, []],
])('compared: %s', (_what, wanted, existing, changed) => {
  expect(differences(wanted, existing).map(({ field }) => field)).toEqual(changed);
});

test('a key is derived from content, state and turn, and not from secrets', () => {
  const request = { mutation: 'tlsCertificateCreate', input: {} } as const;
  const key = (input: JsonObject, seen: number | null = null, turn = 1) => keyFor({ ...request, seen }, input, turn);
  const first = key({ name: 'a', privateKey: 'one' });
  expect(first).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  expect(key({ privateKey: 'two', name: 'a' })).toBe(first);
  expect(new Set([first, key({ name: 'b' }), key({ name: 'a' }, 2), key({ name: 'a' }, null, 2)]).size).toBe(4);
});
