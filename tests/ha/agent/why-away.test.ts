// The reason that a host gives for not being a copy of the database.
import { expect, test } from '@jest/globals';
import type { Step } from '../../../ha/agent/decide.ts';
import type { ServerView } from '../../../ha/agent/view.ts';
import { whyAway } from '../../../ha/agent/why-away.ts';

const none = { share: 0, failure: undefined };
const wait: Step = { kind: 'wait', why: 'its database is gone' };
const replica = {
  ...{ source: 'a', reign: 'r', receiving: true, connected: true, drained: true, diverged: false },
  failure: undefined,
};
const up = (receiving: boolean): ServerView => ({
  ...{ state: 'up', duty: 'standby', incarnation: 'of-b', writable: false, semiSync: false, aliveAtMs: 0 },
  ...{ waitingSinceMs: undefined, position: 1, received: 1, admissions: [], replica: { ...replica, receiving } },
});
const standby = (server: ServerView) => ({ server, reign: undefined });

test('a primary and a host that receives give no reason', () => {
  expect(whyAway(wait, { server: { state: 'down' }, reign: { id: 'r', fenceAtMs: 0 } }, none)).toBeUndefined();
  expect(whyAway(wait, standby(up(true)), none)).toBeUndefined();
});

test('a host that fetches a copy shows its progress', () => {
  const copying = standby({ state: 'copying' });
  expect([0, 0.129, 0.999, 1].map((share) => whyAway(wait, copying, { ...none, share }))).toEqual([
    ...['a copy: 0 %', 'a copy: 12 %', 'a copy: 99 %', 'a copy is prepared'],
  ]);
});

test('a host that does not receive shows why it waits, or its next step', () => {
  expect(whyAway(wait, standby({ state: 'empty' }), none)).toBe('its database is gone');
  expect(whyAway({ kind: 'start', role: 'SLAVE' }, standby(up(false)), none)).toBe('next step: start');
});

test('a host that waits for a person is away, although it receives', () => {
  expect(whyAway(wait, { ...standby(up(true)), staysOut: true }, none)).toBe('its database is gone');
});

test('a host whose last copy failed shows the reason until the next one begins', () => {
  const failed = { ...none, failure: 'no copy was made' };
  expect(whyAway({ kind: 'clone', host: 'a' }, standby({ state: 'empty' }), failed)).toBe('no copy was made');
  expect(whyAway(wait, standby({ state: 'copying' }), failed)).toBe('a copy: 0 %');
  expect(whyAway(wait, standby({ state: 'empty' }), failed)).toBe('its database is gone');
});

test('a host that is being promoted shows what it still has to apply', () => {
  const reign = { id: 's', fenceAtMs: 0 };
  const sync = (of: string) => ({
    ...{ leader: undefined, reports: {}, clocksAheadMs: {}, wishes: { paused: false, switchoverTo: undefined } },
    sync: { primary: 'a', epoch: 1, reign: of, members: [], revision: 7 },
  });
  const applies = (drainsInMs: number, of = 'r', received = 93_001) =>
    whyAway(wait, { server: { ...up(false), received } as ServerView, reign, drainsInMs, shared: sync(of) }, none);
  expect(applies(60_000)).toBe('applies 93,000 more, about 60 s');
  expect(applies(3_600_000)).toBe('applies 93,000 more, and is blocked');
  expect(applies(0, 'r', 1)).toBeUndefined();
  expect(applies(60_000, 's')).toBeUndefined();
});
