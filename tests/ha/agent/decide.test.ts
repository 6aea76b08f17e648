// The agent's decisions in the model: never two writable hosts, never one opened without every acknowledged write, and whole again in
// the end. Then each guard is taken out, and must be missed.
import { expect, test } from '@jest/globals';
import { seededRandom } from '../../../bench/trials/random.ts';
import type { Step } from '../../../ha/agent/decide.ts';
import type { View } from '../../../ha/agent/view.ts';
import { World, type WorldOptions } from './world.ts';

const seed = Number(process.env.SEED ?? 1);
const schedules = Number(process.env.SCHEDULES ?? 300);
const steps = 4_000;

function runOne(at: number, options: WorldOptions): World {
  const world = new World(seededRandom(at), options);
  world.run(steps);
  return world;
}

test.each([false, true])(`nothing acknowledged is lost, hosts stand still: %s (seed ${seed})`, (hostsPause) => {
  let [acknowledged, opened] = [0, 0];
  for (let at = seed; at < seed + schedules; at += 1) {
    const world = runOne(at, { hostsPause });
    expect({ at, faults: world.faults }).toEqual({ at, faults: [] });
    acknowledged += world.acknowledged.size;
    opened += world.opened;
  }
  // A model in which nothing happens proves nothing.
  expect(acknowledged).toBeGreaterThan(schedules * 10);
  expect(opened).toBeGreaterThan(schedules * 2);
});

const withServer = (view: View, change: (server: View['server'] & { state: 'up' }) => View['server']): View =>
  view.server.state === 'up' ? { ...view, server: change(view.server) } : view;
const withReplica = (view: View, change: object): View =>
  withServer(view, (server) =>
    server.replica === undefined ? server : { ...server, replica: { ...server.replica, ...change } },
  );

const traps: Readonly<Record<string, WorldOptions>> = {
  'the server is never fenced': { hostsPause: false, neverFences: true, step: withoutFence },
  'the lease counts from the answer': { hostsPause: false, fencesFromAnswer: true },
  'the lease is given up before the kill': { hostsPause: false, revokesBeforeKill: true },
  'a restarted member is promoted': {
    hostsPause: true,
    view: (view) =>
      withServer(view, (server) => {
        const member = view.shared?.sync?.members.find(({ host }) => host === view.me);
        return member === undefined ? server : { ...server, incarnation: member.incarnation };
      }),
  },
  'the relay log is not applied before the opening': {
    hostsPause: true,
    view: (view) => withReplica(view, { drained: true }),
  },
  'the old primary is still received from': {
    hostsPause: true,
    view: (view) => withReplica(view, { receiving: false }),
  },
  'commits are let go before the member is out of the set': {
    hostsPause: true,
    step: (step) => (step.kind === 'detach' ? { kind: 'release' } : step),
  },
  'commits are let go while an admission may come late': {
    hostsPause: true,
    view: (view) => ({ ...view, sealedRevision: view.shared?.sync?.revision }),
  },
  'a member is admitted without an acknowledged commit': { hostsPause: true, provesNothing: true },
  'a member is admitted as what it is now': {
    hostsPause: true,
    step: (step, view) =>
      step.kind === 'admit'
        ? { ...step, incarnation: view.shared?.reports[step.host]?.incarnation ?? step.incarnation }
        : step,
    view: (view) => {
      const report = view.admission && view.shared?.reports[view.admission.host];
      return view.admission && report
        ? { ...view, admission: { ...view.admission, incarnation: report.incarnation } }
        : view;
    },
  },
  'the last primary starts as a standby': {
    hostsPause: true,
    step: (step) => (step.kind === 'start' ? { kind: 'start', role: 'SLAVE' } : step),
    // It would be fenced for that.
    view: (view) => withServer(view, (server) => (view.reign === undefined ? server : { ...server, duty: 'primary' })),
  },
};

function withoutFence(step: Step): Step {
  return step.kind === 'fence' ? { kind: 'resign', why: step.why } : step;
}

test.each(Object.entries(traps))('the model misses a guard: %s', (_what, trap) => {
  let at = seed;
  while (at < seed + 3_000 && runOne(at, trap).faults.filter((fault) => !fault.startsWith('not whole')).length === 0)
    at += 1;
  expect(at).toBeLessThan(seed + 3_000);
});
