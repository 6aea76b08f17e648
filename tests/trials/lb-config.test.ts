// The trial of values in HAProxy's configuration. It detects a value that becomes two words, and the product produces
// none.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { patternsOf, wordsOf } from '../../trials/lb-config/words.ts';
import { runLbConfig } from '../../trials/lb-config.ts';
import { endProcessesOf } from '../support/machine/left-processes.ts';

test('words are read as HAProxy reads them', () => {
  expect(wordsOf(`acl a -- 'it'\\''s # "$x"'  b # rest`)).toEqual([['acl', 'a', '--', `it's # "$x"`, 'b']]);
  expect(wordsOf('a\\ b c\n\n  d')).toEqual([['a b', 'c'], [], ['d']]);
  expect(() => wordsOf('a $HOME')).toThrow('outside of strong quotes');
  expect(() => wordsOf("a 'b")).toThrow('not closed');
});

test('patterns of a file are read as HAProxy reads them', () => {
  expect(patternsOf('# no\n  a b #c \r\n\n#\n\t-f x')).toEqual(['a b #c ', '-f x']);
});

test('hostile values in every field are refused or stay one word', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'lb-config-'));
  try {
    const seed = Math.floor(Math.random() * 2 ** 31);
    const run = { seed, inputs: 2_000, folder, timeIsUp: () => false, progress: () => undefined };
    const { signal } = new AbortController();
    const result = await runLbConfig({ ...run, signal });
    expect({ seed, ...result }).toMatchObject({ inputs: 2_000, escaped: 0, findings: [] });
    expect(result.refused).toBeGreaterThan(500);
    expect(result.rendered).toBeGreaterThan(200);
    expect(result.servers).toBeGreaterThan(20);
  } finally {
    await endProcessesOf(folder);
    await rm(folder, { recursive: true, force: true });
  }
}, 120_000);
