// Each guard of the agent's decisions taken out, one at a time: the model must find what that breaks.
import type { Step } from '../../../ha/agent/decide.ts';
import type { View } from '../../../ha/agent/view.ts';
import type { WorldOptions } from './world.ts';

const withServer = (view: View, change: (server: View['server'] & { state: 'up' }) => View['server']): View =>
  view.server.state === 'up' ? { ...view, server: change(view.server) } : view;
const withReplica = (view: View, change: object): View =>
  withServer(view, (server) =>
    server.replica === undefined ? server : { ...server, replica: { ...server.replica, ...change } },
  );

export const traps: Readonly<Record<string, WorldOptions>> = {
  'the server is never fenced': { hostsPause: false, neverFences: true, step: withoutFence },
  'the lease counts from the answer': {
    ...{ hostsPause: false, fencesFromAnswer: true, slow: 0.4 },
    faults: ['time-passes', 'stop-agent', 'cut-from-etcd'],
  },
  'the lease is given up before the kill': {
    ...{ hostsPause: false, revokesBeforeKill: true, slow: 0.4 },
    faults: ['hang', 'time-passes'],
  },
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
    view: (view) => (view.reign === undefined ? view : withReplica(view, { drained: true })),
  },
  'the old primary is still received from': {
    ...{ hostsPause: true, faults: ['stop-host', 'time-passes'] },
    view: (view) => (view.reign === undefined ? view : withReplica(view, { receiving: false })),
  },
  'commits are let go before the member is out of the set': {
    hostsPause: true,
    step: (step) => (step.kind === 'detach' ? { kind: 'release' } : step),
  },
  'commits are let go while an admission may come late': {
    ...{ hostsPause: true, slow: 0.4, faults: ['kill', 'cut', 'cut-from-etcd', 'time-passes'] },
    view: (view) => ({ ...view, sealedRevision: view.shared?.sync?.revision }),
  },
  'a member is admitted without an acknowledged commit': { hostsPause: true, provesNothing: true },
  'a member is admitted as what it is now': {
    ...{ hostsPause: true, faults: ['kill', 'cut', 'time-passes'] },
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
