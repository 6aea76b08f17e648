// The order of the steps, and which of them a command line needs. Other flags belong to Tidegate itself.

import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BootError } from './boot-error.mjs';
import { BUILD_FOLDERS, buildDashboard, generateCode, staleFolders } from './generated-code.mjs';
import { installNodePackages, pinnedNode, removeBuildPackages } from './node-packages.mjs';
import { Progress } from './progress.mjs';
import { endWithParent, run } from './run.mjs';
import { lookForSystemPackages } from './system-packages.mjs';

const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** Returns the exit code: 0 if everything is in place, 1 after printing what is missing. */
export async function prepare(args) {
  const flags = new Set(args);
  // A server has its own database and Redis: no system packages are installed, and build tools are removed afterwards.
  const isServer = flags.has('--server');
  const onlyPrints = flags.has('--help') || flags.has('-h') || flags.has('--print-config');
  const forTests = flags.has('--for-tests') || flags.has('--for-bench');
  // Vite serves the dashboard from its sources, and GraphiQL as it was built.
  const forDevelopment = flags.has('--dev');
  const options = {
    root: ROOT,
    onlyPrints,
    mayInstall: !flags.has('--no-install'),
    forTests,
    forDevelopment,
    withDashboard: !onlyPrints,
    withLab: !flags.has('--no-lab'),
    labDevices: labDevices(args),
    progress: new Progress(process.stderr),
  };
  endWithParent();
  try {
    if (forTests) Object.assign(options, await testNeeds(args));
    await installBoth(options, !onlyPrints && !isServer);
    await generateCode(options);
    if (options.withDashboard) await buildDashboard(options);
    await fillCaches(options);
    if (isServer) await removeBuildPackages(ROOT, BUILD_FOLDERS);
    return 0;
  } catch (error) {
    options.progress.abandon();
    if (!(error instanceof BootError)) throw error;
    console.error(error.message);
    return 1;
  }
}

/** Whether `--lab NAMES` names a device. The hosts of `--ha` need what such hosts need, and disks. */
function labDevices(args) {
  if (args.includes('--ha')) return (device) => device === 'ha' || device === 'ha-demo';
  const given = args.flatMap((each, index) =>
    each === '--lab' ? [args[index + 1] ?? ''] : [/^--lab=(.*)/.exec(each)?.[1] ?? ''],
  );
  const names = new Set(given.join(',').split(','));
  return (device) => names.has('all') || names.has(device);
}

/** What the command line selects needs: tests (without a selection all of them), or a benchmark. */
async function testNeeds([purpose, ...words]) {
  const [{ Sources }, { needsOfAll, select }, { SelectionError }, { packagesFor }, { fileOfBench }] = await Promise.all(
    [
      import('../../tools/tests/imports.mjs'),
      import('../../tools/tests/selection.mjs'),
      import('../../tools/tests/selection-error.mjs'),
      import('../../tools/tests/tiers.mjs'),
      import('../../tools/tests/benches.mjs'),
    ],
  );
  const selected = (sources) => {
    if (purpose === '--for-tests') return select(ROOT, sources, words);
    const file = fileOfBench(sources, ...words);
    return { files: file === undefined ? [] : [file], isWhole: false };
  };
  try {
    const sources = new Sources(ROOT);
    const { files, isWhole } = selected(sources);
    const needs = needsOfAll(sources, files);
    const caches = ['neutron', 'designate'].filter((name) => purpose === '--for-tests' && needs.has(name));
    return { packages: packagesFor(needs), withDashboard: isWhole || needs.has('dashboard'), caches };
  } catch (error) {
    throw error instanceof SelectionError ? new BootError(error.message) : error;
  }
}

/** Tests reach no network. Those that lack a cache fail, and say why; the others run. */
async function fillCaches({ root, caches = [], progress }) {
  if (caches.length === 0) return;
  const step = progress.start(`Unpacking packages for tests of ${caches.join(' and ')}`);
  const { exitCode, output } = await run(pinnedNode(root), ['tests/support/servers/fill-caches.ts', ...caches], {
    cwd: root,
  });
  if (exitCode === 0) return step.done();
  step.abandon();
  console.error(output);
}

/** The whole suite, and the checks after it, read the dashboard's sources and the generators' types. */
async function installAllPackages(options) {
  const needsBuilders = options.forDevelopment || (options.forTests && options.withDashboard);
  await installNodePackages(options, needsBuilders ? BUILD_FOLDERS : await staleFolders(options));
}

/**
 * Packages of the system and of npm, side by side: a missing right, or the question for a password, comes before the wait. With
 * `--no-install` everything that is missing is reported at once.
 */
async function installBoth(options, withSystem) {
  const faults = [];
  const looked = withSystem
    ? await lookForSystemPackages(options).catch((error) => void faults.push(error))
    : undefined;
  if (faults.length > 0 && options.mayInstall) throw faults[0];
  const results = await Promise.allSettled([looked?.(), installAllPackages(options)]);
  faults.push(...results.flatMap(({ status, reason }) => (status === 'rejected' ? [reason] : [])));
  const bug = faults.find((fault) => !(fault instanceof BootError));
  if (bug !== undefined) throw bug;
  if (faults.length > 0) throw new BootError(faults.map(({ message }) => message).join('\n'));
}
