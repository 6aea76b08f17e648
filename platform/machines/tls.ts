// Mutual TLS between gateways and subgraphs: both present a certificate of one private authority. The files may be replaced when
// a certificate is renewed: new connections use the new ones.
import { readFile, stat } from 'node:fs/promises';
import { type ConnectionOptions, createSecureContext, TLSSocket } from 'node:tls';
import type { Logger } from '../log/log.ts';
import { Looped } from '../work/loop.ts';
import type { Peers } from './peers.ts';

/** The current PEM texts. */
export interface MutualTls {
  readonly cert: string;
  readonly key: string;
  /** The authority that signs both sides' certificates. */
  readonly ca: string;
  /** Calls when the files were replaced. */
  onChange?(changed: () => void): void;
  /** Which peers are accepted; default: any certificate that the authority signed for the host's name. */
  readonly peers?: Peers;
}

type Pem = Pick<MutualTls, 'cert' | 'key' | 'ca'>;

/** The texts for Node's TLS. */
export function pemOf({ cert, key, ca }: MutualTls): Pem {
  return { cert, key, ca };
}

/** A client's options for connections to a subgraph. */
export function clientOptions(tls: MutualTls, subgraph: string): ConnectionOptions {
  const { peers } = tls;
  if (peers === undefined) return pemOf(tls);
  return {
    ...pemOf(tls),
    // A machine is known by its role, not by the name of its host.
    checkServerIdentity(_host, certificate) {
      const reason = peers.refusal(certificate, subgraph);
      return reason === undefined ? undefined : new Error(`subgraph ${subgraph}: ${reason}`);
    },
  };
}

/** Called once the connection is established. */
export function watchPeer({ peers }: Pick<MutualTls, 'peers'>, socket: unknown): void {
  if (peers !== undefined && socket instanceof TLSSocket) peers.watch(socket, socket.getPeerCertificate());
}

interface TlsPaths {
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
}

const againMs = 2_000;

/** The files of a process; read again after they were replaced. */
export class TlsFiles extends Looped implements MutualTls {
  readonly #paths: TlsPaths;
  readonly #log: Logger;
  readonly #changed: (() => void)[] = [];
  #pem: Pem;
  #version: string;

  private constructor(paths: TlsPaths, log: Logger, pem: Pem, version: string) {
    super({
      name: 'certificate files',
      log,
      pauseMs: () => againMs,
      run: async () => {
        await this.readAgain();
        return false;
      },
    });
    this.#paths = paths;
    this.#log = log;
    this.#pem = pem;
    this.#version = version;
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

  /**
   * Reads replaced files. Files that do not match, as in the middle of a copy, are tried again; until then the old ones stay in
   * use.
   */
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
