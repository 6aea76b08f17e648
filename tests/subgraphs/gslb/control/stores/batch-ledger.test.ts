// The ledger decides which reports of a checker count.
import { expect, test } from '@jest/globals';
import {
  type Batch,
  beginEpoch,
  type CheckerState,
  grantIncarnation,
  noteBatch,
  voteAgeMs,
} from '../../../../../subgraphs/gslb/control/stores/batch-ledger.ts';

const limits = { mostVerdicts: 3, freshMs: 5_000 };
const joined: CheckerState = {
  ...{ vantagePoint: 'eu', incarnation: 0, epoch: 2, batch: 0, saidAtMs: null, abstains: false },
};
const connected = grantIncarnation(joined);

function batch(change: Partial<Batch> = {}): Batch {
  return {
    ...{ vantagePoint: 'eu', incarnation: 1, epoch: 2, number: 1, stampMs: 1_000, abstains: false },
    ...{ verdicts: [{ target: 't', verdict: 'DOWN', agoMs: 70 }], past: [] },
    ...change,
  };
}

function counted(state: CheckerState, given: Batch, nowMs: number) {
  const noted = noteBatch(state, given, nowMs, limits);
  if (noted.outcome !== 'COUNTED') throw new Error(JSON.stringify(noted));
  return noted;
}

const outcome = (state: CheckerState, change: Partial<Batch>, nowMs = 1_100) => {
  const noted = noteBatch(state, batch(change), nowMs, limits);
  return noted.outcome === 'REFUSED' ? noted.refusal : noted.outcome;
};

test('a batch counts once, in order', () => {
  const { state, noted } = counted(connected, batch(), 1_100);
  expect(state).toEqual({ ...connected, batch: 1, saidAtMs: 1_000 });
  expect(noted).toEqual([{ target: 't', verdict: 'DOWN', agoMs: 70, holds: true, late: false }]);
  expect(outcome(state, {})).toBe('REPEATED');
  expect(outcome(state, { number: 2 })).toBe('COUNTED');
  expect(outcome(state, { number: 3 })).toBe('GAP');
});

test('a batch of another incarnation or epoch is refused, and changes nothing', () => {
  expect(outcome(connected, { vantagePoint: 'us' })).toBe('OTHER_VANTAGE_POINT');
  expect(outcome(grantIncarnation(connected), {})).toBe('OLD_INCARNATION');
  expect(outcome(joined, {})).toBe('UNKNOWN_INCARNATION');
  expect(outcome(beginEpoch(connected, 3), {})).toBe('OLD_EPOCH');
  expect(outcome(connected, { epoch: 3 })).toBe('UNKNOWN_EPOCH');
  expect(() => beginEpoch(connected, 2)).toThrow('does not follow');
  const past = Array(3).fill({ target: 't', verdict: 'UP', agoMs: 1 });
  expect(outcome(connected, { past })).toBe('TOO_LARGE');
  expect(outcome(connected, { verdicts: [], past })).toBe('COUNTED');
  expect(outcome(connected, { stampMs: 1_101 })).toBe('WRONG_STAMP');
  expect(outcome(connected, { stampMs: Number.NaN })).toBe('WRONG_STAMP');
  expect(outcome(counted(connected, batch(), 1_100).state, { number: 2, stampMs: 999 })).toBe('WRONG_STAMP');
});

test('a delayed report is as old as its stamp; replaced verdicts are history', () => {
  const past = [{ target: 't', verdict: 'UP', agoMs: 9 }] as const;
  const { state, noted } = counted(connected, batch({ past }), 6_000);
  expect(noted.map(({ verdict, holds, late }) => [verdict, holds, late])).toEqual([
    ['UP', false, true],
    ['DOWN', true, true],
  ]);
  const vote = { incarnation: 1, epoch: 2 };
  expect(voteAgeMs(state, vote, 6_000)).toBe(5_000);
  // A heartbeat confirms that the vote still holds.
  const next = counted(state, batch({ number: 2, stampMs: 6_000, verdicts: [] }), 6_050).state;
  expect(voteAgeMs(next, vote, 6_100)).toBe(100);
});

test('a vote has no age until its checker confirms it after a connect or a reassignment', () => {
  const { state } = counted(connected, batch(), 1_100);
  const vote = { incarnation: 1, epoch: 2 };
  expect(voteAgeMs(state, vote, 1_200)).toBe(200);
  expect(voteAgeMs(grantIncarnation(state), vote, 1_200)).toBeNull();
  expect(voteAgeMs(beginEpoch(state, 3), vote, 1_200)).toBeNull();
  const again = counted(grantIncarnation(state), batch({ incarnation: 2, stampMs: 2_000, verdicts: [] }), 2_050).state;
  expect(voteAgeMs(again, vote, 2_100)).toBeNull();
  expect(voteAgeMs(again, { incarnation: 2, epoch: 2 }, 2_100)).toBe(100);
});
