// A bounded sample of the proof of the event stream; the complete proof is `npm run trials -- events`.
import { describe, expect, test } from '@jest/globals';
import { judgeLog } from '../../trials/events/verdict.ts';
import { runEventTrials } from '../../trials/events.ts';

test('no gap, no duplicate, each subject in order, while everything around the database fails', async () => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  const result = await runEventTrials({ seed, events: 500, perRound: 250, readers: 8 });
  expect(result).toMatchObject({ seed, events: 500, gaps: 0, duplicates: 0, outOfOrder: 0, invariants: 0 });
  const failures = ['redisKills', 'redisFlushes', 'sequencerKills', 'sequencerPauses', 'feedReplacements'] as const;
  for (const failure of failures) expect([failure, result[failure] > 0]).toEqual([failure, true]);
  expect(result.resumptions).toBeGreaterThan(result.readers);
});

describe('the judge', () => {
  const written = [1, 2, 3].map((version) => ({ subjectId: 's', version }));
  const entry = (seq: number, version: number) => ({ seq, subjectId: 's', version });
  const good = [entry(1, 1), entry(2, 2), entry(3, 3)];
  const clean = { gaps: 0, duplicates: 0, outOfOrder: 0 };

  test.each([
    ['nothing wrong', good, clean],
    ['a missing event', [entry(1, 1), entry(3, 3)], { ...clean, gaps: 1 }],
    ['the last one missing', good.slice(0, 2), { ...clean, gaps: 1 }],
    ['a repeated one', [...good, entry(3, 3)], { ...clean, duplicates: 1 }],
    ['two in the wrong order', [entry(1, 1), entry(2, 3), entry(3, 2)], { ...clean, outOfOrder: 1 }],
    ['a gap in the numbers', [entry(1, 1), entry(2, 2), entry(9, 3)], { ...clean, gaps: 1 }],
  ])('finds %s', (_what, log, verdict) => {
    expect(judgeLog(log, written, { all: true })).toEqual(verdict);
  });
});
