// Makes a data folder of a backup: the copy is unpacked and prepared, and its archived log is applied up to a moment, as a standby would.
import { createWriteStream } from 'node:fs';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { createZstdDecompress } from 'node:zlib';
import { prepareCopy, unpackCopy } from '../embedded/physical-copy.ts';
import { numberOf, transactionsIn } from '../ha/agent/binary-log.ts';
import { decryptFile } from './age-file.ts';
import { fault } from './faults.ts';
import { dataName, type LogPiece, logFolderName } from './manifest.ts';
import type { OpenBackup } from './open-backup.ts';
import type { Place } from './place.ts';
import { PrivateServer, relayLog } from './private-server.ts';

const pollMs = 50;
/** Files of mariadb-backup and of the applier, which a server does not need. */
const leftOver =
  /^(?:xtrabackup_|mariadb_backup_|backup-my\.cnf$|archive\.|relay-log\.info$|master\.info$|multi-master\.info$)/;

interface RebuildOptions {
  readonly backup: OpenBackup;
  /** It does not exist yet. */
  readonly into: string;
  /** Whole seconds: transactions that began at or after it are left out. Undefined: all that are archived. */
  readonly until: Date | undefined;
  readonly signal: AbortSignal;
}

/** `use` gets the server of the rebuilt data; afterwards it is stopped in order. */
export async function rebuild<Result>(
  options: RebuildOptions,
  use: (server: PrivateServer) => Promise<Result>,
): Promise<Result> {
  const { backup, into, signal } = options;
  await mkdir(into, { mode: 0o700 });
  const copy = { into, runAs: undefined, signal };
  await unpackCopy(await plain(backup.place, dataName, backup), copy);
  await prepareCopy(copy);
  const log = await unpackLog(options);
  let result: Result;
  {
    await using server = await PrivateServer.start(into, backup.manifest.database, signal);
    if (log !== undefined) await applyLog(server, log, signal);
    result = await use(server);
    await server.forgetAccount();
  }
  for (const name of await readdir(into)) if (leftOver.test(name)) await rm(join(into, name));
  return result;
}

async function plain(place: Place, name: string, { identities }: OpenBackup): Promise<Readable> {
  const decrypted = await decryptFile(place, name, identities);
  const decompress = createZstdDecompress();
  decrypted.on('error', (error) => decompress.destroy(error));
  return decrypted.pipe(decompress);
}

/** The log to apply, as files in the data folder. */
interface UnpackedLog {
  readonly from: { readonly name: string; readonly at: number };
  /** The end: the first transaction that is left out. Undefined: the log is applied to its end. */
  readonly until: { readonly name: string; readonly at: number } | undefined;
  /** The last transaction to apply. */
  readonly last: string;
}

async function unpackLog({ backup, into, until }: RebuildOptions): Promise<UnpackedLog | undefined> {
  const { manifest, index } = backup;
  if (index === undefined || manifest.gtid === null) return undefined;
  let applied = numberOf(manifest.gtid);
  const names: string[] = [];
  let from: UnpackedLog['from'] | undefined;
  let last = manifest.gtid;
  for (const piece of index.pieces) {
    const name = await unpackPiece(piece, names.length + 1, backup, into);
    names.push(`./${name}\n`);
    const found = (await transactionsIn(join(into, name))).filter(({ gtid }) => numberOf(gtid) > applied);
    const stop = found.findIndex(({ seconds }) => until !== undefined && seconds * 1_000 >= until.getTime());
    const kept = stop < 0 ? found : found.slice(0, stop);
    if (kept[0] !== undefined) from ??= { name, at: kept[0].at };
    last = kept.at(-1)?.gtid ?? last;
    applied = numberOf(last);
    const end = found[stop];
    if (end === undefined) continue;
    await writeFile(join(into, `${relayLog}.index`), names.join(''));
    return from && { from, until: { name, at: end.at }, last };
  }
  await writeFile(join(into, `${relayLog}.index`), names.join(''));
  return from && { from, until: undefined, last };
}

async function unpackPiece(piece: LogPiece, number: number, backup: OpenBackup, into: string): Promise<string> {
  const name = `${relayLog}.${String(number).padStart(6, '0')}`;
  const source = await plain(backup.place.at(logFolderName), piece.name, backup);
  await pipeline(source, createWriteStream(join(into, name), { flags: 'wx', mode: 0o600 }));
  return name;
}

async function applyLog(server: PrivateServer, log: UnpackedLog, signal: AbortSignal): Promise<void> {
  const { from, until, last } = log;
  await server.query(
    "CHANGE MASTER TO MASTER_HOST = 'archive', MASTER_USE_GTID = no, RELAY_LOG_FILE = ?, RELAY_LOG_POS = ?",
    [from.name, from.at],
  );
  if (until === undefined) await server.query('START SLAVE SQL_THREAD');
  else await server.query('START SLAVE SQL_THREAD UNTIL RELAY_LOG_FILE = ?, RELAY_LOG_POS = ?', [until.name, until.at]);
  while (numberOf(await positionOf(server)) < numberOf(last)) {
    signal.throwIfAborted();
    const [status] = await server.query<SlaveStatus>('SHOW SLAVE STATUS');
    if (status === undefined || status.Last_SQL_Errno !== 0)
      fault(
        `the archived log can't be applied: ${status?.Last_SQL_Error ?? 'its applier is gone'}: use another backup`,
      );
    await sleep(pollMs);
  }
  await server.query('STOP SLAVE');
  const reached = await positionOf(server);
  if (reached !== last) throw new Error(`the log was applied to ${reached} instead of ${last}`);
  await server.query('RESET SLAVE ALL');
}

interface SlaveStatus {
  readonly Last_SQL_Errno: number;
  readonly Last_SQL_Error: string;
}

async function positionOf(server: PrivateServer): Promise<string> {
  const [row] = await server.query<{ position: string }>('SELECT @@GLOBAL.gtid_slave_pos AS position');
  return row?.position ?? '';
}
