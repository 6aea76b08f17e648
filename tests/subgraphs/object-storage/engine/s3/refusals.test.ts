// Requests that another server would understand, and that this one must not treat as something else.
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { checksumDigest } from '../../../../../subgraphs/object-storage/engine/s3/checksums.ts';
import type { S3TestClient } from '../../../../support/object-storage/s3-client.ts';
import { alice, startS3, type TestedS3 } from '../../../../support/object-storage/s3-server.ts';

let s3: TestedS3;
let client: S3TestClient;
let bucket = '';
let made = 0;

beforeAll(async () => {
  s3 = await startS3({ isOwnName: (name) => name === 's3.lab.test' });
  client = s3.client();
});
afterAll(() => s3.server.stop());
beforeEach(async () => {
  made += 1;
  bucket = `/refused-${made}`;
  expect((await client.send({ method: 'PUT', path: bucket })).status).toBe(200);
  expect((await client.send({ method: 'PUT', path: `${bucket}/key`, body: 'first' })).status).toBe(200);
});

const content = async () => (await client.send({ method: 'GET', path: `${bucket}/key` })).text;

describe('a host that is not a name of the server', () => {
  const at = (host: string, sent: { readonly method: string; readonly path: string; readonly body?: string }) =>
    client.send({ ...sent, headers: { host } });

  test('is refused: no bucket or object is created or deleted', async () => {
    const host = `${bucket.slice(1)}.s3.lab.test:9000`;
    const before = (await s3.namespace.containers(alice, { prefix: '', after: '', limit: 10_000 })).length;
    for (const sent of [
      { method: 'PUT', path: '/vkey', body: '' },
      { method: 'PUT', path: '/vkey.txt', body: 'data' },
      { method: 'DELETE', path: bucket },
      { method: 'DELETE', path: `${bucket}/key` },
      { method: 'GET', path: '/' },
    ])
      expect(await at(host, sent)).toMatchObject({ status: 501, code: 'NotImplemented' });
    expect(await s3.namespace.containers(alice, { prefix: '', after: '', limit: 10_000 })).toHaveLength(before);
    expect(await content()).toBe('first');
  });

  test.each(['s3.lab.test', 'S3.Lab.Test.:9000', 'minio', 'localhost:9000', '127.0.0.1:9000', '[::1]:9000'])(
    '%s is a name of the server',
    async (host) => {
      expect((await at(host, { method: 'GET', path: `${bucket}/key` })).status).toBe(200);
    },
  );
});

describe('unannounced chunks', () => {
  const framed = '5\r\nhello\r\n0\r\n\r\n';

  test.each([
    { 'content-encoding': 'aws-chunked', 'x-amz-decoded-content-length': '5' },
    { 'content-encoding': 'gzip, AWS-Chunked' },
    { 'x-amz-decoded-content-length': '5' },
  ])('%j is refused, whether the body is signed or not', async (headers) => {
    for (const contentSha256 of [{ contentSha256: 'UNSIGNED-PAYLOAD' }, {}])
      expect(
        await client.send({ method: 'PUT', path: `${bucket}/key`, body: framed, headers, ...contentSha256 }),
      ).toMatchObject({ status: 400, code: 'InvalidRequest' });
    expect(await content()).toBe('first');
  });
});

test('a condition among more than 100 headers is not lost', async () => {
  const many = Object.fromEntries(Array.from({ length: 99 }, (_, index) => [`x-other-${index}`, 'a']));
  const answer = await client.send({
    ...{ method: 'PUT', path: `${bucket}/key`, body: 'second' },
    unsigned: { ...many, 'if-none-match': '*' },
  });
  expect(answer).toMatchObject({ status: 400, code: 'RequestHeaderSectionTooLarge' });
  expect(await content()).toBe('first');
});

