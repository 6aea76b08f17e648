// A folder in which a user follows the README and the tutorials: the program, its documents and the data folder of a
// separate start. Shell blocks are run unchanged, in one shell, as if they were pasted.
import { spawn } from 'node:child_process';
import { readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect } from '@jest/globals';
import { startUp, type UpProcess } from '../../../bin/support/up-process.ts';
import { labUnavailable } from '../../../support/machine/lab.ts';
import { endProcessesOf } from '../../../support/machine/left-processes.ts';
import { patience } from '../../../support/machine/patience.ts';
import { type TemporaryFolder, temporaryFolder } from '../../../support/machine/temporary-folder.ts';
import { type Block, blocksOf, consoleSteps, shapeOf } from './blocks.ts';

const root = join(import.meta.dirname, '../../../..');
/** The parts of a clone that a tutorial uses. */
const files = ['bin', 'docs', 'README.md', 'package.json'];

/** Skipped, with the reason in its name, if the lab can't run. */
export function describeTutorial(name: string, body: () => void): void {
  const obstacle = labUnavailable();
  if (obstacle === undefined) describe(name, body);
  else describe.skip(`${name} (skipped: ${obstacle})`, body);
}

interface Played {
  /** Standard output and error, in the order in which they were written. */
  readonly output: string;
  /** The commands that failed, with their exit codes. */
  readonly failures: readonly string[];
}

export class TutorialPlace {
  readonly #folder: TemporaryFolder;
  #up: UpProcess | undefined;

  private constructor(folder: TemporaryFolder) {
    this.#folder = folder;
  }

  /** A place without a running product. */
  static async prepare(): Promise<TutorialPlace> {
    const folder = await temporaryFolder();
    for (const name of files) await symlink(join(root, name), join(folder.path, name));
    return new TutorialPlace(folder);
  }

  static async start(args: readonly string[] = []): Promise<TutorialPlace> {
    const place = await TutorialPlace.prepare();
    try {
      place.#up = await startUp(place.data, args);
    } catch (error) {
      await place.stop();
      throw error;
    }
    return place;
  }

  get folder(): string {
    return this.#folder.path;
  }

  get data(): string {
    return join(this.#folder.path, '.tidegate');
  }

  async stop(): Promise<void> {
    this.#up?.child.kill('SIGTERM');
    await this.#up?.ended;
    await endProcessesOf(this.#folder.path);
    await this.#folder.remove();
  }

  /**
   * Runs all shell blocks of a page, or those that `which` chooses. Returns their output, and fails if a command does.
   */
  async play(page: string, which: (block: Block) => boolean = () => true): Promise<string> {
    const blocks = blocksOf(await readFile(join(root, page), 'utf8')).filter(
      (block) => block.language === 'sh' && which(block),
    );
    expect([page, blocks.length > 0]).toEqual([page, true]);
    // A block that fails ends the shell: bash reports no failure within `&&` before its end.
    const ends = (at: number) => `end=$?; [ $end -eq 0 ] || { echo "block ${at + 1}: exit $end" >> failed; exit; }`;
    const { output, failures } = await this.run(blocks.map(({ text }, at) => `${text}${ends(at)}`).join('\n'));
    expect({ page, failures, output: failures.length === 0 ? '' : output }).toEqual({ page, failures: [], output: '' });
    return output;
  }

  /** A block of commands with their output. The real output must have the same shape. */
  async compare(page: string, block: Block): Promise<void> {
    const steps = consoleSteps(block.text);
    const script = steps.map(({ command }, at) => `echo '${mark}${at}'\n${command}`).join('\n');
    const { output, failures } = await this.run(script);
    const printed = output.split(new RegExp(`^${mark}\\d+\\n`, 'm')).slice(1);
    const seen = steps.map(({ command }, at) => ({ command, shape: shapeOf(printed[at] ?? '') }));
    const shown = steps.map(({ command, output: text }) => ({ command, shape: shapeOf(text) }));
    expect({ page, failures, seen }).toEqual({ page, failures: [], seen: shown });
  }

  /** Runs commands in a separate shell. */
  async run(script: string): Promise<Played> {
    const [path, failed] = [join(this.#folder.path, 'pasted.sh'), join(this.#folder.path, 'failed')];
    await writeFile(failed, '');
    // Job control, as a shell on a terminal has it. A condition that is false is not a failure.
    const onFailure = `code=$?; echo "$(echo "$BASH_COMMAND" | head -1): exit $code" >> "${failed}"`;
    const atEnd = 'trap - ERR; jobs -p | xargs -rI{} kill -- -{}';
    const head = `set -mE; trap '${onFailure}' ERR; trap '${atEnd}' EXIT`;
    await writeFile(path, `${head}\n${script}\n`);
    // Debian's own programs, whatever other programs the caller has.
    const env = {
      PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      HOME: this.#folder.path,
      LANG: 'C.UTF-8',
    };
    const child = spawn('bash', [path], { cwd: this.#folder.path, env, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (part: string) => {
        output += part;
      });
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
    const late = setTimeout(() => {
      output += '\n(it did not end)\n';
      child.kill('SIGTERM');
    }, longestMs);
    const code = await ended;
    clearTimeout(late);
    const failures = (await readFile(failed, 'utf8')).split('\n').filter((line) => line !== '');
    return { output, failures: code === 0 ? failures : [...failures, `the shell: exit ${code}`] };
  }
}

const mark = '@@ step ';
const longestMs = 240_000 * patience;
