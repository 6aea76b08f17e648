// A project chooses the blocks of its subnets freely, and nodes reach them through their host's network. So a subnet
// must not open any address that the egress policy denies.
import { beforeAll, expect, test } from '@jest/globals';
import { newUuid } from '../../../../../platform/values/ids.ts';
import { forFile } from '../../../../support/jest/shared.ts';
import { BalancerGraph, type Input, identity, projectA, projectId } from '../../support/balancer-graph.ts';
import { connectHost } from '../../support/host-records.ts';

const graph = forFile(() => BalancerGraph.open());
let subnetId: string;

beforeAll(async () => {
  await graph.db.transaction((tx) =>
    connectHost(...([tx, graph.wake, { id: newUuid(), name: 'host' }] as const), {
      ...{ provider: 'NETNS', site: null, tunnelAddress: null, maxNodes: 5, healthPort: 18_999 },
      ...{ publicRange: '198.51.100.0/24', managementRange: '203.0.113.0/24' },
    }),
  );
  // It contains a service with cloud credentials.
  const subnet = { name: 'clouds', cidr: '100.100.100.0/24', projectId: projectId(projectA) };
  subnetId = (await graph.make('projectSubnetCreate', subnet, 'projectSubnet { id }')).id;
});

const denied = '100.100.100.200';

test('a load balancer in a subnet gets no member that the egress policy denies, by any mutation', async () => {
  const pool = (members: readonly Input[]) => [{ name: 'web', memberProtocol: 'HTTP', members }];
  const tree = (name: string, members: readonly Input[]) => ({ name, subnetId, pools: pool(members) });
  const faults = async (mutation: string, input: Input) => (await graph.mutate(mutation, input)).faults;
  expect(await faults('loadBalancerCreate', tree('one', [{ host: denied, port: 80 }]))).toEqual([
    'EGRESS_DENIED input.pools.0.members.0.host',
  ]);
  const made = await graph.make<{ readonly pools: readonly { readonly id: string; readonly members: unknown }[] }>(
    'loadBalancerCreate',
    tree('two', [{ host: '100.100.100.10', port: 80 }]),
    'loadBalancer { pools { id members { nodes { id } } } }',
  );
  const poolId = made.pools[0]?.id;
  expect(await faults('poolMemberCreate', { poolId, host: denied, port: 80 })).toEqual(['EGRESS_DENIED input.host']);
  const checked = { poolId, host: '100.100.100.11', port: 80, monitorHost: denied };
  expect(await faults('poolMemberCreate', checked)).toEqual(['EGRESS_DENIED input.monitorHost']);
  expect(await faults('poolMembersSet', { id: poolId, members: [{ host: denied, port: 80 }] })).toEqual([
    'EGRESS_DENIED input.members.0.host',
  ]);
  const { entity } = await graph.mutate(
    'poolMemberCreate',
    { poolId, host: '100.100.100.12', port: 80 },
    identity('MEMBER'),
    'poolMember { id }',
  );
  expect(await faults('poolMemberUpdate', { id: entity?.id, monitorHost: denied })).toEqual([
    'EGRESS_DENIED input.monitorHost',
  ]);
});
