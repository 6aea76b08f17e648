// The order of the steps, and which of them a command line needs. Other flags belong to Tidegate itself.

import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BootError } from './boot-error.mjs';
import { BUILD_FOLDERS, buildDashboard, generateCode, staleFolders } from './generated-code.mjs';
import { installNodePackages, removeBuildPackages } from './node-packages.mjs';
import { Progress } from './progress.mjs';
import { endWithParent } from './run.mjs';
import { installSystemPackages } from './system-packages.mjs';

const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** Returns the exit code: 0 if everything is in place, 1 after printing what is missing. */
export async function prepare(args) {
  const flags = new Set(args);
  // A server has its own database and Redis: no system packages are installed, and build tools are removed afterwards.
  const isServer = flags.has('--server');
  const onlyPrints = flags.has('--help') || flags.has('-h') || flags.has('--print-config');
  const options = {
    root: ROOT,
    onlyPrints,
    mayInstall: !flags.has('--no-install'),
    forTests: flags.has('--for-tests'),
    withLab: !flags.has('--no-lab'),
    labParts: labParts(args),
    progress: new Progress(process.stderr),
  };
  endWithParent();
  try {
    // System packages first: a missing right, or the question for a password, comes before the longer wait.
    const installs = onlyPrints || isServer ? [installAllPackages] : [installSystemPackages, installAllPackages];
    await inTurn(installs, options);
    await generateCode(options);
    if (!onlyPrints) await buildDashboard(options);
    if (isServer) await removeBuildPackages(ROOT, BUILD_FOLDERS);
    return 0;
  } catch (error) {
    options.progress.abandon();
    if (!(error instanceof BootError)) throw error;
    console.error(error.message);
    return 1;
  }
}

/** Whether `--lab NAMES` names a part. The hosts of `--ha` need what such hosts need, and disks. */
function labParts(args) {
  if (args.includes('--ha')) return (part) => part === 'ha' || part === 'ha-demo';
  const given = args.flatMap((each, index) =>
    each === '--lab' ? [args[index + 1] ?? ''] : [/^--lab=(.*)/.exec(each)?.[1] ?? ''],
  );
  const names = new Set(given.join(',').split(','));
  return (part) => names.has('all') || names.has(part);
}

/** Tests and checks read the dashboard's sources and the generators' types. */
async function installAllPackages(options) {
  await installNodePackages(options, options.forTests ? BUILD_FOLDERS : await staleFolders(options));
}

/** With `--no-install` everything that is missing is reported at once. */
async function inTurn(installs, options) {
  const messages = [];
  for (const install of installs) {
    try {
      await install(options);
    } catch (error) {
      if (options.mayInstall || !(error instanceof BootError)) throw error;
      messages.push(error.message);
    }
  }
  if (messages.length > 0) throw new BootError(messages.join('\n'));
}
