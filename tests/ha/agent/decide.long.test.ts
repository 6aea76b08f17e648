// The agent's decisions in the model: there are never two writable hosts, no host becomes writable without every acknowledged write, and the
// cluster is whole again in the end. A second part removes each guard in turn, and the model must notice.
import { expect, test } from '@jest/globals';
import { decide, type Step } from '../../../ha/agent/decide.ts';
import type { Limits } from '../../../ha/agent/limits.ts';
import type { View } from '../../../ha/agent/view.ts';
import { seededRandom } from '../../../trials/random.ts';
import { hostNames } from './model/context.ts';
import { foundBy, traps } from './model/traps.ts';
import { World } from './model/world.ts';

const seed = Number(process.env.SEED ?? 1);
const schedules = Number(process.env.SCHEDULES ?? 12);
/** The maximum number of schedules until a trap must be caught. */
const mostSchedules = 4_000;
const steps = 8_000;

const worlds = [{ hostsPause: false }, { hostsPause: true }, { hostsPause: true, strict: true }];

test.each([...worlds, ...worlds.map((each) => ({ ...each, hosts: 3 as const }))])(
  `nothing acknowledged is lost: %j (seed ${seed})`,
  (options) => {
    let [acknowledged, opened, admitted] = [0, 0, 0];
    for (let at = seed; at < seed + schedules; at += 1) {
      const world = new World(seededRandom(at), options);
      world.run(steps);
      world.settle();
      expect({ at, faults: world.faults }).toEqual({ at, faults: [] });
      acknowledged += world.acknowledged;
      opened += world.opened;
      admitted += world.admitted;
    }
    // A run without acknowledged writes would prove nothing.
    expect(acknowledged).toBeGreaterThan(schedules * 10);
    expect(opened).toBeGreaterThan(schedules * 2);
    expect(admitted).toBeGreaterThan(schedules);
  },
);

test(`a host that reaches only etcd does not prevent another host from becoming a member (seed ${seed})`, () => {
  let judged = 0;
  for (let at = seed; at < seed + schedules; at += 1) {
    const random = seededRandom(at);
    const world = new World(random, { hostsPause: true, hosts: 3 });
    world.run(steps);
    if (world.settle(random.pick(hostNames))) judged += 1;
    expect({ at, faults: world.faults }).toEqual({ at, faults: [] });
  }
  expect(judged).toBeGreaterThan(schedules / 4);
});

test('the model has members that leave the lead to the last primary, and blocked ones', () => {
  const seen = { resigned: 0, ended: 0, sooner: 0 };
  for (let at = seed; at < seed + schedules * 4; at += 1) {
    const world = new World(seededRandom(at), {
      hostsPause: true,
      rates: {
        ...{ faults: ['kill-primary', 'block', 'ends-at-start'], faultRate: 0.1, slow: 0.05, lost: 0 },
        receiveRate: 1,
      },
      step: (each, view) => {
        const isMember = view.shared?.sync?.primary !== view.me;
        if (each.kind === 'resign' && isMember && each.why.includes('is back')) seen.resigned += 1;
        if (each.kind === 'end-sessions') seen.ended += 1;
        if (each.kind === 'wait' && each.why.includes('is back')) seen.sooner += 1;
        return each;
      },
    });
    world.run(steps);
    world.settle();
    expect({ at, faults: world.faults }).toEqual({ at, faults: [] });
  }
  expect(Math.min(seen.resigned, seen.ended, seen.sooner)).toBeGreaterThan(0);
});

test.each([2, 3] as const)('tags and new copies lose nothing, and the cluster is whole again: %s hosts', (hosts) => {
  const seen = { tagged: 0, replaced: 0, yielded: 0 };
  for (let at = seed; at < seed + schedules * 2; at += 1) {
    const world = new World(seededRandom(at), {
      ...{ hostsPause: true, hosts },
      rates: {
        faults: ['tag', 'tag', 'reinit', 'kill-primary', 'kill', 'restart-agent', 'switchover', 'api', 'time-passes'],
        ...{ faultRate: 0.1, slow: 0.05, lost: 0, receiveRate: 1 },
      },
      step: (each, view) => {
        if (each.kind === 'wait' && each.why === 'it is tagged noFailover') seen.tagged += 1;
        if (each.kind === 'clone' && view.shared?.wishes.reinit?.includes(view.me)) seen.replaced += 1;
        if (each.kind === 'detach' && each.why === 'another host has a higher priority') seen.yielded += 1;
        return each;
      },
    });
    world.run(steps);
    world.settle();
    expect({ at, faults: world.faults }).toEqual({ at, faults: [] });
  }
  expect(Math.min(seen.tagged, seen.replaced)).toBeGreaterThan(0);
  expect(seen.yielded > 0).toBe(hosts === 3);
});

test('the model notices an invitation that leads to nothing and never ends', () => {
  const keeps = (step: Step, view: View): Step =>
    step.kind === 'refuse' && view.admission?.early === true ? { kind: 'wait', why: 'it is invited for ever' } : step;
  const isCaught = (at: number): boolean => {
    const random = seededRandom(at);
    const world = new World(random, { hostsPause: true, hosts: 3, step: keeps });
    world.run(steps);
    world.settle(random.pick(hostNames));
    return world.faults.length > 0;
  };
  let at = seed;
  while (at < seed + mostSchedules && !isCaught(at)) at += 1;
  expect(at).toBeLessThan(seed + mostSchedules);
});

test.each(Object.entries(traps))('the model notices a missing guard: %s', (what, trap) => {
  const first = process.env.SEED === undefined ? (foundBy[what] ?? 1) : seed;
  const isCaught = (at: number): boolean => {
    const world = new World(seededRandom(at), trap);
    world.run(steps);
    return world.faults.length > 0;
  };
  let at = first;
  while (at < first + mostSchedules && !isCaught(at)) at += 1;
  expect(at).toBeLessThan(first + mostSchedules);
});

