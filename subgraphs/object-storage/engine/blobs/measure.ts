// Measures the disk of a folder: its size, and how fast it writes and reads large and small files. Options use this to choose clusters.
import { randomBytes, randomFillSync } from 'node:crypto';
import { constants, type FileHandle, mkdir, open, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';

interface DiskSpeed {
  readonly fileBytes: number;
  /** Bytes per second, including the sync to disk. */
  readonly writeBytesPerSecond: number;
  readonly readBytesPerSecond: number;
}

export interface DiskMeasure {
  readonly capacityBytes: number;
  readonly freeBytes: number;
  readonly large: DiskSpeed;
  readonly small: DiskSpeed;
  /** True if the file system can't bypass the page cache: the read speed is then that of memory, not of the disk. */
  readonly readFromMemory: boolean;
}

interface MeasureOptions {
  readonly folder: string;
  /** Approximate time for the whole measurement; default 8 s. */
  readonly timeMs?: number;
  readonly signal?: AbortSignal;
}

const largeBytes = 10_000_000;
const smallBytes = 128_000;
/** As many files of each size as the time allows. */
const mostBytes = 500_000_000;
const usualTimeMs = 8_000;
/** Reads that bypass the page cache must be aligned to this many bytes. */
const alignment = 4_096;

/** Removes its files at the end. */
export async function measureDisk({ folder, timeMs = usualTimeMs, signal }: MeasureOptions): Promise<DiskMeasure> {
  const path = join(folder, `measure-${randomBytes(8).toString('hex')}`);
  await mkdir(path, { mode: 0o750 });
  try {
    const isDirect = await canReadDirectly(join(path, 'direct'));
    const run = { path, isDirect, timeMs: timeMs / 4, signal };
    const large = await measureFiles(largeBytes, run);
    const small = await measureFiles(smallBytes, run);
    const { blocks, bavail, bsize } = await statfs(folder);
    return { capacityBytes: blocks * bsize, freeBytes: bavail * bsize, large, small, readFromMemory: !isDirect };
  } finally {
    await rm(path, { recursive: true, force: true });
  }
}

interface Run {
  readonly path: string;
  readonly isDirect: boolean;
  /** Time for writing, and again for reading. */
  readonly timeMs: number;
  readonly signal: AbortSignal | undefined;
}

async function measureFiles(fileBytes: number, { path, isDirect, timeMs, signal }: Run): Promise<DiskSpeed> {
  const fileOf = (index: number) => join(path, `${fileBytes}-${index}`);
  const bytes = alignedBytes(fileBytes);
  randomFillSync(bytes);
  const written = await repeat(timeMs, mostBytes / fileBytes, signal, async (index) => {
    const handle = await open(fileOf(index), 'wx', 0o640);
    await closing(handle, async () => {
      await handle.write(bytes, 0, fileBytes, 0);
      await handle.datasync();
    });
  });
  const flags = constants.O_RDONLY | (isDirect ? constants.O_DIRECT : 0);
  const read = await repeat(timeMs, written.count, signal, async (index) => {
    const handle = await open(fileOf(index), flags);
    await closing(handle, async () => {
      for (let at = 0; at < fileBytes; ) {
        const { bytesRead } = await handle.read(bytes, 0, bytes.length, at);
        if (bytesRead === 0) throw new Error(`${fileOf(index)} is shorter than what was written`);
        at += bytesRead;
      }
    });
  });
  await Promise.all(Array.from({ length: written.count }, (_, index) => rm(fileOf(index), { force: true })));
  const speedOf = ({ count, ms }: Repeated) => Math.round((count * fileBytes * 1_000) / ms);
  return { fileBytes, writeBytesPerSecond: speedOf(written), readBytesPerSecond: speedOf(read) };
}

interface Repeated {
  readonly count: number;
  readonly ms: number;
}

/** Runs at least once, then until the time is over. */
async function repeat(
  timeMs: number,
  most: number,
  signal: AbortSignal | undefined,
  work: (index: number) => Promise<void>,
): Promise<Repeated> {
  const fromMs = performance.now();
  let count = 0;
  do {
    signal?.throwIfAborted();
    await work(count);
    count += 1;
  } while (count < most && performance.now() - fromMs < timeMs);
  return { count, ms: performance.now() - fromMs };
}

/** Some file systems can't, for example those in memory. */
async function canReadDirectly(path: string): Promise<boolean> {
  const bytes = alignedBytes(alignment);
  const handle = await open(path, 'wx', 0o640);
  await closing(handle, async () => {
    await handle.write(bytes, 0, alignment, 0);
  });
  try {
    const direct = await open(path, constants.O_RDONLY | constants.O_DIRECT);
    await closing(direct, async () => {
      await direct.read(bytes, 0, alignment, 0);
    });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EINVAL') return false;
    throw error;
  }
}

/** Starts at a page boundary, which only resizable buffers guarantee. */
function alignedBytes(leastBytes: number): Uint8Array<ArrayBuffer> {
  const length = Math.ceil(leastBytes / alignment) * alignment;
  return new Uint8Array(new ArrayBuffer(length, { maxByteLength: length }));
}

async function closing(handle: FileHandle, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } finally {
    await handle.close();
  }
}
