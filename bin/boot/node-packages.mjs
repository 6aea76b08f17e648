// The npm packages, among them the pinned Node: installed from the lock file when node_modules is missing or another
// lock's. Nothing needs an install script, so none is run, whatever the user's own npm settings are.

import { access, mkdir, readFile, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { BootError } from './boot-error.mjs';
import { contentHash, readStamp } from './content-hash.mjs';
import { withLock } from './lock.mjs';
import { run } from './run.mjs';

/** `--include=dev`: the code generators are development packages, and NODE_ENV=production would leave them out. */
const NPM_CI = ['ci', '--ignore-scripts', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'];

export async function installNodePackages({ root, mayInstall, progress }) {
  const stampPath = join(root, 'node_modules', '.tidegate-lock');
  const wanted = await contentHash(root, ['package-lock.json']);
  const isReady = async () => (await readStamp(stampPath)) === wanted && (await hasPinnedNode(root));
  if (await isReady()) return;
  await withLock(root, async () => {
    if (await isReady()) return;
    if (!(await matchesLock(root))) {
      if (!mayInstall) {
        throw new BootError(
          'The npm packages are missing or are not those of package-lock.json, and --no-install was given. To install them:\n' +
            `  npm ${NPM_CI.slice(0, 2).join(' ')}`,
        );
      }
      await install(root, progress);
    }
    await mkdir(join(root, 'node_modules'), { recursive: true });
    await writeFile(stampPath, `${wanted}\n`);
  });
}

export function pinnedNode(root) {
  return join(root, 'node_modules', `node-linux-${process.arch}`, 'bin', 'node');
}

/** How to call npm: the one that called us, on the Node that it runs on, not on the one that is being replaced. */
export function npmCommand(root) {
  const { npm_execpath: npm, npm_node_execpath: node } = process.env;
  if (npm !== undefined && node !== undefined && /npm-cli\.[cm]?js$/.test(npm)) return { command: node, args: [npm] };
  return { command: 'npm', args: [], env: { ...process.env, PATH: pathWithout(join(root, 'node_modules')) } };
}

async function install(root, progress) {
  progress.start('Installing npm packages');
  const { command, args, env } = npmCommand(root);
  const result = await run(command, [...args, ...NPM_CI], { cwd: root, env });
  if (result.exitCode !== 0) {
    throw new BootError(
      `The npm packages could not be installed ("npm ci" ended with ${result.exitCode}):\n${result.output}`,
    );
  }
  if (!(await hasPinnedNode(root))) {
    throw new BootError(
      `npm installed its packages but not node-linux-${process.arch}, the Node that Tidegate runs on. ` +
        'It is an optional package: npm leaves those out with "omit=optional". Allow it, then start again.',
    );
  }
  progress.done();
}

function hasPinnedNode(root) {
  return access(pinnedNode(root)).then(
    () => true,
    () => false,
  );
}

/** True when somebody ran npm by hand and got the same: npm writes down what it installed in a lock of its own. */
async function matchesLock(root) {
  const read = async (path) => JSON.parse(await readFile(join(root, path), 'utf8')).packages;
  try {
    const wanted = await read('package-lock.json');
    const installed = await read('node_modules/.package-lock.json');
    const differs = Object.entries(wanted).some(([path, entry]) => {
      if (path === '') return false;
      const found = installed[path];
      return found === undefined ? entry.optional !== true : found.version !== entry.version;
    });
    return !differs && (await hasPinnedNode(root));
  } catch {
    return false;
  }
}

function pathWithout(folder) {
  return (process.env.PATH ?? '')
    .split(delimiter)
    .filter((part) => !part.startsWith(folder))
    .join(delimiter);
}
