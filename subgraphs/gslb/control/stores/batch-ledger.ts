// Which batches of a checker count, and how old they are. Pure: takes the stored state of the checker and returns its new state, which is
// stored in the same transaction as the votes.
//
// - At each connect the conductor grants the checker an incarnation, which increases. Its batches are numbered from 1. An unacknowledged
//   batch is sent again unchanged and counts once. After a gap nothing counts until the missing batch has arrived. A number always has the
//   same content: a checker that abandons a batch (its targets are reassigned) reconnects, or the next one would count as repeated.
// - The processes of a vantage point share its targets by epoch. A batch of another epoch does not count, because the target may now belong
//   to another checker.
// - No checker's clock is trusted. The grant and each acknowledgement carry a stamp, the time of the conductor's monotonic clock. A batch
//   returns the newest stamp that its checker had. So the batch was made after the stamp, and is at most as old as the stamp, whatever
//   delayed it: the network, a stopped process, a suspended machine. Ages by a checker's own clock are for the history only.

import type { Verdict } from '../../rules/quorum.ts';

export interface LedgerLimits {
  /** Limit of current and past verdicts in one batch. */
  readonly mostVerdicts: number;
  /** A batch older than this on arrival is late. */
  readonly freshMs: number;
}

/** Stored state of a checker. */
export interface CheckerState {
  readonly vantagePoint: string;
  /** 0 if it never connected. */
  readonly incarnation: number;
  /** Epoch of the vantage point's present targets. */
  readonly epoch: number;
  /** The last that counted of this incarnation. */
  readonly batch: number;
  /**
   * Time at which its votes still held, by the clock of the stamps. Null if it has not reported in this incarnation and epoch.
   */
  readonly saidAtMs: number | null;
  readonly abstains: boolean;
}

export interface Batch {
  readonly vantagePoint: string;
  readonly incarnation: number;
  readonly epoch: number;
  readonly number: number;
  /** The newest stamp that the checker had. */
  readonly stampMs: number;
  /** It can't reach its beacons, or is starved. */
  readonly abstains: boolean;
  /** Current verdicts: only the changes, or all of them after a new incarnation or epoch, in as many batches as needed. Empty for a heartbeat. */
  readonly verdicts: readonly TargetVerdict[];
  /** Changes from the time without a connection, oldest first: history. */
  readonly past: readonly TargetVerdict[];
}

export interface TargetVerdict {
  /** Member and monitor. */
  readonly target: string;
  readonly verdict: Verdict;
  /** Time from the check that first showed it to the making of the batch, by the checker's monotonic clock. */
  readonly agoMs: number;
}

/** A verdict in the form to store. */
export interface NotedVerdict extends TargetVerdict {
  /** False if it is for the history only. */
  readonly holds: boolean;
  /** It arrived too late to count, and is stored for the history only. */
  readonly late: boolean;
}

/** Origin of a vote, stored with its verdict. */
export interface VoteMark {
  readonly incarnation: number;
  readonly epoch: number;
}

export type Refusal =
  | 'OTHER_VANTAGE_POINT'
  | 'OLD_INCARNATION'
  | 'UNKNOWN_INCARNATION'
  | 'OLD_EPOCH'
  | 'UNKNOWN_EPOCH'
  | 'GAP'
  | 'TOO_LARGE'
  | 'WRONG_STAMP';

type Noted =
  /** Store `state` and `noted` together, then acknowledge the batch. */
  | { readonly outcome: 'COUNTED'; readonly state: CheckerState; readonly noted: readonly NotedVerdict[] }
  /** It has counted already. It is acknowledged again, and nothing is stored. */
  | { readonly outcome: 'REPEATED' }
  /** Nothing counts. The checker reconnects and reports everything again. */
  | { readonly outcome: 'REFUSED'; readonly refusal: Refusal };

/** A checker connects: batches of its former incarnations are refused from now on. */
export function grantIncarnation(state: CheckerState): CheckerState {
  return { ...state, incarnation: state.incarnation + 1, batch: 0, saidAtMs: null, abstains: false };
}

/** The vantage point's targets are reassigned. */
export function beginEpoch(state: CheckerState, epoch: number): CheckerState {
  if (epoch <= state.epoch) throw new Error(`epoch ${epoch} does not follow ${state.epoch}`);
  return { ...state, epoch, saidAtMs: null };
}

/** `nowMs`: by the clock that made the stamp. */
export function noteBatch(state: CheckerState, batch: Batch, nowMs: number, limits: LedgerLimits): Noted {
  const refusal = refusalOf(state, batch, nowMs, limits);
  if (refusal !== undefined) return { outcome: 'REFUSED', refusal };
  if (batch.number <= state.batch) return { outcome: 'REPEATED' };
  const late = nowMs - batch.stampMs >= limits.freshMs;
  return {
    outcome: 'COUNTED',
    state: { ...state, batch: batch.number, saidAtMs: batch.stampMs, abstains: batch.abstains },
    noted: [
      ...batch.past.map((each) => ({ ...each, holds: false, late: true })),
      ...batch.verdicts.map((each) => ({ ...each, holds: true, late })),
    ],
  };
}

/**
 * Age of a vote. Each batch confirms all earlier votes of its checker in this incarnation and epoch. Null if there was no such
 * batch since the checker connected or the targets were reassigned: the vote does not count.
 */
export function voteAgeMs(
  { incarnation, epoch, saidAtMs }: CheckerState,
  vote: VoteMark,
  nowMs: number,
): number | null {
  if (saidAtMs === null || vote.incarnation !== incarnation || vote.epoch !== epoch) return null;
  return nowMs - saidAtMs;
}

function refusalOf(
  state: CheckerState,
  { vantagePoint, incarnation, epoch, number, stampMs, verdicts, past }: Batch,
  nowMs: number,
  { mostVerdicts }: LedgerLimits,
): Refusal | undefined {
  if (vantagePoint !== state.vantagePoint) return 'OTHER_VANTAGE_POINT';
  if (incarnation !== state.incarnation)
    return incarnation < state.incarnation ? 'OLD_INCARNATION' : 'UNKNOWN_INCARNATION';
  if (epoch !== state.epoch) return epoch < state.epoch ? 'OLD_EPOCH' : 'UNKNOWN_EPOCH';
  if (verdicts.length + past.length > mostVerdicts) return 'TOO_LARGE';
  if (number > state.batch + 1) return 'GAP';
  // Stamps rise, so an older stamp than the last does not belong to an acknowledgement of this incarnation.
  const isNew = number > state.batch;
  return !(stampMs <= nowMs) || (isNew && stampMs < (state.saidAtMs ?? stampMs)) ? 'WRONG_STAMP' : undefined;
}
