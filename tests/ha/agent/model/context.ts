// What the parts of the model share: time, randomness, etcd, its messages, and what is judged.
import type { Random } from '../../../../bench/trials/random.ts';
import type { Limits, Step } from '../../../../ha/agent/decide.ts';
import type { View } from '../../../../ha/agent/view.ts';
import type { Messages } from './messages.ts';
import type { SimulatedEtcd } from './simulated-etcd.ts';
import type { SimulatedHost } from './simulated-host.ts';

export const hostNames = ['a', 'b'] as const;
export type HostName = (typeof hostNames)[number];

export const leaseMs = 3_000;
export const fenceAfterMs = (leaseMs * 2) / 3;
export const limits: Limits = {
  ...{ heartbeatMs: 1_000, detachMs: 500, admitMs: 2_000, againMs: 1_000, startMs: 20_000, memberFirstMs: 4_000 },
  ...{ reportMs: 5_000, mostBehind: 5 },
};

export interface WorldOptions {
  /** A host that stood still may be writable for a moment, until its watchdog runs. */
  readonly hostsPause: boolean;
  /** What a guard that is taken out would have changed. */
  readonly view?: (view: View) => View;
  readonly step?: (step: Step, view: View) => Step;
  readonly neverFences?: boolean;
  readonly revokesBeforeKill?: boolean;
  readonly provesNothing?: boolean;
  readonly comparesNothing?: boolean;
}

export interface Context {
  readonly random: Random;
  readonly options: WorldOptions;
  readonly etcd: SimulatedEtcd;
  readonly messages: Messages;
  readonly faults: string[];
  readonly acknowledged: Set<string>;
  nowMs: number;
  opened: number;
  /** Between the hosts. */
  isCut: boolean;
  /** Nothing breaks any more. */
  isCalm: boolean;
  newId(kind: string): string;
  host(name: HostName): SimulatedHost;
  otherHost(name: HostName): SimulatedHost;
}
