// Compares a checker's reports with the conductor's record. Disconnects, lost acknowledgements and new epochs in any
// order neither lose nor double-count a change, and the votes match the checker's last verdicts.
import { expect, test } from '@jest/globals';
import { Reporter, type Standing } from '../../../../../subgraphs/gslb/agents/checker/reporter.ts';
import {
  beginEpoch,
  type CheckerState,
  grantIncarnation,
  noteBatch,
} from '../../../../../subgraphs/gslb/control/stores/batch-ledger.ts';
import type { CheckerBatch } from '../../../../../subgraphs/gslb/wire/checker-wire.ts';
import { otherHistory, testHistory } from '../../../../support/stores/histories.ts';

const load = { targets: 0, lateMs: 0, abstains: null };
const standing: Standing = {
  history: testHistory,
  ...{ incarnation: 1, epoch: 1, vantagePoint: 'eu', stampMs: 100, heartbeatMs: 1_000, freshMs: 5_000 },
};
const seen = (target: string, verdict: 'UP' | 'DOWN', sinceMs: number, message = '') => ({
  ...{ target, verdict, sinceMs, latencyMs: null, message },
});
const said = (batch: CheckerBatch | undefined) => batch?.verdicts.map(({ target, verdict }) => `${target} ${verdict}`);
const gone = (batch: CheckerBatch | undefined) => batch?.past.map(({ target, verdict }) => `${target} ${verdict}`);

test('changed verdicts are reported once, heartbeats in between', () => {
  const reporter = new Reporter();
  reporter.note(seen('a', 'UP', 5));
  expect(reporter.next(10, load)).toBeUndefined();
  reporter.grant(standing);
  expect(reporter.next(10, load)).toMatchObject({
    ...{ number: 1, stampMs: 100, verdicts: [{ target: 'a', verdict: 'UP', agoMs: 5 }], past: [] },
  });
  reporter.note(seen('b', 'UP', 11));
  expect(reporter.next(11, load)).toBeUndefined();
  reporter.stamp(900);
  reporter.acknowledged(0);
  expect(said(reporter.next(12, load))).toEqual(['b UP']);
  reporter.acknowledged(0);
  reporter.note(seen('b', 'UP', 13));
  expect(reporter.next(13, load)).toBeUndefined();
  expect(reporter.dueAtMs()).toBe(1_012);
  expect(reporter.next(1_012, load)).toMatchObject({ number: 3, stampMs: 900, verdicts: [], past: [] });
  reporter.acknowledged(0);
  expect(reporter.next(1_013, { ...load, abstains: 'starved' })).toMatchObject({ number: 4, abstains: true });
});

test('a grant is accepted once; in a new epoch all current verdicts are reported again, after the batch in flight', () => {
  const reporter = new Reporter();
  expect(reporter.grant(standing)).toBe(true);
  expect(reporter.grant(standing)).toBe(false);
  reporter.note(seen('a', 'UP', 1));
  reporter.note(seen('b', 'DOWN', 2));
  expect(reporter.next(3, load)?.number).toBe(1);
  expect(reporter.grant({ ...standing, epoch: 2 })).toBe(true);
  expect(reporter.next(4, load)).toBeUndefined();
  reporter.acknowledged(0);
  const batch = reporter.next(5, load);
  expect(batch).toMatchObject({ number: 2, epoch: 2, past: [] });
  expect(said(batch)?.sort()).toEqual(['a UP', 'b DOWN']);
});

test('after a disconnect replaced verdicts become history, current ones are all reported, and the oldest history is dropped', () => {
  const reporter = new Reporter({ mostPast: 2 });
  reporter.grant(standing);
  reporter.note(seen('a', 'UP', 1));
  reporter.next(1, load);
  reporter.acknowledged(0);
  reporter.disconnected();
  for (const [index, verdict] of (['DOWN', 'UP', 'DOWN', 'UP'] as const).entries())
    reporter.note(seen('a', verdict, 10 + index));
  expect(reporter.next(5_000, load)).toBeUndefined();
  reporter.grant({ ...standing, incarnation: 2 });
  const batch = reporter.next(6_000, load);
  expect(batch).toMatchObject({ number: 1, load: { dropped: 1 } });
  expect(said(batch)).toEqual(['a UP']);
  expect(gone(batch)).toEqual(['a UP', 'a DOWN']);
});