const limits: Limits = {
  ...{
    heartbeatMs: 1_000,
    detachMs: 500,
    inviteMs: 2_000,
    askMs: 500,
    admitMs: 2_000,
    againMs: 1_000,
    startMs: 20_000,
    memberFirstMs: 4_000,
    drainMs: 3_000,
    stallMs: 500,
    startAgainMs: 60_000,
  },
  ...{ reportMs: 5_000, mostBehind: 5, mostClockOffMs: 1_000 },
};
const nowMs = 100_000;
const server = {
  ...{ state: 'up' as const, duty: 'primary' as const, incarnation: 'of-a', writable: true, semiSync: true },
  ...{ aliveAtMs: nowMs, waitingSinceMs: undefined, position: 10, received: 10, replica: undefined },
  admissions: [] as readonly string[],
};
const report = {
  incarnation: 'of-b',
  reign: 'r',
  receiving: true,
  received: 10,
  heardAtMs: nowMs - 100,
  advancedAtMs: 0,
};
const wishes = { paused: false, switchoverTo: undefined };
const alone = { primary: 'a', epoch: 1, reign: 'r', members: [], revision: 7 };
const inSync = { ...alone, members: [{ host: 'b', incarnation: 'of-b' }] };
const invitation = { host: 'b', id: '1' };
const invited = { ...alone, admission: invitation };
type Shared = NonNullable<View['shared']>;
const leading = (shared: Partial<Shared>, changed: Partial<View> = {}): View => ({
  ...{ me: 'a', nowMs, strict: false, server, reign: { id: 'r', fenceAtMs: nowMs + 1_000 }, admission: undefined },
  ...{ sealedRevision: 7, leaderlessSinceMs: undefined, failedAtMs: {} },
  shared: {
    leader: { host: 'a', reign: 'r' },
    sync: inSync,
    reports: { b: report },
    clocksAheadMs: {},
    wishes,
    ...shared,
  },
  ...changed,
});
const follows = {
  ...{ source: 'a', reign: 'r', receiving: true, connected: true, drained: true, diverged: false },
  failure: undefined,
};
const step = (view: View) => decide(view, limits).kind;

test('after a member hung, commits wait for it again only after it has reported for a while', () => {
  expect(step(leading({ sync: alone }))).toBe('release');
  const open = { server: { ...server, semiSync: false } };
  expect(step(leading({ sync: alone }, open))).toBe('invite');
  expect(step(leading({ sync: alone }, { ...open, failedAtMs: { b: nowMs - 1_000 } }))).toBe('wait');
  expect(step(leading({ sync: alone }, { ...open, failedAtMs: { b: nowMs - 1_200 } }))).toBe('invite');
});

test('commits stop waiting for a host that leaves, and do not start again', () => {
  expect(step(leading({ left: ['b'] }))).toBe('detach');
  const open = { server: { ...server, semiSync: false } };
  expect(step(leading({ sync: alone, left: ['b'] }, open))).toBe('wait');
});

test('an admission ends when a commit waits too long', () => {
  const admission = { ...invitation, incarnation: 'of-b', sinceMs: nowMs - 700, stage: 'proving' as const };
  const one = { ...server, admissions: ['1'] };
  expect(step(leading({ sync: invited }, { admission, server: one }))).toBe('wait');
  const late = { ...one, waitingSinceMs: nowMs - 600 };
  expect(step(leading({ sync: invited }, { admission, server: late }))).toBe('release');
});

const spare = { ...report, incarnation: 'of-c' };

test('a spare is invited as soon as the member is out of the set: failed hosts last, other sites first', () => {
  const open = { ...server, semiSync: false };
  const two = { sync: alone, reports: { b: report, c: spare } };
  const invites = (changed: Partial<View>, shared: Partial<Shared> = {}) =>
    decide(leading({ ...two, ...shared }, { server: open, ...changed }), limits);
  expect(step(leading({ reports: two.reports }))).toBe('wait');
  expect(invites({})).toEqual({ kind: 'invite', host: 'b', early: false, syncRevision: 7 });
  expect(invites({ failedAtMs: { b: nowMs - 300 } })).toMatchObject({ host: 'c' });
  const longAgo = { failedAtMs: { b: nowMs - 20_000, c: nowMs - 30_000 } };
  expect(invites(longAgo)).toMatchObject({ host: 'c' });
  expect(invites({ sites: { a: 'x', b: 'x', c: 'y' } })).toMatchObject({ host: 'c' });
  expect(invites({ sites: { a: 'x', b: 'y', c: 'y' } })).toMatchObject({ host: 'b' });
  expect(invites({}, { wishes: { ...wishes, switchoverTo: 'c' } })).toMatchObject({ host: 'c' });
  // A distant host is never a member.
  expect(invites({ asynchronous: ['b'] })).toMatchObject({ host: 'c' });
  expect(invites({ asynchronous: ['b', 'c'] })).toMatchObject({ kind: 'wait' });
  // Any host that may still acknowledge is shut out first.
  expect(invites({ server: { ...open, admissions: ['0'] } })).toEqual({ kind: 'bar' });
  expect(invites({}, { sync: invited })).toMatchObject({ kind: 'withdraw' });
});

