// Each trap removes one guard of the agent's decisions. The model must find the resulting fault.
import type { Step } from '../../../../ha/agent/decide.ts';
import type { View } from '../../../../ha/agent/view.ts';
import type { WorldOptions } from './context.ts';

type Up = Extract<View['server'], { state: 'up' }>;
type Shared = NonNullable<View['shared']>;

const withServer = (view: View, change: (server: Up) => Up): View =>
  view.server.state === 'up' ? { ...view, server: change(view.server) } : view;
const withReplica = (view: View, change: object): View =>
  withServer(view, (server) =>
    server.replica === undefined ? server : { ...server, replica: { ...server.replica, ...change } },
  );
const withSync = (view: View, change: (sync: NonNullable<Shared['sync']>, shared: Shared) => object): View =>
  view.shared?.sync === undefined
    ? view
    : { ...view, shared: { ...view.shared, sync: { ...view.shared.sync, ...change(view.shared.sync, view.shared) } } };

const hidesOthers = (view: View): View =>
  withServer(view, (server) => ({
    ...server,
    admissions: server.admissions.filter((id) => id === view.shared?.sync?.admission?.id),
  }));
const threeHosts = {
  ...{ hostsPause: true, hosts: 3 as const },
  // The member gives way to another host, but still acknowledges, because its agent hangs.
  rates: {
    ...{ faults: ['usurp', 'kill-primary'] as const, faultRate: 0.012 },
    ...{ slow: 0.05, lost: 0, receiveRate: 1 },
  },
};

const lateAdmissions = {
  ...{ faults: ['kill-primary', 'restart-agent'] as const, faultRate: 0.1, slow: 0.05, lost: 0 },
  ...{ receiveRate: 1, lateAdmissions: 0.8 },
};

/** The schedules that find rare traps. A search from schedule 1 would take a minute for the rarest. */
export const foundBy: Readonly<Record<string, number>> = {
  'a restarted member is promoted': 55,
  'a member is admitted without an acknowledged commit': 67,
  'a member is admitted as what it is now': 4_648,
};

export const traps: Readonly<Record<string, WorldOptions>> = {
  'the server is never fenced': {
    ...{ hostsPause: false, neverFences: true },
    step: (step: Step) => (step.kind === 'fence' ? { kind: 'resign', why: step.why } : step),
  },
  'a change of `sync` compares nothing': {
    ...{ hostsPause: true, comparesNothing: true },
    rates: lateAdmissions,
  },
  'a restarted member is promoted': {
    hostsPause: true,
    view: (view) =>
      withServer(view, (server) => {
        const member = view.shared?.sync?.members.find(({ host }) => host === view.me);
        return member === undefined ? server : { ...server, incarnation: member.incarnation };
      }),
  },
  'a host that is no member is promoted': {
    hostsPause: true,
    view: (view) =>
      withSync(view, ({ primary, members }) => ({
        members:
          primary === view.me || members.length > 0 || view.server.state !== 'up'
            ? members
            : [{ host: view.me, incarnation: view.server.incarnation }],
      })),
  },
  'the relay log is not applied before the opening': {
    hostsPause: true,
    view: (view) => (view.reign === undefined ? view : withReplica(view, { drained: true })),
  },
  'commits are let go before the member is out of the set': {
    hostsPause: true,
    step: (step) => (step.kind === 'detach' ? { kind: 'release' } : step),
  },
  'commits are let go while an admission may come late': {
    hostsPause: true,
    rates: lateAdmissions,
    view: (view) => ({ ...view, sealedRevision: view.shared?.sync?.revision }),
  },
  'strict commits are let go': { hostsPause: true, strict: true, view: (view) => ({ ...view, strict: false }) },
  'a member is admitted without an acknowledged commit': {
    ...{ hostsPause: true, provesNothing: true },
    rates: { faults: ['kill', 'stop-agent', 'go-on'], faultRate: 0.2, slow: 0.03, lost: 0, receiveRate: 0.6 },
  },
  'a member is admitted as what it is now': {
    hostsPause: true,
    rates: {
      ...{ faults: ['kill', 'stop-agent', 'go-on'], faultRate: 0.4, slow: 0.03, lost: 0.15 },
      receiveRate: 1,
    },
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
    // The real agent would be fenced for that.
    view: (view) => withServer(view, (server) => (view.reign === undefined ? server : { ...server, duty: 'primary' })),
  },
  'the last primary starts as a standby while another is being promoted': {
    hostsPause: true,
    view: (view) =>
      withSync(view, ({ primary }, { leader }) => ({
        primary: primary === view.me && leader !== undefined && leader.host !== view.me ? leader.host : primary,
      })),
  },
  // With three hosts. An acknowledgement of a host that should not be admitted must never release a commit.
  'a spare acknowledges': { ...threeHosts, sparesAcknowledge: true },
  'whoever may acknowledge stays when another one is invited': { ...threeHosts, view: hidesOthers },
  'the account of the former member stays': { ...threeHosts, barLeaves: 'accounts', view: hidesOthers },
  'the connections of the former member stay': { ...threeHosts, barLeaves: 'connections', view: hidesOthers },
};
