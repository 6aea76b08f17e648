// Three clusters whose disks, small tmpfs mounts, are filled to the last block. Uploads are refused with 507, leave
// nothing visible, and continue once there is room. A disk mounted read-only is reported. Needs root.
// needs: root
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { patience } from '../../../../support/machine/patience.ts';
import { type TemporaryFolder, temporaryFolder, waitFor } from '../../../../support/machine/temporary-folder.ts';
import { md5 } from '../../../../support/object-storage/namespace-contract.ts';
import { type RealCluster, RealClusters } from '../../../../support/object-storage/real-clusters.ts';

const testAsRoot = process.getuid?.() === 0 ? test : test.skip;
const cleanup = new AsyncDisposableStack();
let temporary: TemporaryFolder;
let clusters: RealClusters;

beforeAll(async () => {
  temporary = await temporaryFolder();
  cleanup.defer(() => temporary.remove());
  clusters = await RealClusters.start(cleanup);
  if (process.getuid?.() === 0) for (const cluster of clusters.clusters) await onSmallDisk(cluster);
  const north = clusters.get('north');
  await waitFor('a container', async () => (await send(north, 'PUT', '/work')).status === 200);
}, 120_000 * patience);
afterAll(() => cleanup.disposeAsync(), 60_000 * patience);

/** Moves its folder unchanged to a small disk. */
async function onSmallDisk(cluster: RealCluster): Promise<void> {
  await cluster.stop();
  const copy = join(temporary.path, cluster.name);
  await cp(cluster.folder, copy, { recursive: true });
  mount(['-t', 'tmpfs', '-o', 'size=24m,mode=750', 'none', cluster.folder]);
  cleanup.defer(async () => {
    await cluster.stop();
    spawnSync('umount', ['--lazy', cluster.folder]);
  });
  await cp(copy, cluster.folder, { recursive: true });
  await cluster.start();
}

function mount(args: readonly string[]): void {
  const { status, stderr } = spawnSync('mount', args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
}

const filler = ({ folder }: RealCluster) => join(folder, 'filler');

/** Fills the disk to the last block. */
function fill(cluster: RealCluster): void {
  const { stderr } = spawnSync('dd', ['if=/dev/zero', `of=${filler(cluster)}`, 'bs=4k'], { encoding: 'utf8' });
  expect(stderr).toContain('No space left on device');
}

function send(cluster: RealCluster, method: string, path: string, body?: Buffer | string, headers = {}) {
  return cluster.client().send({ method, path, headers, ...(body === undefined ? {} : { body }) });
}

const full = { status: 507, code: 'InsufficientStorage' };

testAsRoot(
  'a full disk refuses uploads, parts and copies with 507; nothing of them remains, and they continue once there is room',
  async () => {
    const [north, south] = [clusters.get('north'), clusters.get('south')];
    const body = randomBytes(3_000_000);
    expect((await send(north, 'PUT', '/work/there', body)).status).toBe(200);
    const begun = await send(north, 'POST', '/work/parts?uploads');
    const [, uploadId = ''] = /<UploadId>(.*?)<\/UploadId>/.exec(begun.text) ?? [];
    for (const each of clusters.clusters) fill(each);
    const part = `/work/parts?partNumber=1&uploadId=${uploadId}`;
    const copy = { 'x-amz-copy-source': '/work/there' };
    // Also one that begins while there is still room, and a small one with its own option.
    const uploads = [
      () => send(north, 'PUT', '/work/there', randomBytes(200_000)),
      () => send(north, 'PUT', '/work/new', body),
      () => send(north, 'PUT', part, body),
      () => send(south, 'PUT', '/work/copied', undefined, copy),
    ];
    for (const upload of uploads) expect(await upload()).toMatchObject(full);
    expect(await send(north, 'GET', '/work/there')).toMatchObject({ status: 200, body });
    for (const gone of ['/work/new', '/work/copied'])
      expect(await send(south, 'GET', gone)).toMatchObject({ status: 404 });
    expect((await send(south, 'GET', '/work?list-type=2')).text.match(/<Key>.*?<\/Key>/g)).toEqual([
      '<Key>there</Key>',
    ]);
    expect((await send(north, 'GET', `/work/parts?uploadId=${uploadId}`)).text).not.toContain('<PartNumber>');
    // Data that is stored in a row is written.
    expect((await send(north, 'PUT', '/work/small', 'small')).status).toBe(200);
    expect(await north.server?.diskFault()).toContain(`${north.folder}/blobs is nearly full`);
    await waitFor('the report to the administrator', async () => (await messageOf(north))?.includes('is nearly full'));
    for (const each of clusters.clusters) await rm(filler(each));
    for (const upload of uploads) expect((await upload()).status).toBe(200);
    expect((await send(south, 'GET', '/work/copied')).status).toBe(200);
    const xml = `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>${md5(body)}</ETag></Part></CompleteMultipartUpload>`;
    expect((await send(north, 'POST', `/work/parts?uploadId=${uploadId}`, xml)).status).toBe(200);
    expect((await send(south, 'GET', '/work/parts')).body.equals(body)).toBe(true);
    await waitFor('room', async () => (await north.server?.diskFault()) === undefined);
  },
  120_000 * patience,
);

async function messageOf({ db }: RealCluster): Promise<string | null | undefined> {
  const [row] = await db.query<{ message: string | null }>('SELECT message FROM store_service');
  return row?.message;
}

testAsRoot(
  'a read-only disk is reported, and the other clusters accept uploads',
  async () => {
    const east = clusters.get('east');
    // The remount is refused while any file is open for writing.
    const remount = ['-o', 'remount,ro', east.folder];
    await waitFor('a moment without writes', () => spawnSync('mount', remount).status === 0);
    expect(await east.server?.diskFault()).toContain('is read-only: look for errors of its disk');
    await waitFor('the report to the administrator', async () => (await messageOf(east))?.includes('is read-only'));
    const body = randomBytes(200_000);
    expect((await send(east, 'PUT', '/work/elsewhere', body)).status).toBe(200);
    expect((await send(east, 'GET', '/work/elsewhere')).body.equals(body)).toBe(true);
    mount(['-o', 'remount,rw', east.folder]);
    expect(await east.server?.diskFault()).toBeUndefined();
  },
  60_000 * patience,
);
