// NEAREST reads at real clusters. A cluster that is cut off from the others keeps answering from its own replica, and
// never claims that the answer is younger than it is.
import { randomBytes } from 'node:crypto';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Durability } from '../../../../../subgraphs/object-storage/engine/store/durability.ts';
import { Partitions } from '../../../../../subgraphs/object-storage/engine/store/partitions.ts';
import { patience } from '../../../../support/machine/patience.ts';
import { waitFor } from '../../../../support/machine/temporary-folder.ts';
import type { CutLink } from '../../../../support/object-storage/cut-link.ts';
import { makeContainer, RealClusters } from '../../../../support/object-storage/real-clusters.ts';
import type { Answer } from '../../../../support/object-storage/s3-client.ts';

const cleanup = new AsyncDisposableStack();
let clusters: RealClusters;
let links: readonly CutLink[];
beforeAll(async () => {
  clusters = await RealClusters.start(cleanup);
  links = await clusters.linksOf('north', cleanup);
  await makeContainer(clusters.get('north').client(), 'photos');
}, 120_000 * patience);
afterAll(() => cleanup.disposeAsync(), 60_000 * patience);

const send = (
  name: string,
  method: string,
  path: string,
  headers: Record<string, string> = {},
  body?: Buffer | string,
) =>
  clusters
    .get(name)
    .client()
    .send({ method, path, headers, ...(body === undefined ? {} : { body }) });
const put = (name: string, path: string, body: Buffer | string, headers = {}) => send(name, 'PUT', path, headers, body);
const nearest = (name: string, path: string, headers = {}, method = 'GET') =>
  send(name, method, path, { ...headers, 'x-tidegate-read': 'nearest' });
const ageOf = ({ headers }: Answer) => headers['x-tidegate-age-ms'];
const large = randomBytes(2 * 1024 * 1024 + 5);

/**
 * Stores a large object until north has its bytes. A write ends with a majority, so the third cluster may lag behind.
 */
async function atNorthToo(): Promise<string> {
  const { folder } = clusters.get('north');
  const blobs = async () =>
    (await readdir(join(folder, 'blobs'), { recursive: true })).filter((each) => /[0-9a-f]{32}$/.test(each)).length;
  return waitFor('a blob at all clusters', async () => {
    const before = await blobs();
    const path = `/photos/large${before}-${randomBytes(4).toString('hex')}`;
    expect((await put('south', path, large)).status).toBe(200);
    return (await blobs()) > before ? path : undefined;
  });
}

test(
  'it is refused where the option does not allow it, and for everything except a single object',
  async () => {
    expect((await put('north', '/photos/cat', 'one')).status).toBe(200);
    const refused = await nearest('north', '/photos/cat');
    expect([refused.status, refused.code]).toEqual([400, 'InvalidRequest']);
    expect(refused.text).toContain('the option standard of the container photos allows no NEAREST reads');
    await clusters.tellOption({ nearestReads: true });
    await waitFor('it to be allowed', async () => (await nearest('north', '/photos/cat')).status === 200);
    for (const [method, path] of [
      ['GET', '/photos?list-type=2'],
      ['GET', '/'],
      ['PUT', '/photos/dog'],
      ['DELETE', '/photos/cat'],
    ] as const)
      expect((await nearest('north', path, {}, method)).code).toBe('InvalidRequest');
    expect((await send('north', 'GET', '/photos/cat', { 'x-tidegate-read': 'newest' })).code).toBe('InvalidArgument');
    expect((await send('north', 'GET', '/photos/dog')).code).toBe('NoSuchKey');
    expect(ageOf(await send('north', 'GET', '/photos/cat'))).toBeUndefined();
  },
  60_000 * patience,
);