test('a query parameter that is given twice is refused', async () => {
  const answer = await client.send({ method: 'DELETE', path: `${bucket}/key?versionId=null&versionId=null` });
  expect(answer).toMatchObject({ status: 400, code: 'InvalidArgument' });
  expect(await content()).toBe('first');
});

describe('an empty version ID', () => {
  test.each([
    ['DELETE', 'key?versionId=', {}],
    ['DELETE', 'key?versionId', {}],
    ['GET', 'key?versionId=', {}],
    ['PUT', 'key', { 'x-amz-copy-source': 'SOURCE?versionId=', 'x-amz-metadata-directive': 'REPLACE' }],
  ] as const)('of %s %s %j is refused', async (method, path, sent) => {
    const headers = Object.fromEntries(Object.entries(sent).map(([k, v]) => [k, v.replace('SOURCE', `${bucket}/key`)]));
    const refused = { status: 400, code: 'InvalidArgument' };
    expect(await client.send({ method, path: `${bucket}/${path}`, headers })).toMatchObject(refused);
    expect(await content()).toBe('first');
  });

  test('in a list of deletions is refused for its object', async () => {
    const body = '<Delete><Object><Key>key</Key><VersionId></VersionId></Object></Delete>';
    const { text } = await client.send({ method: 'POST', path: `${bucket}?delete`, body });
    expect(text).toContain('<Code>InvalidArgument</Code>');
    expect(await content()).toBe('first');
  });
});

test('a project next to a signature is refused, because the key may belong to another one', async () => {
  const project = { 'x-tidegate-project': 'bank' };
  const refused = { status: 400, code: 'InvalidRequest' };
  const signed = { method: 'PUT', path: `${bucket}/key`, body: 'second' };
  expect(await client.send({ ...signed, headers: project })).toMatchObject(refused);
  expect(await client.send({ ...signed, unsigned: project })).toMatchObject(refused);
  const path = client.presign({ method: 'GET', path: `${bucket}/key` });
  expect(await client.plain({ method: 'GET', path, headers: project })).toMatchObject(refused);
  expect(await content()).toBe('first');
});

test('an upload with conditions that S3 does not have for writes is refused', async () => {
  for (const header of ['if-unmodified-since', 'if-modified-since', 'if-range', 'range'])
    expect(
      await client.send({
        ...{ method: 'PUT', path: `${bucket}/key`, body: 'second' },
        headers: { [header]: 'Sun, 06 Nov 1994 08:49:37 GMT' },
      }),
    ).toMatchObject({ status: 501, code: 'NotImplemented' });
  expect(await content()).toBe('first');
});

test('metadata with the name of a property of every object is kept', async () => {
  const headers = { 'x-amz-meta-__proto__': 'v', 'x-amz-meta-constructor': 'c' };
  await client.send({ method: 'PUT', path: `${bucket}/key`, body: 'second', headers });
  expect((await client.send({ method: 'HEAD', path: `${bucket}/key` })).headers).toMatchObject(headers);
});

test.each(['sha512', 'md5'] as const)('the checksum %s is checked', async (name) => {
  const put = (body: string, of: string) =>
    client.send({
      ...{ method: 'PUT', path: `${bucket}/key`, body },
      headers: { [`x-amz-checksum-${name}`]: createHash(name).update(of).digest('base64') },
    });
  expect(await put('second', 'other')).toMatchObject({ status: 400, code: 'BadDigest' });
  expect(await content()).toBe('first');
  expect((await put('second', 'second')).status).toBe(200);
});

test.each(['XXHASH64', 'invented'])('the algorithm %s is refused wherever it is named', async (algorithm) => {
  for (const [method, path, header] of [
    ['PUT', `${bucket}/key`, `x-amz-checksum-${algorithm.toLowerCase()}`],
    ['PUT', `${bucket}/key`, 'x-amz-sdk-checksum-algorithm'],
    ['POST', `${bucket}/key?uploads`, 'x-amz-checksum-algorithm'],
  ] as const)
    expect(await client.send({ method, path, body: 'second', headers: { [header]: algorithm } })).toMatchObject({
      status: 501,
    });
  expect(await content()).toBe('first');
});

