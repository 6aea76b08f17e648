// The commands, options and option values that a test has run, as the program's own grammar has read them. Each verb of the table records
// its calls. A call counts once it has ended as the test expects.
import { AsyncLocalStorage } from 'node:async_hooks';
import { expect } from '@jest/globals';
import { nouns, verbsAlone } from '../../../../cli/table.ts';
import type { Entry, Verb } from '../../../../cli/verb.ts';
import { userErrorCodes } from '../../../../platform/errors/errors.ts';
import { type CommandRun, runCommand, startCommand } from '../run-command.ts';

export type Environment = Record<string, string>;

interface Seen {
  readonly name: string;
  readonly values: Readonly<Record<string, unknown>>;
}

export class FlagCoverage {
  /** By noun and verb. */
  readonly verbs = new Map<string, Verb>();
  /** For each verb, the arguments of its first call that counted. */
  readonly firstArgs = new Map<string, readonly string[]>();
  readonly #covered = new Set<string>();
  readonly #calls = new AsyncLocalStorage<{ seen?: Seen }>();
  readonly #faults: string[] = [];

  /** From now on, the verbs of the table record their calls. */
  async watch(): Promise<this> {
    for (const [noun, entry] of Object.entries(nouns))
      await this.#watchEntry(entry, (verbs) =>
        Object.fromEntries(Object.entries(verbs).map(([verb, each]) => [verb, this.#watched(`${noun} ${verb}`, each)])),
      );
    for (const [name, entry] of Object.entries(verbsAlone))
      await this.#watchEntry(entry, (verb) => this.#watched(name, verb));
    return this;
  }

  async #watchEntry<Loaded>(entry: Entry<Loaded>, watched: (loaded: Loaded) => Loaded): Promise<void> {
    const loaded = watched(await entry.load());
    Object.assign(entry, { load: async () => loaded });
  }

  #watched(name: string, verb: Verb): Verb {
    this.verbs.set(name, verb);
    return {
      ...verb,
      run: (call) => {
        Object.assign(this.#calls.getStore() ?? {}, { seen: { name, values: call.options } });
        return verb.run(call);
      },
    };
  }

  /** Everything in the table: `noun verb`, `noun verb --option`, `noun verb --option WORD`. */
  documented(): string[] {
    return [...this.verbs].flatMap(([name, { options }]) => [
      name,
      ...Object.entries(options).flatMap(([option, { words = [] }]) => [
        `${name} --${option}`,
        ...words.map((word) => `${name} --${option} ${word}`),
      ]),
    ]);
  }

  missing(): string[] {
    return this.documented().filter((each) => !this.#covered.has(each));
  }

  #count({ name, values }: Seen, args: readonly string[]): void {
    if (!this.firstArgs.has(name)) this.firstArgs.set(name, args);
    this.#covered.add(name);
    for (const [option, value] of Object.entries(values)) this.#countOption(name, option, value);
  }

  #countOption(name: string, option: string, value: unknown): void {
    const isWord = value !== false || this.verbs.get(name)?.options[option]?.words !== undefined;
    const given = Array.isArray(value) ? value : value === undefined || !isWord ? [] : [value];
    if (given.length === 0) return;
    this.#covered.add(`${name} --${option}`);
    for (const each of given) this.#covered.add(`${name} --${option} ${String(each)}`);
  }

  /**
   * It must succeed. Returns its output, which is empty after a fault that `expectNoFaults` reports. The first call of a verb that has
   * `--json` gets that option, and must print JSON.
   */
  async succeeds(line: string | readonly string[], env: Environment = {}): Promise<string> {
    const words = wordsOf(line);
    const name = this.verbs.has(words[0] ?? '') ? words[0] : words.slice(0, 2).join(' ');
    const isFirst = this.verbs.get(name ?? '')?.options.json !== undefined && !this.#covered.has(`${name} --json`);
    const args = isFirst ? [...words, '--json'] : words;
    return (await this.#ends(0, '', args, env)) ?? '';
  }

  /** It must end with the exit code and print these words, because the option takes effect there. */
  async ends(exitCode: number, said: string, line: string | readonly string[], env: Environment = {}): Promise<void> {
    await this.#ends(exitCode, said, wordsOf(line), env);
  }

  /** It must reach the server, which accepts it or refuses it with one of its codes: the option has become a field of the graph. */
  async isJudged(args: readonly string[], env: Environment): Promise<void> {
    const call: { seen?: Seen } = {};
    const run = await this.#calls.run(call, () => runCommand(args, { env }));
    const [, code = ''] = /^tidegate: ([A-Z_]+): /.exec(run.stderr) ?? [];
    const isTaken = run.exitCode === 0 || (run.exitCode === 1 && code in userErrorCodes);
    if (call.seen !== undefined && isTaken) this.#count(call.seen, args);
    else this.#faults.push(`${args.join(' ')}\n  ends with ${run.exitCode}: ${run.stderr}`);
  }

  async #ends(exitCode: number, said: string, args: readonly string[], env: Environment): Promise<string | undefined> {
    const call: { seen?: Seen } = {};
    const run = await this.#calls.run(call, () => runCommand(args, { env }));
    const isJson = !args.includes('--json') || run.exitCode !== 0 || jsonIn(run.stdout) !== undefined;
    if (call.seen === undefined || run.exitCode !== exitCode || !run.stderr.includes(said) || !isJson) {
      this.#faults.push(`${args.join(' ')}\n  ends with ${run.exitCode}: ${run.stderr}${isJson ? '' : run.stdout}`);
      return undefined;
    }
    this.#count(call.seen, args);
    return run.stdout;
  }

  /** Runs until the work is done, then gets Ctrl-C. It must succeed. */
  async interrupted(line: string, env: Environment, work: (run: CommandRun) => Promise<void>): Promise<void> {
    const args = wordsOf(line);
    const call: { seen?: Seen } = {};
    const run = this.#calls.run(call, () => startCommand(args, { env }));
    try {
      await work(run);
    } finally {
      run.interrupt();
    }
    const exitCode = await run.exitCode;
    if (exitCode !== 0 || call.seen === undefined)
      this.#faults.push(`${line}\n  ends with ${exitCode}: ${run.stderr()}`);
    else this.#count(call.seen, args);
  }

  expectNoFaults(): void {
    expect(this.#faults.splice(0)).toEqual([]);
  }
}

function wordsOf(line: string | readonly string[]): readonly string[] {
  return typeof line === 'string' ? line.split(' ') : line;
}

/** One value, or one on each line. Undefined if the output is not JSON. */
function jsonIn(text: string): unknown {
  for (const parts of [[text], text.trim().split('\n')])
    try {
      return parts.map((each) => JSON.parse(each) as unknown);
    } catch {}
  return undefined;
}