test('the highest priority is in sync, before other sites, and a host that leads only by a wish comes last', () => {
  const open = { server: { ...server, semiSync: false } };
  const reports = { b: report, c: spare };
  const tags = (b: object, c: object) => ({
    tags: { b: { noFailover: false, priority: 0, ...b }, c: { noFailover: false, priority: 0, ...c } },
  });
  const invites = (shared: Partial<Shared>, changed: Partial<View> = {}) =>
    decide(leading({ sync: alone, reports, ...shared }, { ...open, ...changed }), limits);
  const sites = { sites: { a: 'x', b: 'y', c: 'x' } };
  expect(invites(tags({}, { priority: 1 }), sites)).toMatchObject({ host: 'c' });
  expect(invites(tags({ noFailover: true, priority: 9 }, {}), sites)).toMatchObject({ host: 'c' });
  expect(invites(tags({}, { priority: 1 }), { failedAtMs: { c: nowMs - 5_000 } })).toMatchObject({ host: 'b' });
  const higher = tags({}, { priority: 1 });
  expect(step(leading({ reports, ...higher }))).toBe('detach');
  expect(step(leading({ reports, ...tags({ priority: 1 }, { priority: 1 }) }))).toBe('wait');
  expect(step(leading({ reports: { b: report, c: { ...spare, receiving: false } }, ...higher }))).toBe('wait');
  expect(step(leading({ reports, ...higher, wishes: { ...wishes, paused: true } }))).toBe('wait');
  // A host that failed takes the place again only after a minute.
  expect(step(leading({ reports, ...higher }, { failedAtMs: { c: nowMs - 59_000 } }))).toBe('wait');
  expect(step(leading({ reports, ...higher }, { failedAtMs: { c: nowMs - 61_000 } }))).toBe('detach');
});

test('a host that is tagged noFailover leads only by a wish, and the last primary does not wait for it', () => {
  const tags = { b: { noFailover: true, priority: 0 } };
  const standby = { ...server, duty: 'standby' as const, writable: false, incarnation: 'of-b' };
  const member = (shared: Partial<Shared>) =>
    decide(
      leading(
        { leader: undefined, tags, ...shared },
        { me: 'b', reign: undefined, server: { ...standby, replica: { ...follows, receiving: false } } },
      ),
      limits,
    );
  const wanted = { wishes: { ...wishes, switchoverTo: 'b' } };
  expect(member({})).toEqual({ kind: 'wait', why: 'it is tagged noFailover' });
  expect(member(wanted)).toMatchObject({ kind: 'take-lead' });
  expect(member({ tags: {} })).toMatchObject({ kind: 'take-lead' });
  const last = (shared: Partial<Shared>) =>
    step(leading({ leader: undefined, tags, ...shared }, { reign: undefined, server: { state: 'down' } }));
  expect([last({}), last(wanted), last({ tags: {} })]).toEqual(['take-lead', 'wait', 'wait']);
  // No client is served either way.
  const serves = { tags, reports: { b: { ...report, api: 'ANSWERS' as const } } };
  expect(step(leading(serves, { api: 'SILENT' }))).toBe('wait');
  expect(step(leading({ tags, ...wanted }))).toBe('close');
});

test('the data of a host is replaced once no commit waits for it and it can not be admitted', () => {
  const wanted = { wishes: { ...wishes, reinit: ['b'] } };
  expect(step(leading(wanted))).toBe('detach');
  const open = { server: { ...server, semiSync: false } };
  expect(step(leading({ sync: alone, ...wanted }, open))).toBe('wait');
  const admission = { ...invitation, sinceMs: nowMs - 100, stage: 'invited' as const };
  const invites = { admission, server: { ...open.server, admissions: ['1'] } };
  expect(step(leading({ sync: invited, ...wanted }, invites))).toBe('refuse');
  const standby = { ...server, duty: 'standby' as const, writable: false, replica: follows };
  const follower = (shared: Partial<Shared>, ofB: View['server'] = standby) =>
    decide(
      leading({ sync: alone, reports: {}, ...wanted, ...shared }, { me: 'b', reign: undefined, server: ofB }),
      limits,
    );
  const clone = { kind: 'clone', host: 'a' };
  expect([follower({}), follower({}, { state: 'down' })]).toEqual([clone, clone]);
  expect(follower({}, { state: 'copying' })).toMatchObject({ kind: 'wait' });
  expect(follower({ sync: inSync })).not.toEqual(clone);
  expect(follower({ sync: invited })).not.toEqual(clone);
  expect(follower({ wishes: { ...wishes, reinit: ['c'] } })).not.toEqual(clone);
  // What it received and did not apply may be nowhere else.
  expect(follower({}, { ...standby, replica: undefined, received: 11 })).toMatchObject({ kind: 'apply-received' });
  // Another host is being promoted.
  expect(follower({ leader: { host: 'a', reign: 'next' } })).not.toEqual(clone);
  expect(follower({ leader: undefined })).not.toEqual(clone);
});

test('if no host is ready, one that asks is invited before it receives, and commits wait for it only once it receives', () => {
  const open = { ...server, semiSync: false };
  const asker = { ...report, reign: undefined, receiving: false, received: 0, asks: 'r' };
  const invites = (reports: Shared['reports'], changed: Partial<View> = {}, shared: Partial<Shared> = {}) =>
    decide(leading({ sync: alone, reports, ...shared }, { server: open, ...changed }), limits);
  expect(invites({ b: asker })).toEqual({ kind: 'invite', host: 'b', early: true, syncRevision: 7 });
  expect(invites({ b: asker, c: spare })).toEqual({ kind: 'invite', host: 'c', early: false, syncRevision: 7 });
  // A host that should become the primary is invited first, and a host that failed is invited last.
  expect(invites({ b: asker, c: asker }, { failedAtMs: { b: nowMs - 100 } })).toMatchObject({ host: 'c' });
  expect(invites({ b: asker, c: asker }, {}, { wishes: { ...wishes, switchoverTo: 'c' } })).toMatchObject({
    host: 'c',
  });
  // The host may have failed recently. The waiting time after a failure applies only to hosts that commits wait for.
  expect(invites({ b: asker }, { failedAtMs: { b: nowMs - 200 } })).toMatchObject({ host: 'b' });
  for (const [what, view] of Object.entries({
    'of another lead': invites({ b: { ...asker, asks: 'former' } }),
    'an agent of an earlier version': invites({ b: { ...asker, asks: undefined } }),
    'not heard': invites({ b: { ...asker, heardAtMs: nowMs - limits.reportMs } }),
    left: invites({ b: asker }, {}, { left: ['b'] }),
    asynchronous: invites({ b: asker }, { asynchronous: ['b'] }),
  }))
    expect({ what, view }).toEqual({ what, view: { kind: 'wait', why: 'one copy' } });
  // Strict commits already wait.
  expect(invites({ b: asker }, { strict: true, server })).toMatchObject({ kind: 'invite', early: true });
});

