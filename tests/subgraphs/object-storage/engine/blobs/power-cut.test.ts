// Acknowledged blobs survive a power cut. The disk is a file. While the writer is stopped, a copy of the file has the
// data that reached the disk, but not the data in the system's cache. Needs root.
// needs: e2fsprogs, root
import { spawnSync } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { BlobFolder } from '../../../../../subgraphs/object-storage/engine/blobs/blob-folder.ts';
import { type TemporaryFolder, temporaryFolder, until } from '../../../../support/machine/temporary-folder.ts';
import { allOf } from '../../support/bytes.ts';
import { bytesOf } from './bytes-of-id.ts';
import { startWriter } from './writer.ts';

/** Size of the disk, which is a sparse file. */
const diskSize = '400M';
/** Pending requests of the stopped writer end in this time, and the kernel writes nothing back so soon. */
const settleMs = 500;

let temporary: TemporaryFolder;
let mounted: string[];
const run = (command: string, ...args: string[]) => spawnSync(command, args, { encoding: 'utf8' });

beforeAll(async () => {
  temporary = await temporaryFolder();
  mounted = [];
});
afterAll(async () => {
  for (const path of mounted) run('umount', path);
  await temporary.remove();
});

/** Undefined if it can't be done here. */
function mount(image: string, name: string): string | undefined {
  const path = join(temporary.path, name);
  run('mkdir', path);
  if (run('mount', '-o', 'loop', image, path).status !== 0) return undefined;
  mounted.push(path);
  return path;
}

test.each([
  ['in the middle of writes', Number.POSITIVE_INFINITY, 40],
  ['after the last write', 1, 8],
])(
  'blobs that were acknowledged before a power cut %s are complete after it, and there are no half ones',
  async (when, count, least) => {
    const disk = join(temporary.path, `disk ${when}`);
    run('truncate', '-s', diskSize, disk);
    run('mkfs.ext4', '-q', '-F', disk);
    const before = mount(disk, `before ${when}`);
    if (before === undefined) {
      console.warn('skipped: no disk can be mounted here');
      return;
    }
    const writer = await startWriter(before, count);
    await until(() => writer.acknowledged.length >= least);
    writer.child.kill('SIGSTOP');
    await sleep(settleMs);
    const acknowledged = [...writer.acknowledged];
    const copy = join(temporary.path, `copy ${when}`);
    expect(run('cp', '--sparse=always', disk, copy).status).toBe(0);
    writer.child.kill('SIGKILL');
    await writer.over;
    const after = mount(copy, `after ${when}`);
    if (after === undefined) throw new Error('the copy of the disk can not be mounted');
    const folder = await BlobFolder.open({ folder: after, keepFreeBytes: 0, log: pino({ level: 'silent' }) });
    const there = new Set(await readdir(join(after, 'blobs', '0003', 'abc')));
    for (const id of acknowledged) expect(there.has(id)).toBe(true);
    for (const id of there) expect((await allOf((await folder.read(id)).body)).equals(bytesOf(id))).toBe(true);
    await folder.close();
  },
);
