// Repeated requests to complete a multipart upload, over three clusters in memory. One server works, dies or loses its
// answers while the repeat reaches another.
import { beforeEach, expect, test } from '@jest/globals';
import { NotSentError } from '../../../../../platform/registers/errors.ts';
import type {
  Caller,
  Conditions,
  ObjectHeaders,
  ObjectStat,
  UploadedPart,
} from '../../../../../subgraphs/object-storage/engine/namespace/namespace.ts';
import type { Objects } from '../../../../../subgraphs/object-storage/engine/namespace/objects.ts';
import { uploadNames } from '../../../../../subgraphs/object-storage/engine/namespace/values.ts';
import type { ReplicaRequest } from '../../../../../subgraphs/object-storage/engine/store/register.ts';
import { ObjectError } from '../../../../../subgraphs/object-storage/wire/object-error.ts';
import { seededRandom } from '../../../../../trials/random.ts';
import { MemoryClusters } from '../../../../support/object-storage/memory-clusters.ts';

const caller: Caller = { accountId: 'a'.repeat(32), canWrite: true, name: 'ann' };
const headers: ObjectHeaders = { contentType: 'text/plain', metadata: {} };
const once: Conditions = { ifNoneMatch: ['*'] };

async function* bytes(text: string): AsyncGenerator<Buffer, void> {
  yield Buffer.from(text);
}

let clusters: MemoryClusters;
let isDead = false;
let north: Objects;
let south: Objects;
let id: string;
let part: UploadedPart;

beforeEach(async () => {
  clusters = new MemoryClusters();
  isDead = false;
  north = clusters.objects(0, () => isDead);
  south = clusters.objects(1);
  await north.createContainer(caller, 'films');
  id = await north.beginUpload(caller, 'films', 'one', headers);
  const { part: number, etag } = await north.putPart(caller, 'films', 'one', id, 1, { body: bytes('part') });
  part = { part: number, etag };
});

const complete = (at: Objects, parts: readonly UploadedPart[] = [part], conditions: Conditions = once) =>
  at.completeUpload(caller, 'films', 'one', id, parts, { conditions });
const stat = () => south.stat(caller, 'films', 'one');
const openUploads = async () =>
  (await south.listUploads(caller, 'films', { prefix: '', afterName: '', afterId: '', limit: 10 })).uploads;

/** Calls `act` before each request to a replica. Its error is the answer. */
function beforeRequests(act: (request: ReplicaRequest, replica: number) => void): void {
  for (const [at, replica] of clusters.replicas.entries()) {
    const ask = replica.ask.bind(replica);
    replica.ask = async (request) => {
      act(request, at);
      return ask(request);
    };
  }
}

const isWriteOfObject = ({ op, key }: ReplicaRequest) => op === 'accept' && key.name === 'one';
const isEndOfUpload = (request: ReplicaRequest) =>
  request.op === 'accept' && request.key.name.startsWith(uploadNames) && request.written.value === undefined;

const seeds = Array.from({ length: 20 }, (_, index) => index + 1);
/** Like clients: concurrent writes may leave each other's outcome in doubt. */
async function completeUntilKnown(at: Objects): Promise<ObjectStat> {
  for (let attempt = 1; ; attempt += 1)
    try {
      return await complete(at);
    } catch (error) {
      if (!(error instanceof ObjectError) || error.code !== 'FATE_UNKNOWN' || attempt === 5) throw error;
    }
}

test.each(seeds)('concurrent completions at two clusters make one object (seed %d)', async (seed) => {
  const random = seededRandom(seed);
  clusters.weather = { loss: 0, mostDelayMs: 5, random: () => random.next() };
  const stats = await Promise.all([north, south, north, south].map(completeUntilKnown));
  // A server that finds the object at one cluster alone copies it to the others with a later version.
  const { version: _, ...made } = await stat();
  for (const each of stats) expect(each).toMatchObject(made);
  expect(await openUploads()).toEqual([]);
});

test('a completion that was in doubt succeeds if a repeat elsewhere has succeeded', async () => {
  let lost = 0;
  let second: Promise<ObjectStat> | undefined;
  for (const [at, replica] of clusters.replicas.entries()) {
    const ask = replica.ask.bind(replica);
    replica.ask = async (request) => {
      if (second !== undefined || request.key.name !== 'one') return ask(request);
      if (request.op === 'accept') {
        lost += 1;
        if (at === 0) await ask(request);
        throw new Error('the answer was lost');
      }
      if (request.op === 'promise' && lost > 0) {
        // Collects the promises of all replicas.
        await Promise.resolve();
        second ??= complete(south);
        await second;
      }
      return ask(request);
    };
  }
  const first = await complete(north);
  expect(lost).toBe(3);
  expect(first).toEqual(await second);
  expect(await stat()).toEqual(first);
});

test('a repeat that finds the upload, but no longer its parts, succeeds', async () => {
  let first: Promise<unknown> | undefined;
  for (const replica of clusters.replicas) {
    const ask = replica.ask.bind(replica);
    replica.ask = async (request) => {
      const isOfRepeat = first === undefined && request.op === 'read' && request.key.name.startsWith(uploadNames);
      const answer = await ask(request);
      if (isOfRepeat) {
        first ??= complete(north);
        await first;
      }
      return answer;
    };
  }
  const repeated = await complete(south);
  expect(first).toBeDefined();
  expect(repeated).toEqual(await first);
});

test('after a server died between the write and the end of the upload, a repeat succeeds and ends the upload', async () => {
  beforeRequests((request) => {
    if (!isEndOfUpload(request) || isDead) return;
    isDead = true;
    throw new NotSentError('dead');
  });
  void complete(north);
  while (!isDead) await new Promise((resolve) => setImmediate(resolve));
  const made = await stat();
  expect(await openUploads()).toHaveLength(1);
  await expect(complete(south, [part], {})).rejects.toMatchObject({ code: 'NO_UPLOAD' });
  expect(await complete(south)).toEqual(made);
  expect(await stat()).toEqual(made);
  expect(await openUploads()).toEqual([]);
});

test('a completion of unknown outcome that only one cluster accepted succeeds when it is repeated', async () => {
  beforeRequests((request, replica) => {
    if (isWriteOfObject(request) && replica === 0) clusters.unplugged.add(1).add(2);
  });
  await expect(complete(north)).rejects.toMatchObject({ code: 'FATE_UNKNOWN' });
  clusters.unplugged.clear();
  // Now that cluster and this one are the majority.
  clusters.unplugged.add(2);
  const [, taken] = [...(clusters.replicas[0]?.rows ?? [])].find(([name]) => name.endsWith('/one')) ?? [];
  const { at } = JSON.parse(taken?.value?.head ?? '{}') as { at?: number };
  const repeated = await complete(south);
  expect(repeated.modifiedAt.getTime()).toBe(at);
  expect(await stat()).toEqual(repeated);
});

test('an object that an earlier release made from an upload is readable, and a repeat of its completion is refused', async () => {
  await complete(north);
  for (const { rows } of clusters.replicas)
    for (const [name, row] of rows)
      if (name.endsWith('/one') && row.value !== undefined) {
        const { completion, ...head } = JSON.parse(row.value.head) as Record<string, unknown>;
        expect(completion).toBeDefined();
        rows.set(name, { ...row, value: { ...row.value, head: JSON.stringify(head) } });
      }
  expect(await stat()).toMatchObject({ sizeBytes: 4, parts: 1 });
  await expect(complete(south)).rejects.toMatchObject({ code: 'NO_UPLOAD' });
});
