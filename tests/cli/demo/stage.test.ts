// The stage of a demo: its output, and that created objects are removed in order, whatever happens.
import { expect, test } from '@jest/globals';
import { Stage } from '../../../cli/demo/stage.ts';
import type { Output } from '../../../cli/verb.ts';

function stage({ json = false, isTTY = false } = {}) {
  const ending = new AbortController();
  const written: string[] = [];
  const stdout = { isTTY, write: (text: string) => written.push(text) > 0 } as unknown as Output;
  return {
    stage: new Stage({ stdout, env: {}, json, signal: ending.signal }),
    interrupt: () => ending.abort(),
    lines: () => written.join('').trimEnd().split('\n'),
  };
}

test('a step prints the action, the result and the time that it took', async () => {
  const { stage: on, lines } = stage();
  await on.begin(2, 'a node');
  await on.step(
    'unplug it',
    async () => 4,
    (count) => `${count} gone\nas planned`,
  );
  expect(lines().slice(0, 2)).toEqual(['', 'Act 2: a node']);
  expect(lines()[2]).toMatch(/^ {2}unplug it: 4 gone \(\d+\.\d s\)$/);
  expect(lines()[3]).toBe('    as planned');
});

test('as JSON, each line is one value with the act and the milliseconds', async () => {
  const { stage: on, lines } = stage({ json: true });
  await on.begin(1, 'a call');
  await on.step('call', async () => 'x');
  await on.say('done with it');
  const values = lines().map((line) => JSON.parse(line));
  expect(values).toEqual([
    { act: 1, title: 'a call' },
    { act: 1, step: 'call', result: 'done', tookMs: expect.any(Number) },
    { act: 1, say: 'done with it' },
  ]);
});

test('a pipe gets no colours, a terminal does', async () => {
  const [piped, shown] = [stage(), stage({ isTTY: true })];
  for (const each of [piped, shown]) await each.stage.command('bin/tidegate demo');
  expect(piped.lines().join('')).not.toContain('\u001b');
  expect(shown.lines().join('')).toContain('\u001b');
});

test('created objects are removed, the last first, also after a failure and an interruption', async () => {
  const { stage: on, interrupt, lines } = stage();
  const done: string[] = [];
  on.undo('the first', async () => done.push('first'));
  on.undo('one that fails', () => Promise.reject(new Error('it is gone')));
  on.undo('one that stays', async () => 'the second: it is in use');
  on.undo('the last', async () => done.push('last'));
  await expect(on.step('break', () => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
  interrupt();
  await expect(on.step('go on', async () => done.push('never'))).rejects.toThrow();
  await on.undoAll();
  expect(done).toEqual(['last', 'first']);
  expect(on.left).toEqual(['the second: it is in use', 'one that fails: it is gone']);
  expect(lines().join('\n')).toMatch(/break: failed: broken/);
  // A second time there is nothing left to do.
  await on.undoAll();
  expect(done).toEqual(['last', 'first']);
});

test('a wait ends when its condition holds, at its timeout, or at the signal', async () => {
  const { stage: on, interrupt } = stage();
  let looks = 0;
  const look = async () => {
    looks += 1;
    return looks === 3 && 'seen';
  };
  expect(await on.until('the third', look)).toBe('seen');
  await expect(on.until('nothing', async () => false, 0)).rejects.toThrow('not within 0 s: nothing');
  const waiting = on.until('nothing', async () => false);
  interrupt();
  await expect(waiting).rejects.toThrow();
});
