// Mutual TLS between gateways and subgraphs: both show a certificate of one private authority. The files may be replaced, as
// when a certificate is renewed: connections that are made from then on have the new ones.
import { readFile, stat } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import { buildConnector } from 'undici';
import type { Logger } from '../log.ts';
import { Loop } from '../loop.ts';

/** PEM texts, as they are now. */
export interface MutualTls {
  readonly cert: string;
  readonly key: string;
  /** Who signs both sides' certificates. */
  readonly ca: string;
  /** Calls when they were replaced. */
  onChange?(changed: () => void): void;
}

type Pem = Pick<MutualTls, 'cert' | 'key' | 'ca'>;

/** The texts alone: what Node's TLS takes. */
export function pemOf({ cert, key, ca }: MutualTls): Pem {
  return { cert, key, ca };
}

/** Connects a pool's connections, each with the certificate of its time. */
export function connectorOf(tls: MutualTls | undefined, timeoutMs: number): buildConnector.connector {
  let made = { cert: '', connector: buildConnector({ timeout: timeoutMs }) };
  return (options, callback) => {
    if (tls !== undefined && made.cert !== tls.cert)
      made = { cert: tls.cert, connector: buildConnector({ timeout: timeoutMs, ...pemOf(tls) }) };
    made.connector(options, callback);
  };
}

export interface TlsPaths {
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
}

const againMs = 2_000;

/** The files of a process; read again when they were replaced. */
export class TlsFiles implements MutualTls {
  readonly #paths: TlsPaths;
  readonly #log: Logger;
  readonly #loop: Loop;
  readonly #changed: (() => void)[] = [];
  #pem: Pem;
  #version: string;

  private constructor(paths: TlsPaths, log: Logger, pem: Pem, version: string) {
    this.#paths = paths;
    this.#log = log;
    this.#pem = pem;
    this.#version = version;
    this.#loop = new Loop({
      name: 'certificate files',
      log,
      pauseMs: () => againMs,
      run: async () => {
        await this.readAgain();
        return false;
      },
    });
  }

  /** Throws when a file can't be read, or key and certificate do not go together. */
  static async open(paths: TlsPaths, log: Logger): Promise<TlsFiles> {
    const version = await versionOf(paths);
    return new TlsFiles(paths, log, await read(paths), version);
  }

  get cert(): string {
    return this.#pem.cert;
  }

  get key(): string {
    return this.#pem.key;
  }

  get ca(): string {
    return this.#pem.ca;
  }

  onChange(changed: () => void): void {
    this.#changed.push(changed);
  }

  start(): void {
    this.#loop.start();
  }

  async stop(): Promise<void> {
    await this.#loop.stop();
  }

  /** Takes replaced files. Those that do not go together, as in the middle of a copy, are tried again; until then the old stay. */
  async readAgain(): Promise<void> {
    const version = await versionOf(this.#paths).catch(() => this.#version);
    if (version === this.#version) return;
    this.#pem = await read(this.#paths);
    this.#version = version;
    for (const each of this.#changed) each();
    this.#log.info({ file: this.#paths.cert }, 'the certificate was read again');
  }
}

async function read(paths: TlsPaths): Promise<Pem> {
  const [cert, key, ca] = await Promise.all([paths.cert, paths.key, paths.ca].map((path) => readFile(path, 'utf8')));
  const pem = { cert: cert ?? '', key: key ?? '', ca: ca ?? '' };
  try {
    createSecureContext(pem);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(
      `${paths.cert}, ${paths.key} and ${paths.ca} are not a certificate, its key and an authority: ${reason}`,
    );
  }
  return pem;
}

async function versionOf(paths: TlsPaths): Promise<string> {
  const all = await Promise.all([paths.cert, paths.key, paths.ca].map((path) => stat(path)));
  return all.map(({ ino, mtimeMs, size }) => `${ino}/${mtimeMs}/${size}`).join(' ');
}
