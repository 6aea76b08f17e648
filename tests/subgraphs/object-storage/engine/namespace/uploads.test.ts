// Multipart uploads over three clusters in memory, two of which are unreachable at some moment.
import { expect, test } from '@jest/globals';
import { pino } from 'pino';
import { NotSentError } from '../../../../../platform/registers/errors.ts';
import { VersionClock } from '../../../../../platform/registers/version.ts';
import { DiskFullError } from '../../../../../subgraphs/object-storage/engine/blobs/blob-errors.ts';
import { EndedUploads } from '../../../../../subgraphs/object-storage/engine/namespace/ended-uploads.ts';
import { Names } from '../../../../../subgraphs/object-storage/engine/namespace/names.ts';
import type { Caller, ObjectHeaders } from '../../../../../subgraphs/object-storage/engine/namespace/namespace.ts';
import { Objects } from '../../../../../subgraphs/object-storage/engine/namespace/objects.ts';
import { hidden, uploadNames } from '../../../../../subgraphs/object-storage/engine/namespace/values.ts';
import type { HiddenRow } from '../../../../../subgraphs/object-storage/engine/store/hidden-rows.ts';
import { waitFor } from '../../../../support/machine/temporary-folder.ts';
import { MemoryClusters } from '../../../../support/object-storage/memory-clusters.ts';

const caller: Caller = { accountId: 'a'.repeat(32), canWrite: true, name: 'ann' };
const headers: ObjectHeaders = { contentType: 'text/plain', metadata: {} };

async function* bytes(text: string): AsyncGenerator<Buffer, void> {
  yield Buffer.from(text);
}

test("a completed upload is answered as such, even if its parts can't be removed now", async () => {
  const clusters = new MemoryClusters();
  const objects = clusters.objects(0);
  await objects.createContainer(caller, 'films');
  const id = await objects.beginUpload(caller, 'films', 'one', headers);
  const part = await objects.putPart(caller, 'films', 'one', id, 1, { body: bytes('part') });
  for (const replica of clusters.replicas.slice(1)) {
    const ask = replica.ask.bind(replica);
    replica.ask = (request) =>
      request.op === 'accept' && request.key.name.startsWith(uploadNames) && request.written.value === undefined
        ? Promise.reject(new NotSentError('unplugged'))
        : ask(request);
  }
  // A refusal would tell the client that nothing has happened.
  const stat = await objects.completeUpload(caller, 'films', 'one', id, [part]);
  expect(await objects.stat(caller, 'films', 'one')).toEqual(stat);
});

test('an upload to clusters with full disks is refused as DISK_FULL, and nothing changes', async () => {
  const clusters = new MemoryClusters();
  const objects = clusters.objects(0);
  await objects.createContainer(caller, 'films');
  const id = await objects.beginUpload(caller, 'films', 'one', headers);
  clusters.blobs.write = () => Promise.reject(new DiskFullError('the cluster'));
  const upload = { body: bytes('x'.repeat(100_000)) };
  await expect(objects.put(caller, 'films', 'big', upload, headers)).rejects.toMatchObject({ code: 'DISK_FULL' });
  await expect(objects.putPart(caller, 'films', 'one', id, 1, { body: bytes('part') })).rejects.toMatchObject({
    code: 'DISK_FULL',
  });
  await expect(objects.stat(caller, 'films', 'big')).rejects.toMatchObject({ code: 'NO_OBJECT' });
});

/** The uploads that a replica has. */
function hiddenOf(clusters: MemoryClusters, self: number): readonly HiddenRow[] {
  return [...(clusters.replicas[self]?.rows ?? [])].flatMap(([id, { value }]) => {
    const [ring = '', scope = '', ...rest] = id.split('/');
    const name = rest.join('/');
    if (value === undefined || !name.startsWith(hidden)) return [];
    return [{ key: { ring: Number(ring), scope, name }, head: value.head }];
  });
}

