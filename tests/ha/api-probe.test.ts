// What the agent knows of the API on its host: a process that answers, hangs, ends, or never came.
// needs: processes
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from '@jest/globals';
import { ApiProbe } from '../../ha/api-probe.ts';
import { forTest } from '../support/jest/shared.ts';
import { temporaryFolder, waitFor } from '../support/machine/temporary-folder.ts';

const place = forTest(() => temporaryFolder());
const program = fileURLToPath(new URL('./api-process.ts', import.meta.url));
const times = { askEveryMs: 50, answerMs: 1_000, steadyMs: 500 };
const ending: (() => void)[] = [];

afterEach(() => void ending.splice(0).map((end) => end()));

function probe(more: object = {}): ApiProbe {
  const made = new ApiProbe(join(place.path, 'served.json'), { ...times, ...more });
  ending.push(() => made.close());
  return made;
}

function serve(): ChildProcess {
  const child = spawn(process.execPath, [program, join(place.path, 'served.json')], { stdio: 'inherit' });
  ending.push(() => child.kill('SIGKILL'));
  return child;
}

test('it answers once it has answered for a while, and is silent while it hangs and when it was killed', async () => {
  const api = probe();
  const first = serve();
  await waitFor('answers', () => api.state === 'ANSWERS');
  first.kill('SIGSTOP');
  await waitFor('silence of a process that hangs', () => api.state === 'SILENT');
  first.kill('SIGCONT');
  const states: unknown[] = [];
  await waitFor('answers again', () => states.push(api.state) > 0 && api.state === 'ANSWERS');
  expect(states).toContain(undefined);
  first.kill('SIGKILL');
  await waitFor('silence of a killed process', () => api.state === 'SILENT');
  serve();
  await waitFor('answers of the next process', () => api.state === 'ANSWERS');
});

test('a process that has not come yet is unknown for a while, and silent after that', async () => {
  expect(probe({ firstAnswerMs: 3_600_000 }).state).toBeUndefined();
  const late = probe({ firstAnswerMs: 300 });
  await waitFor('silence', () => late.state === 'SILENT');
});
