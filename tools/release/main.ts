// npm run release -- VERSION: checks the tree, then makes the release's commit, tag, archive and notes. Nothing leaves this machine.
// `--dry-run` prints what would happen, `--test` also runs `npm test`, `--folder FOLDER` takes the archive (default: generated/release), and
// `--archive` builds the archive of an earlier release again.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { GeneratedSchemaError, readSupergraph } from '../../platform/graph/generated-schema.ts';
import { apiSchemaText } from '../api-schema.ts';
import type { Archive } from './archive.ts';
import { makeRelease, planRelease, type ReleaseOrder, type ReleasePlan, rebuildArchive } from './release.ts';
import { ReleaseError } from './release-error.ts';
import { Repository } from './repository.ts';

const root = dirname(dirname(import.meta.dirname));
const usage = 'Usage: npm run release -- VERSION [--dry-run] [--test] [--folder FOLDER] [--archive]';

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

async function runNpm(...words: string[]): Promise<void> {
  const child = spawn('npm', words, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
  const [exitCode] = (await once(child, 'exit')) as [number | null];
  if (exitCode !== 0) throw new ReleaseError(`npm ${words.join(' ')} failed: nothing is released.`);
}

/** As a server does it, on the Node that runs this. */
async function make(checkout: string): Promise<void> {
  const child = spawn(process.execPath, ['bin/boot.mjs', '--server'], {
    cwd: checkout,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const [exitCode] = (await once(child, 'exit')) as [number | null];
  if (exitCode !== 0) throw new ReleaseError(`bin/boot.mjs --server ended with ${exitCode}: there is no archive.`);
}

function parse(words: string[]) {
  const options = {
    'dry-run': { type: 'boolean' },
    test: { type: 'boolean' },
    archive: { type: 'boolean' },
    folder: { type: 'string', default: join(root, 'generated/release') },
  } as const;
  try {
    const { values, positionals } = parseArgs({ args: words, options, allowPositionals: true });
    const [version, ...rest] = positionals;
    if (version === undefined || rest.length > 0) throw new ReleaseError(usage);
    return { ...values, version, folder: resolve(values.folder) };
  } catch (error) {
    if (error instanceof TypeError) throw new ReleaseError(`${error.message}\n${usage}`);
    throw error;
  }
}

async function main(): Promise<void> {
  const given = parse(process.argv.slice(2));
  const repository = new Repository(root);
  const { version, folder } = given;
  if (given.archive) return sayArchive(await rebuildArchive(repository, { version, folder, make }));
  const date = new Date().toISOString().slice(0, 10);
  const verify = async () => {
    await runNpm('run', 'check');
    if (given.test) await runNpm('test');
  };
  const publicSdl = () => apiSchemaText(readSupergraph(), 'public');
  const order: ReleaseOrder = { repository, version, folder, date, publicSdl, verify, make };
  if (given['dry-run']) return sayPlan(await planRelease(order), folder);
  const { plan, commit, archive } = await makeRelease(order);
  say(`${plan.tag} is commit ${commit}.`);
  sayArchive(archive);
  if (!given.test) say('The tests were not run: npm test must have passed for this commit before you publish it.');
  say(`To publish: git push origin main ${plan.tag}`);
}

function sayPlan({ version, from, tag, archive, previous, section }: ReleasePlan, folder: string): void {
  const since = previous === undefined ? 'none' : `${previous.version}, commit ${previous.commit}`;
  say(`Previous release: ${since}\nVersion: ${from} becomes ${version}\nCommit: release: ${tag}\nTag: ${tag}`);
  say(`Archive: ${relative(process.cwd(), join(folder, archive))}, after npm run check\n\n${section}`);
}

function sayArchive({ path, sumPath, sha256, others }: Archive): void {
  const rest = [sumPath, ...others].map((each) => relative(process.cwd(), each));
  say(`${relative(process.cwd(), path)}: sha256 ${sha256}\n${rest.join('\n')}`);
}

try {
  await main();
} catch (error) {
  if (!(error instanceof ReleaseError || error instanceof GeneratedSchemaError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
