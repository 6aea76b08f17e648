// The conductor and engine of the trial: the real ledger and the real judge over tables in memory.
import {
  type Batch,
  beginEpoch,
  type CheckerState,
  grantIncarnation,
  type LedgerLimits,
  noteBatch,
  type VoteMark,
  voteAgeMs,
} from '../../subgraphs/gslb/control/stores/batch-ledger.ts';
import { type Judgement, judge, type Vote } from '../../subgraphs/gslb/rules/judge.ts';
import type { QuorumRule, Verdict } from '../../subgraphs/gslb/rules/quorum.ts';

/** Parts that can be replaced to prove that the trial would notice. */
export interface Parts {
  readonly judge: typeof judge;
  readonly noteBatch: typeof noteBatch;
  readonly voteAgeMs: typeof voteAgeMs;
}

export const realParts: Parts = { judge, noteBatch, voteAgeMs };

export interface VantagePoint {
  readonly name: string;
  readonly region: string;
  readonly checkers: readonly string[];
}

interface Flip {
  readonly atMs: number;
  readonly verdict: Verdict;
  readonly judgement: Judgement;
}

interface StoredVote extends VoteMark {
  readonly checker: string;
  readonly verdict: Verdict;
}

export class Conductor {
  readonly #parts: Parts;
  readonly #vantagePoints: readonly VantagePoint[];
  readonly #rule: QuorumRule;
  readonly #limits: LedgerLimits;
  readonly #absentMs: number;
  readonly #checkers = new Map<string, CheckerState>();
  readonly #votes = new Map<string, StoredVote>();
  readonly flips: Flip[] = [];
  /** Every judgement, for the trial's own judge. */
  readonly judgements: { readonly atMs: number; readonly judgement: Judgement }[] = [];
  /** Contents of the batches that counted. None may count twice. */
  readonly countedBatches: Batch[] = [];
  readonly outcomes = new Map<string, number>();
  verdict: Verdict | null = null;
  late = 0;

  constructor(parts: Parts, vantagePoints: readonly VantagePoint[], rule: QuorumRule, absentMs: number) {
    this.#parts = parts;
    this.#vantagePoints = vantagePoints;
    this.#rule = rule;
    this.#absentMs = absentMs;
    this.#limits = { mostVerdicts: 100, freshMs: rule.freshMs };
    for (const { name, checkers } of vantagePoints)
      for (const checker of checkers) {
        const state = { vantagePoint: name, incarnation: 0, epoch: 0, batch: 0, saidAtMs: null, abstains: false };
        this.#checkers.set(checker, state);
      }
  }

  /** Returns the incarnation. */
  connect(checker: string): number {
    const state = grantIncarnation(this.#state(checker));
    this.#checkers.set(checker, state);
    return state.incarnation;
  }

  /** Returns the epoch. */
  share({ checkers }: VantagePoint): number {
    let epoch = 0;
    for (const checker of checkers) {
      const state = this.#state(checker);
      epoch = state.epoch + 1;
      this.#checkers.set(checker, beginEpoch(state, epoch));
    }
    return epoch;
  }

  epochOf(checker: string): number {
    return this.#state(checker).epoch;
  }

  /** Returns true if the batch is acknowledged. */
  note(checker: string, batch: Batch, nowMs: number): boolean {
    const noted = this.#parts.noteBatch(this.#state(checker), batch, nowMs, this.#limits);
    const outcome = noted.outcome === 'REFUSED' ? noted.refusal : noted.outcome;
    this.outcomes.set(outcome, (this.outcomes.get(outcome) ?? 0) + 1);
    if (noted.outcome === 'REFUSED') return false;
    if (noted.outcome === 'REPEATED') return true;
    this.countedBatches.push(batch);
    this.#checkers.set(checker, noted.state);
    for (const { verdict, holds, late } of noted.noted) {
      if (late) this.late += 1;
      const { incarnation, epoch } = noted.state;
      if (holds) this.#votes.set(noted.state.vantagePoint, { checker, verdict, incarnation, epoch });
    }
    this.look(nowMs);
    return true;
  }

  look(nowMs: number): void {
    const judgement = this.#parts.judge(this.#ballots(nowMs), this.#rule, this.verdict);
    this.judgements.push({ atMs: nowMs, judgement });
    if (!judgement.changed || judgement.verdict === null) return;
    this.verdict = judgement.verdict;
    this.flips.push({ atMs: nowMs, verdict: judgement.verdict, judgement });
  }

  #ballots(nowMs: number): Vote[] {
    return this.#vantagePoints.map(({ name, region, checkers }): Vote => {
      const states = checkers.map((checker) => this.#state(checker));
      const present = states.some(({ saidAtMs }) => saidAtMs !== null && nowMs - saidAtMs < this.#absentMs);
      const vote = this.#votes.get(name);
      const state = vote === undefined ? undefined : this.#checkers.get(vote.checker);
      const ageMs = vote && state ? this.#parts.voteAgeMs(state, vote, nowMs) : null;
      return {
        ...{ vantagePoint: name, region, state: present ? 'PRESENT' : 'ABSENT', abstains: state?.abstains ?? false },
        ...(ageMs === null ? { verdict: null, ageMs: 0 } : { verdict: vote?.verdict ?? null, ageMs }),
      };
    });
  }

  #state(checker: string): CheckerState {
    const state = this.#checkers.get(checker);
    if (state === undefined) throw new Error(`no checker ${checker}`);
    return state;
  }
}
