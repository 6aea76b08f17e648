import { expect, test } from '@jest/globals';
import {
  balancerVerdict,
  type Served,
  seenBy,
} from '../../../../../subgraphs/loadbalancer/control/members/balancer-verdict.ts';
import { isFirstCreated } from '../../../../../subgraphs/loadbalancer/rules/operating-status.ts';
import type { OperatingStatus } from '../../../../../subgraphs/loadbalancer/rules/states.ts';
import type { PartName, PartSpec } from '../../../../../subgraphs/loadbalancer/spec/part-kind.ts';

function part(id: string, kind: PartName, parentId: string, spec: PartSpec = {}, drainUntil: Date | null = null) {
  return { id, kind, parentId, spec: { enabled: true, ...spec }, drainUntil };
}

const parts = [
  part('pool', 'Pool', 'lb'),
  part('monitor', 'PoolHealthMonitor', 'pool'),
  part('one', 'PoolMember', 'pool'),
  part('two', 'PoolMember', 'pool'),
  part('http', 'Listener', 'lb', { defaultPool: 'pool' }),
];

const usual = { enabled: true, wantedNodes: 2, isFirstCreated: false, isEnding: false };

function verdict(one: OperatingStatus, two: OperatingStatus, change: Partial<Served> = {}): OperatingStatus {
  const seen = new Map(Object.entries({ one, two }));
  return balancerVerdict({ balancer: usual, parts, seen, servingNodes: 2, ...change }).status;
}

test("a member's status combines the views of all serving nodes, which may disagree", () => {
  expect([seenBy([]), seenBy(['UP', 'UP']), seenBy(['UP', 'DOWN']), seenBy(['DOWN'])]).toEqual([
    ...['UNKNOWN', 'ONLINE', 'DEGRADED', 'ERROR'],
  ]);
});

test("a load balancer's status follows from its listeners, their pools and the members", () => {
  expect(verdict('ONLINE', 'ONLINE')).toBe('ONLINE');
  expect(verdict('ONLINE', 'ERROR')).toBe('DEGRADED');
  expect(verdict('DEGRADED', 'ONLINE')).toBe('DEGRADED');
  expect(verdict('ERROR', 'ERROR')).toBe('ERROR');
  expect(verdict('UNKNOWN', 'UNKNOWN')).toBe('UNKNOWN');
});

test('unmonitored members count as well; disabled and drained ones do not', () => {
  const unmonitored = parts.filter(({ kind }) => kind !== 'PoolHealthMonitor');
  expect(verdict('ERROR', 'ERROR', { parts: unmonitored })).toBe('ONLINE');
  const others = parts.filter(({ kind }) => kind !== 'PoolMember');
  const one = part('one', 'PoolMember', 'pool', { enabled: false });
  const two = part('two', 'PoolMember', 'pool');
  expect(verdict('ERROR', 'ONLINE', { parts: [...others, one, two] })).toBe('ONLINE');
  expect(verdict('ERROR', 'ONLINE', { parts: [...others, { ...one, drainUntil: new Date() }, two] })).toBe('ONLINE');
});

test('too few nodes, none, a disabled one, and a policy that leads to a failing pool', () => {
  expect(verdict('ONLINE', 'ONLINE', { servingNodes: 1 })).toBe('DEGRADED');
  expect(verdict('ONLINE', 'ONLINE', { servingNodes: 0 })).toBe('ERROR');
  expect(verdict('ONLINE', 'ONLINE', { balancer: { ...usual, enabled: false } })).toBe('OFFLINE');
  const more = [
    ...[...parts, part('other', 'Pool', 'lb')],
    part('policy', 'L7Policy', 'http', { redirectPool: 'other' }),
  ];
  expect(verdict('ONLINE', 'ONLINE', { parts: more })).toBe('DEGRADED');
});

test('a load balancer that is being deleted is neither up nor down, because its nodes are not awaited', () => {
  const ending = { ...usual, isEnding: true };
  expect(verdict('ERROR', 'ERROR', { balancer: ending, servingNodes: 0 })).toBe('UNKNOWN');
  expect(verdict('ONLINE', 'ONLINE', { balancer: { ...ending, enabled: false } })).toBe('UNKNOWN');
});

test('it is neither up nor down until its first node served, or its creation failed', () => {
  const creating = { ...usual, isFirstCreated: true };
  expect(verdict('UNKNOWN', 'UNKNOWN', { balancer: creating, servingNodes: 0 })).toBe('UNKNOWN');
  expect(verdict('ONLINE', 'ONLINE', { balancer: creating, servingNodes: 1 })).toBe('DEGRADED');
  expect(verdict('ONLINE', 'ONLINE', { balancer: { ...creating, enabled: false }, servingNodes: 0 })).toBe('OFFLINE');
  const made = { provisioningStatus: 'PENDING', operatingStatus: 'UNKNOWN' } as const;
  expect(isFirstCreated(made, [])).toBe(true);
  expect(isFirstCreated(made, [{ state: 'DELETING' }, { state: 'BUILDING' }])).toBe(true);
  expect(isFirstCreated({ ...made, operatingStatus: 'OFFLINE' }, [])).toBe(true);
  // Its nodes serve, but no member has been checked. Then all nodes go down.
  expect(isFirstCreated(made, [{ state: 'SERVING' }])).toBe(false);
  expect(isFirstCreated(made, [{ state: 'REPLACED' }, { state: 'BUILDING' }])).toBe(false);
  expect(isFirstCreated({ ...made, provisioningStatus: 'ERROR' }, [{ state: 'BUILDING' }])).toBe(false);
  expect(isFirstCreated({ ...made, operatingStatus: 'ERROR' }, [{ state: 'BUILDING' }])).toBe(false);
  expect(isFirstCreated({ ...made, operatingStatus: 'ONLINE' }, [])).toBe(false);
});
