// Every `tidegate` command line in the README and docs/ uses an existing verb and existing options. Command lines in
// blocks, which are pasted, also have the required options, accepted values, and the right number of names.
// needs: git
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { UsageError } from '../../cli/failures.ts';
import type { Option } from '../../cli/option.ts';
import { examples } from '../../cli/program.ts';
import { nouns, verbsAlone } from '../../cli/table.ts';
import type { Noun, Verb } from '../../cli/verb.ts';
import { type CommandLine, commandLines } from './support/command-lines.ts';
import { blocksOf } from './tutorials/support/blocks.ts';

const root = join(import.meta.dirname, '../..');
const { stdout } = await promisify(execFile)('git', ['ls-files', 'README.md', 'CONTRIBUTING.md', 'docs'], {
  cwd: root,
});
/** Decision records describe their own time. */
const pages = stdout
  .trimEnd()
  .split('\n')
  .filter((file) => file.endsWith('.md') && !file.startsWith('docs/decisions/'));
const lines = (
  await Promise.all(
    pages.map(async (page) =>
      commandLines(await readFile(join(root, page), 'utf8')).map((command) => ({ page, ...command })),
    ),
  )
).flat();

const verbs = new Map<string, Verb>();
beforeAll(async () => {
  for (const [name, entry] of Object.entries(nouns)) {
    const noun: Noun = await entry.load();
    for (const [verb, loaded] of Object.entries(noun)) verbs.set(`${name} ${verb}`, loaded);
  }
  for (const [name, entry] of Object.entries(verbsAlone)) verbs.set(name, await entry.load());
});

test('there are command lines on many pages, in blocks and in texts', () => {
  expect(lines.length).toBeGreaterThan(200);
  expect(new Set(lines.map(({ page }) => page)).size).toBeGreaterThan(15);
  expect(new Set(lines.map(({ isBlock }) => isBlock)).size).toBe(2);
});

test('each uses an existing verb and existing options', () => {
  const faults = lines.flatMap(({ page, ...command }) =>
    faultsOf(command).map((fault) => `${page}:${command.line}: tidegate ${command.words.join(' ')}: ${fault}`),
  );
  expect(faults).toEqual([]);
});

test('the examples in the help are whole command lines', () => {
  const all = [...examples.map(([line]) => line), ...[...verbs.values()].flatMap((verb) => verb.examples ?? [])];
  expect(all.length).toBeGreaterThan(12);
  const isHelp = ({ words }: CommandLine) => words.includes('--help');
  const faults = all.flatMap((text) => {
    const [line, ...others] = commandLines(`\`\`\`sh\n${text}\n\`\`\``);
    if (line === undefined || others.length > 0) return [`${text}: no command line`];
    return faultsOf({ ...line, isBlock: !isHelp(line) }).map((fault) => `${text}: ${fault}`);
  });
  expect(faults).toEqual([]);
});

test.each([
  ['tidegate backends lost', ['there is no such verb']],
  ['tidegate backends show', ['it takes 1 to 1 names, and has 0']],
  ['tidegate backends show a b', ['it takes 1 to 1 names, and has 2']],
  ['tidegate backends show a --colour', ['there is no option --colour']],
  ['pdnsutil import-tsig-key tidegate hmac-sha256 SECRET', []],
  ['tidegate events list --limit many', ["--limit must be a whole number from 1 to 100000, not 'many'"]],
  ['tidegate access-keys create photos', []],
  ['tidegate backends list --project "a b" | grep x # a comment', []],
  ['A=$(bin/tidegate nodes list --loadbalancer $LB); tidegate nodes show "$A"', []],
])('%s', (text, faults) => {
  expect(commandLines(`\`\`\`sh\n${text}\n\`\`\``).flatMap(faultsOf)).toEqual(faults);
});

describe('blocks of tutorials', () => {
  const tutorials = pages.filter((page) => page.startsWith('docs/tutorials/'));

  test.each(tutorials)('%s: each can be pasted, and ends at its first failure', async (page) => {
    const blocks = blocksOf(await readFile(join(root, page), 'utf8')).filter(({ language }) => language === 'sh');
    expect(blocks.length).toBeGreaterThan(0);
    for (const { text } of blocks) expect([text, await pasteFaults(text)]).toEqual([text, []]);
  });

  test.each([
    ['one list', 'a &&\nb && { c || d; }\n', []],
    ['functions, a job and a list', 'f() { a; b; }\na &\nuntil b; do c; done &&\nd\n', []],
    ['two commands', 'a\nb\n', ['it goes on after: a;']],
    ['a comment, which zsh runs', '# One.\na\n', ['it has a comment']],
    ['a list that never ends', 'a &&\n', ['bash does not read it']],
  ])('%s', async (_, text, faults) => expect(await pasteFaults(text)).toEqual(faults));
});