test('a host that was invited early makes room for one that is ready, and does not count as failed', () => {
  const open = { ...server, semiSync: false, admissions: ['1'] };
  const admission = { ...invitation, sinceMs: nowMs - 100, stage: 'invited' as const };
  const comes = (ofB: object, early: boolean, reports: Shared['reports'] = { c: spare }, strict = false) =>
    decide(
      leading(
        { sync: invited, reports: { b: { ...report, ...ofB }, ...reports } },
        { server: { ...open, semiSync: strict }, strict, admission: { ...admission, early } },
      ),
      limits,
    );
  const far = { admission: '1', received: 2 };
  expect(comes(far, true)).toEqual({ kind: 'refuse', yields: true });
  expect(comes(far, true, { c: spare }, true)).toEqual({ kind: 'refuse', yields: true });
  expect(comes({ receiving: false }, true)).toEqual({ kind: 'refuse', yields: true });
  // The host itself is ready and is the nearest one. A host that was ready when it was invited is only reconnecting.
  expect(comes({ admission: '1' }, true)).toMatchObject({ kind: 'arm', host: 'b' });
  expect(comes({ receiving: false }, false)).toMatchObject({ kind: 'wait' });
  // The other host is no nearer.
  expect(comes(far, true, { c: { ...spare, received: 2 } })).toMatchObject({ kind: 'wait' });
  expect(comes(far, true, {})).toMatchObject({ kind: 'wait' });
});

test('a host that receives with its account stays invited as long as more data arrives', () => {
  const open = { ...server, semiSync: false, admissions: ['1'] };
  const admission = { ...invitation, sinceMs: nowMs - 20_000, stage: 'invited' as const, early: true };
  const comes = (ofB: object) =>
    decide(
      leading(
        { sync: invited, reports: { b: { ...report, admission: '1', received: 2, ...ofB } } },
        { server: open, admission },
      ),
      limits,
    );
  expect(comes({ advancedAtMs: nowMs - 100 })).toMatchObject({ kind: 'wait' });
  expect(comes({ advancedAtMs: nowMs - limits.inviteMs })).toEqual({ kind: 'refuse', yields: false });
  // The host receives with another account, or with none.
  expect(comes({ advancedAtMs: nowMs - 100, admission: undefined })).toEqual({ kind: 'refuse', yields: false });
  expect(comes({ advancedAtMs: nowMs - 100, receiving: false })).toEqual({ kind: 'refuse', yields: false });
  const armed = { ...admission, stage: 'armed' as const, incarnation: 'of-b' };
  const waits = { server: { ...open, semiSync: true }, admission: armed };
  const later = { b: { ...report, admission: '1', advancedAtMs: nowMs - 100 } };
  expect(step(leading({ sync: invited, reports: later }, waits))).toBe('release');
});

test('a host that should follow waits a while for an invitation first', () => {
  const standby = { ...server, duty: 'standby' as const, writable: false };
  const follower = (changed: Partial<View>, shared: Partial<Shared> = {}) =>
    decide(
      leading({ sync: alone, reports: {}, ...shared }, { me: 'b', reign: undefined, server: standby, ...changed }),
      limits,
    );
  const asks = { kind: 'wait', why: 'it waits for an invitation', asks: true };
  const follow = { kind: 'follow', host: 'a', reign: 'r', admission: undefined };
  const since = (ms: number, reign = 'r') => ({ asking: { reign, sinceMs: nowMs - ms } });
  expect(follower({})).toEqual(asks);
  expect(follower(since(limits.askMs - 1))).toEqual(asks);
  expect(follower(since(limits.askMs))).toEqual(follow);
  expect(follower(since(limits.askMs, 'former'))).toEqual(asks);
  expect(follower({}, { sync: invited })).toEqual({ ...follow, admission: '1' });
  // A host does not wait for a place that is taken. A host that can never be a member does not wait either.
  expect(follower({}, { sync: { ...invited, admission: { host: 'c', id: '1' } } })).toEqual(follow);
  expect(follower({}, { sync: { ...alone, members: [{ host: 'c', incarnation: 'of-c' }] } })).toEqual(follow);
  expect(follower({ asynchronous: ['b'] })).toEqual(follow);
  const with_ = (replica: object) => ({ server: { ...standby, replica: { ...follows, ...replica } } });
  expect(follower(with_({ reign: 'former' }))).toEqual(asks);
  expect(follower(with_({ receiving: false }))).toEqual(asks);
  expect(follower(with_({ failure: 'it does not apply' }))).toEqual(follow);
  // The host was a member, and no longer is.
  expect(follower(with_({ admission: '0' }))).toEqual(asks);
  expect(follower({ ...with_({ admission: '0' }), ...since(limits.askMs) })).toEqual(follow);
  expect(follower(with_({ admission: '0', drained: false }))).toMatchObject({ kind: 'rest' });
  // etcd reaches both hosts, but this host can't reach the primary. The host asks as long as that lasts.
  const unreached = with_({ connected: false });
  expect(follower({ ...unreached, ...since(60_000) })).toEqual({ ...asks, why: 'it connects' });
  expect(follower(with_({ connected: false, drained: false }))).toEqual({ kind: 'wait', why: 'it follows' });
  expect(follower(with_({}))).toEqual({ kind: 'wait', why: 'it follows' });
  expect(follower({ ...unreached, asynchronous: ['b'] })).toEqual({ kind: 'wait', why: 'it follows' });
});

