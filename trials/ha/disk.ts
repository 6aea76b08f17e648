// Gives each data host of the trial its own disk, in memory.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { LoopDisk } from '../../lab/loop-disk.ts';
import type { DataHost } from './network.ts';

const sizeMiB = 2_048;
const imageFolder = '/dev/shm';

/** In this folder, under the name of the host. */
export async function mountDisk(folder: string, host: DataHost): Promise<LoopDisk> {
  const image = join(imageFolder, `tidegate-ha-${process.pid}-${host}.img`);
  const disk = new LoopDisk({ image, folder: join(folder, host), sizeMiB });
  await disk.remove();
  try {
    await mkdir(disk.folder);
    await disk.mount();
  } finally {
    // The mount keeps the image, and unmounting frees it. So a killed trial leaves a mount, but no separate image.
    await disk.remove();
  }
  return disk;
}