test('a changed latency is reported with a heartbeat, as part of its verdict', () => {
  const reporter = new Reporter();
  reporter.grant(standing);
  reporter.note({ ...seen('a', 'UP', 1), latencyMs: 10 });
  reporter.next(1, load);
  reporter.acknowledged(0);
  for (let at = 2; at < 30; at += 1) reporter.note({ ...seen('a', 'UP', at), latencyMs: 40 });
  expect(reporter.next(30, load)).toBeUndefined();
  expect(reporter.next(1_001, load)?.verdicts).toMatchObject([{ target: 'a', verdict: 'UP', latencyMs: 40 }]);
  reporter.acknowledged(0);
  expect(reporter.next(2_002, load)?.verdicts).toEqual([]);
});

/** `sizeAfter`: the size of the next batch after an acknowledgement that took the given time. */
function reporterOf(targets: number) {
  const reporter = new Reporter();
  reporter.grant(standing);
  for (let number = 0; number < targets; number += 1) reporter.note(seen(`t${number}`, 'UP', 0));
  let now = 0;
  const sizeAfter = (tookMs: number) => {
    now = Math.max(now, reporter.dueAtMs() ?? 0);
    const size = reporter.next(now, load)?.verdicts.length ?? 0;
    now += tookMs;
    reporter.acknowledged(now);
    return size;
  };
  return { reporter, sizeAfter };
}

test('batches grow while acknowledgements are fast, and shrink when they are slow', () => {
  const { sizeAfter } = reporterOf(20_000);
  expect([10, 10, 10, 10, 10, 10].map(sizeAfter)).toEqual([50, 100, 200, 400, 800, 1_000]);
  expect([1_000, 2_000, 2_000, 10].map(sizeAfter)).toEqual([1_000, 1_000, 500, 250]);
  expect(Array.from({ length: 6 }, () => 60_000).map(sizeAfter)).toEqual([500, 250, 125, 62, 31, 25]);
});

test.each([
  ['grew', 10],
  ['shrank', 60_000],
])('batches that %s: after everything is reported, the next batch is as large as the first', (_, tookMs) => {
  const targets = 2_010;
  const { reporter, sizeAfter } = reporterOf(targets);
  while (reporter.waiting > 0) sizeAfter(tookMs);
  for (let number = 0; number < targets; number += 1) reporter.note(seen(`t${number}`, 'DOWN', 0));
  expect(sizeAfter(tookMs)).toBe(50);
  expect(sizeAfter(tookMs)).not.toBe(50);
});

/** The conductor's side: the ledger, the votes, and a history with a unique message for each change. */
class Conductor {
  state: CheckerState = {
    ...{ vantagePoint: 'eu', incarnation: 0, epoch: 1, batch: 0, saidAtMs: null, abstains: false },
  };
  readonly votes = new Map<string, string>();
  readonly history: string[] = [];
  refusals = 0;
  #grantHasCome = true;

  connect(nowMs: number, grantComes: boolean): Standing {
    const { batch } = this.state;
    const counted = this.#grantHasCome ? { counted: batch } : {};
    this.#grantHasCome = grantComes;
    this.state = grantIncarnation(this.state);
    const { incarnation, epoch, vantagePoint } = this.state;
    const limits = { heartbeatMs: 50, freshMs: 5_000 };
    return { history: testHistory, incarnation, epoch, vantagePoint, stampMs: nowMs, ...limits, ...counted };
  }

  /** Returns false if the batch was refused. */
  take(batch: CheckerBatch, nowMs: number): boolean {
    const noted = noteBatch(this.state, batch, nowMs, { mostVerdicts: 5, freshMs: 1_000_000 });
    if (noted.outcome === 'REFUSED') {
      this.refusals += 1;
      return false;
    }
    if (noted.outcome === 'REPEATED') return true;
    this.state = noted.state;
    for (const { target, holds, ...rest } of noted.noted) {
      const { message } = rest as unknown as { message: string };
      if (!holds) this.history.push(message);
      else if (this.votes.get(target) !== message) {
        this.votes.set(target, message);
        this.history.push(message);
      }
    }
    return true;
  }
}

function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

