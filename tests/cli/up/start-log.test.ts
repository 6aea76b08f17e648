// The log of a start: everything is in the file of the data folder, and the terminal has the warnings, or everything on request.
import { readFile, stat, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { logFileIn, openStartLog } from '../../../cli/up/start-log.ts';
import { type TemporaryFolder, temporaryFolder } from '../../support/machine/temporary-folder.ts';

let folder: TemporaryFolder;
beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(() => folder.remove());

function open(shows: boolean, level: 'info' | 'warn' = 'info') {
  const stdout = new PassThrough();
  let text = '';
  stdout.setEncoding('utf8').on('data', (part: string) => {
    text += part;
  });
  const opened = openStartLog(folder.path, { config: { 'log.level': level, 'log.format': 'auto' }, shows, stdout });
  return { ...opened, printed: () => text };
}

async function linesIn(path: string): Promise<readonly { readonly level: number; readonly msg: string }[]> {
  const text = await readFile(path, 'utf8');
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}

test('all lines are in a file that only its owner can read; the terminal has the warning', async () => {
  const { log, path, printed } = open(false);
  log.info('ready');
  log.warn('the disk is almost full');
  expect(path).toBe(logFileIn(folder.path));
  expect((await linesIn(path)).map(({ level, msg }) => [level, msg])).toEqual([
    [30, 'ready'],
    [40, 'the disk is almost full'],
  ]);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect(printed()).toBe('Warning: the disk is almost full\n');
});

test('the next start appends', async () => {
  open(false).log.info('first');
  open(false).log.info('second');
  expect((await linesIn(logFileIn(folder.path))).map(({ msg }) => msg)).toEqual(['first', 'second']);
});

test('on request, the terminal has the log itself, and no warning twice', () => {
  const { log, printed } = open(true);
  log.info('ready');
  log.warn('the disk is almost full');
  expect(
    printed()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).msg),
  ).toEqual(['ready', 'the disk is almost full']);
});

test('the level applies to both', async () => {
  const { log, path } = open(false, 'warn');
  log.info('ready');
  log.warn('slow');
  expect((await linesIn(path)).map(({ msg }) => msg)).toEqual(['slow']);
});

test('a link in place of the file is not followed, and a message is printed', async () => {
  const elsewhere = join(folder.path, 'elsewhere');
  open(false);
  await symlink(elsewhere, logFileIn(folder.path));
  const { log, printed } = open(false);
  log.info('ready');
  await expect(stat(elsewhere)).rejects.toThrow('ENOENT');
  expect(printed()).toMatch(/^Warning: the log file can't be written: .*ELOOP/);
});
