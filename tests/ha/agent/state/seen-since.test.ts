// Start times: of the time without a leader, of a switchover request, and of this host's request for an invitation.
import { beforeEach, expect, test } from '@jest/globals';
import type { Step } from '../../../../ha/agent/decide.ts';
import { SeenSince } from '../../../../ha/agent/state/seen-since.ts';
import type { View } from '../../../../ha/agent/view.ts';

type Shared = NonNullable<View['shared']>;

const led = (reign: string) => ({ host: 'a', reign });
const shared = (changed: Partial<Shared>): Shared => ({
  ...{ leader: undefined, sync: undefined, reports: {}, clocksAheadMs: {} },
  wishes: { paused: false, switchoverTo: undefined },
  ...changed,
});
const asks: Step = { kind: 'wait', why: 'it is to be invited', asks: true };

let nowMs: number;
let since: SeenSince;

beforeEach(() => {
  nowMs = 1_000;
  since = new SeenSince(() => nowMs);
});

test('the time without a leader starts with the first poll that finds none, and ends with a leader', () => {
  expect(since.leaderlessSinceMs).toBeUndefined();
  since.saw(shared({}));
  nowMs = 2_000;
  since.saw(shared({}));
  expect(since.leaderlessSinceMs).toBe(1_000);
  since.saw(shared({ leader: led('r') }));
  expect(since.leaderlessSinceMs).toBeUndefined();
  nowMs = 3_000;
  since.saw(shared({}));
  expect(since.leaderlessSinceMs).toBe(3_000);
});

test('a lead that ended is shown until another one has followed it', () => {
  const sync = (reign: string) => ({ primary: 'a', epoch: 1, reign, lossy: false, members: [], revision: 1 });
  since.saw(shared({ leader: led('r'), sync: sync('r') }));
  expect(since.leaderless).toBeUndefined();
  since.saw(shared({ sync: sync('r') }));
  nowMs = 4_000;
  expect(since.leaderless).toEqual({ reign: 'r', ms: 3_000 });
  since.saw(shared({ leader: led('s'), sync: sync('r') }));
  nowMs = 5_000;
  expect(since.leaderless).toEqual({ reign: 'r', ms: 4_000 });
  since.saw(shared({ leader: led('s'), sync: sync('s') }));
  expect(since.leaderless).toBeUndefined();
});

test('a request for another host is a new request, and a withdrawn request is none', () => {
  const wish = (switchoverTo: string | undefined) => {
    since.saw(shared({ leader: led('r'), wishes: { paused: false, switchoverTo } }));
    return since.wishedSinceMs;
  };
  expect(wish(undefined)).toBeUndefined();
  expect(wish('b')).toBe(1_000);
  nowMs = 2_000;
  expect(wish('b')).toBe(1_000);
  expect(wish('c')).toBe(2_000);
  expect(wish(undefined)).toBeUndefined();
});

test('a request for an invitation lasts from the first step that makes it to the first that does not, and each leader has its own time', () => {
  const decided = (step: Step, reign: string, atMs: number) => {
    since.decided(step, { shared: shared({ leader: led(reign) }), nowMs: atMs });
    return since.asking;
  };
  expect(decided({ kind: 'wait', why: 'it follows' }, 'r', 1_000)).toBeUndefined();
  expect(decided(asks, 'r', 2_000)).toEqual({ reign: 'r', sinceMs: 2_000 });
  expect(decided(asks, 'r', 3_000)).toEqual({ reign: 'r', sinceMs: 2_000 });
  expect(decided(asks, 's', 4_000)).toEqual({ reign: 's', sinceMs: 4_000 });
  expect(decided({ kind: 'follow', host: 'a', reign: 's' }, 's', 5_000)).toBeUndefined();
});

test('no request is made while etcd does not answer', () => {
  since.decided(asks, { shared: shared({ leader: led('r') }), nowMs: 1_000 });
  since.decided({ kind: 'wait', why: 'etcd does not answer' }, { shared: undefined, nowMs: 2_000 });
  expect(since.asking).toBeUndefined();
});

test('a server that ended after a start under the same lead has failed to start, until one runs', () => {
  const under = (id: string) => ({ id, fenceAtMs: 0 });
  const start = (reign: string) =>
    since.decided({ kind: 'start', role: 'MASTER' }, { shared: undefined, nowMs, reign: under(reign) });
  since.sawServer({ state: 'down' }, under('r'));
  expect(since.failedStartAtMs).toBeUndefined();
  start('r');
  since.sawServer({ state: 'starting' }, under('r'));
  since.sawServer({ state: 'down' }, under('s'));
  since.sawServer({ state: 'down' }, undefined);
  expect(since.failedStartAtMs).toBeUndefined();
  since.sawServer({ state: 'down' }, under('r'));
  expect(since.failedStartAtMs).toBe(1_000);
  nowMs = 2_000;
  since.sawServer({ state: 'down' }, under('r'));
  expect(since.failedStartAtMs).toBe(1_000);
  since.sawServer({ state: 'up' }, under('r'));
  expect(since.failedStartAtMs).toBeUndefined();
});

test.each<[number, number | undefined]>([
  [9_000, 10_000],
  [10_000, undefined],
])('a server that ends after it has run for %i ms', (ranMs, failedStartAtMs) => {
  const reign = { id: 'r', fenceAtMs: 0 };
  since.decided({ kind: 'start', role: 'MASTER' }, { shared: undefined, nowMs, reign });
  since.sawServer({ state: 'up' }, reign);
  nowMs += ranMs;
  since.sawServer({ state: 'up' }, reign);
  since.sawServer({ state: 'down' }, reign);
  expect(since.failedStartAtMs).toBe(failedStartAtMs);
});
