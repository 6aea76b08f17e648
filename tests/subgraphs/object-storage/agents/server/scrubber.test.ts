// Data that a disk lost or corrupted is found without a read of the object, and copied from another cluster. So is data
// that a cluster missed while it was away.
import { randomBytes } from 'node:crypto';
import { mkdir, open, readdir, readFile, rm, stat, truncate } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { BlobFile } from '../../../../../subgraphs/object-storage/engine/blobs/blob-file.ts';
import { partitionOfBlob } from '../../../../../subgraphs/object-storage/engine/blobs/blob-id.ts';
import { patience } from '../../../../support/machine/patience.ts';
import { waitFor } from '../../../../support/machine/temporary-folder.ts';
import { type RealCluster, RealClusters } from '../../../../support/object-storage/real-clusters.ts';

const cleanup = new AsyncDisposableStack();
const large = randomBytes(2 * 1024 * 1024 + 5);
/** A tenth of a second for each partition. */
const passMs = 400_000;
let clusters: RealClusters;
let north: RealCluster;
let south: RealCluster;
let east: RealCluster;

beforeAll(async () => {
  const scrub = { lookMs: 200, youngMs: 0, passMs, bytesPerSecond: 1e9 };
  clusters = await RealClusters.start(cleanup, undefined, undefined, scrub);
  [north, south, east] = ['north', 'south', 'east'].map((name) => clusters.get(name)) as [
    RealCluster,
    RealCluster,
    RealCluster,
  ];
  await waitFor('a container', async () => (await put(north, '/photos')) === 200);
}, 120_000 * patience);
afterAll(() => cleanup.disposeAsync(), 60_000 * patience);

const put = async (cluster: RealCluster, path: string, body: Buffer | string = '') =>
  (await cluster.client().send({ method: 'PUT', path, body })).status;

/** The paths of all blobs on its disk. */
async function blobsOf({ folder }: RealCluster): Promise<readonly string[]> {
  const found = await readdir(join(folder, 'blobs'), { recursive: true, withFileTypes: true });
  return found.filter((each) => each.isFile()).map((each) => join(each.parentPath, each.name));
}

async function onlyBlob(cluster: RealCluster): Promise<string> {
  await waitFor(`${cluster.name} to have the blob`, async () => (await blobsOf(cluster)).length === 1);
  const [path = ''] = await blobsOf(cluster);
  return path;
}

/** Makes the partitions of the blob and of its name the next ones to be read. */
async function turnTo(cluster: RealCluster, path: string): Promise<void> {
  const [name] = await cluster.db.query<{ at: number }>(
    `SELECT partition_number AS at FROM store_register WHERE kind = 0 AND head LIKE '%"blobs":true%'`,
  );
  for (const partition of [partitionOfBlob(basename(path)).partition, name?.at ?? 0]) {
    await cluster.db.execute(
      "UPDATE store_counter SET number = (FLOOR(number / 4096) + 1) * 4096 + ? WHERE name = 'scrub'",
      [partition],
    );
    const wanted = await positionOf(cluster);
    await waitFor('the partition to be read', async () => (await positionOf(cluster)) > wanted);
  }
}

async function positionOf({ db }: RealCluster): Promise<number> {
  const [row] = await db.query<{ number: number }>("SELECT number FROM store_counter WHERE name = 'scrub'");
  return row?.number ?? 0;
}

async function flipBit(path: string, at: number): Promise<void> {
  const handle = await open(path, 'r+');
  const byte = Buffer.alloc(1);
  await handle.read(byte, 0, 1, at);
  byte.writeUInt8(byte.readUInt8(0) ^ 1);
  await handle.write(byte, 0, 1, at);
  await handle.close();
}

const isWhole = async (path: string) =>
  (await readFile(path).catch(() => Buffer.alloc(0))).subarray(0, large.length).equals(large);

