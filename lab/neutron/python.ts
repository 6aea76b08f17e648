// Runs Python with the unpacked packages and the interpreter's own library, and nothing else of this machine.
// needs: python3, python3-distutils

import { pathExists } from '../../embedded/find-program.ts';
import { SYSTEM_PACKAGES } from './packages.ts';

export const PYTHON = '/usr/bin/python3';
/** Other releases can't load files compiled for this one. */
const LIBRARY = '/usr/lib/python3.11';

/** Returns the reason why the packages can't run here, or undefined. */
export async function pythonObstacle(): Promise<string | undefined> {
  if (!(await pathExists('/usr/bin/apt-get'))) return 'there is no apt-get to get its packages with';
  // The module that Debian ships separately, in python3-distutils.
  for (const file of [PYTHON, `${LIBRARY}/ssl.py`, `${LIBRARY}/distutils/versionpredicate.py`]) {
    if (!(await pathExists(file))) return `${file} is missing (packages ${SYSTEM_PACKAGES.join(', ')} of Debian 12)`;
  }
  return undefined;
}

/** `-S`: without the machine's own packages. */
export function pythonArgs(script: string, ...args: readonly string[]): string[] {
  return ['-S', script, ...args];
}

/** `more`: further folders with unpacked packages. */
export function pythonEnvironment(prefix: string, ...more: readonly string[]): NodeJS.ProcessEnv {
  return {
    PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
    LC_ALL: 'C.UTF-8',
    PYTHONPATH: [prefix, ...more].map((each) => `${each}/usr/lib/python3/dist-packages`).join(':'),
    LD_LIBRARY_PATH: `${prefix}/usr/lib/${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu`,
    PYTHONUNBUFFERED: '1',
  };
}
