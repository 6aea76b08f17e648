// A copy whose program holds locks at its end: it ends however slow the receiver is, and the receiver still gets every byte in order.
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { withSpooledTail } from '../../embedded/spooled-tail.ts';
import { type TemporaryFolder, temporaryFolder, waitFor } from '../support/machine/temporary-folder.ts';

const partBytes = 64 * 1024;
let place: TemporaryFolder;
let output: PassThrough;
let locks: PromiseWithResolvers<void>;

beforeEach(async () => {
  place = await temporaryFolder();
  output = new PassThrough({ highWaterMark: partBytes });
  output.on('error', () => undefined);
  locks = Promise.withResolvers<void>();
});
afterEach(() => place.remove());

const copy = (leastFreeBytes = 0) =>
  withSpooledTail(output, { locks: locks.promise, file: join(place.path, 'tail'), leastFreeBytes });
const part = (letter: string) => Buffer.alloc(partBytes, letter);

/** Writes as the program does: it waits whenever nobody takes its output. `taken`: how many parts were taken. */
function program(letters: string): { readonly taken: () => number } {
  let taken = 0;
  const next = (): void => {
    const letter = letters[taken];
    if (letter === undefined) output.end();
    else
      output.write(part(letter), () => {
        taken += 1;
        next();
      });
  };
  next();
  return { taken: () => taken };
}

async function lettersOf(parts: AsyncIterable<Buffer>): Promise<string> {
  let text = '';
  for await (const each of parts) text += each.toString('latin1');
  return text.replaceAll(/(.)\1*/g, (run, letter) => letter.repeat(run.length / partBytes));
}

test('a receiver that takes nothing stops the copy before the locks, and not during them', async () => {
  const letters = 'abcdefghijklmnopqrstuvwxyz';
  const { taken } = program(letters);
  const parts = copy();
  const first = await parts.next();
  expect(first.value?.toString('latin1')[0]).toBe('a');
  for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  expect(taken()).toBeLessThan(6);
  locks.resolve();
  await waitFor('the end of the program', () => taken() === letters.length);
  expect(`a${(await lettersOf(parts)).replace(/^a/, '')}`).toBe(letters);
});

test.each(['before the first part', 'after the last part', 'never'])('a copy with locks %s is whole', async (when) => {
  if (when === 'before the first part') locks.resolve();
  program('abc');
  const parts = copy();
  if (when === 'after the last part') output.once('end', () => locks.resolve());
  expect(await lettersOf(parts)).toBe('abc');
});

test('a copy whose end has no room on the disk fails, and its program does not wait', async () => {
  locks.resolve();
  program('abc');
  await expect(lettersOf(copy(Number.MAX_SAFE_INTEGER))).rejects.toThrow('no room for the end of the copy');
  expect(output.destroyed).toBe(true);
});

test('a program that fails under its locks fails the copy', async () => {
  const parts = copy();
  const whole = lettersOf(parts);
  output.write(part('a'));
  locks.resolve();
  output.write(part('b'));
  await waitFor('its file', async () => (await readdir(place.path)).includes('tail'));
  output.destroy(new Error('it was killed'));
  await expect(whole).rejects.toThrow('it was killed');
});
