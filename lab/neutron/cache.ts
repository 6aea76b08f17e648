// Data that is the same for every start and slow to make, kept in a folder outside of the repository: the unpacked packages, and
// databases with tables and accounts. It is made once, under a lock, and appears completely or not at all.

import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { pathExists } from '../../embedded/find-program.ts';
import type { SetupLog } from '../../embedded/setup-log.ts';
import { PACKAGES, unpackPackages } from './packages.ts';
import { makeTemplate } from './template.ts';

/** Change it when the data made from the packages changes. */
const FORMAT = '2';
const LOCK_TIMEOUT_SECONDS = 600;

interface NeutronCache {
  /** The packages' files, as in a root folder. */
  readonly prefix: string;
  /** Initial databases, keys and accounts. */
  readonly template: string;
}

/** The lab's default place for such data. */
export function usualCacheFolder(): string {
  return join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'tidegate', 'lab');
}

/** Does nothing if it exists. Otherwise takes half a minute and needs the network. */
export async function ensureNeutronCache(folder: string, log: SetupLog, signal?: AbortSignal): Promise<NeutronCache> {
  const made = await ensureCached({
    ...{ folder, name: 'neutron', content: `${FORMAT} ${PACKAGES}` },
    async make(part) {
      log.info(`Preparing Neutron and Keystone in ${folder}: once, about half a minute.`);
      const { prefix, template } = partsOf(part);
      await unpackPackages(PACKAGES, prefix, signal);
      await makeTemplate({ folder: template, prefix, log, ...(signal === undefined ? {} : { signal }) });
    },
  });
  return partsOf(made);
}

interface Cached {
  readonly folder: string;
  /** Earlier data with this name is removed. */
  readonly name: string;
  /** The data is made again when this changes. */
  readonly content: string;
  make(folder: string): Promise<void>;
}

/** The folder that `make` has filled, now or earlier. */
export async function ensureCached({ folder, name, content, make }: Cached): Promise<string> {
  const made = join(folder, `${name}-${createHash('sha256').update(content).digest('hex').slice(0, 12)}`);
  if (await pathExists(made)) return made;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const unlock = await lock(join(folder, `${name}.lock`));
  try {
    if (await pathExists(made)) return made;
    for (const left of await readdir(folder)) {
      if (left.startsWith(`${name}-`)) await rm(join(folder, left), { recursive: true, force: true });
    }
    const part = `${made}.part`;
    await make(part);
    await rename(part, made);
    return made;
  } finally {
    unlock();
  }
}

function partsOf(folder: string): NeutronCache {
  return { prefix: join(folder, 'root'), template: join(folder, 'template') };
}

/** Waits for flock(2) on a descriptor of this process: the lock ends with the process in any case. */
async function lock(path: string): Promise<() => void> {
  const descriptor = openSync(path, 'a', 0o600);
  const helper = spawn('flock', ['--exclusive', '--timeout', String(LOCK_TIMEOUT_SECONDS), '3'], {
    stdio: ['ignore', 'ignore', 'ignore', descriptor],
  });
  const [exitCode] = (await once(helper, 'exit')) as [number | null];
  if (exitCode !== 0) {
    closeSync(descriptor);
    throw new Error(`Another process has held the lock on ${path} for more than ${LOCK_TIMEOUT_SECONDS} s.`);
  }
  return () => closeSync(descriptor);
}
