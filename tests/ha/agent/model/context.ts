// What the parts of the model share: names, limits, and what is taken out of a world.
import type { Limits, Step } from '../../../../ha/agent/decide.ts';
import type { View } from '../../../../ha/agent/view.ts';

export const hostNames = ['a', 'b', 'c'] as const;
export type HostName = (typeof hostNames)[number];

export const leaseMs = 3_000;
export const fenceAfterMs = (leaseMs * 2) / 3;
export const limits: Limits = {
  ...{
    heartbeatMs: 1_000,
    detachMs: 500,
    inviteMs: 2_000,
    askMs: 100,
    admitMs: 2_000,
    againMs: 1_000,
    startMs: 20_000,
    memberFirstMs: 4_000,
  },
  ...{ reportMs: 5_000, mostBehind: 5, mostClockOffMs: 1_000 },
};

export const faultKinds = [
  ...(['kill', 'restart-agent', 'stop-agent', 'stop-host', 'go-on', 'cut', 'cut-from-etcd', 'hang'] as const),
  ...(['etcd-elects', 'switchover', 'pause'] as const),
] as const;
/**
 * What rare chains of events need: `kill-invited` meets the host that is being admitted, `kill-primary` the one that leads, `usurp` the
 * member, whose agent stands still while its place is wanted for another one.
 */
export type FaultKind = (typeof faultKinds)[number] | 'time-passes' | 'kill-invited' | 'kill-primary' | 'usurp';

export interface WorldOptions {
  /** Left out: two. */
  readonly hosts?: 2 | 3;
  /** A host that stood still may be writable for a moment, until its watchdog runs. */
  readonly hostsPause: boolean;
  /** No write is acknowledged with one copy. */
  readonly strict?: boolean;
  /** What a rare chain of events needs, in place of what each schedule draws. */
  readonly rates?: {
    readonly faults: readonly FaultKind[];
    readonly faultRate: number;
    readonly slow: number;
    readonly lost: number;
    /** Compared with the writes. */
    readonly receiveRate: number;
    /** Of admissions that are asked for: how many take effect late, after the call was given up. */
    readonly lateAdmissions?: number;
  };
  /** What a guard that is taken out would have changed. */
  readonly view?: (view: View) => View;
  readonly step?: (step: Step, view: View) => Step;
  readonly neverFences?: boolean;
  readonly provesNothing?: boolean;
  readonly comparesNothing?: boolean;
  /** Hosts acknowledge also what they receive with the account of all. */
  readonly sparesAcknowledge?: boolean;
  /** What is left of those who may acknowledge no more, and is not seen. */
  readonly barLeaves?: 'connections' | 'accounts';
}
