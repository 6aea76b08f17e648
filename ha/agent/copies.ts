// A whole copy of the primary's database for a host whose own can't follow it: mariadb-backup there, over HTTPS on which both sides
// show a certificate, unpacked and prepared here.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, request, type Server } from 'node:https';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { findProgram } from '../../embedded/find-program.ts';
import { runProgram } from '../../embedded/run-program.ts';
import { credentialFlags } from '../../embedded/server-process.ts';
import type { ServiceUser } from '../../embedded/service-account.ts';
import type { SetupLog } from '../../embedded/setup-log.ts';

export interface CopyTls {
  /** PEM texts. */
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

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
  /** Undefined: this host is not the primary. */
  readonly source: () => Promise<CopySource | undefined>;
  readonly mostBytesPerSecond: number;
}

const copyPath = '/copy';
const sizeHeader = 'x-data-bytes';
const answerTimeoutMs = 10_000;
/** Without a byte for so long, a copy is given up. */
const silenceMs = 30_000;
const prepareTimeoutMs = 600_000;
const keptOutputBytes = 4_096;
const positionFiles = ['mariadb_backup_binlog_info', 'xtrabackup_binlog_info'];

/** Gives one copy at a time. */
export class CopyServer {
  readonly #options: CopyServerOptions;
  readonly #server: Server;
  #giving: ChildProcess | undefined;
  #isGiving = false;

  private constructor(options: CopyServerOptions) {
    const { ca, cert, key } = options.tls;
    this.#options = options;
    this.#server = createServer({ ca, cert, key, requestCert: true, rejectUnauthorized: true }, (asked, answer) => {
      this.#answer(asked, answer).catch((error: unknown) => {
        options.log.warn(`a copy was not given: ${String(error)}`);
        answer.destroy();
      });
    });
    this.#server.on('tlsClientError', () => undefined);
  }

  static async start(options: CopyServerOptions): Promise<CopyServer> {
    const made = new CopyServer(options);
    made.#server.listen(options.port, options.address);
    await once(made.#server, 'listening');
    return made;
  }

  async stop(): Promise<void> {
    this.#giving?.kill('SIGKILL');
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #answer(asked: IncomingMessage, answer: ServerResponse): Promise<void> {
    if (asked.url !== copyPath) return refuse(answer, 404, 'there is no such path');
    if (this.#isGiving) return refuse(answer, 409, 'another copy is being made');
    this.#isGiving = true;
    try {
      const source = await this.#options.source();
      if (source === undefined) return refuse(answer, 409, 'this host is not the primary');
      await this.#give(source, answer);
    } finally {
      this.#isGiving = false;
    }
  }

  async #give(source: CopySource, answer: ServerResponse): Promise<void> {
    const { dataPath, socketPath, rootPassword, temporaryPath } = source;
    const work = join(temporaryPath, 'copy');
    await rm(work, { recursive: true, force: true });
    await mkdir(work, { mode: 0o700 });
    const settings = join(work, 'client.cnf');
    await writeFile(settings, `[client]\nuser=root\npassword="${rootPassword}"\n`, { mode: 0o600 });
    const program = await findProgram('mariadb-backup', ['/usr/bin/mariadb-backup']);
    const child = spawn(
      'setpriv',
      [
        ...['--pdeathsig', 'KILL', '--', program, `--defaults-file=${settings}`, '--backup', '--stream=mbstream'],
        ...[`--datadir=${dataPath}`, `--socket=${socketPath}`, `--target-dir=${work}`],
      ],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    );
    this.#giving = child;
    const output = lastOf(child.stderr);
    const exited = once(child, 'close');
    const onGone = () => child.kill('SIGKILL');
    answer.once('close', onGone);
    try {
      answer.writeHead(200, { 'content-type': 'application/octet-stream', [sizeHeader]: await sizeOf(dataPath) });
      await pipeline(child.stdout, slowed(this.#options.mostBytesPerSecond), answer, { end: false });
      const [code] = await exited;
      // An answer that is cut off is no copy.
      if (code !== 0) throw new Error(`mariadb-backup ended with ${code}: ${output()}`);
      answer.end();
    } finally {
      answer.off('close', onGone);
      child.kill('SIGKILL');
      this.#giving = undefined;
      await rm(work, { recursive: true, force: true });
    }
  }
}

export interface FetchOptions {
  readonly address: string;
  readonly port: number;
  readonly tls: CopyTls;
  readonly log: SetupLog;
  /** An empty folder that the server's user owns. */
  readonly into: string;
  readonly runAs: ServiceUser | undefined;
  readonly freeBytes: () => Promise<number>;
  readonly signal: AbortSignal;
}

/** The copy is ready for a server then. */
export async function fetchCopy(options: FetchOptions): Promise<void> {
  const { into, runAs, log, freeBytes, signal } = options;
  const answer = await ask(options);
  const wholeBytes = Number(answer.headers[sizeHeader] ?? 0);
  const free = await freeBytes();
  if (free < wholeBytes * roomFactor) {
    answer.destroy();
    throw new Error(`a copy of ${mebi(wholeBytes)} MiB needs more than the ${mebi(free)} MiB that are free: make room`);
  }
  const program = await findProgram('mbstream', ['/usr/bin/mbstream']);
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', ...credentialFlags(runAs), '--', program, '-x', '-C', into], {
    stdio: ['pipe', 'ignore', 'pipe'],
    cwd: into,
  });
  const output = lastOf(child.stderr);
  const exited = once(child, 'close');
  exited.catch(() => undefined);
  try {
    await pipeline(answer, progress(wholeBytes, log), child.stdin, { signal });
    const [code] = await exited;
    if (code !== 0) throw new Error(`mbstream ended with ${code}: ${output()}`);
  } finally {
    child.kill('SIGKILL');
    answer.destroy();
  }
  const backup = await findProgram('mariadb-backup', ['/usr/bin/mariadb-backup']);
  const prepared = await runProgram(
    'setpriv',
    [
      ...['--pdeathsig', 'KILL', ...credentialFlags(runAs), '--', backup, '--no-defaults', '--prepare'],
      ...['--use-memory=64M', `--target-dir=${into}`],
    ],
    { timeoutMs: prepareTimeoutMs, signal },
  );
  if (prepared.exitCode !== 0)
    throw new Error(
      `mariadb-backup --prepare ended with ${prepared.exitCode}: ${prepared.stderr.slice(-keptOutputBytes)}`,
    );
  if ((await copyPosition(into)) === undefined) throw new Error('the copy does not say at which GTID it was made');
}

