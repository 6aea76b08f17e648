// Reads MariaDB's binary and relay logs from their files, to find the transactions after a position. The server need not run, so
// this also works after a crash, and it shows transactions that the server would roll back at its start. Source: MariaDB
// Knowledge Base, "Replication protocol": event header (19 bytes) and GTID_EVENT (type 162).

import { type FileHandle, open, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';

const magicBytes = 4;
const headerBytes = 19;
const gtidEvent = 162;
/** The fields of a GTID event that are read: sequence number (8 bytes) and domain (4). */
const neededBytes = headerBytes + 12;
const chunkBytes = 1024 * 1024;

export interface LoggedTransactions {
  /** The files that contain them, oldest first. */
  readonly files: readonly string[];
  /** `domain-server-number`, in order. */
  readonly gtids: readonly string[];
  /** Byte offset of the first transaction in the first file. */
  readonly firstAt: number;
}

/** Transactions of the index file whose number is greater than `position`. At most one replication domain is in use. */
export async function transactionsAfter(
  indexFile: string,
  folder: string,
  position: number,
): Promise<LoggedTransactions> {
  const index = await readFile(indexFile, 'utf8').catch(() => '');
  const names = index.split('\n').filter((line) => line !== '');
  const files: string[] = [];
  let gtids: readonly string[] = [];
  let firstAt = 0;
  for (const name of names.reverse()) {
    const path = join(folder, basename(name));
    const found = await transactionsIn(path);
    const later = found.filter(({ gtid }) => numberOf(gtid) > position);
    if (later[0] !== undefined) {
      files.unshift(path);
      // Not as arguments, of which a call takes about 120,000.
      gtids = [...later.map(({ gtid }) => gtid), ...gtids];
      firstAt = later[0].at;
    }
    if (later.length < found.length) break;
  }
  return { files, gtids, firstAt };
}

/**
 * Transactions of a relay log that follow `own`, the last transaction of its server. Empty if the log has a different transaction
 * with that number: the server's history has diverged, and the following transactions would hide this.
 */
export async function continuationOf(indexFile: string, folder: string, own: string): Promise<LoggedTransactions> {
  // Includes the transaction with that number.
  const found = await transactionsAfter(indexFile, folder, numberOf(own) - 1);
  const same = found.gtids.find((gtid) => numberOf(gtid) === numberOf(own));
  return same === undefined || same === own
    ? transactionsAfter(indexFile, folder, numberOf(own))
    : { files: [], gtids: [], firstAt: 0 };
}

/** Sequence number of a GTID position in one domain, such as `0-1-42`. 0 if there is none. */
export function numberOf(position: string): number {
  return Number(position.split('-')[2] ?? 0);
}

interface LoggedTransaction {
  readonly gtid: string;
  /** Byte offset. */
  readonly at: number;
  /** Unix seconds at which its COMMIT began. */
  readonly seconds: number;
}

/** An incomplete event ends the transactions. */
export async function transactionsIn(path: string): Promise<readonly LoggedTransaction[]> {
  const found: LoggedTransaction[] = [];
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    let at = magicBytes;
    let chunk: { from: number; bytes: Buffer } = { from: 0, bytes: Buffer.alloc(0) };
    while (at + neededBytes <= size) {
      if (at + neededBytes > chunk.from + chunk.bytes.length) chunk = { from: at, bytes: await readAt(file, at) };
      const event = chunk.bytes.subarray(at - chunk.from);
      if (event.length < neededBytes) break;
      const length = event.readUInt32LE(9);
      if (length < headerBytes || at + length > size) break;
      const gtid = `${event.readUInt32LE(27)}-${event.readUInt32LE(5)}-${event.readBigUInt64LE(headerBytes)}`;
      if (event.readUInt8(4) === gtidEvent) found.push({ gtid, at, seconds: event.readUInt32LE(0) });
      at += length;
    }
  } finally {
    await file.close();
  }
  return found;
}

async function readAt(file: FileHandle, at: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(chunkBytes), 0, chunkBytes, at);
  return buffer.subarray(0, bytesRead);
}