test('abandoned uploads, and leftover parts of others, end with their time', async () => {
  const clusters = new MemoryClusters();
  let nowMs = Date.now();
  const clock = new VersionClock({ cluster: 0, nowMs: () => nowMs, chance: () => '0123456789ab' });
  const topology = clusters.topology(0, () => false);
  const names = new Names({ topology, clock });
  const objects = new Objects({ names, topology, blobs: clusters.blobs, clock });
  const ended = new EndedUploads({
    ...{ names, log: pino({ level: 'silent' }), nowMs: () => nowMs },
    rows: async function* () {
      yield hiddenOf(clusters, 1);
    },
  });
  const end = () => ended.end(new AbortController().signal);
  const uploadOf = async (name: string) => {
    const id = await objects.beginUpload(caller, 'films', name, headers);
    return { id, part: await objects.putPart(caller, 'films', name, id, 1, { body: bytes(name) }) };
  };
  await objects.createContainer(caller, 'films');
  await uploadOf('left');
  const aborted = await uploadOf('aborted');
  // As if a process had died before it removed the parts.
  await names.write(
    hiddenOf(clusters, 0).find(({ key }) => key.name.endsWith(aborted.id))?.key ?? { ring: 0, scope: '', name: '' },
    undefined,
  );
  expect(hiddenOf(clusters, 0)).toHaveLength(3);
  expect(await end()).toBe(0);
  nowMs += 8 * 86_400_000;
  const fresh = await uploadOf('fresh');
  const query = { prefix: '', afterName: '', afterId: '', limit: 10 };
  expect((await objects.listUploads(caller, 'films', query)).uploads).toMatchObject([{ name: 'fresh' }]);
  expect(await end()).toBe(3);
  const kept = hiddenOf(clusters, 0).map(({ key }) => key.name);
  expect(kept.filter((name) => name.startsWith(uploadNames))).toHaveLength(1);
  await objects.completeUpload(caller, 'films', 'fresh', fresh.id, [fresh.part]);
  expect((await objects.stat(caller, 'films', 'fresh')).parts).toBe(1);
});

test('a container has a limited number of open uploads, and each that ends makes room for another', async () => {
  const clusters = new MemoryClusters();
  const process = (self: number) => {
    const topology = clusters.topology(self, () => false);
    const clock = new VersionClock({ cluster: self, nowMs: Date.now, chance: () => '0123456789ab' });
    return new Objects({
      names: new Names({ topology, clock }),
      topology,
      blobs: clusters.blobs,
      clock,
      mostUploads: 3,
    });
  };
  const [one, other] = [process(0), process(1)];
  for (const name of ['films', 'photos']) await one.createContainer(caller, name);
  const begin = (objects: Objects, name: string, container = 'films') =>
    objects.beginUpload(caller, container, name, headers);
  const refusal = {
    code: 'TOO_MANY_UPLOADS',
    message: 'films has 3 unfinished multipart uploads, the highest number allowed: complete or abort some of them',
  };
  const first = await begin(one, 'a');
  const begun = await Promise.allSettled(['b', 'c', 'd', 'e'].map((name) => begin(one, name)));
  expect(begun.map(({ status }) => status).sort()).toEqual(['fulfilled', 'fulfilled', 'rejected', 'rejected']);
  await expect(begin(other, 'f')).rejects.toMatchObject(refusal);
  await begin(one, 'elsewhere', 'photos');
  // The end of an upload in another process is noticed a little later.
  await one.abortUpload(caller, 'films', 'a', first);
  const next = await begin(one, 'g');
  await expect(begin(one, 'h')).rejects.toMatchObject(refusal);
  const part = await one.putPart(caller, 'films', 'g', next, 1, { body: bytes('part') });
  await one.completeUpload(caller, 'films', 'g', next, [part]);
  await waitFor('the other to see it', () =>
    begin(other, 'i').then(
      () => true,
      () => false,
    ),
  );
  const { uploads } = await one.listUploads(caller, 'films', { prefix: '', afterName: '', afterId: '', limit: 10 });
  expect(uploads).toHaveLength(3);
});