test(
  'no answer is older than it claims, while writers continue and links are cut',
  async () => {
    const acknowledged: { readonly value: number; readonly atMs: number }[] = [];
    let isOver = false;
    const writing = (async () => {
      for (let value = 1; !isOver; value += 1)
        if ((await put('south', '/photos/count', String(value))).status === 200)
          acknowledged.push({ value, atMs: performance.now() });
    })();
    await waitFor('a first value', async () => (await nearest('north', '/photos/count')).status === 200);
    let [said, stale] = [0, 0];
    for (let round = 0; round < 4 || said < 20 || stale === 0; round += 1) {
      for (const link of links) round % 2 === 1 ? link.cut() : link.mend();
      for (let read = 0; read < 15; read += 1) {
        const askedMs = performance.now();
        const answer = await nearest('north', '/photos/count');
        const age = ageOf(answer);
        expect(answer.status).toBe(200);
        const last = acknowledged.findLast(({ atMs }) => atMs < askedMs)?.value ?? 0;
        if (Number(answer.text) < last) stale += 1;
        if (age === 'unknown') continue;
        said += 1;
        const least = acknowledged.findLast(({ atMs }) => atMs < askedMs - Number(age))?.value ?? 0;
        expect({ round, age, value: Number(answer.text), least }).toMatchObject({
          value: expect.any(Number),
          least: Math.min(least, Number(answer.text)),
        });
        // Spread over the round, because the age of an answer grows while a link is cut.
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
    isOver = true;
    await writing;
    for (const link of links) link.mend();
  },
  120_000 * patience,
);

test(
  'a cluster cut off from all others answers with its own data and its age; one that does not vote answers nothing',
  async () => {
    for (const [path, body] of [
      ['/photos/cat', 'one'],
      ['/photos/gone', 'there'],
    ] as const)
      expect((await put('south', path, body)).status).toBe(200);
    const big = await atNorthToo();
    await waitFor('north to know all, and since when', async () => {
      const answers = await Promise.all(['/photos/cat', '/photos/gone', big].map((path) => nearest('north', path)));
      return answers.every((each) => each.status === 200 && ageOf(each) !== 'unknown');
    });
    for (const link of links) link.cut();
    await waitFor('a write without north', async () => (await put('south', '/photos/cat', 'two')).status === 200);
    expect((await send('south', 'DELETE', '/photos/gone')).status).toBe(204);
    expect((await put('east', '/photos/new', 'new')).status).toBe(200);
    const writtenMs = performance.now();
    expect((await send('north', 'GET', '/photos/cat')).status).toBe(503);
    const covers = (answer: Answer, askedMs: number) =>
      expect(Number(ageOf(answer))).toBeGreaterThan(askedMs - writtenMs);

    const askedMs = performance.now();
    const old = await nearest('north', '/photos/cat');
    expect([old.status, old.text]).toEqual([200, 'one']);
    covers(old, askedMs);
    expect((await nearest('north', '/photos/gone')).text).toBe('there');
    const head = await nearest('north', '/photos/cat', {}, 'HEAD');
    expect([head.status, head.headers['content-length']]).toEqual([200, '3']);
    covers(head, askedMs);
    // The answer for an absent object is no older than it claims either.
    const missing = await nearest('north', '/photos/new');
    expect([missing.status, missing.code]).toEqual([404, 'NoSuchKey']);
    covers(missing, askedMs);
    const same = await nearest('north', '/photos/cat', { 'if-none-match': String(old.headers.etag) });
    expect(same.status).toBe(304);
    covers(same, askedMs);
    expect((await nearest('north', '/nothing/cat')).code).toBe('NoSuchBucket');
    const whole = await nearest('north', big);
    expect([whole.status, whole.body.equals(large)]).toEqual([200, true]);
    const range = await nearest('north', big, { range: 'bytes=1048570-1048580' });
    expect([range.status, range.body.equals(large.subarray(1048570, 1048581))]).toEqual([206, true]);

    // It knows nothing about the time before its start.
    const north = clusters.get('north');
    await north.stop();
    await north.start();
    const after = await nearest('north', '/photos/cat');
    expect([after.status, after.text, ageOf(after)]).toEqual([200, 'one', 'unknown']);
    await rm(join(north.folder, 'blobs'), { recursive: true });
    const without = await nearest('north', big);
    expect([without.status, without.code]).toEqual([503, 'ServiceUnavailable']);
    expect(without.text).toContain('has the bytes of large');

    await new Partitions({ db: north.db, durability: new Durability(north.db) }).lose();
    expect((await nearest('north', '/photos/cat')).status).toBe(503);
    // Others answer in its place as soon as they are reachable.
    for (const link of links) link.mend();
    await waitFor('an answer of another cluster', async () => (await nearest('north', '/photos/cat')).text === 'two');
  },
  120_000 * patience,
);
