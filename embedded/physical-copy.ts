// A physical copy of a MariaDB by mariadb-backup: its stream, unpacking and preparing.
// needs: mariadb-backup

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { endingWithParent } from './ends-with-parent.ts';
import { findProgram } from './find-program.ts';
import { runProgram } from './run-program.ts';
import { credentialFlags } from './server-process.ts';
import type { ServiceUser } from './service-account.ts';

const prepareTimeoutMs = 600_000;
const keptOutputBytes = 4_096;
/**
 * Interval at which mariadb-backup looks for new redo log. While it holds its last lock it waits for one such look: with its own default of a second,
 * commits stop for a second.
 */
const logCopyEveryMs = 50;
/** From this message on, mariadb-backup holds locks that stop changes of tables, and later commits. */
const locksMessage = 'BACKUP STAGE FLUSH';
/** Of mariadb-backup, when the server writes redo faster than it reads it. */
const overwritten = 'Was only able to copy log';
const positionFiles = ['mariadb_backup_binlog_info', 'xtrabackup_binlog_info'];

/** The end of the stream's output. */
function lastOf(stream: Readable): () => string {
  let text = '';
  stream.setEncoding('utf8').on('data', (part: string) => {
    text = `${text}${part}`.slice(-keptOutputBytes);
  });
  return () => text.trim();
}

/** Resolves once that text is in the stream, in one line. */
function messageOf(stream: Readable, text: string): Promise<void> {
  return new Promise((resolve) => {
    let before = '';
    const look = (part: string) => {
      before += part;
      if (before.includes(text)) {
        stream.off('data', look);
        resolve();
      }
      before = before.slice(-text.length);
    };
    stream.on('data', look);
  });
}

interface CopyStream {
  readonly child: ChildProcess;
  readonly output: Readable;
  /** Resolves when it begins to hold locks. From then on its output must be read without delay. */
  readonly locks: Promise<void>;
  /** Rejects if the copy is not whole. */
  readonly finished: () => Promise<void>;
}

/** `settingsFile`: option file with the account and the address of the server. `work`: an empty folder. */
export async function startCopy(options: {
  readonly settingsFile: string;
  readonly dataPath: string;
  readonly work: string;
  readonly more?: readonly string[];
}): Promise<CopyStream> {
  const { settingsFile, dataPath, work, more = [] } = options;
  const program = await findProgram('mariadb-backup', ['/usr/bin/mariadb-backup']);
  const child = spawn(
    ...endingWithParent(program, [
      ...[`--defaults-file=${settingsFile}`, '--backup', '--stream=mbstream'],
      ...[`--datadir=${dataPath}`, `--target-dir=${work}`, `--loose-log-copy-interval=${logCopyEveryMs}`, ...more],
    ]),
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  const lastOutput = lastOf(child.stderr);
  const locks = messageOf(child.stderr, locksMessage);
  const exited = once(child, 'close');
  exited.catch(() => undefined);
  return {
    ...{ child, output: child.stdout, locks },
    finished: async () => {
      const [code] = await exited;
      if (code === 0) return;
      if (lastOutput().includes(overwritten))
        throw new Error(
          "the server overwrote its redo log before mariadb-backup had copied it: raise the server's innodb_log_file_size, or copy while less is written",
        );
      throw new Error(`mariadb-backup ended with ${code}: ${lastOutput()}`);
    },
  };
}

/** Passes the parts on, at this rate at most. */
export function slowed(mostBytesPerSecond: number) {
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

export async function sizeOfFolder(folder: string): Promise<number> {
  const { stdout } = await runProgram('du', ['--summarize', '--bytes', folder]);
  return Number(stdout.split('\t')[0] ?? 0);
}

interface UnpackOptions {
  /** An empty folder that the server's user owns. */
  readonly into: string;
  readonly runAs: ServiceUser | undefined;
  readonly signal?: AbortSignal;
}

/** Through `pass`, which may count. */
export async function unpackCopy(
  source: AsyncIterable<Buffer>,
  { into, runAs, signal }: UnpackOptions,
  pass: (parts: AsyncIterable<Buffer>) => AsyncIterable<Buffer> = (parts) => parts,
): Promise<void> {
  const program = await findProgram('mbstream', ['/usr/bin/mbstream']);
  const child = spawn(...endingWithParent(program, ['-x', '-C', into], { flags: credentialFlags(runAs) }), {
    stdio: ['pipe', 'ignore', 'pipe'],
    cwd: into,
  });
  const output = lastOf(child.stderr);
  const exited = once(child, 'close');
  exited.catch(() => undefined);
  try {
    await pipeline(source, pass, child.stdin, signal === undefined ? {} : { signal });
    const [code] = await exited;
    if (code !== 0) throw new Error(`mbstream ended with ${code}: ${output()}`);
  } finally {
    child.kill('SIGKILL');
  }
}

/** Afterwards a server can start on it. */
export async function prepareCopy({ into, runAs, signal }: UnpackOptions): Promise<void> {
  const backup = await findProgram('mariadb-backup', ['/usr/bin/mariadb-backup']);
  const { exitCode, stderr } = await runProgram(
    ...endingWithParent(
      backup,
      [
        ...['--no-defaults', '--prepare'],
        // The caller's TMPDIR may be inaccessible to the server's user.
        ...['--use-memory=64M', `--target-dir=${into}`, `--tmpdir=${dirname(into)}`],
      ],
      { flags: credentialFlags(runAs) },
    ),
    { timeoutMs: prepareTimeoutMs, ...(signal === undefined ? {} : { signal }) },
  );
  if (exitCode !== 0)
    throw new Error(`mariadb-backup --prepare ended with ${exitCode}: ${stderr.slice(-keptOutputBytes)}`);
}

/** GTID position at which the copy was made. Undefined if the data is not a copy, or its position was already used. */
export async function copyPosition(dataPath: string): Promise<string | undefined> {
  for (const name of positionFiles) {
    const text = await readFile(join(dataPath, name), 'utf8').catch(() => undefined);
    // File, position, GTIDs.
    if (text !== undefined) return text.trim().split('\t')[2] ?? '';
  }
  return undefined;
}

export async function forgetCopyPosition(dataPath: string): Promise<void> {
  for (const name of positionFiles) await rm(join(dataPath, name), { force: true });
}
