// Where the files of backups are: a folder, or a prefix of a bucket. A backup never counts before its manifest, which is written last.
import { createWriteStream } from 'node:fs';
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { isMissingFile } from './faults.ts';

/** Few large reads cost less than many small ones. */
const readBytes = 1_048_576;

export interface Place {
  /** Path or address, as people give it. */
  readonly shown: string;
  /** A place inside of this one. It need not exist. */
  at(name: string): Place;
  /** Undefined if it is missing. */
  read(name: string): Promise<Readable | undefined>;
  /** Undefined if it is missing. */
  readText(name: string): Promise<string | undefined>;
  /** Replaces what a killed run left. `mostBytes`: about the most that comes. It is safe from a power failure when this resolves. */
  write(name: string, source: AsyncIterable<Buffer>, mostBytes: number): Promise<void>;
  /** Either the file before or the whole new one is there, whatever happens. */
  replace(name: string, text: string): Promise<void>;
}

export class FolderPlace implements Place {
  readonly shown: string;

  constructor(path: string) {
    this.shown = path;
  }

  at(name: string): Place {
    return new FolderPlace(join(this.shown, name));
  }

  async read(name: string): Promise<Readable | undefined> {
    const file = await open(join(this.shown, name), 'r').catch(unlessMissing);
    return file?.createReadStream({ highWaterMark: readBytes });
  }

  readText(name: string): Promise<string | undefined> {
    return readFile(join(this.shown, name), 'utf8').catch(unlessMissing);
  }

  async write(name: string, source: AsyncIterable<Buffer>): Promise<void> {
    await mkdir(this.shown, { recursive: true, mode: 0o700 });
    await pipeline(source, createWriteStream(join(this.shown, name), { mode: 0o600, flush: true }));
  }

  replace(name: string, text: string): Promise<void> {
    return writeWhole(join(this.shown, name), text);
  }
}

function unlessMissing(error: unknown): undefined {
  if (isMissingFile(error)) return undefined;
  throw error;
}

/** Either the file before or the whole new one, also after a power failure. */
async function writeWhole(path: string, text: string): Promise<void> {
  const file = await open(`${path}.new`, 'w', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(`${path}.new`, path);
  await syncFolder(dirname(path));
}

export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