/** bash prints a function with each of its commands on a line, at four blanks. Functions and jobs can't fail. */
async function pasteFaults(text: string): Promise<readonly string[]> {
  if (/^\s*#/m.test(text)) return ['it has a comment'];
  try {
    const printed = await promisify(execFile)('bash', ['-c', `pasted() {\n${text}\n}\ndeclare -f pasted`]);
    const commands = printed.stdout.split('\n').filter((line) => /^ {4}[^ }].*;$/.test(line));
    return commands.map((line) => `it goes on after: ${line.trim()}`);
  } catch {
    return ['bash does not read it'];
  }
}

function faultsOf({ words, isBlock }: CommandLine): readonly string[] {
  const [first = '', second = ''] = words;
  // Help and version, and a program or a noun by its name alone.
  if (first === 'help' || first.startsWith('-')) return [];
  const name = first in verbsAlone ? first : `${first} ${second}`;
  const verb = verbs.get(name);
  if (verb === undefined) return !isBlock && words.length === 1 && first in nouns ? [] : ['there is no such verb'];
  return new Arguments(verb, words.slice(name.split(' ').length), isBlock).faults();
}

class Arguments {
  readonly #verb: Verb;
  readonly #words: readonly string[];
  readonly #isBlock: boolean;
  readonly #names: string[] = [];
  readonly #given = new Set<string>();
  readonly #faults: string[] = [];

  constructor(verb: Verb, words: readonly string[], isBlock: boolean) {
    this.#verb = verb;
    this.#words = words;
    this.#isBlock = isBlock;
  }

  faults(): readonly string[] {
    const words = [...this.#words];
    while (words.length > 0) {
      const word = words.shift() ?? '';
      if (word === '--') this.#names.push(...words.splice(0));
      else if (/^--?[a-z]/i.test(word)) this.#option(word, words);
      // `[--option VALUE]` and `…` in a text.
      else if (!/^\[|\]$|^…$|^\|$/.test(word)) this.#names.push(word);
    }
    if (this.#isBlock) this.#complete();
    return this.#faults;
  }

  #option(word: string, rest: string[]): void {
    const [flag = '', inline] = word.split('=', 2);
    const all = Object.entries(this.#verb.options);
    const found = all.find(([name, { short }]) => flag === `--${name}` || flag === `-${short}`);
    if (found === undefined) {
      if (flag !== '--help') this.#faults.push(`there is no option ${flag}`);
      return;
    }
    const [name, option] = found;
    this.#given.add(name);
    const isBare = option.bare === true && (inline ?? rest[0] ?? '-').startsWith('-');
    if (option.value === undefined || isBare) return;
    // A line within quotes ends with them.
    const value = (inline ?? rest.shift())?.replace(/'$/, '');
    if (this.#isBlock) this.#value(name, option, value);
  }

  #value(name: string, option: Option<unknown>, value: string | undefined): void {
    if (value === undefined) this.#faults.push(`--${name} needs a value`);
    // A shell variable, or a placeholder for a value that the reader has.
    else if (!/\$|^[A-Z_]+$|…/.test(value)) {
      try {
        option.read(option.repeated ? [value] : value, `--${name}`);
      } catch (error) {
        if (!(error instanceof UsageError)) throw error;
        this.#faults.push(error.message);
      }
    }
  }

  #complete(): void {
    const { takes, options } = this.#verb;
    const least = takes.filter((each) => !each.startsWith('[')).length;
    const most = takes.some((each) => /\.\.\.\]?$/.test(each)) ? Number.POSITIVE_INFINITY : takes.length;
    const has = this.#names.length;
    // An unquoted variable may be several words, or options.
    const isOpen = this.#names.some((each) => /^\$[\w{]/.test(each));
    if (!isOpen && (has < least || has > most)) this.#faults.push(`it takes ${least} to ${most} names, and has ${has}`);
    for (const [name, { needed }] of Object.entries(options))
      if (needed && !this.#given.has(name) && !isOpen) this.#faults.push(`--${name} is needed`);
  }
}
