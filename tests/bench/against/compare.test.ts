// `--against` on a real repository with a real worktree, whose benchmark reports its commit.
// needs: git
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { compareWith } from '../../../bench/against/compare.ts';
import { runProgram } from '../../../embedded/run-program.ts';
import type { Against } from '../../../measure/bench.ts';
import { type TemporaryFolder, temporaryFolder } from '../../support/machine/temporary-folder.ts';

let folder: TemporaryFolder;
let root: string;
let turnsFile: string;
const progress = (): void => undefined;
const signal = new AbortController().signal;
const given = { seed: 5, rounds: 3, givenCounts: {}, options: {} };
const own: Against = {
  ...{ counts: { seconds: 2 }, options: { lab: 'no' }, rounds: 9, cpuPerUnit: ['cpuMs'] },
  measuredBy: 'its own benchmark',
};

async function git(...args: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await runProgram('git', ['-C', root, ...args]);
  if (exitCode !== 0) throw new Error(stderr);
  return stdout.trim();
}

/** Its benchmark reports its options and costs `cpuMs`. It fails if the files from its bootstrap are missing. */
async function commitBench(benchFile: string, cpuMs: number): Promise<string> {
  await mkdir(join(root, 'bench'), { recursive: true });
  await mkdir(join(root, 'bin'), { recursive: true });
  await writeFile(join(root, 'bin/node24'), `exec '${process.execPath}' "$@"\n`);
  await writeFile(
    join(root, 'bin/boot.mjs'),
    "import { writeFileSync } from 'node:fs'; writeFileSync('generated.txt', 'x');\n",
  );
  await writeFile(join(root, '.gitignore'), 'generated.txt\n');
  await writeFile(join(root, 'bench', benchFile), `export const cpuMs = ${cpuMs};\n`);
  await writeFile(
    join(root, 'bench/run.ts'),
    `import { appendFileSync, existsSync } from 'node:fs';
    import { cpuMs } from './${benchFile}';
    appendFileSync(${JSON.stringify(turnsFile)}, JSON.stringify({ cpuMs, words: process.argv.slice(2), made: existsSync('generated.txt'), cwd: process.cwd() }) + '\\n');
    console.log('not the last line');
    if (process.argv.includes('fails')) process.exit(1);
    console.log(JSON.stringify({ cpuMs, seed: 5 }));\n`,
  );
  await git('add', '.');
  await git('-c', 'user.name=t', '-c', 'user.email=t@localhost', 'commit', '-qm', `bench in ${benchFile}`);
  return git('rev-parse', 'HEAD');
}

interface Turn {
  readonly cpuMs: number;
  readonly words: readonly string[];
  readonly made: boolean;
  readonly cwd: string;
}
const turns = async (): Promise<Turn[]> =>
  (await readFile(turnsFile, 'utf8'))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Turn);

let older: string;
beforeAll(async () => {
  folder = await temporaryFolder();
  root = join(folder.path, 'repository');
  turnsFile = join(folder.path, 'turns');
  await mkdir(root);
  await git('init', '-q');
  older = await commitBench('before.ts', 10);
  await commitBench('moved.ts', 11);
  await writeFile(join(root, 'generated.txt'), 'x');
});
afterAll(() => folder.remove());
beforeEach(() => writeFile(turnsFile, ''));

describe('--against', () => {
  test("runs each commit's own benchmark, alternately, with equal counts; no worktree is left", async () => {
    const options = { root, kind: 'bench', name: 'writes', bench: { against: own }, given, progress, signal };
    expect(await compareWith('HEAD~1', options)).toMatchObject({
      ...{ ratio: { cpuMs: 1.1 }, ratios: { cpuMs: [1.1, 1.1, 1.1] }, now: { cpuMs: 11 }, before: { cpuMs: 10 } },
      ...{ against: older, seed: 5, full: false, counts: { rounds: 3, secondsOfATurn: 2 } },
    });
    const taken = await turns();
    expect(taken.map(({ cpuMs }) => cpuMs)).toEqual([11, 10, 10, 11, 11, 10]);
    expect(taken.every(({ made }) => made)).toBe(true);
    const words = ['bench', 'writes', '--seconds', '2', '--lab', 'no', '--seed', '5'];
    for (const turn of taken) expect(turn.words).toEqual(words);
    expect((await git('worktree', 'list')).split('\n')).toHaveLength(1);
  });

  test("runs this benchmark on the older commit's programs", async () => {
    const against: Against = { ...own, measuredBy: 'this benchmark' };
    await compareWith(older, {
      root,
      kind: 'bench',
      name: 'start',
      bench: { against },
      given: { ...given, rounds: 1 },
      progress,
      signal,
    });
    const [now, before] = await turns();
    expect(now?.words).not.toContain('--product');
    expect(before).toMatchObject({ cpuMs: 11, cwd: now?.cwd });
    expect(before?.words.at(before.words.indexOf('--product') + 1)).toMatch(/tidegate-against-.*checkout$/);
  });

  test('the given counts and options apply to both commits', async () => {
    const mine = { ...given, rounds: 1, givenCounts: { seconds: 7 }, options: { lab: 'yes' } };
    const options = { root, kind: 'bench', name: 'writes', bench: { against: own }, given: mine, progress, signal };
    expect(await compareWith(older, options)).toMatchObject({ counts: { rounds: 1, secondsOfATurn: 7 } });
    for (const turn of await turns())
      expect(turn.words).toEqual(['bench', 'writes', '--seconds', '7', '--lab', 'yes', '--seed', '5']);
  });

  test('a failing turn and a missing commit are errors, and no worktree remains', async () => {
    const options = { root, kind: 'bench', name: 'fails', bench: { against: own }, given, progress, signal };
    await expect(compareWith(older, options)).rejects.toThrow('ended with 1');
    await expect(compareWith('no-such-commit', options)).rejects.toThrow('git rev-parse');
    await expect(compareWith('--help', options)).rejects.toThrow('git rev-parse');
    expect((await git('worktree', 'list')).split('\n')).toHaveLength(1);
  });
});
