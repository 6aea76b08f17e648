// Creates a name with new pools, members and monitors in one mutation.
import { beforeAll, expect, test } from '@jest/globals';
import { encodeId } from '../../../../../platform/values/ids.ts';
import { forFile } from '../../../../support/jest/shared.ts';
import { GslbGraph, type Input, identity, openRight, projectA } from '../../support/gslb-graph.ts';

const graph = forFile(() => GslbGraph.open());
const owner = identity('MEMBER');
const shown = `{ fqdn flavor { name } policy pools { name minUp monitors { name checkType intervalMs }
  members { nodes { name addresses servicePort weight } } } }`;

beforeAll(async () => {
  await graph.make('dnsZoneCreate', { name: 'gslb.test', rights: [openRight('gslb.test')] });
});

const create = (input: Input) => graph.mutate('gslbCreate', input, owner, shown);
const members = [{ addresses: ['203.0.113.1'] }, { addresses: ['203.0.113.2'] }];

test('without a flavor there is no default', async () => {
  const { faults } = await create({ fqdn: 'none.gslb.test', pools: [{ members }] });
  expect(faults).toEqual(['INVALID_INPUT input.flavorId']);
  await graph.make('gslbFlavorCreate', { name: 'only' });
});

test('two fields are enough: a name and a pool with its members', async () => {
  const { told, entity } = await create({ fqdn: 'www.gslb.test', pools: [{ members }] });
  expect(told).toEqual([]);
  expect(entity).toMatchObject({
    ...{ fqdn: 'www.gslb.test', flavor: { name: 'only' }, policy: 'ROUND_ROBIN' },
    pools: [
      {
        ...{ name: 'www-gslb-test', minUp: 1, monitors: [] },
        members: {
          nodes: [
            { name: 'member-1', addresses: ['203.0.113.1'], weight: 1 },
            { name: 'member-2', addresses: ['203.0.113.2'] },
          ],
        },
      },
    ],
  });
});

test('new pools come before existing ones; monitors check the members of their pool', async () => {
  const poolId = await graph.make('gslbPoolCreate', { name: 'spare' }, owner);
  const pool = {
    ...{ name: 'own', members: [{ name: 'eu', addresses: ['203.0.113.3'], servicePort: 8080 }] },
    monitors: [
      { checkType: 'HTTP', parameters: { http: { path: '/health' } } },
      { name: 'ping', checkType: 'ICMP' },
    ],
  };
  const { told, entity } = await create({ fqdn: '*.any.gslb.test', pools: [pool], poolIds: [poolId] });
  expect(told).toEqual([]);
  expect(entity).toMatchObject({
    pools: [
      {
        name: 'own',
        members: { nodes: [{ name: 'eu', servicePort: 8080 }] },
        monitors: [
          { name: 'own-http', checkType: 'HTTP', intervalMs: 5_000 },
          { name: 'ping', checkType: 'ICMP' },
        ],
      },
      { name: 'spare', members: { nodes: [] } },
    ],
  });
});

test('only a monitor of the project with the same name and settings is reused', async () => {
  const health = { name: 'health', checkType: 'HTTP', intervalMs: 6_000, parameters: { http: { path: '/health' } } };
  const make = (fqdn: string, monitor: Input) =>
    graph.mutate(
      'gslbCreate',
      { fqdn, pools: [{ members, monitors: [monitor] }] },
      owner,
      '{ pools { monitors { id } } }',
    );
  const [first, second] = [await make('one.gslb.test', health), await make('two.gslb.test', health)];
  expect([first.told, second.told, second.entity]).toEqual([[], [], first.entity]);
  const other = await make('three.gslb.test', { ...health, intervalMs: 7_000 });
  expect(other.faults).toEqual(['ALREADY_EXISTS input.pools.0.monitors.0.name']);
});

const pool = (change: Input = {}) => ({ name: 'fresh', members, ...change });
test.each<[string, Input, readonly string[]]>([
  ['no pool', {}, ['INVALID_INPUT input.pools']],
  ['a pool without members', { pools: [pool({ members: [] })] }, ['INVALID_INPUT input.pools.0.members']],
  [
    'faults of several parts',
    {
      pools: [
        pool({ minUp: 0 }),
        pool({ name: 'Not A Name', members: [{ addresses: ['203.0.113.1'], weight: -1 }] }),
        pool({ name: 'checked', monitors: [{ checkType: 'HTTP', parameters: { http: { path: 'no-path' } } }] }),
      ],
    },
    [
      'INVALID_INPUT input.pools.0.minUp',
      'INVALID_INPUT input.pools.1.name',
      'INVALID_INPUT input.pools.1.members.0.weight',
      'INVALID_INPUT input.pools.2.monitors.0.parameters.http.path',
    ],
  ],
  ['a name of a pool that exists', { pools: [pool({ name: 'spare' })] }, ['ALREADY_EXISTS input.pools.0.name']],
  [
    'two members of one name',
    { pools: [pool({ members: members.map((each) => ({ ...each, name: 'one' })) })] },
    ['ALREADY_EXISTS input.pools.0.members.1.name'],
  ],
  [
    'addresses and CNAMEs in one pool',
    { pools: [pool({ members: [...members, { memberType: 'FQDN', cname: 'a.example' }] })] },
    ['INVALID_INPUT input.pools.0.members.2.memberType'],
  ],
  ['a name outside of the zone', { fqdn: 'www.example.com', pools: [pool()] }, ['INVALID_INPUT input.fqdn']],
])('%s leaves nothing behind', async (_, change, faults) => {
  const before = await graph.everything();
  expect((await create({ fqdn: 'bad.gslb.test', ...change })).faults).toEqual(faults);
  expect(await graph.everything()).toBe(before);
});

test('a repeated request gets its first answer, and a viewer is refused', async () => {
  const input = { fqdn: 'again.gslb.test', idempotencyKey: 'tree', pools: [{ members }] };
  const first = await graph.make('gslbCreate', input, owner);
  expect(await graph.make('gslbCreate', input, owner)).toBe(first);
  const viewer = await graph.mutate(
    'gslbCreate',
    { ...input, projectId: encodeId('Project', projectA) },
    identity('VIEWER'),
  );
  expect(viewer.faults[0]).toMatch(/^FORBIDDEN/);
});

test('the flavor named default is used when there are several', async () => {
  await graph.make('gslbFlavorCreate', { name: 'other' });
  expect((await create({ fqdn: 'x.gslb.test', pools: [{ members }] })).faults).toEqual([
    'INVALID_INPUT input.flavorId',
  ]);
  await graph.make('gslbFlavorCreate', { name: 'default' });
  expect((await create({ fqdn: 'x.gslb.test', pools: [{ members }] })).entity).toMatchObject({
    flavor: { name: 'default' },
  });
});