test('a host that should connect has time to apply received transactions, as long as it reports', () => {
  const open = { ...server, semiSync: false, admissions: ['1'] };
  const admission = { ...invitation, sinceMs: nowMs - 20_000, stage: 'invited' as const };
  const patient = { ...limits, inviteMs: 30_000 };
  const comes = (ofB: object) =>
    decide(leading({ sync: invited, reports: { b: { ...report, ...ofB } } }, { server: open, admission }), patient)
      .kind;
  expect(comes({ receiving: false })).toBe('wait');
  expect(comes({ admission: '1' })).toBe('arm');
  // Another host may be ready.
  expect(comes({ receiving: false, heardAtMs: nowMs - 5_000 })).toBe('refuse');
  expect(step(leading({ sync: invited }, { server: open, admission }))).toBe('refuse');
});

test('commits wait for a host once it alone can acknowledge, and it becomes a member once it has acknowledged', () => {
  const open = { ...server, semiSync: false, admissions: ['1'] };
  const comes = (of: Partial<View>, report_: object, sync: object = invited) =>
    step(leading({ sync: sync as typeof invited, reports: { b: { ...report, ...report_ } } }, { server: open, ...of }));
  const admission = { ...invitation, sinceMs: nowMs - 100, stage: 'invited' as const };
  expect(comes({ admission }, {})).toBe('wait');
  expect(comes({ admission }, { admission: '0' })).toBe('wait');
  expect(comes({ admission }, { admission: '1', receiving: false })).toBe('wait');
  expect(comes({ admission }, { admission: '1' })).toBe('arm');
  // Another host could acknowledge, or etcd does not allow this host.
  expect(comes({ admission, server: { ...open, admissions: ['0', '1'] } }, { admission: '1' })).toBe('refuse');
  expect(comes({ admission, server: { ...open, admissions: [] } }, { admission: '1' })).toBe('refuse');
  expect(comes({ admission }, { admission: '1' }, alone)).toBe('refuse');
  expect(comes({ admission: { ...admission, sinceMs: nowMs - 2_000 } }, {})).toBe('refuse');
  const armed = { ...admission, stage: 'armed' as const, incarnation: 'of-b' };
  const waits = { ...open, semiSync: true };
  expect(comes({ admission: armed, server: waits }, { admission: '1' })).toBe('prove');
  const proved = { ...armed, stage: 'proved' as const };
  expect(comes({ admission: proved, server: waits }, { admission: '1' })).toBe('admit');
  expect(comes({ admission: proved, server: { ...waits, admissions: ['1', '2'] } }, { admission: '1' })).toBe(
    'release',
  );
  const both = { ...invited, members: inSync.members };
  expect(comes({ server: { ...waits } }, { admission: '1' }, both)).toBe('wait');
  expect(comes({ server: { ...waits, admissions: ['1', '2'] } }, { admission: '1' }, both)).toBe('detach');
});

test('a switchover to a spare first takes the member out of the set, once', () => {
  const reports = { b: report, c: spare };
  const wanted = { ...wishes, switchoverTo: 'c' };
  expect(decide(leading({ reports, wishes: wanted }), limits)).toMatchObject({ kind: 'detach', host: 'b' });
  const failed = { failedAtMs: { c: nowMs - 50_000 } };
  expect(step(leading({ reports, wishes: wanted }, failed))).toBe('wait');
  expect(step(leading({ reports, wishes: wanted }, { ...failed, wishedSinceMs: nowMs - 60_000 }))).toBe('wait');
  // The host failed before, for example on a busy machine. A new request tries it again.
  expect(step(leading({ reports, wishes: wanted }, { ...failed, wishedSinceMs: nowMs - 10 }))).toBe('detach');
  const [apart, ofB] = [{ server: { ...server, semiSync: false } }, { b: nowMs - 60_000, c: nowMs - 50_000 }];
  const chooses = (wishedSinceMs: number) =>
    decide(leading({ sync: alone, reports, wishes: wanted }, { ...apart, failedAtMs: ofB, wishedSinceMs }), limits);
  expect(chooses(nowMs - 10)).toMatchObject({ kind: 'invite', host: 'c' });
  expect(chooses(nowMs - 55_000)).toMatchObject({ kind: 'invite', host: 'b' });
  expect(step(leading({ reports, wishes: wanted }, { asynchronous: ['c'] }))).toBe('wait');
  const far = { ...spare, received: 2 };
  expect(step(leading({ reports: { ...reports, c: far }, wishes: wanted }))).toBe('wait');
});

test('a host that gains or loses the right to acknowledge reconnects after it has applied received transactions', () => {
  const follower = (replica: object, sync: typeof invited | typeof alone = invited) =>
    decide(
      leading(
        { sync, reports: {} },
        {
          ...{ me: 'b', reign: undefined },
          server: { ...server, duty: 'standby', writable: false, replica: { ...follows, ...replica } },
        },
      ),
      limits,
    );
  expect(follower({})).toEqual({ kind: 'follow', host: 'a', reign: 'r', admission: '1' });
  expect(follower({ drained: false })).toMatchObject({ kind: 'rest' });
  expect(follower({ drained: false, receiving: false })).toMatchObject({ kind: 'wait' });
  expect(follower({ receiving: false })).toMatchObject({ kind: 'follow', admission: '1' });
  expect(follower({ admission: '1' })).toMatchObject({ kind: 'wait' });
  expect(follower({ admission: '0' })).toMatchObject({ kind: 'follow', admission: '1' });
  expect(follower({ admission: '1' }, alone)).toMatchObject({ kind: 'wait', asks: true });
  // An admission of another host does not apply to this one.
  expect(follower({}, { ...invited, admission: { host: 'c', id: '1' } })).toMatchObject({ kind: 'wait' });
});

