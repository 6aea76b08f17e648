// An autoscaling policy: how the number of a load balancer's nodes follows its load.

const scalingSignals = ['LOAD', 'COLLECTD'] as const;
type ScalingSignal = (typeof scalingSignals)[number];

export const scalingActions = ['GROW', 'SHRINK', 'KEEP'] as const;
export type ScalingAction = (typeof scalingActions)[number];

/** Different bounds while a window is open. */
export interface ScheduleWindow {
  /** 1 (Monday) to 7: day on which the window begins. */
  readonly days: readonly number[];
  /** HH:MM in the policy's time zone. */
  readonly from: string;
  /** HH:MM. If not after `from`, on the next day. */
  readonly to: string;
  readonly minNodes: number;
  readonly maxNodes: number;
}

export interface ScalingPolicy {
  readonly enabled: boolean;
  readonly dryRun: boolean;
  readonly signal: ScalingSignal;
  /** PLUGIN[-INSTANCE]/TYPE[-INSTANCE], with /0, /1 … if the type has several values. */
  readonly collectdValue: string | null;
  /** Requests per second that count as 100 percent of a node. Null if requests are not counted. */
  readonly requestsPerNode: number | null;
  readonly targetPercent: number;
  readonly tolerancePercent: number;
  readonly periodMs: number;
  readonly warmUpMs: number;
  readonly cooldownMs: number;
  readonly downWindowMs: number;
  /** IANA name. */
  readonly timeZone: string;
  /** The first open window applies. */
  readonly schedule: readonly ScheduleWindow[];
}

/** Most earlier decisions of its window, and most changes, from which a decision is made. */
export const mostInHistory = 2_000;
export const mostChanges = 100;

export const defaultPolicy: ScalingPolicy = {
  enabled: true,
  dryRun: false,
  signal: 'LOAD',
  collectdValue: null,
  requestsPerNode: null,
  targetPercent: 60,
  tolerancePercent: 10,
  periodMs: 15_000,
  warmUpMs: 30_000,
  cooldownMs: 60_000,
  downWindowMs: 300_000,
  timeZone: 'UTC',
  schedule: [],
};
