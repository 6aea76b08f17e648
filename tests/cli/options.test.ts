// Every option of every verb accepts the values in its help: its words in any case, or a value of the kind that its placeholder names.
import { beforeAll, expect, test } from '@jest/globals';
import { UsageError } from '../../cli/failures.ts';
import type { Option } from '../../cli/option.ts';
import { nouns, verbsAlone } from '../../cli/table.ts';

interface Declared {
  /** Noun and verb. */
  readonly words: readonly string[];
  readonly name: string;
  readonly option: Option<unknown>;
}

const declared: Declared[] = [];

beforeAll(async () => {
  for (const [noun, entry] of Object.entries(nouns))
    for (const [name, { options }] of Object.entries(await entry.load())) add([noun, name], options);
  for (const [name, entry] of Object.entries(verbsAlone)) {
    const { options } = await entry.load();
    add([name], options);
  }
});

function add(words: readonly string[], options: Readonly<Record<string, Option<unknown>>>): void {
  for (const [name, option] of Object.entries(options)) declared.push({ words, name, option });
}

/** Values by placeholder. A few options give it a different meaning. */
const samples: Readonly<Record<string, string>> = {
  JSON: '{}',
  NUMBER: '1.5',
  'FIELD=VALUE,…': '{}',
  'JSON|FILE': '{}',
  'JSON|@FILE': '{}',
  KEY: 'key',
  URL: 'https://tidegate.test:8443/graphql',
  FILE: '/nowhere/file',
  DIR: '/nowhere/folder',
  FOLDER: '/nowhere/folder',
  HOST: 'host.test',
  'HOST:PORT': '192.0.2.1:443',
  PORT: '8443',
  SECONDS: '60',
  HOURS: '24',
  DAYS: '30',
  N: '1',
  COUNT: '100',
  PERCENT: '50',
  POSITION: '1',
  CODE: '301',
  TIME: '2026-01-31T00:00:00Z',
  AGE: '24h',
  'NAME=VALUE': 'name=1',
  'TYPE/ID': 'tenant/42',
  'SHA256:…': `SHA256:${'A'.repeat(43)}`,
  ADDRESS: '192.0.2.1',
  IP: '192.0.2.1',
  'IP/LENGTH': '192.0.2.1/24',
  CIDR: '192.0.2.0/24',
  'http:PATH': 'http:/health',
  'MIN..MAX': '1..3',
  'DAYS@FROM-TO=MIN..MAX': 'mon-fri@08:00-18:00=2..4',
  LEVEL: 'info',
  MINUTES: '30',
  ROW: 'busy',
  ACTS: '1,3',
  CURSOR: '1',
  UUID: '3f2c8a4e-1111-4222-8333-444455556666',
};

/** Values of options whose placeholder means something else elsewhere. */
const own: Readonly<Record<string, string>> = { 'node-threads': '4', confirm: '1', lease: '3', lab: 'all' };

function sampleOf({ name, option }: Declared): string | undefined {
  if (option.value === undefined) return undefined;
  return option.words?.[0] ?? own[name] ?? samples[option.value] ?? 'name';
}

test('every option accepts a value of the kind in its help', () => {
  const refused: string[] = [];
  for (const each of declared) {
    const sample = sampleOf(each) ?? true;
    try {
      each.option.read(each.option.repeated === true ? [String(sample)] : sample, `--${each.name}`);
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      refused.push(`${each.words.join(' ')} --${each.name} ${sample}: ${error.message}`);
    }
  }
  expect(declared.length).toBeGreaterThan(500);
  expect(refused).toEqual([]);
});

test('an option with words accepts each of them, in capitals and small letters', () => {
  const refused: string[] = [];
  let tried = 0;
  for (const { words, name, option } of declared)
    for (const word of option.words ?? [])
      for (const given of [word, word.toLowerCase(), word.toUpperCase()]) {
        tried += 1;
        try {
          const read = option.read(option.repeated === true ? [given] : given, `--${name}`);
          if (String(read) !== word) refused.push(`${words.join(' ')} --${name} ${given} is read as ${String(read)}`);
        } catch {
          refused.push(`${words.join(' ')} --${name} ${given}`);
        }
      }
  expect(tried).toBeGreaterThan(50);
  expect(refused).toEqual([]);
});
