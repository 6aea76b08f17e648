// The standing of pools and GSLBs from their members, and the transition tables.
import { expect, test } from '@jest/globals';
import { toldLatency } from '../../../../subgraphs/gslb/rules/latency.ts';
import { gslbStanding, poolStanding } from '../../../../subgraphs/gslb/rules/standing.ts';
import {
  created,
  operatingChanges,
  operatingStatuses,
  type Provisioning,
  type ProvisioningEvent,
  provisioningAfter,
} from '../../../../subgraphs/gslb/rules/states.ts';
import { seededRandom } from '../../../../trials/random.ts';

const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 1e6));
const up = { up: true, upIn: {}, withheld: false, status: 'ONLINE' } as const;
const down = { up: false, upIn: {}, withheld: false, status: 'OFFLINE' } as const;
const unjudged = { ...down, status: null };

const pool = (minUp: number, ...members: Parameters<typeof poolStanding>[0]['members'][number][]) =>
  poolStanding({ minUp, members });

test('a pool', () => {
  expect(pool(1, up, up)).toEqual({ status: 'ONLINE', message: null });
  expect(pool(1, up, down)).toEqual({ status: 'DEGRADED', message: '1 of 2 members serve for all clients' });
  expect(pool(1, up, { ...up, upIn: { eu: false } }).status).toBe('DEGRADED');
  expect(pool(2, up, down)).toEqual({ status: 'OFFLINE', message: '1 of 2 members serve, and 2 must' });
  expect(pool(1, up, { ...down, withheld: true }).status).toBe('ONLINE');
  expect(pool(1, { ...up, withheld: true }).status).toBe('OFFLINE');
  expect(pool(1, unjudged, unjudged).status).toBeNull();
  expect(pool(1, unjudged, down).status).toBe('OFFLINE');
  expect(pool(1)).toEqual({ status: 'ERROR', message: 'it has no member' });
});

test('a GSLB', () => {
  const of = (
    pools: ReturnType<typeof pool>[],
    before: Parameters<typeof operatingChanges>[0] = null,
    fault: string | null = null,
  ) => gslbStanding({ pools, before, fault });
  expect(of([pool(1, up)])).toEqual({ status: 'ONLINE', message: null });
  expect(of([pool(1, up), pool(1, down)]).status).toBe('DEGRADED');
  expect(of([pool(1, down), pool(1, down)]).status).toBe('OFFLINE');
  expect(of([pool(1, unjudged)]).status).toBeNull();
  // Once it has had a status, it always has one.
  expect(of([pool(1, unjudged)], 'ONLINE').status).toBe('OFFLINE');
  expect(of([pool(1)]).status).toBe('ERROR');
  expect(of([])).toEqual({ status: 'ERROR', message: 'it has no member' });
  expect(of([pool(1, up)], 'ONLINE', 'the backend refuses it')).toEqual({
    status: 'ERROR',
    message: 'the backend refuses it',
  });
});

test('every operating status can follow every other; none can go back to no status', () => {
  for (const before of [null, ...operatingStatuses])
    for (const after of operatingStatuses) expect(operatingChanges(before, after)).toBe(before !== after);
  expect(operatingChanges(null, null)).toBe(false);
  for (const before of operatingStatuses)
    expect(() => operatingChanges(before, null)).toThrow(`can't follow the operating status ${before}`);
});

test(`whatever its members do, a GSLB goes through possible statuses only (seed ${seed})`, () => {
  const random = seededRandom(seed);
  for (let round = 0; round < 200; round += 1) {
    let before: Parameters<typeof operatingChanges>[0] = null;
    for (let turn = 0; turn < 30; turn += 1) {
      const pools = Array.from({ length: random.integer(0, 3) }, () =>
        pool(
          random.integer(1, 3),
          ...Array.from({ length: random.integer(0, 4) }, () =>
            random.pick([up, down, unjudged, { ...up, withheld: true }]),
          ),
        ),
      );
      const { status } = gslbStanding({ pools, fault: random.next() < 0.1 ? 'fault' : null, before });
      expect(() => operatingChanges(before, status)).not.toThrow();
      before = status;
    }
  }
});

test('provisioning: a creation stays a creation until it is done, and a deletion can only end', () => {
  const run = (...events: ProvisioningEvent[]) =>
    events.reduce((state: Provisioning, event) => provisioningAfter(state, event), created);
  expect(run('DONE')).toEqual({ status: 'ACTIVE', action: 'NONE' });
  expect(run('UPDATE_ACCEPTED', 'FAILED')).toEqual({ status: 'ERROR', action: 'CREATE' });
  expect(run('FAILED', 'DONE')).toEqual({ status: 'ACTIVE', action: 'NONE' });
  expect(run('DONE', 'UPDATE_ACCEPTED')).toEqual({ status: 'PENDING', action: 'UPDATE' });
  expect(run('DONE', 'FAILED')).toEqual({ status: 'ERROR', action: 'UPDATE' });
  for (const before of [[], ['FAILED'], ['DONE'], ['DONE', 'UPDATE_ACCEPTED'], ['DONE', 'FAILED']] as const) {
    const deleting = run(...before, 'DELETE_ACCEPTED');
    expect(deleting).toEqual({ status: 'DELETING', action: 'DELETE' });
    expect(() => provisioningAfter(deleting, 'UPDATE_ACCEPTED')).toThrow("can't follow");
    expect(provisioningAfter(provisioningAfter(deleting, 'FAILED'), 'DONE')).toEqual({
      status: 'DELETED',
      action: 'NONE',
    });
  }
  expect(() => run('DELETE_ACCEPTED', 'DONE', 'UPDATE_ACCEPTED')).toThrow("UPDATE_ACCEPTED can't follow DELETED");
});

test('latencies are published in steps, and only when they differ enough', () => {
  expect([0, 1, 38, 40, 44, 50].map((ms) => toldLatency(null, ms))).toEqual([1, 1, 36, 44, 44, 56]);
  expect([23, 40, 57].map((ms) => toldLatency(36, ms))).toEqual([36, 36, 36]);
  expect([22, 58, 400].map((ms) => toldLatency(36, ms))).toEqual([23, 56, 414]);
  expect([0, 8, 9].map((ms) => toldLatency(3, ms))).toEqual([3, 3, 9]);
});