test(
  'a cluster that was away gets the blobs that were written during that time',
  async () => {
    await east.stop();
    expect(await put(south, '/photos/cat', large)).toBe(200);
    await east.start();
    expect(await isWhole(await onlyBlob(east))).toBe(true);
    expect(east.server?.scrubbed?.missing).toBeGreaterThanOrEqual(1);
    await waitFor('it to be counted', () => (east.server?.scrubbed?.repaired ?? 0) >= 1);
  },
  120_000 * patience,
);

test(
  'flipped bits, missing files and damaged trailers are found and repaired',
  async () => {
    const [there, gone, torn] = [await onlyBlob(north), await onlyBlob(south), await onlyBlob(east)];
    await flipBit(there, 1024 * 1024 + 7);
    await rm(gone);
    await turnTo(north, there);
    await turnTo(south, gone);
    await waitFor('both to be whole', async () => (await isWhole(there)) && (await isWhole(gone)));
    expect(north.server?.scrubbed?.damaged).toBeGreaterThanOrEqual(1);
    expect(south.server?.scrubbed?.missing).toBeGreaterThanOrEqual(1);
    const { size } = await stat(torn);
    await flipBit(torn, size - 3);
    const isReadable = () =>
      BlobFile.open(torn, basename(torn)).then(
        (file) => file.close().then(() => true),
        () => false,
      );
    expect(await isReadable()).toBe(false);
    await turnTo(east, torn);
    await waitFor('its trailer to be whole', isReadable);
    await waitFor('nothing to be left', () =>
      [north, south, east].every((each) => each.server?.scrubbed?.unrepaired === 0),
    );
  },
  300_000 * patience,
);

test(
  'a block that no cluster has intact is reported without any read, until one of them has it again',
  async () => {
    const paths = await Promise.all([north, south, east].map(onlyBlob));
    for (const path of paths) await flipBit(path, 9);
    const [path = '', other = ''] = paths;
    await turnTo(north, path);
    await waitFor('the report of it', () => north.server?.scrubbed?.unrepaired === 1);
    const refused = await south.client().send({ method: 'GET', path: '/photos/cat' });
    expect([refused.status, refused.headers['retry-after']]).toEqual([503, expect.any(String)]);
    expect(refused.body.toString()).toContain('no reachable cluster has the bytes of cat whole');
    await flipBit(other, 9);
    await waitFor('it to be whole', () => isWhole(path));
    await waitFor('the end of the report', () => north.server?.scrubbed?.unrepaired === 0);
    await turnTo(east, paths[2] ?? '');
    await waitFor('all of them to be', async () => isWhole(paths[2] ?? ''));
  },
  300_000 * patience,
);

test(
  'an empty file and a folder in the place of blobs: a reader gets the bytes from elsewhere, and both are written again',
  async () => {
    const [empty, folder] = [await onlyBlob(north), await onlyBlob(south)];
    await truncate(empty, 0);
    await rm(folder);
    await mkdir(folder);
    for (const each of [north, south]) {
      const got = await each.client().send({ method: 'GET', path: '/photos/cat' });
      expect(got.status).toBe(200);
      expect(got.body.equals(large)).toBe(true);
    }
    await waitFor('both to be whole', async () => (await isWhole(empty)) && (await isWhole(folder)));
  },
  300_000 * patience,
);

test(
  'the next process continues where the last one stopped; a blob that no cluster has is reported, until it is overwritten',
  async () => {
    const before = await positionOf(north);
    expect(before).toBeGreaterThan(0);
    await north.stop();
    await north.start();
    await waitFor('it to go on', async () => (await positionOf(north)) > before);
    const [path = ''] = await blobsOf(north);
    for (const each of [north, south, east]) await rm(await onlyBlob(each));
    await turnTo(north, path);
    await waitFor('it to be missed', () => (north.server?.scrubbed?.unrepaired ?? 0) === 1);
    expect(await put(north, '/photos/cat', 'small')).toBe(200);
    await waitFor('it to be missed no longer', () => north.server?.scrubbed?.unrepaired === 0);
  },
  300_000 * patience,
);
