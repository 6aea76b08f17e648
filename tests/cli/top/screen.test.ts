// The terminal of `tidegate top`: only changed lines are written, keys have names, and it is restored exactly once, however the program ends.
import type { EventEmitter } from 'node:events';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Screen } from '../../../cli/top/screen.ts';
import { waitFor } from '../../support/machine/temporary-folder.ts';

const modes: boolean[] = [];
const keys: string[] = [];
let input: PassThrough;
let output: PassThrough;
let screen: Screen;
let written = '';

beforeEach(() => {
  modes.length = 0;
  keys.length = 0;
  written = '';
  input = Object.assign(new PassThrough(), { isTTY: true, setRawMode: (on: boolean) => modes.push(on) });
  output = Object.assign(new PassThrough(), { isTTY: true, rows: 4, columns: 20 });
  output.setEncoding('utf8').on('data', (part: string) => {
    written += part;
  });
  screen = new Screen(input, output);
  screen.take({ key: (key) => keys.push(key), resize: () => keys.push('(resize)') });
});
afterEach(() => screen.giveBack());

test('only changed lines are written, and all lines after a change of the size', () => {
  screen.draw(['one', 'two', 'three']);
  written = '';
  screen.draw(['one', 'TWO', 'three']);
  expect(written).toBe('\u001b[2;1HTWO\u001b[0m\u001b[K');
  written = '';
  screen.draw(['one', 'TWO', 'three']);
  expect(written).toBe('');
  output.emit('resize');
  screen.draw(['one', 'TWO', 'three']);
  expect(written).toContain('three');
  expect(keys).toEqual(['(resize)']);
});

test('keys have names, and Esc is a key of its own', async () => {
  input.write('j\u001b[A\u001b[6~\r \u0003:');
  await waitFor('the keys', () => keys.length === 7);
  expect(keys).toEqual(['j', 'up', 'pagedown', 'return', 'space', 'ctrl-c', ':']);
  input.write('\u001b');
  await waitFor('Esc', () => keys.length === 8);
  expect(keys.at(-1)).toBe('escape');
});

test('it is restored once, also by a process that crashes, and nothing is drawn after that', () => {
  const listeners = () => process.listenerCount('exit') + process.listenerCount('uncaughtExceptionMonitor');
  const before = listeners();
  written = '';
  (process as EventEmitter).emit('uncaughtExceptionMonitor', new Error('a bug'), 'uncaughtException');
  expect(written).toBe('\u001b[0m\u001b[?7h\u001b[?25h\u001b[?1049l');
  expect(modes).toEqual([true, false]);
  screen.giveBack();
  screen.draw(['late']);
  expect(written).not.toContain('late');
  expect(modes).toEqual([true, false]);
  expect(listeners()).toBe(before - 2);
});