test('strict commits wait for a member as long as it takes', () => {
  const strict = { strict: true };
  const [open, closed] = [
    { server: { ...server, semiSync: false } },
    { server: { ...server, semiSync: false, writable: false } },
  ];
  expect(decide(leading({ sync: alone }, { ...strict, ...closed }), limits)).toMatchObject({
    kind: 'open',
    waits: true,
  });
  expect(step(leading({ sync: alone }, { ...strict, ...open }))).toBe('hold');
  expect(step(leading({ sync: alone, reports: {} }, strict))).toBe('wait');
  expect(step(leading({ sync: alone }, strict))).toBe('invite');
  const late = { ...server, waitingSinceMs: nowMs - 60_000, admissions: ['1'] };
  const admission = { ...invitation, incarnation: 'of-b', sinceMs: nowMs - 700, stage: 'proved' as const };
  expect(step(leading({ sync: invited }, { ...strict, server: late, admission }))).toBe('admit');
  const tooLate = { ...admission, sinceMs: nowMs - 60_000 };
  expect(step(leading({ sync: invited }, { ...strict, server: late, admission: tooLate }))).toBe('refuse');
  expect(step(leading({}, { ...strict, server: late }))).toBe('detach');
});

test('a switchover begins when its host is in sync and reports, and is abandoned otherwise', () => {
  const wanted = { paused: false, switchoverTo: 'b' };
  const closed = { server: { ...server, writable: false } };
  const unheard = { b: { ...report, heardAtMs: nowMs - 6_000 } };
  expect(step(leading({}))).toBe('wait');
  expect(step(leading({ wishes: wanted }))).toBe('close');
  expect(step(leading({ wishes: { ...wanted, switchoverTo: 'a' } }))).toBe('wait');
  expect(step(leading({ wishes: wanted, reports: unheard }))).toBe('wait');
  expect(step(leading({ wishes: wanted }, closed))).toBe('hand-over');
  expect(step(leading({ wishes: wanted, reports: unheard }, closed))).toBe('detach');
  expect(step(leading({}, closed))).toBe('detach');
});

test('a primary whose API is silent hands over to a host in sync whose API answers, and to no other', () => {
  const serves = { reports: { b: { ...report, api: 'ANSWERS' as const } } };
  const silent = { api: 'SILENT' as const };
  const closed = { ...silent, server: { ...server, writable: false } };
  expect(step(leading(serves, silent))).toBe('close');
  expect(decide(leading(serves, closed), limits)).toEqual({
    ...{ kind: 'hand-over', host: 'b', why: 'the API on a did not answer, and the one on b did' },
  });
  expect(step(leading(serves, { api: 'ANSWERS' }))).toBe('wait');
  expect(step(leading(serves, { api: undefined }))).toBe('wait');
  for (const api of ['SILENT', undefined] as const)
    expect(step(leading({ reports: { b: { ...report, api } } }, silent))).toBe('wait');
  expect(step(leading({ ...serves, wishes: { ...wishes, paused: true } }, silent))).toBe('wait');
  // A person decides where it goes.
  expect(step(leading({ ...serves, wishes: { ...wishes, switchoverTo: 'a' } }, silent))).toBe('wait');
  const unheard = { b: { ...report, api: 'ANSWERS' as const, heardAtMs: nowMs - 6_000 } };
  expect(step(leading({ reports: unheard }, silent))).toBe('wait');
});

test('a host that lacks writes is promoted only if a person accepts their loss, and only in place of that primary', () => {
  const standby = { ...server, duty: 'standby' as const, incarnation: 'later', writable: false };
  const candidate = { me: 'b', reign: undefined, leaderlessSinceMs: nowMs, server: standby };
  const lossy = { to: 'b', syncRevision: 7, acceptedLoss: 3 };
  const wished = (wish: Shared['wishes']['lossy']) =>
    step(leading({ leader: undefined, wishes: { ...wishes, lossy: wish } }, candidate));
  expect(wished(undefined)).toBe('wait');
  expect(wished(lossy)).toBe('take-lead');
  expect(wished({ ...lossy, to: 'a' })).toBe('wait');
  expect(wished({ ...lossy, syncRevision: 6 })).toBe('wait');
  const taken = { reign: { id: 'r2', fenceAtMs: nowMs + 1_000 }, server: standby, me: 'b' };
  const shared = { leader: { host: 'b', reign: 'r2' } };
  expect(decide(leading({ ...shared, wishes: { ...wishes, lossy } }, taken), limits)).toMatchObject({
    kind: 'take-sync',
    lossy: true,
  });
  expect(step(leading(shared, taken))).toBe('resign');
  // The host first applies what it has received, and receives nothing more.
  const replica = {
    ...{ source: 'a', reign: 'r', receiving: true, connected: false, drained: false, diverged: false },
    failure: undefined,
  };
  const following = { ...taken, server: { ...standby, replica } };
  expect(step(leading({ ...shared, wishes: { ...wishes, lossy } }, following))).toBe('stop-receiving');
  const stopped = { ...taken, server: { ...standby, replica: { ...replica, receiving: false } } };
  expect(step(leading({ ...shared, wishes: { ...wishes, lossy } }, stopped))).toBe('wait');
});

