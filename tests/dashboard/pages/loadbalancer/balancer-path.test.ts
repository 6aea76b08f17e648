// The path of a request to a load balancer: links, failed parts, and the total figures of all nodes.
import { expect, test } from '@jest/globals';
import type { Member } from '../../../../dashboard/src/pages/loadbalancer/kinds/member.ts';
import type { BalancerNode } from '../../../../dashboard/src/pages/loadbalancer/kinds/node.ts';
import { balancerPath } from '../../../../dashboard/src/pages/loadbalancer/path/balancer-path.ts';
import type { NodeStatistics } from '../../../../dashboard/src/pages/loadbalancer/statistics/statistics-rows.ts';
import type { Path } from '../../../../dashboard/src/view/path/path-layout.ts';
import type { LoadBalancerTreeFieldsFragment as Tree } from '../../../../generated/dashboard/graphql.ts';
import { statistics } from '../../support/fake-statistics.ts';

const nowMs = Date.now();

const tree = {
  ...{ id: 'lb1', name: 'web', fqdn: 'web.lb.example.net', operatingStatus: 'DEGRADED', addresses: ['198.51.100.1'] },
  listeners: [
    {
      ...{ id: 'l1', name: '', protocol: 'TERMINATED_HTTPS', port: 443, enabled: true, operatingStatus: 'ONLINE' },
      defaultPool: { id: 'pool1' },
      l7Policies: [
        {
          ...{ id: 'po1', name: '', action: 'REDIRECT_TO_POOL', position: 1, enabled: true },
          redirectPool: { id: 'pool2' },
        },
        { ...{ id: 'po2', name: 'off', action: 'REJECT', position: 2, enabled: false }, redirectPool: null },
      ],
    },
  ],
  pools: [
    { id: 'pool1', name: 'shop', algorithm: 'ROUND_ROBIN', enabled: true, operatingStatus: 'DEGRADED' },
    { id: 'pool2', name: '', algorithm: 'SOURCE_IP', enabled: true, operatingStatus: 'ERROR' },
  ],
} as unknown as Tree;

const node = (id: string, patch: Partial<BalancerNode> = {}) =>
  ({
    ...{ id, name: `node-${id}`, address: '198.51.100.1', nodeState: 'SERVING', operatingStatus: 'ONLINE' },
    ...patch,
  }) as BalancerNode;

const member = (id: string, poolId: string, patch: Partial<Member> = {}) =>
  ({
    ...{ id, name: `app-${id}`, host: '10.0.0.1', port: 80, backup: false, enabled: true, operatingStatus: 'ONLINE' },
    ...{ pool: { id: poolId, name: '' }, ...patch },
  }) as Member;

const members = [member('m1', 'pool1'), member('m2', 'pool1', { operatingStatus: 'ERROR', backup: true })];
const nodes = [
  node('n1'),
  node('n2', { operatingStatus: 'ERROR', address: '198.51.100.2' }),
  node('n3', { nodeState: 'BUILDING' }),
];
const table = (id: string, measuredAt?: string): NodeStatistics =>
  ({
    id,
    name: id,
    statistics: statistics(1, [{ id: 'm1', name: 'app-m1' }], measuredAt),
  }) as unknown as NodeStatistics;

function stopOf({ steps }: Path, key: string) {
  return steps.flatMap(({ stops }) => stops).find((stop) => stop.key === key);
}

test('name, serving nodes, listeners, policies in use, pools and members follow each other', () => {
  const path = balancerPath({ tree, nodes, members, statistics: null, nowMs });
  expect(path.steps.map(({ title, stops }) => [title, stops.map(({ key }) => key)])).toEqual([
    ['Name', ['name']],
    ['Node addresses', ['n2', 'n1']],
    ['Listeners', ['l1']],
    ['Policies', ['po1']],
    ['Pools', ['pool1', 'pool2']],
    ['Members', ['m2', 'm1']],
  ]);
  const ways = path.ways.map(({ from, to, isReserve }) => `${from} ${to}${isReserve ? ' reserve' : ''}`);
  expect(new Set(ways)).toEqual(
    new Set([
      ...['name n1', 'name n2', 'n1 l1', 'n2 l1', 'l1 po1', 'po1 pool2', 'l1 pool1'],
      ...['pool1 m1', 'pool1 m2 reserve'],
    ]),
  );
});

test('failed parts are marked, and so are nodes outside DNS', () => {
  const path = balancerPath({ tree, nodes, members, statistics: null, nowMs });
  expect(stopOf(path, 'n2')).toMatchObject({ isDown: true, detail: 'node-n2, not in DNS' });
  expect(stopOf(path, 'n1')).toMatchObject({ isDown: false, detail: 'node-n1', figures: null });
  expect(stopOf(path, 'm2')).toMatchObject({ isDown: true, detail: 'backup' });
  expect(stopOf(path, 'pool2')).toMatchObject({ isDown: true });
  expect(stopOf(path, 'l1')).toMatchObject({ title: 'HTTPS 443', isDown: false });
});

test('figures are the total of all nodes, without those last reported by an absent host', () => {
  const old = new Date(nowMs - 60_000).toISOString();
  const path = balancerPath({ tree, nodes, members, statistics: [table('n1'), table('n2'), table('n9', old)], nowMs });
  expect(stopOf(path, 'name')?.figures).toBe('24/s');
  expect(stopOf(path, 'pool1')?.figures).toBe('24/s, 9 ms');
  expect(stopOf(path, 'm1')?.figures).toBe('24/s, 9 ms');
  expect(stopOf(path, 'n1')?.figures).toBe('12/s');
  const gone = balancerPath({ tree, nodes, members, statistics: [table('n1', old)], nowMs });
  expect(stopOf(gone, 'n1')).toMatchObject({ isOld: true, figures: 'last report 1 min ago' });
  expect(stopOf(gone, 'pool1')?.figures).toBeNull();
});
