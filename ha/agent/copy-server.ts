// Gives a host whose data can't follow a whole copy of the primary's: mariadb-backup, over HTTPS on which both sides show a certificate.
// needs: mariadb-backup

import type { ChildProcess } from 'node:child_process';
import type { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { TLSSocket } from 'node:tls';
import { sizeOfFolder, slowed, startCopy } from '../../embedded/physical-copy.ts';
import type { SetupLog } from '../../embedded/setup-log.ts';
import { withSpooledTail } from '../../embedded/spooled-tail.ts';
import { requireOneHost } from '../../platform/net/one-host.ts';
import { type CopyTls, copyFailurePath, copyPath, sizeHeader } from './copy.ts';

export interface CopySource {
  readonly dataPath: string;
  readonly socketPath: string;
  readonly rootPassword: string;
  readonly temporaryPath: string;
}

export interface CopyServerOptions {
  readonly address: string;
  readonly port: number;
  readonly tls: CopyTls;
  readonly log: SetupLog;
  /** Undefined if this host is not the primary. */
  readonly source: () => Promise<CopySource | undefined>;
  readonly mostBytesPerSecond: number;
  /** A host that accepts no data for this long gets no more, because the backup may block the primary's commits. Default: 20 s. */
  readonly silenceMs?: number;
  /** Whether the certificate, which the authority has signed, belongs to a host that may have a copy. Default: every host may. */
  readonly mayAsk?: ((certificate: X509Certificate | undefined) => boolean) | undefined;
}

const usualSilenceMs = 20_000;

/** Gives one copy at a time. */
export class CopyServer {
  readonly #options: CopyServerOptions;
  readonly #server: Server;
  #giving: ChildProcess | undefined;
  #isGiving = false;
  #failure: string | undefined;

  private constructor(options: CopyServerOptions) {
    const { ca, cert, key } = options.tls;
    this.#options = options;
    this.#server = createServer({ ca, cert, key, requestCert: true, rejectUnauthorized: true }, (asked, answer) => {
      this.#answer(asked, answer).catch((error: unknown) => {
        options.log.warn(`a copy was not given to ${error instanceof Error ? error.message : String(error)}`);
        answer.destroy();
      });
    });
    requireOneHost(this.#server);
    this.#server.on('tlsClientError', () => undefined);
  }

  static async start(options: CopyServerOptions): Promise<CopyServer> {
    const made = new CopyServer(options);
    made.#server.listen(options.port, options.address);
    await once(made.#server, 'listening');
    return made;
  }

  /** The certificate for new connections. */
  use({ ca, cert, key }: CopyTls): void {
    this.#server.setSecureContext({ ca, cert, key });
  }

  async stop(): Promise<void> {
    this.#giving?.kill('SIGKILL');
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #answer(asked: IncomingMessage, answer: ServerResponse): Promise<void> {
    const { mayAsk = () => true } = this.#options;
    // A connection that has ended does not have it any more.
    const to = asked.socket.remoteAddress;
    if (!mayAsk((asked.socket as TLSSocket).getPeerX509Certificate())) {
      this.#options.log.warn(`a copy was refused to ${to}: it is no host of the cluster, or none any more`);
      return refuse(answer, 403, 'only hosts of the cluster get a copy');
    }
    if (asked.url === copyFailurePath)
      return refuse(answer, this.#failure === undefined ? 404 : 200, this.#failure ?? '');
    if (asked.url !== copyPath) return refuse(answer, 404, 'there is no such path');
    if (this.#isGiving) return refuse(answer, 409, 'another copy is being made');
    this.#isGiving = true;
    try {
      const source = await this.#options.source();
      if (source === undefined) return refuse(answer, 409, 'this host is not the primary');
      this.#failure = undefined;
      await this.#give(source, answer);
    } catch (error) {
      // The host that gets the copy sees only that its connection has ended, and asks.
      this.#failure ??= error instanceof Error ? error.message : String(error);
      throw new Error(`${to}: ${this.#failure}`, { cause: error });
    } finally {
      this.#isGiving = false;
    }
  }

  async #give(source: CopySource, answer: ServerResponse): Promise<void> {
    const { silenceMs = usualSilenceMs, mostBytesPerSecond } = this.#options;
    const { dataPath, socketPath, rootPassword, temporaryPath } = source;
    const work = join(temporaryPath, 'copy');
    await rm(work, { recursive: true, force: true });
    await mkdir(work, { mode: 0o700 });
    const settings = join(work, 'client.cnf');
    await writeFile(settings, `[client]\nuser=root\npassword="${rootPassword}"\nsocket=${socketPath}\n`, {
      mode: 0o600,
    });
    const { child, output, locks, finished } = await startCopy({ settingsFile: settings, dataPath, work });
    this.#giving = child;
    const onGone = () => child.kill('SIGKILL');
    answer.once('close', onGone);
    try {
      answer.writeHead(200, { 'content-type': 'application/octet-stream', [sizeHeader]: await sizeOfFolder(dataPath) });
      // The timer is off while the backup has nothing to send, for example while it waits for locks.
      answer.setTimeout(silenceMs, () => {
        if (answer.writableLength === 0) return;
        this.#failure = `the host that gets it has taken nothing for ${silenceMs / 1_000} s`;
        answer.destroy();
      });
      // Commits must not wait for the link to that host.
      const parts = withSpooledTail(output, { locks, file: join(work, 'tail') });
      await pipeline(parts, slowed(mostBytesPerSecond), answer, { end: false });
      // An answer that is cut off is not a copy.
      await finished();
      answer.end();
    } finally {
      answer.off('close', onGone);
      child.kill('SIGKILL');
      this.#giving = undefined;
      await rm(work, { recursive: true, force: true });
    }
  }
}

function refuse(answer: ServerResponse, status: number, why: string): void {
  answer.writeHead(status, { 'content-type': 'text/plain' }).end(`${why}\n`);
}
