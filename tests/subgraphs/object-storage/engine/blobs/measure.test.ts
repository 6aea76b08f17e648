// The measurement of a disk. The figures themselves depend on the machine.
// needs: root
import { spawnSync } from 'node:child_process';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { measureDisk } from '../../../../../subgraphs/object-storage/engine/blobs/measure.ts';
import { forFile } from '../../../../support/jest/shared.ts';
import { temporaryFolder } from '../../../../support/machine/temporary-folder.ts';

const temporary = forFile(() => temporaryFolder());

test('capacity and speed of large and small files are measured, and nothing is left', async () => {
  const measured = await measureDisk({ folder: temporary.path, timeMs: 400 });
  expect(measured.capacityBytes).toBeGreaterThan(measured.freeBytes);
  expect(measured.freeBytes).toBeGreaterThan(0);
  expect(measured.large.fileBytes).toBe(10_000_000);
  expect(measured.small.fileBytes).toBe(128_000);
  for (const { writeBytesPerSecond, readBytesPerSecond } of [measured.large, measured.small])
    for (const speed of [writeBytesPerSecond, readBytesPerSecond]) expect(speed).toBeGreaterThan(1_000);
  expect(await readdir(temporary.path)).toEqual([]);
});

test('a signal ends it, and nothing is left', async () => {
  const measuring = measureDisk({ folder: temporary.path, signal: AbortSignal.abort(new Error('enough')) });
  await expect(measuring).rejects.toThrow('enough');
  expect(await readdir(temporary.path)).toEqual([]);
});

(process.getuid?.() === 0 ? test : test.skip)('a measurement that can only read from memory reports this', async () => {
  const disk = join(temporary.path, 'memory');
  await mkdir(disk);
  expect(spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=600m', 'none', disk]).status).toBe(0);
  try {
    const measured = await measureDisk({ folder: disk, timeMs: 100 });
    expect(measured.capacityBytes).toBe(600 * 1024 * 1024);
    // Newer kernels let an in-memory file system claim that it supports direct reads.
    expect(typeof measured.readFromMemory).toBe('boolean');
    expect(await readdir(disk)).toEqual([]);
  } finally {
    spawnSync('umount', [disk]);
  }
});
