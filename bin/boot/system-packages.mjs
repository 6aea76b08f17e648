// Installs the Debian or Ubuntu packages of the programs that are started. Only missing packages are installed; none of them starts a
// database.

import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { BootError } from './boot-error.mjs';
import { PACKAGES } from './package-table.mjs';
import { run } from './run.mjs';

/** Ubuntu has them only as snaps: there, only the tests that need them are skipped. */
const OPTIONAL = new Set(['awscli', 'chromium']);

/** What only a device of the lab needs can be missing: then there is no such device. */
const isOptional = (each, { forTests }) =>
  OPTIONAL.has(each.name) || (!forTests && !each.always && !each.defaultLab && each.parts !== undefined);

const APT_INSTALL = 'apt-get install --yes --no-install-recommends';

/**
 * Returns what installs the missing packages, or undefined if none is missing. Refusals, and the question for a password, come before
 * it returns.
 */
export async function lookForSystemPackages(options) {
  if (options.forTests) return lookForTestPackages(options);
  const isRoot = process.getuid() === 0;
  const isOfLab = (each) => (each.defaultLab && isRoot) || isOfDevices(each, options.labDevices, isRoot);
  return lookFor(
    PACKAGES.filter((each) => each.always || (options.withLab && isOfLab(each))),
    options,
  );
}

/** `packages`: each that a test needs, with the file that says so. */
function lookForTestPackages({ packages, ...options }) {
  const needed = PACKAGES.filter(({ name }) => packages.has(name)).map((each) => ({
    ...each,
    neededBy: packages.get(each.name),
  }));
  return lookFor(needed, options);
}

/** For a device that is added to a running lab. What can't be installed is told, with the command to type. */
export async function installDevicePackages(device, options) {
  const install = await lookFor(packagesOf(device, { isRoot: process.getuid() === 0 }), options);
  await install?.();
}

export function packagesOf(device, { isRoot }) {
  return PACKAGES.filter((each) => isOfDevices(each, (other) => other === device, isRoot));
}

function isOfDevices({ parts: devices = [], asRoot }, isWanted, isRoot) {
  return devices.some(isWanted) && (isRoot || !asRoot);
}

async function lookFor(needed, options) {
  const missing = [];
  for (const each of needed) if (!(await isThere(each.places))) missing.push(each);
  if (missing.length === 0) return undefined;
  const optional = new Set(missing.filter((each) => isOptional(each, options)).map(({ name }) => name));
  const isRequired = ({ name }) => !optional.has(name);
  if (!options.mayInstall) {
    const required = missing.filter((each) => isRequired(each) || OPTIONAL.has(each.name));
    if (required.length > 0) throw new BootError(missingMessage(required, '--no-install was given'));
    return undefined;
  }
  const way = await findWay(missing);
  if (way.obstacle !== undefined) {
    if (missing.some(isRequired)) throw new BootError(way.obstacle);
    console.error(way.obstacle);
    return undefined;
  }
  if (way.becomeRoot.length === 1) {
    const asked = await run('sudo', ['-v'], { stdin: 'inherit' });
    if (asked.exitCode !== 0) throw new BootError(missingMessage(missing, 'sudo refused'));
  }
  return async () => {
    const { available, listsAreOld } = await lookUp(missing, optional);
    await install(available, { ...options, ...way, optional, lists: listsAreOld ? 'update' : 'keep' });
    for (const { name, places } of available.filter(isRequired)) {
      if (!(await isThere(places)))
        throw new BootError(`${name} was installed, but ${places.flat().join(' or ')} is missing.`);
    }
  };
}

/** `becomeRoot`: the command that runs another one as root; `sudo` may ask for a password on a terminal. `obstacle`: there is no way. */
async function findWay(missing) {
  if (!(await succeeds('apt-get', ['--version'])))
    return {
      obstacle:
        `These Debian packages are missing: ${namesOf(missing)}.${reasonsOf(missing)}\n` +
        'This machine has no apt-get: install the same programs by other means.',
    };
  if (process.getuid() === 0) return { becomeRoot: [] };
  if (await succeeds('sudo', ['-n', 'true'])) return { becomeRoot: ['sudo', '-n'] };
  const someoneIsThere = process.stdin.isTTY && process.stderr.isTTY;
  if (someoneIsThere && (await succeeds('sudo', ['--version']))) return { becomeRoot: ['sudo'] };
  return { obstacle: missingMessage(missing, 'only root can install them') };
}

function missingMessage(missing, why) {
  const sudo = process.getuid() === 0 ? '' : 'sudo ';
  const names = missing.map(({ name }) => name);
  return (
    `These system packages are missing, and ${why}: ${namesOf(missing)}.${reasonsOf(missing)}\n` +
    `To install them:\n  ${sudo}${APT_INSTALL} ${names.join(' ')}`
  );
}

const namesOf = (packages) => packages.map(({ name }) => name).join(', ');

/** A line for each that a test needs. */
function reasonsOf(packages) {
  return packages
    .map(({ name, neededBy }) => (neededBy === undefined ? '' : `\n  ${name}: ${neededBy} needs it`))
    .join('');
}

/** The packages that apt knows. If one is unknown to it, its lists have to be updated first. */
async function lookUp(missing, optional) {
  const known = [];
  for (const each of missing) if (await hasCandidate(each.name)) known.push(each);
  const unknown = missing.filter((each) => !known.includes(each));
  const listsAreOld = unknown.some(({ name }) => !optional.has(name)) || (unknown.length > 0 && known.length === 0);
  return { available: listsAreOld ? missing : known, listsAreOld };
}

async function hasCandidate(name) {
  const { exitCode, output } = await run('apt-cache', ['policy', name], { env: { ...process.env, LC_ALL: 'C' } });
  return exitCode === 0 && /Candidate: (?!\(none\))/.test(output);
}

async function install(packages, { root, progress, becomeRoot, optional, forTests, lists }) {
  const folder = join(root, 'bin', 'boot');
  const attempt = async (some) => {
    const names = some.map(({ name }) => name);
    const label = `Installing ${names.length === 1 ? names[0] : `${names.length} system packages (${names.join(', ')})`}`;
    const step = progress.start(label);
    const [command, ...args] = [...becomeRoot, 'sh', join(folder, 'install-packages.sh'), folder, lists, ...names];
    const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` };
    const result = await run(command, args, { env, onLine: step.detail });
    if (result.exitCode === 0) step.done();
    else step.abandon();
    return result;
  };
  const required = packages.filter(({ name }) => !optional.has(name));
  if (required.length > 0) {
    const result = await attempt(required);
    if (result.exitCode !== 0) {
      throw new BootError(
        `The system packages could not be installed (apt-get ended with ${result.exitCode}):\n${result.output}\n` +
          missingMessage(required, 'apt-get failed'),
      );
    }
  }
  const others = packages.filter(({ name }) => optional.has(name));
  // Together is faster; one by one, each that can be installed is.
  if (others.length > 1 && (await attempt(others)).exitCode === 0) return;
  for (const each of others) {
    if ((await attempt([each])).exitCode === 0) continue;
    const without = forTests ? 'the tests that need it are skipped' : 'the part of the lab that needs it is left out';
    console.error(`${each.name} could not be installed here; ${without}.`);
  }
}

async function isThere(groups) {
  for (const places of groups) {
    const found = await Promise.all(
      places.map((path) =>
        access(path).then(
          () => true,
          () => false,
        ),
      ),
    );
    if (!found.includes(true)) return false;
  }
  return true;
}

async function succeeds(command, args) {
  return (await run(command, args)).exitCode === 0;
}
