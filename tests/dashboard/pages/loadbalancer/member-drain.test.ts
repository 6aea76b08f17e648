// A member that was drained, and why members do not serve.
import { expect, test } from '@jest/globals';
import { drainOf, type Member, reasonsNotToServe } from '../../../../dashboard/src/pages/loadbalancer/kinds/member.ts';

const nowMs = Date.parse('2026-11-28T11:31:00Z');
const member = (patch: Partial<Member>): Member =>
  ({ operatingStatus: 'ONLINE', enabled: true, drainUntil: null, ...patch }) as Member;
const draining = member({ operatingStatus: 'DRAINING', drainUntil: '2026-11-28T11:32:00Z' });
const drained = member({ operatingStatus: 'DRAINING', drainUntil: '2026-11-28T11:26:42Z' });

test('a member is drained once its sessions have ended', () => {
  expect([member({}), draining, drained].map((each) => drainOf(each, nowMs))).toEqual([null, 'draining', 'drained']);
  const left = (sessions: number) => drainOf({ ...draining, sessions }, nowMs);
  expect([left(2), left(0)]).toEqual(['draining', 'drained']);
});

test('a pool says why members do not serve', () => {
  expect(reasonsNotToServe([member({}), member({ operatingStatus: 'NO_MONITOR' })], nowMs)).toBe('');
  const others = [member({ operatingStatus: 'ERROR' }), member({ operatingStatus: 'OFFLINE', enabled: false })];
  expect(reasonsNotToServe([drained, draining, drained, ...others], nowMs)).toBe(
    '2 drained, 1 draining, 1 error, 1 disabled',
  );
});