/** At which GTID the copy was made; undefined: the data is no copy, or it has been told before. */
export async function copyPosition(dataPath: string): Promise<string | undefined> {
  for (const name of positionFiles) {
    const text = await readFile(join(dataPath, name), 'utf8').catch(() => undefined);
    // file, position in it, GTIDs
    if (text !== undefined) return text.trim().split('\t')[2] ?? '';
  }
  return undefined;
}

export async function forgetCopyPosition(dataPath: string): Promise<void> {
  for (const name of positionFiles) await rm(join(dataPath, name), { force: true });
}

/** The copy while it is unpacked and prepared, beside what is there. */
const roomFactor = 1.1;

function ask({ address, port, tls, signal }: FetchOptions): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: address, port, path: copyPath, ...tls, agent: false, signal });
    const timer = setTimeout(() => asked.destroy(new Error(`no answer within ${answerTimeoutMs} ms`)), answerTimeoutMs);
    asked.once('error', reject);
    asked.once('response', (answer) => {
      clearTimeout(timer);
      asked.setTimeout(silenceMs, () => asked.destroy(new Error(`nothing for ${silenceMs / 1_000} s`)));
      if (answer.statusCode === 200) return resolve(answer);
      answer.setEncoding('utf8').once('data', (text) => reject(new Error(`no copy: ${String(text).trim()}`)));
    });
    asked.once('close', () => clearTimeout(timer));
    asked.end();
  });
}

function refuse(answer: ServerResponse, status: number, why: string): void {
  answer.writeHead(status, { 'content-type': 'text/plain' }).end(`${why}\n`);
}

function slowed(mostBytesPerSecond: number) {
  return async function* (parts: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    const fromMs = performance.now();
    let bytes = 0;
    for await (const part of parts) {
      yield part;
      bytes += part.length;
      const aheadMs = (bytes / mostBytesPerSecond) * 1_000 - (performance.now() - fromMs);
      if (aheadMs > 10) await sleep(aheadMs);
    }
  };
}

function progress(wholeBytes: number, log: SetupLog) {
  return async function* (parts: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    let [bytes, told] = [0, 0];
    for await (const part of parts) {
      yield part;
      bytes += part.length;
      const tenths = Math.floor((bytes / Math.max(1, wholeBytes)) * 10);
      if (tenths > told) log.info(`${mebi(bytes)} of about ${mebi(wholeBytes)} MiB are copied.`);
      told = Math.max(told, tenths);
    }
  };
}

function lastOf(stream: Readable): () => string {
  let text = '';
  stream.setEncoding('utf8').on('data', (part: string) => {
    text = `${text}${part}`.slice(-keptOutputBytes);
  });
  return () => text.trim();
}

async function sizeOf(folder: string): Promise<number> {
  const { stdout } = await runProgram('du', ['--summarize', '--bytes', folder]);
  return Number(stdout.split('\t')[0] ?? 0);
}

function mebi(bytes: number): number {
  return Math.ceil(bytes / 1024 / 1024);
}