describe('the end of a multipart upload', () => {
  const digest = checksumDigest('x-amz-checksum-crc32');
  digest.update(Buffer.from('part'));
  const crc32 = digest.base64();

  async function complete(element: string, headers: Record<string, string> = {}) {
    const begun = await client.send({ method: 'POST', path: `${bucket}/key?uploads` });
    const [, id = ''] = /<UploadId>(.*?)</.exec(begun.text) ?? [];
    const path = `${bucket}/key?uploadId=${id}`;
    const part = await client.send({
      ...{ method: 'PUT', path: `${path}&partNumber=1`, body: 'part' },
      headers: { 'x-amz-checksum-crc32': crc32 },
    });
    const tag = String(part.headers.etag);
    const body = `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>${tag}</ETag>${element}</Part></CompleteMultipartUpload>`;
    return client.send({ method: 'POST', path, body, headers });
  }

  test.each([
    ['another checksum than that of the part', '<ChecksumCRC32>AAAAAA==</ChecksumCRC32>', {}, 400],
    ['a checksum without which the part came', '<ChecksumSHA1>AAAA</ChecksumSHA1>', {}, 400],
    ['a checksum that is not known here', '<ChecksumXXHASH64>AAAA</ChecksumXXHASH64>', {}, 501],
    ['another size than the parts have', '', { 'x-amz-mp-object-size': '5' }, 400],
    ['a size that is no number', '', { 'x-amz-mp-object-size': '4e0' }, 400],
    ['a checksum of the whole object', '', { 'x-amz-checksum-crc32': crc32 }, 501],
  ])('with %s is refused', async (_, element, headers: Record<string, string>, status) => {
    expect((await complete(element, headers)).status).toBe(status);
    expect(await content()).toBe('first');
  });

  test('with the right checksum and size succeeds', async () => {
    const answer = await complete(`<ChecksumCRC32>${crc32}</ChecksumCRC32>`, { 'x-amz-mp-object-size': '4' });
    expect(answer.text).toContain('CompleteMultipartUploadResult');
    expect(await content()).toBe('part');
  });
});

test('the parameters of a presigned URL count only with its signature', async () => {
  const url = client.presign({ method: 'DELETE', path: `${bucket}/key?x-amz-if-match-size=99` });
  expect(await client.plain({ method: 'DELETE', path: url })).toMatchObject({ status: 501 });
  const signed = await client.send({ method: 'DELETE', path: `${bucket}/key?X-Amz-Expires=60` });
  expect(signed).toMatchObject({ status: 501, code: 'NotImplemented' });
  expect(await content()).toBe('first');
  const read = client.presign({ method: 'GET', path: `${bucket}/key?x-amz-checksum-mode=ENABLED&x-id=GetObject` });
  expect(await client.plain({ method: 'GET', path: read })).toMatchObject({ status: 200, text: 'first' });
});

describe('the date of a condition', () => {
  const conditional = (date: string) =>
    client.send({
      ...{ method: 'PUT', path: `${bucket}/copy` },
      headers: { 'x-amz-copy-source': `${bucket}/key`, 'x-amz-copy-source-if-unmodified-since': date },
    });

  test.each(['Mon, 29 Feb 2027 00:00:00 GMT', '2027-02-29T00:00:00Z', 'tomorrow', 'Sun, 06 Nov 94', '2094'])(
    '%s is refused',
    async (date) => {
      expect(await conditional(date)).toMatchObject({ status: 400, code: 'InvalidArgument' });
      expect((await client.send({ method: 'HEAD', path: `${bucket}/copy` })).status).toBe(404);
    },
  );

  test.each(['Wed, 06 Nov 2094 08:49:37 GMT', '2094-11-06T08:49:37Z'])('%s counts', async (date) => {
    expect((await conditional(date)).status).toBe(200);
  });
});