/** The host is in sync with a primary that is lost. */
const member = (shared: Partial<Shared>, changed: Partial<View> = {}) =>
  leading(
    { leader: undefined, reports: { a: { ...report, incarnation: 'of-a' } }, ...shared },
    {
      ...{ me: 'b', reign: undefined, leaderlessSinceMs: nowMs, ...changed },
      server: { ...server, duty: 'standby', incarnation: 'of-b', writable: false, replica: follows },
    },
  );

test('a member that has much to apply leaves the lead to a last primary that is back', () => {
  const back = { backAtMs: { a: nowMs - 500 } };
  const long = { drainsInMs: 60_000 };
  expect(step(member(back))).toBe('take-lead');
  expect(step(member({}, long))).toBe('take-lead');
  expect(decide(member(back, long), limits)).toMatchObject({ kind: 'wait', why: expect.stringContaining('a is back') });
  expect(step(member({ backAtMs: { a: nowMs - limits.reportMs } }, long))).toBe('take-lead');
  expect(step(member({ backAtMs: { c: nowMs } }, long))).toBe('take-lead');
  // A person wants this host.
  expect(step(member({ ...back, wishes: { ...wishes, switchoverTo: 'b' } }, long))).toBe('take-lead');
});

test('while a member drains and the last primary is back, it resigns; sessions that block it are ended', () => {
  const drains = (shared: Partial<Shared>, changed: Partial<View>) => {
    const view = member(
      { leader: { host: 'b', reign: 's' }, ...shared },
      { reign: { id: 's', fenceAtMs: nowMs + 1_000 } },
    );
    const replica = { ...follows, receiving: false, drained: false };
    return decide({ ...view, server: { ...view.server, replica } as View['server'], ...changed }, limits);
  };
  const back = { backAtMs: { a: nowMs - 500 } };
  expect(drains({}, { drainsInMs: 60_000 })).toMatchObject({ kind: 'wait', soon: true });
  expect(drains(back, { drainsInMs: 60_000 })).toMatchObject({ kind: 'resign' });
  expect(drains(back, { drainsInMs: 1_000, stalledMs: 100 })).toMatchObject({ kind: 'wait', soon: true });
  expect(drains({}, { drainsInMs: 1_000, stalledMs: limits.stallMs })).toEqual({ kind: 'end-sessions' });
  const wished = { ...back, wishes: { ...wishes, switchoverTo: 'b' } };
  expect(drains(wished, { drainsInMs: 60_000 })).toMatchObject({ kind: 'wait', soon: true });
});

test('a member whose commits are blocked ends the sessions that may block them', () => {
  const view = member({});
  expect(step({ ...view, server: { ...view.server, aliveAtMs: nowMs - 1_000 } as View['server'] })).toBe(
    'end-sessions',
  );
});

test('a last primary leads at once if the member has much to apply, and is no help if its server ends at the start', () => {
  const last = (ofB: object, changed: Partial<View> = {}) =>
    decide(
      leading(
        { leader: undefined, reports: { b: { ...report, ...ofB } } },
        { reign: undefined, leaderlessSinceMs: nowMs, server: { state: 'down' }, ...changed },
      ),
      limits,
    );
  const long = { drainsInMs: 60_000 };
  expect(last({})).toMatchObject({ kind: 'wait', isBack: true });
  expect(last(long)).toMatchObject({ kind: 'take-lead' });
  expect(last({ drainsInMs: limits.drainMs })).toMatchObject({ kind: 'wait' });
  expect(last({ ...long, incarnation: 'later' })).toMatchObject({ kind: 'wait' });
  expect(last({ ...long, heardAtMs: nowMs - limits.reportMs })).toMatchObject({ kind: 'wait' });
  const failed = { failedStartAtMs: nowMs - 1_000 };
  expect(last(long, failed)).toEqual({ kind: 'wait', why: 'the lead is left to the member in sync' });
  expect(last(long, { failedStartAtMs: nowMs - limits.startAgainMs })).toMatchObject({ kind: 'take-lead' });
  // It led again, and its server has ended.
  const led = { leader: { host: 'a', reign: 's' } };
  const down = { reign: { id: 's', fenceAtMs: nowMs + 1_000 }, server: { state: 'down' as const } };
  expect(step(leading(led, down))).toBe('start');
  expect(step(leading(led, { ...down, ...failed }))).toBe('resign');
  expect(step(leading({ ...led, sync: alone }, { ...down, ...failed }))).toBe('start');
  // While the member drains, the last primary shows that it is back.
  const drains = { leader: { host: 'b', reign: 's' } };
  expect(decide(leading(drains, { ...down, reign: undefined }), limits)).toMatchObject({ kind: 'wait', isBack: true });
});

test('a switchover waits for a member whose applier stands still', () => {
  const stands = { b: { ...report, received: 10, applied: 9, drainsInMs: 3_600_000 } };
  expect(step(leading({ wishes: { ...wishes, switchoverTo: 'b' }, reports: stands }))).toBe('wait');
});

test('a host whose clock is off by more than a second is not promoted', () => {
  expect(step(member({}))).toBe('take-lead');
  expect(step(member({ clocksAheadMs: { a: 900 } }))).toBe('take-lead');
  for (const ahead of [-1_100, 60_000])
    expect(decide(member({ clocksAheadMs: { a: ahead } }), limits)).toEqual({ kind: 'wait', why: 'its clock is off' });
  // The lost primary's clock was the wrong one.
  expect(step(member({ clocksAheadMs: { a: 60_000, w: -200 } }))).toBe('take-lead');
  expect(step(member({ clocksAheadMs: { a: 60_000, w: 59_000 } }))).toBe('wait');
  const lossy = { to: 'b', syncRevision: 7, acceptedLoss: 0 };
  expect(step(member({ clocksAheadMs: { a: 60_000 }, wishes: { ...wishes, lossy } }))).toBe('wait');
});

