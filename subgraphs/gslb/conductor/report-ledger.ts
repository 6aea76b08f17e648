// Which reports of a checker count, and how old they are. Pure: what is known of the checker goes in, what is known then comes out, to be
// stored in the transaction that stores the votes.
//
// - At each connect the conductor grants the checker an incarnation, which rises. Its batches are numbered from 1. One that was not
//   acknowledged is sent again unchanged: it counts once. After a gap nothing counts until the missing one has come. A number has one
//   content: a checker that gives up a batch (its targets are shared anew) connects anew, else the next would count as repeated.
// - The processes of a vantage point share its targets by epoch. A report of another epoch does not count: the target may be another's now.
// - No checker's clock is believed. The grant and each acknowledgement carry a stamp, the time by the conductor's monotonic clock; a
//   batch brings back the newest that its checker had. So it was said after the stamp was made, and is at most as old as the stamp,
//   whatever held it up: the network, a stopped process, a suspended machine. Ages by a checker's own clock are history only.

import type { Verdict } from '../engine/quorum.ts';

export interface LedgerLimits {
  /** Verdicts, of now and before, in one batch. */
  readonly mostVerdicts: number;
  /** What is older when it comes is late. */
  readonly freshMs: number;
}

/** What is known of a checker. */
export interface CheckerState {
  readonly vantagePoint: string;
  /** 0: it never connected. */
  readonly incarnation: number;
  /** Of the vantage point's targets now. */
  readonly epoch: number;
  /** The last that counted of this incarnation. */
  readonly batch: number;
  /** Its votes held at least then, by the clock of the stamps. Null: it has said nothing in this incarnation and epoch. */
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
  /** Verdicts that hold: changed ones; in a new incarnation or epoch all of them, in as many batches as it takes. Empty: a heartbeat. */
  readonly verdicts: readonly TargetVerdict[];
  /** Changes from the time without a connection, oldest first: history. */
  readonly past: readonly TargetVerdict[];
}

export interface TargetVerdict {
  /** Member and monitor. */
  readonly target: string;
  readonly verdict: Verdict;
  /** Since the check that first showed it, when the batch was made, by the checker's monotonic clock. */
  readonly agoMs: number;
}

/** To store. */
export interface NotedVerdict extends TargetVerdict {
  /** False: it is history only. */
  readonly holds: boolean;
  /** For the history: it could not count when it came. */
  readonly late: boolean;
}

/** What is stored of a vote, beside its verdict: where it was said. */
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

export type Noted =
  /** `state` and `noted` are stored together; then the batch is acknowledged. */
  | { readonly outcome: 'COUNTED'; readonly state: CheckerState; readonly noted: readonly NotedVerdict[] }
  /** It counted before: it is acknowledged again, and nothing is stored. */
  | { readonly outcome: 'REPEATED' }
  /** Nothing counts. The checker connects anew, and says all that it sees. */
  | { readonly outcome: 'REFUSED'; readonly refusal: Refusal };

/** A checker connects: batches of its former incarnations are refused from now on. */
export function grantIncarnation(state: CheckerState): CheckerState {
  return { ...state, incarnation: state.incarnation + 1, batch: 0, saidAtMs: null, abstains: false };
}

/** The vantage point's targets are shared anew. */
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
 * How old a vote is: each batch says that all votes hold which its checker gave before in this incarnation and epoch. Null: it has not
 * said so since it connected, or since the targets were shared anew, and the vote does not count.
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
  // Stamps rise: one that is older than the last is of no acknowledgement that this incarnation had.
  const isNew = number > state.batch;
  return !(stampMs <= nowMs) || (isNew && stampMs < (state.saidAtMs ?? stampMs)) ? 'WRONG_STAMP' : undefined;
}
