// The state of members from monitors, administrators and failback.
import { expect, test } from '@jest/globals';
import type { Failback } from '../../../../subgraphs/gslb/rules/failback.ts';
import {
  type KeptVerdict,
  type Monitored,
  memberStanding,
  newVerdict,
  settle,
} from '../../../../subgraphs/gslb/rules/member.ts';
import type { Verdict } from '../../../../subgraphs/gslb/rules/quorum.ts';
import type { AdminState } from '../../../../subgraphs/gslb/rules/states.ts';

const immediate: Failback = { mode: 'IMMEDIATE' };
const delayed: Failback = { mode: 'DELAYED', delayMs: 10_000 };
const manual: Failback = { mode: 'MANUAL' };

const says = (verdict: Verdict | null, againInMs: number | null = null): Monitored => ({
  verdict,
  undecided: null,
  againInMs,
});
const after = (kept: KeptVerdict, ms: number): KeptVerdict => ({ ...kept, verdictForMs: kept.verdictForMs + ms });
const up = settle([says('UP')], newVerdict, manual).kept;

test('UP needs all monitors, DOWN needs one, and the last verdict stands until all have reported', () => {
  const verdict = (...verdicts: (Verdict | null)[]) =>
    settle(
      verdicts.map((each) => says(each)),
      newVerdict,
      immediate,
    ).verdict;
  expect(verdict('UP', 'UP')).toBe('UP');
  expect(verdict('UP', 'DOWN')).toBe('DOWN');
  expect(verdict('UP', null)).toBeNull();
  expect(verdict()).toBe('UP');
  expect(settle([says('UP'), says(null)], up, immediate)).toMatchObject({
    verdict: 'UP',
    changed: false,
    kept: { serving: true },
  });
});

test('a first UP waits for nothing; one after DOWN waits for its failback', () => {
  expect(up).toMatchObject({ verdict: 'UP', serving: true });
  const down = settle([says('DOWN')], up, delayed).kept;
  expect(down).toMatchObject({ serving: false, wasDown: true });
  expect(settle([says('UP')], down, immediate).kept.serving).toBe(true);

  const back = settle([says('UP')], down, delayed);
  expect(back).toMatchObject({ waitsFor: 'DELAY', againInMs: 10_000, kept: { serving: false, wasDown: true } });
  expect(settle([says('UP')], after(back.kept, 9_999), delayed)).toMatchObject({ waitsFor: 'DELAY', againInMs: 1 });
  expect(settle([says('UP')], after(back.kept, 10_000), delayed)).toMatchObject({
    ...{ waitsFor: null, againInMs: null, changed: false },
    kept: { serving: true, wasDown: false },
  });
  // The member goes down again in between, so the delay starts over.
  const again = settle([says('UP')], settle([says('DOWN')], after(back.kept, 9_000), delayed).kept, delayed);
  expect(again).toMatchObject({ waitsFor: 'DELAY', againInMs: 10_000 });

  const held = settle([says('UP')], down, manual);
  expect(held).toMatchObject({ waitsFor: 'RELEASE', againInMs: null, kept: { serving: false } });
  expect(settle([says('UP')], after(held.kept, 1e9), manual).kept.serving).toBe(false);
  const released = settle([says('UP')], { ...held.kept, released: true }, manual).kept;
  expect(released).toMatchObject({ serving: true, released: false });
  // A release holds for one return.
  expect(settle([says('DOWN')], { ...held.kept, released: true }, manual).kept.released).toBe(false);
});

test('the earliest due time is reported', () => {
  expect(settle([says('UP', 700), says('UP', 300)], up, immediate).againInMs).toBe(300);
  const down = settle([says('DOWN')], up, delayed).kept;
  expect(settle([says('UP', 20_000)], down, delayed).againInMs).toBe(10_000);
});

function standing(
  state: AdminState,
  endsInMs: number | null,
  verdict: Verdict | null,
  byRegion: Record<string, Verdict> = {},
) {
  const settled = (each: Verdict | null) => settle([says(each)], newVerdict, immediate);
  return memberStanding({
    ...{ memberId: 'm1', admin: { state, endsInMs }, overall: settled(verdict) },
    byRegion: new Map(Object.entries(byRegion).map(([region, each]) => [region, settled(each)])),
  });
}

test("an administrator's state overrides the vantage points until its end", () => {
  expect(standing('AUTO', null, 'UP')).toMatchObject({ up: true, withheld: false, status: 'ONLINE', message: null });
  expect(standing('FORCED_UP', null, 'DOWN')).toMatchObject({ up: true, withheld: false, status: 'ONLINE' });
  expect(standing('FORCED_DOWN', 5_000, 'UP')).toMatchObject({ withheld: true, status: 'OFFLINE', againInMs: 5_000 });
  expect(standing('DRAIN', null, 'UP')).toMatchObject({ up: true, withheld: true, status: 'DRAINING' });
  expect(standing('FORCED_DOWN', 0, 'UP')).toMatchObject({
    adminState: 'AUTO',
    withheld: false,
    status: 'ONLINE',
    againInMs: null,
  });
});

test('a member without a verdict does not serve; one that is down for some regions is degraded', () => {
  expect(standing('AUTO', null, null)).toMatchObject({ up: false, status: null });
  expect(standing('AUTO', null, 'UP', { eu: 'DOWN', us: 'UP' })).toMatchObject({
    ...{ up: true, upIn: { eu: false, us: true }, status: 'DEGRADED', message: 'it is down for clients in eu' },
  });
  expect(standing('FORCED_UP', null, 'DOWN', { eu: 'DOWN' })).toMatchObject({ up: true, upIn: {} });
});