function round(seed: number, grantsAreLost: boolean) {
  const random = randomFrom(seed);
  const chance = (share: number) => random() < share;
  const reporter = new Reporter({ mostVerdicts: 5 });
  const conductor = new Conductor();
  const noted: string[] = [];
  const last = new Map<string, string>();
  let [now, isLinked] = [0, false];
  let waiting: { readonly batch: CheckerBatch; counted: boolean } | undefined;
  let epochToSay = false;
  const cut = () => {
    reporter.disconnected();
    [isLinked, waiting, epochToSay] = [false, undefined, false];
  };
  const step = (isQuiet: boolean) => {
    now += 1 + Math.floor(random() * 20);
    if (!isQuiet && chance(0.4)) {
      const target = `t${Math.floor(random() * 8)}`;
      const verdict = reporter.verdictOf(target)?.verdict === 'UP' ? 'DOWN' : 'UP';
      const message = `${target} ${verdict} at ${now}`;
      reporter.note(seen(target, verdict, now, message));
      noted.push(message);
      last.set(target, message);
    }
    if (!isLinked && chance(0.3)) {
      const comes = isQuiet || !grantsAreLost || chance(0.7);
      const granted = conductor.connect(now, comes);
      if (comes) {
        expect(reporter.grant(granted)).toBe(true);
        // Twice, because a document can be sent again.
        expect(reporter.grant(granted)).toBe(false);
        isLinked = true;
      }
    }
    if (!isLinked) return;
    if (!isQuiet && chance(0.05)) {
      conductor.state = beginEpoch(conductor.state, conductor.state.epoch + 1);
      epochToSay = true;
    }
    waiting ??= ((batch) => batch && { batch, counted: false })(reporter.next(now, load));
    if (!isQuiet && chance(0.1)) return cut();
    if (waiting !== undefined && !waiting.counted) {
      if (!conductor.take(waiting.batch, now)) return cut();
      waiting.counted = true;
      if (chance(0.3)) expect(conductor.take(waiting.batch, now)).toBe(true);
      // The batch counted, but its acknowledgement is lost.
      if (!isQuiet && chance(0.2)) return cut();
    }
    if (waiting?.counted === true && chance(0.7)) {
      waiting = undefined;
      reporter.stamp(now);
      reporter.acknowledged(now);
    }
    if (epochToSay && chance(0.5)) {
      const { incarnation, epoch, vantagePoint } = conductor.state;
      reporter.grant({
        history: testHistory,
        incarnation,
        epoch,
        vantagePoint,
        stampMs: now,
        heartbeatMs: 50,
        freshMs: 5_000,
      });
      epochToSay = false;
    }
  };
  for (let count = 0; count < 400; count += 1) step(false);
  for (let count = 0; count < 400; count += 1) step(true);
  return { conductor, noted, last, reporter };
}

test('each change counts once despite disconnects, duplicated batches and lost acknowledgements', () => {
  let refusals = 0;
  for (let seed = 1; seed <= 100; seed += 1) {
    const { conductor, noted, last, reporter } = round(seed, false);
    expect([seed, [...conductor.votes].sort()]).toEqual([seed, [...last].sort()]);
    expect([seed, [...conductor.history].sort()]).toEqual([seed, [...noted].sort()]);
    expect(reporter.waiting).toBe(0);
    refusals += conductor.refusals;
  }
  // Epochs that the checker has not learned of yet.
  expect(refusals).toBeGreaterThan(0);
});

test('with lost grants too, the votes are right, nothing is lost, and only batches in flight may be reported twice', () => {
  for (let seed = 1; seed <= 100; seed += 1) {
    const { conductor, noted, last } = round(seed, true);
    expect([seed, [...conductor.votes].sort()]).toEqual([seed, [...last].sort()]);
    expect([seed, [...new Set(conductor.history)].sort()]).toEqual([seed, [...noted].sort()]);
  }
});

test('a grant with another history is accepted despite lower numbers, and everything is reported again', () => {
  const reporter = new Reporter();
  reporter.note(seen('a', 'UP', 5));
  reporter.grant({ ...standing, incarnation: 9, epoch: 4 });
  expect(said(reporter.next(1_000, load))).toEqual(['a UP']);
  reporter.note(seen('a', 'DOWN', 1_001));
  // In the same history, a grant with lower numbers comes from an outdated process.
  expect(reporter.grant({ ...standing, incarnation: 6, epoch: 5 })).toBe(false);
  expect(reporter.grant({ ...standing, history: otherHistory, incarnation: 6, epoch: 2, counted: 1 })).toBe(true);
  const batch = reporter.next(1_002, load);
  expect(batch).toMatchObject({ history: otherHistory, incarnation: 6, epoch: 2, number: 1 });
  expect(said(batch)).toEqual(['a DOWN']);
});
