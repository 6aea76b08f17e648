// A log file stays within its size limit, even if it continues an earlier file, and no line is cut.
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { BoundedFile } from '../../embedded/bounded-file.ts';
import { type TemporaryFolder, temporaryFolder } from '../support/machine/temporary-folder.ts';

let folder: TemporaryFolder;
let path: string;
beforeEach(async () => {
  folder = await temporaryFolder();
  path = join(folder.path, 'log');
});
afterEach(() => folder.remove());

test('a full file is moved aside, and a new file starts', async () => {
  const file = new BoundedFile(path, { mostBytes: 100 });
  for (let number = 0; number < 25; number += 1) file.write(`line ${String(number).padStart(2, '0')}\n`);
  file.close();
  // Twelve lines of eight bytes fit.
  expect(await readFile(`${path}.1`, 'utf8')).toMatch(/^line 12\n(line \d\d\n)+line 23\n$/);
  expect(await readFile(path, 'utf8')).toBe('line 24\n');
});

test('existing content counts towards the limit', async () => {
  await writeFile(path, 'x'.repeat(95));
  const file = new BoundedFile(path, { mostBytes: 100 });
  file.write('a line\n');
  file.close();
  expect((await stat(`${path}.1`)).size).toBe(95);
  expect(await readFile(path, 'utf8')).toBe('a line\n');
});

test('a write failure is reported, and the next line is attempted again', async () => {
  const faults: unknown[] = [];
  const file = new BoundedFile(join(folder.path, 'later', 'log'), { onFault: (error) => faults.push(error) });
  file.write('lost\n');
  expect(String(faults)).toContain('ENOENT');
});
