// Reads the events of a binary log file one after the other. Only the bodies that a caller asks for are read, so the memory in use does not
// depend on the size of the log. Source: MariaDB Knowledge Base, "Replication protocol": event header (19 bytes), FORMAT_DESCRIPTION_EVENT.

import { type FileHandle, open } from 'node:fs/promises';

const magicBytes = 4;
const headerBytes = 19;
const checksumBytes = 4;
const chunkBytes = 1024 * 1024;
/** Longer events are named, and not read. */
const mostBodyBytes = 16 * 1024 * 1024;
const formatDescription = 15;
const crc32 = 1;

export interface LogEvent {
  readonly type: number;
  readonly serverId: number;
  /** Unix seconds. */
  readonly seconds: number;
  /** Without header and checksum. Undefined if it is too long. */
  readonly body: Buffer | undefined;
}

/** Only events of these types, in order. An incomplete event ends them. */
export async function* eventsIn(path: string, types: ReadonlySet<number>): AsyncGenerator<LogEvent> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    let chunk: { from: number; bytes: Buffer } = { from: 0, bytes: Buffer.alloc(0) };
    let hasChecksums = false;
    for (let at = magicBytes; at + headerBytes <= size; ) {
      if (at + headerBytes > chunk.from + chunk.bytes.length)
        chunk = { from: at, bytes: await readAt(file, at, chunkBytes) };
      const head = chunk.bytes.subarray(at - chunk.from, at - chunk.from + headerBytes);
      if (head.length < headerBytes) return;
      const length = head.readUInt32LE(9);
      if (length < headerBytes || at + length > size) return;
      const type = head.readUInt8(4);
      const bytes = length - headerBytes;
      const isRead = (type === formatDescription || types.has(type)) && bytes <= mostBodyBytes;
      const body = isRead ? await readAt(file, at + headerBytes, bytes) : undefined;
      // The algorithm's number comes before this event's own checksum.
      if (type === formatDescription) hasChecksums = body?.at(-checksumBytes - 1) === crc32;
      if (types.has(type)) {
        const end = hasChecksums ? bytes - checksumBytes : bytes;
        yield { type, serverId: head.readUInt32LE(5), seconds: head.readUInt32LE(0), body: body?.subarray(0, end) };
      }
      at += length;
    }
  } finally {
    await file.close();
  }
}

async function readAt(file: FileHandle, at: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, at);
  return buffer.subarray(0, bytesRead);
}
