// The oracle of the trial of busy starts: what a started process may write.
import { expect, test } from '@jest/globals';
import { judgeLines } from '../../trials/busy-start.ts';

const entry = (level: number, msg: string) => JSON.stringify({ level, time: 1, msg });

test('entries below a warning, and warnings about this machine, are no findings', () => {
  const lines = [entry(30, 'ready'), entry(40, 'nodes are not confined in full')];
  expect(judgeLines(lines)).toEqual({ traces: [], warnings: [] });
});

test('warnings, stack traces and lines that are no entries are findings', () => {
  const [warning, trace] = [entry(40, 'the link was lost'), '    at main (file.ts:1:1)'];
  const said = judgeLines([warning, 'Error: broken', trace, entry(30, 'ready')]);
  expect(said).toEqual({ traces: [trace], warnings: [warning, 'Error: broken'] });
});
