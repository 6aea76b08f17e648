// S3 servers of several clusters over one namespace: the same objects everywhere, and the answers to clients when clusters are away.
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { Objects } from '../../../../../subgraphs/object-storage/engine/namespace/objects.ts';
import { MemoryClusters } from '../../../../support/object-storage/memory-clusters.ts';
import { md5 } from '../../../../support/object-storage/namespace-contract.ts';
import type { S3TestClient } from '../../../../support/object-storage/s3-client.ts';
import { bobKey, startS3, type TestedS3 } from '../../../../support/object-storage/s3-server.ts';

const clusters = new MemoryClusters();
let servers: readonly TestedS3<Objects>[] = [];
let north: S3TestClient;
let south: S3TestClient;

beforeAll(async () => {
  servers = await Promise.all([0, 1].map((cluster) => startS3({ namespace: clusters.objects(cluster) })));
  [north, south] = servers.map((each) => each.client()) as [S3TestClient, S3TestClient];
  expect((await north.send({ method: 'PUT', path: '/photos' })).status).toBe(200);
});
afterAll(() => Promise.all(servers.map(({ server }) => server.stop())));
beforeEach(() => clusters.unplugged.clear());

const put = (client: S3TestClient, key: string, body: string | Buffer, headers: Record<string, string> = {}) =>
  client.send({ method: 'PUT', path: `/photos/${key}`, body, headers });

test('a write that one cluster acknowledged is seen by the next reader at another, with the third away', async () => {
  clusters.unplugged.add(2);
  const body = randomBytes(2_000_000);
  for (const [key, bytes] of [
    ['small', Buffer.from('small')],
    ['big', body],
  ] as const) {
    await put(north, key, bytes, { 'x-amz-meta-from': 'north' });
    const read = await south.send({ method: 'GET', path: `/photos/${key}` });
    expect(read.body.equals(bytes)).toBe(true);
    expect(read.headers).toMatchObject({ etag: `"${md5(bytes)}"`, 'x-amz-meta-from': 'north' });
  }
  const range = await south.send({ method: 'GET', path: '/photos/big', headers: { range: 'bytes=999999-1000001' } });
  expect(range.body.equals(body.subarray(999_999, 1_000_002))).toBe(true);
  await south.send({ method: 'DELETE', path: '/photos/big' });
  expect(await north.send({ method: 'GET', path: '/photos/big' })).toMatchObject({ status: 404, code: 'NoSuchKey' });
  expect((await north.send({ method: 'GET', path: '/photos?list-type=2' })).text).not.toContain('big');
});

test('one of two concurrent conditional writes at two clusters wins', async () => {
  const answers = await Promise.all(
    [north, south, north, south].map((client, at) => put(client, 'once', `${at}`, { 'if-none-match': '*' })),
  );
  expect(answers.map(({ status }) => status).sort()).toEqual([200, 412, 412, 412]);
  const winner = answers.findIndex(({ status }) => status === 200);
  expect((await south.send({ method: 'GET', path: '/photos/once' })).text).toBe(`${winner}`);
});

/** Sends the parts through both clusters. */
async function uploadParts(key: string) {
  const begun = await north.send({ method: 'POST', path: `/photos/${key}?uploads` });
  const [, uploadId = ''] = /<UploadId>(.*?)<\/UploadId>/.exec(begun.text) ?? [];
  const bodies = [randomBytes(5 * 1024 * 1024), randomBytes(1_000)];
  await put(north, `${key}?partNumber=1&uploadId=${uploadId}`, bodies[0] ?? '');
  await put(south, `${key}?partNumber=2&uploadId=${uploadId}`, bodies[1] ?? '');
  const complete = (client: S3TestClient, sent = bodies, headers: Record<string, string> = {}) => {
    const parts = sent.map((body, at) => `<Part><PartNumber>${at + 1}</PartNumber><ETag>${md5(body)}</ETag></Part>`);
    const body = `<CompleteMultipartUpload>${parts.join('')}</CompleteMultipartUpload>`;
    return client.send({ method: 'POST', path: `/photos/${key}?uploadId=${uploadId}`, body, headers });
  };
  return { uploadId, bodies, complete };
}

test('a multipart upload may be sent through several clusters', async () => {
  const { uploadId, bodies, complete } = await uploadParts('film');
  expect((await complete(south)).status).toBe(200);
  const read = await north.send({ method: 'GET', path: '/photos/film' });
  expect(read.body.equals(Buffer.concat(bodies))).toBe(true);
  expect((await north.send({ method: 'GET', path: '/photos?uploads' })).text).not.toContain(uploadId);
});

test('an upload that was completed at one cluster can be completed again at another, until its object is replaced', async () => {
  const { bodies, complete } = await uploadParts('again');
  const once = { 'if-none-match': '*' };
  const tagOf = ({ text }: { readonly text: string }) => /<ETag>(.*?)<\/ETag>/.exec(text)?.[1];
  const first = await complete(south, bodies, once);
  expect(first.status).toBe(200);
  expect(tagOf(first)).toMatch(/-2&quot;$/);
  const { headers } = await north.send({ method: 'HEAD', path: '/photos/again' });
  for (const client of [north, south]) {
    const repeated = await complete(client, bodies, once);
    expect([repeated.status, tagOf(repeated)]).toEqual([200, tagOf(first)]);
  }
  expect(await north.send({ method: 'HEAD', path: '/photos/again' })).toMatchObject({
    headers: { etag: headers.etag, 'last-modified': headers['last-modified'] },
  });
  const refusal = { status: 404, code: 'NoSuchUpload' };
  expect(await complete(north, bodies.slice(0, 1), once)).toMatchObject(refusal);
  await put(south, 'again', 'other');
  expect(await complete(north, bodies, once)).toMatchObject(refusal);
  expect((await north.send({ method: 'GET', path: '/photos/again' })).text).toBe('other');
});

test('without a majority, reads ask for a retry, and the outcome of a write is unknown', async () => {
  await put(north, 'there', 'there');
  clusters.unplugged.add(1).add(2);
  const read = await north.send({ method: 'GET', path: '/photos/there' });
  expect(read).toMatchObject({ status: 503, code: 'ServiceUnavailable', headers: { 'retry-after': '5' } });
  const write = await put(north, 'there', 'other');
  expect(write).toMatchObject({ status: 503, code: 'ServiceUnavailable', headers: { 'retry-after': '5' } });
  expect(write.text).toContain('unknown whether this request took effect');
});

test("another project's bucket looks nonexistent at every cluster", async () => {
  for (const { client } of servers) {
    const answer = await client(bobKey).send({ method: 'GET', path: '/photos/there' });
    expect(answer).toMatchObject({ status: 404, code: 'NoSuchBucket' });
  }
});
