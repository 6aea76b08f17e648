// Archives the binary log from a backup's position on. Each run begins a new file of the log, and archives the finished ones as they are. A
// server whose log does not go on from the archived position needs a new full copy.
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { createZstdCompress } from 'node:zlib';
import { numberOf, transactionsIn } from '../ha/agent/binary-log.ts';
import type { Keyring } from '../platform/secrets/keyring.ts';
import { encrypterFor, encryptFile } from './age-file.ts';
import { type LocalServer, logFolder } from './local-server.ts';
import { readLogIndex, writeLogIndex } from './log-index.ts';
import { type LogPiece, logFolderName, type Manifest } from './manifest.ts';
import type { Place } from './place.ts';

/** The archived log can't go on: the server lacks transactions, or has others. */
export class LogEndsError extends Error {
  override readonly name = 'LogEndsError';
}

interface ArchiveOptions {
  readonly server: LocalServer;
  /** Of the backup. */
  readonly place: Place;
  readonly manifest: Manifest;
  readonly recipients: readonly string[];
  readonly keys: Keyring;
}

/** Returns the number of new pieces. Throws LogEndsError. */
export async function archiveLog(options: ArchiveOptions): Promise<number> {
  const { server, place, manifest, keys } = options;
  const logPath = logFolder(server.facts);
  if (logPath === undefined || manifest.gtid === null) return 0;
  const index = await readLogIndex(place, keys);
  const archived = index.pieces.at(-1)?.last ?? manifest.gtid;
  const nowMs = (await server.now()).getTime();
  await server.query('FLUSH LOCAL BINARY LOGS');
  const files = await newFiles(server, logPath, archived);
  const pieces = [...index.pieces];
  for (const file of files) {
    pieces.push(await archive(file, pieces.length + 1, options));
    // After each: a killed run keeps what it has.
    await writeLogIndex(place, { ...index, pieces }, keys);
  }
  // A replica has everything from before the newest transaction that it has.
  const newestMs = (await server.isReplica()) ? (pieces.at(-1)?.newestSeconds ?? 0) * 1_000 : nowMs;
  const coveredUntil = new Date(Math.max(newestMs, Date.parse(index.coveredUntil))).toISOString();
  await writeLogIndex(place, { ...index, pieces, coveredUntil }, keys);
  return files.length;
}

interface LogFile {
  readonly path: string;
  readonly first: string;
  readonly last: string;
  readonly newestSeconds: number;
}

/** The finished files with transactions after the archived one, oldest first. */
async function newFiles(server: LocalServer, logPath: string, archived: string): Promise<readonly LogFile[]> {
  const names = (await server.query<{ Log_name: string }>('SHOW BINARY LOGS')).map(({ Log_name: name }) => name);
  const files: LogFile[] = [];
  const after = numberOf(archived);
  for (const name of names.slice(0, -1).reverse()) {
    const path = join(logPath, name);
    const found = await transactionsIn(path);
    const same = found.find(({ gtid }) => numberOf(gtid) === after);
    if (same !== undefined && same.gtid !== archived)
      throw new LogEndsError(`the server has ${same.gtid}, and the archive ${archived}: the database was set back`);
    const later = found.filter(({ gtid }) => numberOf(gtid) > after);
    const [first, last] = [later[0], later.at(-1)];
    if (first !== undefined && last !== undefined)
      files.unshift({
        ...{ path, first: first.gtid, last: last.gtid },
        newestSeconds: later.reduce((newest, { seconds }) => Math.max(newest, seconds), 0),
      });
    if (later.length < found.length) break;
  }
  await requireContinuous(server, files, archived);
  return files;
}

async function requireContinuous(server: LocalServer, files: readonly LogFile[], archived: string): Promise<void> {
  let last = numberOf(archived);
  for (const file of files) {
    if (numberOf(file.first) !== last + 1)
      throw new LogEndsError(`the binary log lacks the transactions from ${last + 1} to ${file.first}`);
    last = numberOf(file.last);
  }
  const [row] = await server.query<{ position: string }>('SELECT @@GLOBAL.gtid_binlog_pos AS position');
  if (numberOf(row?.position ?? '') < last)
    throw new LogEndsError(`the server is at ${row?.position}, before the archived ${archived}: it was set back`);
}

async function archive(file: LogFile, number: number, options: ArchiveOptions): Promise<LogPiece> {
  const { place, recipients } = options;
  const name = `${String(number).padStart(6, '0')}.age`;
  const { size } = await stat(file.path);
  const source = createReadStream(file.path);
  const compressed = source.pipe(createZstdCompress());
  source.on('error', (error) => compressed.destroy(error));
  const encrypter = encrypterFor(recipients);
  const stored = await encryptFile(place.at(logFolderName), name, { source: compressed, encrypter, mostBytes: size });
  const { first, last, newestSeconds } = file;
  return { ...stored, name, logBytes: size, first, last, newestSeconds };
}
