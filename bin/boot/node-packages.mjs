// The npm packages, including the pinned Node: installed from a lock file if node_modules is missing or was made from another one.
// No package needs an install script, so none is run, whatever the user's npm settings are. Build tools (code generators, the dashboard's
// bundler) have package.json files of their own, so that a server can do without them. Prisma's command line is in the root, and a server
// removes it (docs/decisions/0260).

import { access, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { BootError } from './boot-error.mjs';
import { contentHash, readStamp } from './content-hash.mjs';
import { withLock } from './lock.mjs';
import { run } from './run.mjs';
import { notNeededToRun, runTimeLock } from './run-time-packages.mjs';

const NPM_CI = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
/** In the stamp of packages without those that only build, in place of npm's scope. */
const RUN_TIME_ONLY = 'run-time-only';
/** From less to more: each includes the ones before it. */
const SCOPES = [RUN_TIME_ONLY, '--omit=dev', '--include=dev'];

/**
 * What a process runs on (with `forTests` also what tests and checks need), and what the folders `building` need, all side by
 * side. Existing packages are left alone.
 */
export async function installNodePackages(options, building = []) {
  const { root, forTests, progress } = options;
  // Given explicitly, because NODE_ENV would decide otherwise.
  const scopeOfRoot = building.includes('.') ? '--omit=dev' : RUN_TIME_ONLY;
  const wanted = [
    { folder: '.', scope: forTests ? '--include=dev' : scopeOfRoot },
    ...building.filter((folder) => folder !== '.').map((folder) => ({ folder, scope: '--omit=dev' })),
  ];
  const ready = await Promise.all(wanted.map((packages) => isInstalled(root, packages)));
  const missing = wanted.filter((_, index) => !ready[index]);
  if (missing.length > 0) {
    let step;
    const say = () => {
      step ??= progress.start('Installing npm packages');
    };
    const results = await Promise.allSettled(missing.map((packages) => install(options, packages, say)));
    for (const result of results) if (result.status === 'rejected') throw result.reason;
    step?.done();
  }
  if (!(await hasPinnedNode(root))) {
    throw new BootError(
      `npm did not install node-linux-${process.arch}, the Node that Tidegate runs on. ` +
        'It is an optional package, which npm leaves out with "omit=optional": remove that setting, then start again.',
    );
  }
}

/** They are installed again when something has to be built. */
export async function removeBuildPackages(root, folders) {
  for (const folder of folders)
    if (folder !== '.') await rm(join(root, folder, 'node_modules'), { recursive: true, force: true });
  await withLock(root, lockName('.'), () => removeBuildersOfRoot(root));
}

async function removeBuildersOfRoot(root) {
  if (await isInstalled(root, { folder: '.', scope: RUN_TIME_ONLY })) return;
  const lock = JSON.parse(await readFile(join(root, 'package-lock.json'), 'utf8'));
  // First: what is half removed is installed again.
  await rm(stampPath(root, '.'), { force: true });
  // npm's own record of what is there would be wrong.
  await rm(join(root, 'node_modules/.package-lock.json'), { force: true });
  for (const path of notNeededToRun(lock.packages)) await rm(join(root, path), { recursive: true, force: true });
  await writeStamp(root, '.', RUN_TIME_ONLY);
}

export function pinnedNode(root) {
  return join(root, 'node_modules', `node-linux-${process.arch}`, 'bin', 'node');
}

/** The npm that started this program, on the Node that it runs on, not on the one that is being replaced. */
export function npmCommand(root) {
  const { npm_execpath: npm, npm_node_execpath: node } = process.env;
  if (npm !== undefined && node !== undefined && /npm-cli\.[cm]?js$/.test(npm)) return { command: node, args: [npm] };
  return { command: 'npm', args: [], env: { ...process.env, PATH: pathWithout(join(root, 'node_modules')) } };
}

function lockName(folder) {
  return `packages-${folder.replace('/', '-')}`;
}

function stampPath(root, folder) {
  return join(root, folder, 'node_modules', '.tidegate-lock');
}

function lockHash(root, folder) {
  return contentHash(root, [join(folder, 'package-lock.json')]);
}

async function isInstalled(root, { folder, scope }) {
  const [stamp, lock] = [await readStamp(stampPath(root, folder)), lockHash(root, folder)];
  return SCOPES.slice(SCOPES.indexOf(scope)).some((each) => stamp === `${lock} ${each}`);
}

async function writeStamp(root, folder, scope) {
  await mkdir(join(root, folder, 'node_modules'), { recursive: true });
  await writeFile(stampPath(root, folder), `${lockHash(root, folder)} ${scope}\n`);
}

async function install({ root, mayInstall }, packages, say) {
  const { folder, scope } = packages;
  await withLock(root, lockName(folder), async () => {
    if (await isInstalled(root, packages)) return;
    if (!(await matchesLock(join(root, folder), scope))) {
      if (!mayInstall) throw new BootError(missingMessage(packages));
      say();
      await npmCi(root, packages);
    }
    await writeStamp(root, folder, scope);
  });
}

function missingMessage({ folder, scope }) {
  const [of, where] = folder === '.' ? ['', ''] : [` of ${folder}`, `cd ${folder} && `];
  return (
    `The npm packages${of} are missing or differ from package-lock.json, and --no-install was given. To install them:\n` +
    `  ${where}npm ci --ignore-scripts ${scope === RUN_TIME_ONLY ? '--omit=dev' : scope}`
  );
}

/** npm always installs optional peers: it gets a lock file without them, in a folder of its own. */
async function installRunTime(root) {
  const folder = 'node_modules.new';
  const place = join(root, folder);
  const read = async (file) => JSON.parse(await readFile(join(root, file), 'utf8'));
  const [{ devDependencies: _, ...own }, lock] = [await read('package.json'), await read('package-lock.json')];
  await rm(place, { recursive: true, force: true });
  await mkdir(place);
  await writeFile(join(place, 'package.json'), JSON.stringify(own));
  await writeFile(join(place, 'package-lock.json'), JSON.stringify(runTimeLock(lock)));
  await npmCi(root, { folder, scope: '--omit=dev' });
  await rm(join(root, 'node_modules'), { recursive: true, force: true });
  await mkdir(join(place, 'node_modules'), { recursive: true });
  await rename(join(place, 'node_modules'), join(root, 'node_modules'));
  await rm(place, { recursive: true, force: true });
}

async function npmCi(root, { folder, scope }) {
  if (scope === RUN_TIME_ONLY) return installRunTime(root);
  const { command, args, env } = npmCommand(root);
  const result = await run(command, [...args, ...NPM_CI, scope], { cwd: join(root, folder), env });
  if (result.exitCode === 0) return;
  throw new BootError(
    `The npm packages could not be installed ("npm ci" ended with ${result.exitCode}):\n${result.output}`,
  );
}

function hasPinnedNode(root) {
  return access(pinnedNode(root)).then(
    () => true,
    () => false,
  );
}

/** True if the packages were installed by hand in the same versions: npm records them in a lock file of its own. */
async function matchesLock(folder, scope) {
  const read = async (path) => JSON.parse(await readFile(join(folder, path), 'utf8')).packages;
  try {
    const wanted = await read('package-lock.json');
    const installed = await read('node_modules/.package-lock.json');
    const left = new Set(scope === RUN_TIME_ONLY ? notNeededToRun(wanted) : []);
    const isNeeded = (path, entry) =>
      entry.optional !== true && (scope === '--include=dev' || entry.dev !== true) && !left.has(path);
    return Object.entries(wanted).every(([path, entry]) => {
      if (path === '') return true;
      const found = installed[path];
      return found === undefined ? !isNeeded(path, entry) : found.version === entry.version;
    });
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
