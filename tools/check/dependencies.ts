// Checks docs/dependencies.md: it explains each licence that is not a plain free one, and each override. Nothing in production may be
// under the Elastic License. Reads the lock files, so
// that nothing has to be installed.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Check } from './check.ts';

const folders = ['.', 'dashboard', 'tools/generate'];
const explanations = 'docs/dependencies.md';
const free = new Set([
  ...['MIT', 'ISC', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', '0BSD', 'BlueOak-1.0.0', 'Unlicense', 'CC0-1.0'],
]);

interface LockedPackage {
  readonly license?: string;
  /** It is not installed for production. */
  readonly dev?: boolean;
}

interface Lock {
  readonly packages: Readonly<Record<string, LockedPackage>>;
}

/** True when an SPDX expression allows using a package under free licences only. */
export function isFree(licence: string | undefined): boolean {
  if (licence === undefined) return false;
  const plain = licence.replaceAll(/[()]/g, '');
  return plain.split(/ or /i).some((choice) => choice.split(/ and /i).every((one) => free.has(one.trim())));
}

/** Forbids offering the package to others as a hosted service. */
function isElastic({ license = '', dev = false }: LockedPackage): boolean {
  return !dev && license.startsWith('Elastic');
}

/** The name in a lock file's path, for example `@a/b` in `node_modules/c/node_modules/@a/b`. */
function nameIn(path: string): string {
  return path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
}

/** A platform's build of a package is listed with the package: `lightningcss-linux-x64-gnu` with `lightningcss`. */
function isExplained(page: string, name: string): boolean {
  const named = [...page.matchAll(/`([^`\s]+)`/g)].map((match) => match[1] ?? '');
  return named.some((each) => name === each || name.startsWith(`${each}-`));
}

export function findDependencyFaults(
  page: string,
  sources: readonly {
    readonly folder: string;
    readonly lock: Lock;
    readonly overrides: Readonly<Record<string, string>>;
  }[],
): string[] {
  const faults: string[] = [];
  for (const { folder, lock, overrides } of sources) {
    for (const [path, locked] of Object.entries(lock.packages)) {
      const name = nameIn(path);
      const { license } = locked;
      if (isElastic(locked))
        faults.push(
          `${join(folder, 'package-lock.json')}: ${name} is under ${license}: it may only be for development`,
        );
      if (path === '' || isFree(license) || isExplained(page, name)) continue;
      faults.push(
        `${join(folder, 'package-lock.json')}: ${name} is under ${license ?? 'no licence that is named'}, and ${explanations} does not say why it may be here`,
      );
    }
    for (const [name, version] of Object.entries(overrides)) {
      if (page.includes(`| \`${name}\` | ${version} |`)) continue;
      faults.push(
        `${join(folder, 'package.json')}: ${explanations} does not say why ${name} is overridden with ${version}`,
      );
    }
  }
  return faults;
}

export const dependencyCheck: Check = {
  name: 'licences and overrides are explained',
  async run({ root }) {
    const json = async (path: string) => JSON.parse(await readFile(join(root, path), 'utf8')) as unknown;
    const sources = folders.map(async (folder) => ({
      folder,
      lock: (await json(join(folder, 'package-lock.json'))) as Lock,
      overrides: ((await json(join(folder, 'package.json'))) as { overrides?: Record<string, string> }).overrides ?? {},
    }));
    return findDependencyFaults(await readFile(join(root, explanations), 'utf8'), await Promise.all(sources));
  },
};
