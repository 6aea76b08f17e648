// Passes a copy on, and puts its end on the disk. From a certain time on, the program that makes the copy holds locks of the database: it must not
// wait for a slow receiver then.

import { createReadStream, createWriteStream } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';

interface TailOptions {
  /** Resolves when the locks begin. */
  readonly locks: Promise<void>;
  /** File for everything that comes after that. Its owner removes it. */
  readonly file: string;
  /** Space on that disk that is left free. Default: 256 MiB. */
  readonly leastFreeBytes?: number;
}

const usualLeastFreeBytes = 256 * 1024 * 1024;

/** All of `output`, in order. Without room for the tail, `output` is destroyed, and it throws. */
export async function* withSpooledTail(output: Readable, options: TailOptions): AsyncGenerator<Buffer> {
  const { locks, file: path, leastFreeBytes = usualLeastFreeBytes } = options;
  const { bavail, bsize } = await statfs(dirname(path));
  let roomBytes = bavail * bsize - leastFreeBytes;
  const file = createWriteStream(path, { mode: 0o600 });
  const read: Buffer[] = [];
  let isLocked = false;
  let changed = Promise.withResolvers<void>();
  const wake = () => {
    changed.resolve();
    changed = Promise.withResolvers<void>();
  };
  const ended = finished(output, { writable: false }).finally(wake);
  ended.catch(() => undefined);
  file.on('error', (error) => output.destroy(error));
  file.on('drain', () => output.resume());
  output.on('data', (part: Buffer) => {
    if (!isLocked) {
      read.push(part);
      output.pause();
      return wake();
    }
    roomBytes -= part.length;
    if (roomBytes < 0) output.destroy(new Error(`the disk of ${dirname(path)} has no room for the end of the copy`));
    else if (!file.write(part)) output.pause();
  });
  void locks.then(() => {
    isLocked = true;
    output.resume();
    wake();
  });
  try {
    while (!isLocked || read.length > 0) {
      const part = read.shift();
      if (part !== undefined) {
        yield part;
        continue;
      }
      if (output.readableEnded || output.destroyed) break;
      const next = changed.promise;
      output.resume();
      await next;
    }
    await ended;
    await finished(file.end());
    yield* createReadStream(path) as AsyncIterable<Buffer>;
  } finally {
    file.destroy();
  }
}
