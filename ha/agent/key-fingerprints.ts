// Fingerprints of a host's keys, published without the keys. Hosts with different keys can't read each other's secrets.

import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { keyringShape } from '../../platform/secrets/keyring.ts';
import { monotonicMs } from './clock.ts';
import type { SealingKeys } from './view.ts';

/** Paths. Undefined if keys are stored elsewhere. */
export interface KeyPlaces {
  readonly folder?: string | undefined;
  /** Set if it is not `sealing.keys` in the folder. */
  readonly sealingFile?: string | undefined;
}

interface Fingerprints {
  /** SHA-256 by file name. */
  readonly files: Readonly<Record<string, string>>;
  readonly sealing: SealingKeys | undefined;
}

const mostFiles = 20;
const againMs = 5_000;
const letters = 16;

export class KeyFingerprints {
  readonly #places: KeyPlaces;
  readonly #sealingFile: string | undefined;
  #readAtMs = Number.NEGATIVE_INFINITY;
  #last: Fingerprints = { files: {}, sealing: undefined };

  constructor({ folder, sealingFile }: KeyPlaces) {
    this.#places = { folder, sealingFile };
    this.#sealingFile = sealingFile ?? (folder === undefined ? undefined : join(folder, 'sealing.keys'));
  }

  /** The result of the last read. */
  get sealing(): SealingKeys | undefined {
    return this.#last.sealing;
  }

  /** Called from time to time. */
  async read(): Promise<Fingerprints> {
    if (monotonicMs() - this.#readAtMs < againMs) return this.#last;
    this.#readAtMs = monotonicMs();
    const { folder } = this.#places;
    const names = folder === undefined ? [] : await readdir(folder).catch(() => []);
    const paths = names.map((name) => join(folder ?? '', name)).filter((path) => path.endsWith('.keys'));
    const sealingFile = this.#sealingFile;
    if (sealingFile !== undefined && dirname(sealingFile) !== folder) paths.push(sealingFile);
    const files: Record<string, string> = {};
    let sealing: SealingKeys | undefined;
    for (const path of paths.sort().slice(0, mostFiles)) {
      // The file was replaced in the meantime, or is unreadable for this user.
      const text = await readFile(path, 'utf8').catch(() => undefined);
      if (text === undefined) continue;
      files[basename(path)] = fingerprint(text);
      if (path === sealingFile) sealing = sealingIn(text);
    }
    this.#last = { files, sealing };
    return this.#last;
  }
}

/** Undefined if the file is malformed. */
function sealingIn(text: string): SealingKeys | undefined {
  try {
    const { active, keys } = keyringShape.parse(JSON.parse(text));
    const used = keys[active];
    if (used === undefined) return undefined;
    return { active: fingerprint(used), known: Object.values(keys).map(fingerprint).sort() };
  } catch {
    return undefined;
  }
}

export function fingerprint(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, letters);
}