test('a host that lacks the active sealing key is not promoted', () => {
  const used = (active: string) => ({ a: { ...report, incarnation: 'of-a', sealing: { active, known: ['1', '2'] } } });
  const has = (...known: string[]) => ({ sealing: { active: '1', known } });
  expect(step(member({ reports: used('1') }, has('1')))).toBe('take-lead');
  // The key is on every host first, and active afterwards.
  expect(step(member({ reports: used('2') }, has('1', '2')))).toBe('take-lead');
  const lacks = { kind: 'wait', why: 'it lacks the sealing key that is in use' };
  expect(decide(member({ reports: used('2') }, has('1')), limits)).toEqual(lacks);
  expect(decide(member({ reports: used('1') }), limits)).toEqual(lacks);
  const lossy = { to: 'b', syncRevision: 7, acceptedLoss: 0 };
  expect(decide(member({ reports: used('1'), wishes: { ...wishes, lossy } }), limits)).toEqual(lacks);
});

test('a switchover to a host that could not be promoted does not begin', () => {
  const wanted = { ...wishes, switchoverTo: 'b' };
  const mine = { sealing: { active: '1', known: ['1'] } };
  const of = (sealing: { active: string; known: string[] }) => ({ b: { ...report, sealing } });
  expect(step(leading({ wishes: wanted, reports: of({ active: '1', known: ['1'] }) }, mine))).toBe('close');
  expect(step(leading({ wishes: wanted, reports: of({ active: '2', known: ['2'] }) }, mine))).toBe('wait');
  expect(step(leading({ wishes: wanted, clocksAheadMs: { b: 60_000, w: 0 } }))).toBe('wait');
  expect(step(leading({ wishes: wanted, clocksAheadMs: { b: 60_000, w: 60_000 } }))).toBe('close');
});

test('a switchover keeps writes open until its host has applied nearly all received transactions', () => {
  const wanted = { ...wishes, switchoverTo: 'b' };
  const behind = (by: number) => ({ b: { ...report, received: 5_000, applied: 5_000 - by } });
  expect(step(leading({ wishes: wanted, reports: behind(limits.mostBehind + 1) }))).toBe('wait');
  expect(step(leading({ wishes: wanted, reports: behind(limits.mostBehind) }))).toBe('close');
});

test('a restarted host applies received transactions before it follows, or before a promotion with a loss', () => {
  const wish = { ...wishes, lossy: { to: 'b', syncRevision: 7, acceptedLoss: 0 } };
  const restarted = { ...server, duty: 'standby' as const, incarnation: 'later', writable: false, received: 12 };
  const view = leading(
    { leader: { host: 'b', reign: 'r2' }, wishes: wish },
    { me: 'b', reign: { id: 'r2', fenceAtMs: nowMs + 1_000 }, server: restarted },
  );
  expect(decide(view, limits)).toEqual({ kind: 'apply-received', from: 'a', reign: 'r' });
  const applies = { ...restarted, replica: { ...follows, receiving: false, drained: false } };
  expect(step({ ...view, server: applies })).toBe('wait');
  const applied = { ...applies, replica: { ...applies.replica, drained: true } };
  expect(step({ ...view, server: applied })).toBe('take-sync');
  // The same applies before the host follows a primary.
  const follower = leading({}, { me: 'b', reign: undefined, server: restarted });
  expect(decide(follower, limits)).toEqual({ kind: 'apply-received', from: 'a', reign: 'r' });
  expect(step({ ...follower, server: applies })).toBe('wait');
  expect(step({ ...follower, server: applied })).toBe('follow');
});

test('while promotion is paused, only the last primary leads again, and it does so at once', () => {
  const paused = { leader: undefined, wishes: { ...wishes, paused: true } };
  const candidate = { reign: undefined, leaderlessSinceMs: nowMs };
  expect(step(leading(paused, { ...candidate, server: { state: 'down' } }))).toBe('take-lead');
  expect(step(leading({ leader: undefined }, { ...candidate, server: { state: 'down' } }))).toBe('wait');
  const replica = { ...{ source: 'a', reign: 'r', receiving: true, connected: true, drained: true, diverged: false } };
  const standby = { ...server, duty: 'standby' as const, incarnation: 'of-b', writable: false };
  const member = { ...candidate, me: 'b', server: { ...standby, replica: { ...replica, failure: undefined } } };
  expect(step(leading(paused, member))).toBe('wait');
  expect(step(leading({ leader: undefined }, member))).toBe('take-lead');
});

test('a host without a database never leads, and starts with a copy', () => {
  const empty = { server: { state: 'empty' as const } };
  expect(step(leading({}, empty))).toBe('resign');
  for (const wanted of [wishes, { ...wishes, paused: true }])
    expect(step(leading({ leader: undefined, wishes: wanted }, { ...empty, reign: undefined }))).toBe('wait');
  const member = { ...empty, me: 'b', reign: undefined };
  expect(step(leading({ leader: undefined, sync: inSync }, member))).toBe('wait');
  expect(decide(leading({}, member), limits)).toEqual({ kind: 'clone', host: 'a' });
});

test('a lost primary that waits for a person takes no step beside another primary, and leads again if there is none', () => {
  const down = { server: { state: 'down' as const }, reign: undefined };
  const other = { leader: { host: 'b', reign: 's' }, sync: { ...alone, primary: 'b', reign: 's' } };
  expect(decide(leading(other, down), limits)).toEqual({ kind: 'start', role: 'SLAVE' });
  for (const state of ['down', 'empty'] as const)
    expect(decide(leading(other, { ...down, server: { state }, staysOut: true }), limits)).toEqual({
      kind: 'wait',
      why: 'it was lost as the primary: "tidegate ha rejoin a" lets it return',
    });
  expect(step(leading({ leader: undefined, sync: alone }, { ...down, staysOut: true }))).toBe('take-lead');
});
