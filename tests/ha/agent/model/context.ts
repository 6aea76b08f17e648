// Shared by the parts of the model: names, limits, and the parts that can be removed from a world.
import type { Step } from '../../../../ha/agent/decide.ts';
import type { Limits } from '../../../../ha/agent/limits.ts';
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
    drainMs: 300,
    stallMs: 100,
    startAgainMs: 2_000,
  },
  ...{ reportMs: 5_000, mostBehind: 5, mostClockOffMs: 1_000 },
};

export const faultKinds = [
  ...(['kill', 'restart-agent', 'stop-agent', 'stop-host', 'go-on', 'cut', 'cut-from-etcd', 'hang'] as const),
  ...(['etcd-elects', 'switchover', 'pause', 'block', 'ends-at-start'] as const),
] as const;
/**
 * Faults for rare chains of events. `kill-invited` hits the host that is being admitted. `kill-primary` hits the leader. `usurp` hangs the
 * agent of the member while another host needs its place. `tag` sets tags of a host, and `reinit` replaces the data of one.
 */
export type FaultKind =
  | (typeof faultKinds)[number]
  | 'tag'
  | 'reinit'
  | 'api'
  | 'time-passes'
  | 'kill-invited'
  | 'kill-primary'
  | 'usurp';

export interface WorldOptions {
  /** Default: two. */
  readonly hosts?: 2 | 3;
  /** A host that hung may be writable for a moment, until its watchdog runs. */
  readonly hostsPause: boolean;
  /** A write needs two copies before it is acknowledged. */
  readonly strict?: boolean;
  /** Rates for a rare chain of events, instead of the rates that each schedule draws. */
  readonly rates?: {
    readonly faults: readonly FaultKind[];
    readonly faultRate: number;
    readonly slow: number;
    readonly lost: number;
    /** Relative to the rate of writes. */
    readonly receiveRate: number;
    /** The share of requested admissions that take effect late, after the call was abandoned. */
    readonly lateAdmissions?: number;
  };
  /** Simulates the effect of a removed guard on the view. */
  readonly view?: (view: View) => View;
  readonly step?: (step: Step, view: View) => Step;
  readonly neverFences?: boolean;
  readonly provesNothing?: boolean;
  readonly comparesNothing?: boolean;
  /** Hosts also acknowledge data that they receive with the shared account. */
  readonly sparesAcknowledge?: boolean;
  /** Undetected leftovers of hosts that may no longer acknowledge. */
  readonly barLeaves?: 'connections' | 'accounts';
}
