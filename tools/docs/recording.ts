// A recording of commands of the real program, with their output and its times. Pictures of the documentation are made from recordings.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Step {
  /** Words after `bin/tidegate`. `$NAME` is a variable of the shell. */
  readonly words: readonly string[];
  /** Repeats the command until its output matches. Only the last run is shown. */
  readonly until?: RegExp;
}

interface RecordedLine {
  /** Time since the start of the step. */
  readonly atMs: number;
  readonly text: string;
}

export interface RecordedStep {
  readonly words: readonly string[];
  readonly lines: readonly RecordedLine[];
  readonly tookMs: number;
}

export interface RecordedProgram {
  /** Runs the program in a process. */
  readonly command: readonly [string, ...string[]];
  /** Adds the options that select the product. They are not shown. */
  readonly place: (words: readonly string[]) => readonly string[];
  readonly cwd: string;
  readonly signal: AbortSignal;
}

const mostMs = 180_000;
const pauseMs = 500;
const mostLineLength = 400;
const mostLines = 200;

/** `variable`: value of a shell variable. Throws when a command fails, or never prints the expected text. */
export async function record(
  program: RecordedProgram,
  steps: readonly Step[],
  variable: (name: string) => Promise<string>,
): Promise<readonly RecordedStep[]> {
  const recorded: RecordedStep[] = [];
  for (const { words, until } of steps) {
    const values = new Map<string, string>();
    for (const [, name = ''] of words.join(' ').matchAll(/\$(\w+)/g)) values.set(name, await variable(name));
    const given = words.map((word) => word.replaceAll(/\$(\w+)/g, (_, name: string) => values.get(name) ?? ''));
    recorded.push({ words, ...(await run(program, given, until)) });
  }
  return recorded;
}

async function run(
  program: RecordedProgram,
  words: readonly string[],
  until: RegExp | undefined,
): Promise<Omit<RecordedStep, 'words'>> {
  const startMs = performance.now();
  for (;;) {
    const lines = await linesOf(program, words, startMs);
    const text = lines.map((line) => line.text).join('\n');
    const tookMs = Math.round(performance.now() - startMs);
    if (until === undefined || until.test(text)) return { lines, tookMs };
    if (tookMs > mostMs) throw new Error(`tidegate ${words.join(' ')} never printed ${until}:\n${text}`);
    await sleep(pauseMs, undefined, { signal: program.signal });
  }
}

async function linesOf(
  { command: [file, ...before], place, cwd, signal }: RecordedProgram,
  words: readonly string[],
  startMs: number,
): Promise<readonly RecordedLine[]> {
  const child = spawn(file, [...before, ...place(words)], {
    ...{ cwd, stdio: ['ignore', 'pipe', 'pipe'] },
    signal: AbortSignal.any([signal, AbortSignal.timeout(mostMs)]),
    env: { PATH: process.env.PATH, HOME: process.env.HOME, LANG: 'C.UTF-8', COLUMNS: '100' },
  });
  const lines: RecordedLine[] = [];
  let faults = '';
  let rest = '';
  const take = (text: string) => {
    if (lines.length < mostLines)
      lines.push({ atMs: Math.round(performance.now() - startMs), text: text.slice(0, mostLineLength).trimEnd() });
  };
  child.stdout.setEncoding('utf8').on('data', (data: string) => {
    const parts = (rest + data).split('\n');
    rest = parts.pop() ?? '';
    for (const part of parts) take(part);
  });
  child.stderr.setEncoding('utf8').on('data', (data: string) => {
    faults += data;
  });
  const [code] = (await once(child, 'close')) as [number | null];
  if (rest !== '') take(rest);
  if (code !== 0) throw new Error(`tidegate ${words.join(' ')} ended with ${code}:\n${faults}`);
  return lines;
}
