// The folder of key files. Each role reads its own files: private keys are only where they are used, public keys are everywhere. A
// replaced file is read again, so that keys are rotated without a restart.
import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ConfigError, type ConfigFault } from '../errors/config-error.ts';
import type { Logger } from '../log/log.ts';
import { Looped } from '../work/loop.ts';
import { isMissing } from './key-file.ts';
import { PublicKeys, readPublicFile, readSigningFile, type Signer, SigningKeys } from './key-pairs.ts';
import { Keyring, readKeyringFile } from './keyring.ts';

/** Symmetric: `subgraphs` is for values that only subgraphs make and read, `sealing` for stored credentials. */
type SharedKeys = 'subgraphs' | 'sealing';
export type KeyFileName = Signer | SharedKeys | 'public';

const againMs = 1_000;

export const noKeyFolder: ConfigFault = {
  settings: ['keys.folder'],
  wrong: 'these roles need key files',
  advice: 'create them with "tidegate keys create FOLDER", and give that folder',
};

export function keyFilePath(folder: string, name: KeyFileName): string {
  return join(folder, `${name}.keys`);
}

interface Opened {
  readonly path: string;
  /** Changes when the file is replaced. */
  version: string;
  read(): Promise<void>;
}

interface KeyFolderOptions {
  /** If absent, only `sealingFile` can be opened. */
  readonly folder?: string | undefined;
  /** The path of the sealing file, when it is not in the folder. */
  readonly sealingFile?: string | undefined;
  readonly log: Logger;
}

export class KeyFolder extends Looped {
  /** For display. */
  readonly path: string;
  readonly #options: KeyFolderOptions;
  readonly #log: Logger;
  #changed: (() => void) | undefined;
  readonly #opened: Opened[] = [];
  readonly #made = new Map<KeyFileName, Promise<SigningKeys | PublicKeys | Keyring>>();

  constructor(options: KeyFolderOptions) {
    const { log } = options;
    super({
      name: 'key files',
      log,
      pauseMs: () => againMs,
      run: async () => {
        await this.readAgain();
        return false;
      },
    });
    this.path = options.folder ?? dirname(options.sealingFile ?? '.');
    this.#options = options;
    this.#log = log;
  }

  signing(signer: Signer): Promise<SigningKeys> {
    return this.#open(signer, readSigningFile, (file) => new SigningKeys(file)) as Promise<SigningKeys>;
  }

  publicKeys(): Promise<PublicKeys> {
    return this.#open('public', readPublicFile, (file) => new PublicKeys(file)) as Promise<PublicKeys>;
  }

  shared(name: SharedKeys): Promise<Keyring> {
    return this.#open(name, readKeyringFile, (file) => new Keyring(file)) as Promise<Keyring>;
  }

  /** Called after a file was read again. */
  onChange(changed: () => void): void {
    this.#changed = changed;
  }

  /** Reads files that were replaced. A file that can't be read leaves its keys unchanged. */
  async readAgain(): Promise<void> {
    for (const each of this.#opened) {
      const version = await versionOf(each.path).catch(() => each.version);
      if (version === each.version) continue;
      try {
        await each.read();
        this.#log.info({ file: each.path }, 'the key file was read again');
        this.#changed?.();
      } catch (error) {
        this.#log.error({ err: error, file: each.path }, 'the key file was replaced by one that is not usable');
      }
      each.version = version;
    }
  }

  /** The last use of each key here (Unix milliseconds, null if never used), by `file/id`, for the open files. */
  async known(): Promise<ReadonlyMap<string, number | null>> {
    const known = new Map<string, number | null>();
    for (const [name, made] of this.#made) {
      const keys = await made;
      if (keys instanceof PublicKeys) for (const [key, atMs] of keys.seen()) known.set(key, atMs);
      else if (keys instanceof Keyring) for (const [id, atMs] of keys.seen()) known.set(`${name}/${id}`, atMs);
    }
    return known;
  }

  #open<File, Keys extends (SigningKeys | PublicKeys | Keyring) & { replace(file: File): void }>(
    name: KeyFileName,
    read: (path: string) => Promise<File>,
    make: (file: File) => Keys,
  ): Promise<SigningKeys | PublicKeys | Keyring> {
    const known = this.#made.get(name);
    if (known !== undefined) return known;
    const path = this.#pathOf(name);
    const open = async () => {
      const version = await versionOf(path).catch((error: unknown) => {
        if (!isMissing(error)) throw error;
        throw new Error(
          `key file ${path} is missing, and this process's roles require it: create it with "tidegate keys create FOLDER"`,
        );
      });
      const keys = make(await read(path));
      this.#opened.push({ path, version, read: async () => keys.replace(await read(path)) });
      return keys;
    };
    const made = open();
    this.#made.set(name, made);
    return made;
  }

  #pathOf(name: KeyFileName): string {
    const { folder, sealingFile } = this.#options;
    if (name === 'sealing' && sealingFile !== undefined) return sealingFile;
    if (folder === undefined) throw new ConfigError([noKeyFolder]);
    return keyFilePath(folder, name);
  }
}

async function versionOf(path: string): Promise<string> {
  const { ino, mtimeMs, size } = await stat(path);
  return `${ino}/${mtimeMs}/${size}`;
}
