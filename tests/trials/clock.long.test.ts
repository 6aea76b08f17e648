// A bounded sample of the proof of wrong clocks. The complete proof is `npm run trials -- clock`.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Step } from '../../trials/clock/steps.ts';
import { runClockTrials } from '../../trials/clock.ts';
import { patience } from '../support/machine/patience.ts';
import { type TemporaryFolder, temporaryFolder } from '../support/machine/temporary-folder.ts';

const daySeconds = 86_400;

let folder: TemporaryFolder;
beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(() => folder.remove());

test(
  'clocks days and a year wrong, of two clusters and of the whole site: nothing repeated, lost, bogus or unwritable',
  async () => {
    const steps: readonly Step[] = [
      { target: 'two clusters', seconds: 3 * daySeconds, restarts: false },
      { target: 'site', seconds: 400 * daySeconds, restarts: true },
      { target: 'site', seconds: -daySeconds / 4, restarts: false },
    ];
    const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));
    const lines: string[] = [];
    const progress = (line: string) => lines.push(line);
    const result = await runClockTrials({ seed, trials: steps.length, steps, folder: folder.path, progress });
    const requests = lines.filter((line) => line.startsWith('a request'));
    expect({ ...result, requests }).toEqual({
      requests: [],
      ...{ seed, trials: steps.length, repeatedCalls: 0, failedCalls: 0, lostRows: 0 },
      ...{ replacedNodes: 0, failedRequests: 0, lateChanges: 0 },
      ...{ bogusAnswers: 0, unwritableNames: 0, diverged: 0, droppedAnswers: 0 },
    });
  },
  300_000 * patience,
);

test(
  'its judge detects a call made twice, lost events, a killed node, and a name server whose clock stays wrong',
  async () => {
    const steps: readonly Step[] = [{ target: 'database', seconds: 60, restarts: false }];
    const place = await temporaryFolder();
    try {
      const result = await runClockTrials({ seed: 1, trials: 1, steps, folder: place.path, sabotage: true });
      const { repeatedCalls, lostRows, failedRequests, bogusAnswers } = result;
      const found = { repeatedCalls, lostRows, failedRequests, bogusAnswers };
      expect(Object.entries(found).filter(([, count]) => count === 0)).toEqual([]);
    } finally {
      await place.remove();
    }
  },
  300_000 * patience,
);
