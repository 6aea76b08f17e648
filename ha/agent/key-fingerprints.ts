// Which key files a host has, told without the keys: hosts with other ones can't read each other's secrets.

import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { monotonicMs } from './clock.ts';

const mostFiles = 20;
const againMs = 5_000;
const letters = 16;

export class KeyFingerprints {
  readonly #folder: string | undefined;
  #readAtMs = Number.NEGATIVE_INFINITY;
  #last: Readonly<Record<string, string>> = {};

  /** Undefined: keys are elsewhere. */
  constructor(folder: string | undefined) {
    this.#folder = folder;
  }

  /** By file; none: there is no such folder. Read now and then. */
  async read(): Promise<Readonly<Record<string, string>>> {
    const folder = this.#folder;
    if (folder === undefined || monotonicMs() - this.#readAtMs < againMs) return this.#last;
    this.#readAtMs = monotonicMs();
    const names = (await readdir(folder).catch(() => [])).filter((name) => name.endsWith('.keys')).sort();
    const entries = names.slice(0, mostFiles).map(async (name): Promise<[string, string][]> => {
      // Replaced meanwhile, or not this user's to read.
      const text = await readFile(join(folder, name)).catch(() => undefined);
      if (text === undefined) return [];
      return [[name, createHash('sha256').update(text).digest('hex').slice(0, letters)]];
    });
    this.#last = Object.fromEntries((await Promise.all(entries)).flat());
    return this.#last;
  }
}
