// The S3 server over HTTP: the answer to each request, and to bad input.
import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { pino } from 'pino';
import { checksumDigest } from '../../../../../subgraphs/object-storage/engine/s3/checksums.ts';
import type { ServedRequest } from '../../../../../subgraphs/object-storage/engine/s3/served-request.ts';
import { ObjectError, type ObjectErrorCode } from '../../../../../subgraphs/object-storage/wire/object-error.ts';
import { stays, waitFor } from '../../../../support/machine/temporary-folder.ts';
import { md5 } from '../../../../support/object-storage/namespace-contract.ts';
import {
  type S3TestClient,
  sha256,
  signedChunks,
  unsignedChunks,
} from '../../../../support/object-storage/s3-client.ts';
import {
  alice,
  aliceKey,
  aliceToken,
  bobKey,
  readerKey,
  startS3,
  type TestedS3,
} from '../../../../support/object-storage/s3-server.ts';

let s3: TestedS3;
let client: S3TestClient;
let bucket = '';
let made = 0;

beforeAll(async () => {
  s3 = await startS3();
  client = s3.client();
});
afterAll(() => s3.server.stop());
beforeEach(async () => {
  made += 1;
  bucket = `/bucket-${made}`;
  expect((await client.send({ method: 'PUT', path: bucket })).status).toBe(200);
});

const put = (key: string, body: string | Buffer = key, headers: Record<string, string> = {}) =>
  client.send({ method: 'PUT', path: `${bucket}/${key}`, body, headers });
const get = (key: string, headers: Record<string, string> = {}) =>
  client.send({ method: 'GET', path: `${bucket}/${key}`, headers });
const valuesOf = (xml: string, element: string) =>
  [...xml.matchAll(new RegExp(`<${element}>(.*?)</${element}>`, 'gs'))].map(([, value]) => value);

describe('buckets', () => {
  test('are created, listed, located and deleted', async () => {
    const name = bucket.slice(1);
    const listed = await client.send({ method: 'GET', path: '/' });
    expect(listed.headers['content-type']).toBe('application/xml');
    expect(valuesOf(listed.text, 'Name')).toContain(name);
    expect(valuesOf(listed.text, 'ID')).toEqual([alice.accountId]);
    expect((await client.send({ method: 'HEAD', path: bucket })).headers['x-amz-bucket-region']).toBe('us-east-1');
    const located = await client.send({ method: 'GET', path: `${bucket}?location` });
    expect(located.text).toContain(
      '<LocationConstraint xmlns="http://s3.amazonaws.com/doc/2006-03-01/"></LocationConstraint>',
    );
    expect(await client.send({ method: 'PUT', path: bucket })).toMatchObject({
      status: 409,
      code: 'BucketAlreadyOwnedByYou',
    });
    await put('one');
    expect(await client.send({ method: 'DELETE', path: bucket })).toMatchObject({
      status: 409,
      code: 'BucketNotEmpty',
    });
    await client.send({ method: 'DELETE', path: `${bucket}/one` });
    expect((await client.send({ method: 'DELETE', path: `${bucket}/` })).status).toBe(204);
    expect((await client.send({ method: 'HEAD', path: bucket })).status).toBe(404);
  });

  test('are listed in pages', async () => {
    const first = await client.send({ method: 'GET', path: '/?max-buckets=1' });
    const [token] = valuesOf(first.text, 'ContinuationToken');
    expect(valuesOf(first.text, 'Name')).toHaveLength(1);
    const rest = await client.send({ method: 'GET', path: `/?continuation-token=${token}&prefix=bucket-` });
    expect(valuesOf(rest.text, 'Name')).not.toContain(valuesOf(first.text, 'Name')[0]);
  });

  test('get the option that the client chooses', async () => {
    const location = (value: string) =>
      `<CreateBucketConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><LocationConstraint>${value}</LocationConstraint></CreateBucketConfiguration>`;
    const optionOf = async (name: string) => (await s3.namespace.statContainer(alice, name)).option;
    await client.send({ method: 'PUT', path: `${bucket}-a`, body: location('economy') });
    expect(await optionOf(`bucket-${made}-a`)).toBe('economy');
    await client.send({ method: 'PUT', path: `${bucket}-b`, headers: { 'x-tidegate-option': 'economy' } });
    expect(await optionOf(`bucket-${made}-b`)).toBe('economy');
    await client.send({ method: 'PUT', path: `${bucket}-c`, body: location('us-east-1') });
    expect(await optionOf(`bucket-${made}-c`)).toBe('standard');
    const unknown = await client.send({ method: 'PUT', path: `${bucket}-d`, body: location('moon') });
    expect(unknown).toMatchObject({ status: 400, code: 'InvalidLocationConstraint' });
  });

  test.each(['ab', 'Upper', 'a_b', '-ab', 'ab-', 'a..b', '192.168.1.1', 'a'.repeat(64), '%00%01ab'])(
    'with the name %s are refused',
    async (name) => {
      const answer = await client.send({ method: 'PUT', path: `/${name}` });
      expect(answer).toMatchObject({ status: 400, code: 'InvalidBucketName' });
    },
  );

  test('of another project look nonexistent, for any operation', async () => {
    await put('one');
    const stranger = s3.client(bobKey);
    for (const [method, path, body] of [
      ['GET', `${bucket}`],
      ['GET', `${bucket}?location`],
      ['GET', `${bucket}?versioning`],
      ['GET', `${bucket}?uploads`],
      ['GET', `${bucket}/one`],
      ['PUT', `${bucket}/one`, 'x'],
      ['DELETE', `${bucket}/one`],
      ['DELETE', bucket],
      ['POST', `${bucket}/one?uploads`],
      ['POST', `${bucket}?delete`, '<Delete><Object><Key>one</Key></Object></Delete>'],
    ] as const) {
      const answer = await stranger.send({ method, path, ...(body === undefined ? {} : { body }) });
      expect([method, path, answer.status, answer.code]).toEqual([method, path, 404, 'NoSuchBucket']);
    }
    expect((await get('one')).text).toBe('one');
    const owner = { 'x-amz-expected-bucket-owner': 'b'.repeat(32) };
    expect(await get('one', owner)).toMatchObject({ status: 403, code: 'AccessDenied' });
  });

  test("answer clients' queries for settings that a bucket does not have", async () => {
    const answers: Record<string, string> = {};
    for (const name of [
      'versioning',
      'acl',
      'logging',
      'notification',
      'object-lock',
      'lifecycle',
      'encryption',
      'tagging',
      'policy',
      'cors',
      'website',
      'replication',
      'publicAccessBlock',
      'ownershipControls',
    ]) {
      const { status, code, text } = await client.send({ method: 'GET', path: `${bucket}?${name}` });
      answers[name] = `${status} ${code ?? /<(\w+) xmlns/.exec(text)?.[1]}`;
    }
    expect(answers).toEqual({
      versioning: '200 VersioningConfiguration',
      acl: '200 AccessControlPolicy',
      logging: '200 BucketLoggingStatus',
      notification: '200 NotificationConfiguration',
      'object-lock': '404 ObjectLockConfigurationNotFoundError',
      lifecycle: '404 NoSuchLifecycleConfiguration',
      encryption: '404 ServerSideEncryptionConfigurationNotFoundError',
      tagging: '404 NoSuchTagSet',
      policy: '404 NoSuchBucketPolicy',
      cors: '404 NoSuchCORSConfiguration',
      website: '404 NoSuchWebsiteConfiguration',
      replication: '404 ReplicationConfigurationNotFoundError',
      publicAccessBlock: '404 NoSuchPublicAccessBlockConfiguration',
      ownershipControls: '404 OwnershipControlsNotFoundError',
    });
    for (const [method, path] of [
      ['PUT', '?versioning'],
      ['PUT', '?policy'],
      ['GET', '?inventory'],
      ['GET', '/one?torrent'],
      ['POST', '/one?select&select-type=2'],
      ['GET', '/one?attributes'],
      ['POST', ''],
    ] as const)
      expect(await client.send({ method, path: `${bucket}${path}` })).toMatchObject({
        status: 501,
        code: 'NotImplemented',
      });
    expect((await client.send({ method: 'DELETE', path: `${bucket}?policy` })).status).toBe(204);
  });
});

describe('objects', () => {
  test('come back with their bytes and headers', async () => {
    const headers = {
      'content-type': 'image/jpeg',
      'cache-control': 'no-cache',
      'content-disposition': 'attachment',
      'content-encoding': 'gzip',
      'content-language': 'de',
      expires: 'Thu, 01 Dec 2033 16:00:00 GMT',
      'x-amz-meta-Colour': Buffer.from('grün').toString('latin1'),
    };
    const body = randomBytes(3_000_000);
    const signed = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
    const written = await put('a%20folder/cat%2B.jpg', body, signed);
    expect(written).toMatchObject({ status: 200, headers: { etag: `"${md5(body)}"` } });
    for (const method of ['GET', 'HEAD']) {
      const answer = await client.send({ method, path: `${bucket}/a%20folder/cat%2B.jpg` });
      expect(answer).toMatchObject({
        status: 200,
        headers: {
          'content-type': 'image/jpeg',
          'cache-control': 'no-cache',
          'content-disposition': 'attachment',
          'content-encoding': 'gzip',
          'content-language': 'de',
          expires: 'Thu, 01 Dec 2033 16:00:00 GMT',
          'x-amz-meta-colour': Buffer.from('grün').toString('latin1'),
          'content-length': '3000000',
          'accept-ranges': 'bytes',
          etag: `"${md5(body)}"`,
        },
      });
      expect(answer.body.equals(method === 'GET' ? body : Buffer.alloc(0))).toBe(true);
    }
    const stat = await s3.namespace.stat(alice, bucket.slice(1), 'a folder/cat+.jpg');
    expect(stat.metadata).toEqual({ colour: 'grün' });
  });

  test('are deleted, once or twice', async () => {
    await put('one');
    for (const _ of [1, 2]) expect((await client.send({ method: 'DELETE', path: `${bucket}/one` })).status).toBe(204);
    expect(await get('one')).toMatchObject({ status: 404, code: 'NoSuchKey' });
    expect((await client.send({ method: 'HEAD', path: `${bucket}/one` })).status).toBe(404);
  });

  test.each([
    ['bytes=0-0', 206, '0', 'bytes 0-0/10'],
    ['bytes=2-4', 206, '234', 'bytes 2-4/10'],
    ['bytes=7-', 206, '789', 'bytes 7-9/10'],
    ['bytes=7-99', 206, '789', 'bytes 7-9/10'],
    ['bytes=-3', 206, '789', 'bytes 7-9/10'],
    ['bytes=-99', 206, '0123456789', 'bytes 0-9/10'],
    ['bytes=4-2', 200, '0123456789', undefined],
    ['bytes=0-1,3-4', 200, '0123456789', undefined],
    ['bytes=x-y', 200, '0123456789', undefined],
    ['lines=0-1', 200, '0123456789', undefined],
  ])('with Range: %s', async (range, status, text, contentRange) => {
    await put('digits', '0123456789');
    const answer = await get('digits', { range });
    expect([answer.status, answer.text, answer.headers['content-range']]).toEqual([status, text, contentRange]);
    expect((await get('digits', { range, 'if-range': '"other"' })).text).toBe('0123456789');
  });

  test.each(['bytes=10-', 'bytes=10-20', 'bytes=-0'])('outside the object for Range: %s', async (range) => {
    await put('digits', '0123456789');
    const answer = await get('digits', { range });
    expect(answer).toMatchObject({ status: 416, code: 'InvalidRange', headers: { 'content-range': 'bytes */10' } });
  });

  test('get the headers that a read overrides', async () => {
    await put('one');
    const path = `${bucket}/one?response-content-type=text%2Fcsv&response-content-disposition=inline`;
    expect((await client.send({ method: 'GET', path })).headers).toMatchObject({
      'content-type': 'text/csv',
      'content-disposition': 'inline',
    });
    const evil = `${bucket}/one?response-content-type=a%0d%0aset-cookie:x`;
    expect(await client.send({ method: 'GET', path: evil })).toMatchObject({ status: 400, code: 'InvalidArgument' });
  });

  test('are read and written on conditions', async () => {
    const etag = `"${md5('one')}"`;
    const exists = await put('one', 'one', { 'if-none-match': '*' });
    expect(exists.status).toBe(200);
    expect(await put('one', 'two', { 'if-none-match': '*' })).toMatchObject({
      status: 412,
      code: 'PreconditionFailed',
    });
    expect(await put('one', 'two', { 'if-match': '"other"' })).toMatchObject({ status: 412 });
    expect(await put('none', 'two', { 'if-match': etag })).toMatchObject({ status: 404, code: 'NoSuchKey' });
    expect(await put('one', 'two', { 'if-none-match': etag })).toMatchObject({ status: 501 });
    const unmodified = await get('one', { 'if-none-match': etag });
    expect(unmodified).toMatchObject({ status: 304, headers: { etag } });
    expect(unmodified.body.length).toBe(0);
    expect(await get('one', { 'if-match': '"other"' })).toMatchObject({ status: 412 });
    expect(await get('one', { 'if-modified-since': 'Thu, 01 Dec 2033 16:00:00 GMT' })).toMatchObject({ status: 304 });
    expect(await get('one', { 'if-unmodified-since': 'Thu, 01 Dec 2003 16:00:00 GMT' })).toMatchObject({ status: 412 });
    expect(await get('one', { 'if-match': `"other", ${etag}` })).toMatchObject({ status: 200 });
    expect(await put('one', 'two', { 'if-match': etag })).toMatchObject({ status: 200 });
  });

  test('are copied, with their headers or new ones', async () => {
    await put('one', 'body', { 'content-type': 'text/plain', 'x-amz-meta-a': '1' });
    const copy = (headers: Record<string, string>, key = 'two') =>
      client.send({
        method: 'PUT',
        path: `${bucket}/${key}`,
        headers: { 'x-amz-copy-source': `${bucket}/one`, ...headers },
      });
    const copied = await copy({});
    expect(valuesOf(copied.text, 'ETag')).toEqual([`&quot;${md5('body')}&quot;`]);
    expect((await get('two')).headers).toMatchObject({ 'content-type': 'text/plain', 'x-amz-meta-a': '1' });
    await copy({ 'x-amz-metadata-directive': 'REPLACE', 'x-amz-meta-b': '2', 'content-type': 'text/csv' });
    const replaced = await get('two');
    expect(replaced.headers).toMatchObject({ 'content-type': 'text/csv', 'x-amz-meta-b': '2' });
    expect(replaced.headers).not.toHaveProperty('x-amz-meta-a');
    expect(await copy({}, 'one')).toMatchObject({ status: 400, code: 'InvalidRequest' });
    expect(await copy({ 'x-amz-copy-source-if-match': '"other"' })).toMatchObject({ status: 412 });
    const etag = `"${md5('body')}"`;
    expect(await copy({ 'x-amz-copy-source-if-none-match': etag })).toMatchObject({ status: 412 });
    expect(await copy({ 'x-amz-copy-source': `${bucket}/none` })).toMatchObject({ status: 404, code: 'NoSuchKey' });
    expect(await copy({ 'x-amz-copy-source': 'nothing' })).toMatchObject({ status: 400, code: 'InvalidArgument' });
    expect(await copy({ 'x-amz-copy-source': `${bucket}/one?versionId=null` })).toMatchObject({ status: 200 });
    expect(await copy({ 'x-amz-copy-source': `${bucket}/one?versionId=7` })).toMatchObject({ status: 404 });
  });

  test('are deleted many at once, each with an answer', async () => {
    const names = ['a&b', 'c<d>', ' e ', '\u{1f600}', 'q\'"', '\r\n'];
    for (const name of names) expect((await put(encodeURIComponent(name))).status).toBe(200);
    const escaped = (name: string) => name.replace(/[&<>\r\n]/g, (found) => `&#${found.charCodeAt(0)};`);
    const objects = names.map((name) => `<Object><Key>${escaped(name)}</Key></Object>`).join('\n');
    const more = `<Object><Key>none</Key></Object><Object><Key>${'x'.repeat(1_025)}</Key></Object><Object><Key>one</Key><VersionId>7</VersionId></Object>`;
    const body = `<?xml version="1.0"?>\n<Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${objects}${more}</Delete>`;
    const answer = await client.send({ method: 'POST', path: `${bucket}?delete`, body });
    expect(valuesOf(answer.text, 'Deleted')).toHaveLength(names.length + 1);
    expect(valuesOf(answer.text, 'Code')).toEqual(['KeyTooLongError', 'NoSuchVersion']);
    expect(valuesOf((await client.send({ method: 'GET', path: bucket })).text, 'Key')).toEqual([]);
    const quiet = '<Delete><Quiet>true</Quiet><Object><Key>one</Key></Object></Delete>';
    expect(
      valuesOf((await client.send({ method: 'POST', path: `${bucket}?delete`, body: quiet })).text, 'Deleted'),
    ).toEqual([]);
  });

  test('are deleted a thousand at once, but no more', async () => {
    const bodyOf = (count: number) =>
      `<Delete>${Array.from({ length: count }, (_, at) => `<Object><Key>a&amp;b&lt;&#x41;${at}</Key></Object>`).join('')}</Delete>`;
    const answer = await client.send({ method: 'POST', path: `${bucket}?delete`, body: bodyOf(1_000) });
    expect(valuesOf(answer.text, 'Key').slice(-1)).toEqual(['a&amp;b&lt;A999']);
    const more = await client.send({ method: 'POST', path: `${bucket}?delete`, body: bodyOf(1_001) });
    expect(more).toMatchObject({ status: 400, code: 'MalformedXML' });
  });

  test.each([
    '',
    'no xml',
    '<Delete>',
    '<Delete></Delete>',
    '<Delete><Object></Object></Delete>',
    '<Delete><Object><Key>a&#1;b</Key></Object></Delete>',
    '<Delete><Object><Key>a&#xD800;b</Key></Object></Delete>',
    '<Delete><Object><Key>a&other;b</Key></Object></Delete>',
    '<Delete><Object><Key>a & b</Key></Object></Delete>',
    '<Other><Object><Key>a</Key></Object></Other>',
    '<!DOCTYPE Delete [<!ENTITY a "b">]><Delete><Object><Key>&a;</Key></Object></Delete>',
    `<Delete><Object><Key>${'x'.repeat(5_000_000)}</Key></Object></Delete>`,
  ])('are not deleted for a malformed body (%#)', async (body) => {
    const answer = await client.send({ method: 'POST', path: `${bucket}?delete`, body });
    expect(answer).toMatchObject({ status: 400, code: 'MalformedXML' });
  });
});

describe('listings', () => {
  const names = ['a', 'a b', 'a+b', 'dir/1', 'dir/2', 'z&<'];
  beforeEach(async () => {
    for (const name of names) await put(encodeURIComponent(name).replaceAll('%2F', '/'));
  });
  const list = async (query: string) => (await client.send({ method: 'GET', path: `${bucket}?${query}` })).text;

  test('of both versions have names, sizes and prefixes', async () => {
    const xml = await list('list-type=2&delimiter=%2F');
    expect(valuesOf(xml, 'Key')).toEqual(['a', 'a b', 'a+b', 'z&amp;&lt;']);
    expect(valuesOf(xml, 'CommonPrefixes')).toEqual(['<Prefix>dir/</Prefix>']);
    expect(valuesOf(xml, 'KeyCount')).toEqual(['5']);
    expect(valuesOf(xml, 'Size')).toEqual(['1', '5', '5', '7']);
    expect(valuesOf(xml, 'Owner')).toEqual([]);
    expect(valuesOf(await list('list-type=2&fetch-owner=true&prefix=a'), 'ID')).toHaveLength(3);
    const old = await list('prefix=dir%2F');
    expect(valuesOf(old, 'Key')).toEqual(['dir/1', 'dir/2']);
    expect(valuesOf(old, 'ID')).toHaveLength(2);
    expect(valuesOf(old, 'IsTruncated')).toEqual(['false']);
    expect(valuesOf(await list('encoding-type=url'), 'Key')).toEqual([
      'a',
      'a%20b',
      'a%2Bb',
      'dir/1',
      'dir/2',
      'z%26%3C',
    ]);
    expect(valuesOf(await list('list-type=2&start-after=dir%2F1'), 'Key')).toEqual(['dir/2', 'z&amp;&lt;']);
    const versions = await list('versions');
    expect(valuesOf(versions, 'VersionId')).toEqual(names.map(() => 'null'));
    expect(valuesOf(versions, 'IsLatest')).toEqual(names.map(() => 'true'));
  });

  test.each([
    ['list-type=2&max-keys=2', 'NextContinuationToken', 'continuation-token'],
    ['max-keys=2', 'NextMarker', 'marker'],
    ['versions&max-keys=2', 'NextKeyMarker', 'key-marker'],
  ])('come in pages: %s', async (query, next, parameter) => {
    for (const delimiter of ['', '&delimiter=%2F']) {
      const found: (string | undefined)[] = [];
      let position = '';
      for (;;) {
        const xml = await list(`${query}${delimiter}${position}`);
        found.push(...valuesOf(xml, 'Key'), ...valuesOf(xml, 'CommonPrefixes'));
        if (valuesOf(xml, 'IsTruncated')[0] === 'false') break;
        const value = (valuesOf(xml, next)[0] ?? '').replace('&amp;', '&').replace('&lt;', '<');
        position = `&${parameter}=${encodeURIComponent(value)}`;
      }
      const folder = delimiter === '' ? ['dir/1', 'dir/2'] : ['<Prefix>dir/</Prefix>'];
      expect(found).toEqual(['a', 'a b', 'a+b', ...folder, 'z&amp;&lt;']);
    }
  });

  test('with wrong arguments are refused', async () => {
    for (const query of [
      'max-keys=-1',
      'max-keys=x',
      'max-keys=2147483648',
      'encoding-type=base64',
      'list-type=2&continuation-token=%21',
    ])
      expect(await list(query)).toContain('<Code>InvalidArgument</Code>');
    expect(valuesOf(await list('max-keys=0'), 'Key')).toEqual([]);
    for (const most of ['9999', '1000000000', '2147483647'])
      expect(valuesOf(await list(`max-keys=${most}`), 'MaxKeys')).toEqual(['1000']);
  });

  test('from a position that no name can have are refused as such, and not as a wrong bucket', async () => {
    s3.namespace.refuse('INVALID_NAME', 'a prefix has at most 1024 bytes');
    const xml = await list('prefix=x');
    s3.namespace.refuse(undefined);
    expect(valuesOf(xml, 'Code')).toEqual(['InvalidArgument']);
    expect(xml).toContain('a prefix has at most 1024 bytes');
  });
});

describe('multipart uploads', () => {
  const begin = async (key: string, headers: Record<string, string> = {}) => {
    const answer = await client.send({ method: 'POST', path: `${bucket}/${key}?uploads`, headers });
    return valuesOf(answer.text, 'UploadId')[0] ?? '';
  };
  const part = (key: string, uploadId: string, number: number | string, body: Buffer | string, headers = {}) =>
    client.send({ method: 'PUT', path: `${bucket}/${key}?partNumber=${number}&uploadId=${uploadId}`, body, headers });
  const complete = (key: string, uploadId: string, parts: readonly (readonly [number, string])[], headers = {}) => {
    const list = parts.map(([number, etag]) => `<Part><PartNumber>${number}</PartNumber><ETag>"${etag}"</ETag></Part>`);
    const body = `<CompleteMultipartUpload>${list.join('')}</CompleteMultipartUpload>`;
    return client.send({ method: 'POST', path: `${bucket}/${key}?uploadId=${uploadId}`, body, headers });
  };

  test('become an object', async () => {
    const uploadId = await begin('film', { 'content-type': 'video/mp4' });
    const bodies = [randomBytes(5 * 1024 * 1024), randomBytes(100)];
    for (const [at, body] of bodies.entries())
      expect((await part('film', uploadId, at + 1, body)).headers.etag).toBe(`"${md5(body)}"`);
    const listed = await client.send({ method: 'GET', path: `${bucket}/film?uploadId=${uploadId}` });
    expect(valuesOf(listed.text, 'Size')).toEqual(['5242880', '100']);
    const uploads = await client.send({ method: 'GET', path: `${bucket}?uploads` });
    expect(valuesOf(uploads.text, 'UploadId')).toEqual([uploadId]);
    const done = await complete(
      'film',
      uploadId,
      bodies.map((body, at) => [at + 1, md5(body)] as const),
    );
    expect(done.text).toContain('-2&quot;</ETag>');
    expect(valuesOf(done.text, 'Location')).toEqual([`${s3.url}${bucket}/film`]);
    const read = await get('film');
    expect(read.body.equals(Buffer.concat(bodies))).toBe(true);
    expect(read.headers['content-type']).toBe('video/mp4');
  });

  test('take parts from other objects', async () => {
    await put('source', '0123456789');
    const uploadId = await begin('target');
    const copy = (number: number, headers: Record<string, string>) =>
      part('target', uploadId, number, '', { 'x-amz-copy-source': `${bucket}/source`, ...headers });
    const first = await copy(1, { 'x-amz-copy-source-range': 'bytes=2-4' });
    expect(valuesOf(first.text, 'ETag')).toEqual([`&quot;${md5('234')}&quot;`]);
    expect(await copy(1, { 'x-amz-copy-source-range': 'bytes=2-10' })).toMatchObject({ status: 416 });
    expect(await copy(1, { 'x-amz-copy-source-range': 'bytes=2-' })).toMatchObject({ status: 400 });
    expect(await copy(1, { 'x-amz-copy-source-if-none-match': `"${md5('0123456789')}"` })).toMatchObject({
      status: 412,
    });
    expect((await complete('target', uploadId, [[1, md5('234')]])).status).toBe(200);
    expect((await get('target')).text).toBe('234');
  });

  test('are refused with wrong numbers, orders, parts and IDs', async () => {
    const uploadId = await begin('one');
    for (const number of [0, 10_001, 'x', ''])
      expect(await part('one', uploadId, number, 'x')).toMatchObject({ status: 400, code: 'InvalidArgument' });
    for (const number of [1, 2]) await part('one', uploadId, number, 'x');
    const etag = md5('x');
    expect(
      await complete('one', uploadId, [
        [2, etag],
        [1, etag],
      ]),
    ).toMatchObject({ status: 400, code: 'InvalidPartOrder' });
    expect(
      await complete('one', uploadId, [
        [1, etag],
        [1, etag],
      ]),
    ).toMatchObject({ code: 'InvalidPartOrder' });
    expect(await complete('one', uploadId, [[3, etag]])).toMatchObject({ status: 400, code: 'InvalidPart' });
    expect(
      await complete('one', uploadId, [
        [1, etag],
        [2, etag],
      ]),
    ).toMatchObject({ status: 400, code: 'EntityTooSmall' });
    expect(await complete('one', uploadId, [])).toMatchObject({ status: 400, code: 'MalformedXML' });
    for (const id of ['x', '0'.repeat(32)]) {
      expect(await part('one', id, 1, 'x')).toMatchObject({ status: 404, code: 'NoSuchUpload' });
      expect(await complete('one', id, [[1, etag]])).toMatchObject({ status: 404, code: 'NoSuchUpload' });
    }
    const abort = { method: 'DELETE', path: `${bucket}/one?uploadId=${uploadId}` };
    expect((await client.send(abort)).status).toBe(204);
    expect(await client.send(abort)).toMatchObject({ status: 404, code: 'NoSuchUpload' });
    expect(await get('one')).toMatchObject({ status: 404 });
  });

  test('are completed on a condition', async () => {
    await put('one');
    const uploadId = await begin('one');
    await part('one', uploadId, 1, 'x');
    expect(await complete('one', uploadId, [[1, md5('x')]], { 'if-none-match': '*' })).toMatchObject({ status: 412 });
    expect(await complete('one', uploadId, [[1, md5('x')]])).toMatchObject({ status: 200 });
  });
});

describe('bodies', () => {
  const chunks = [randomBytes(100_000), randomBytes(8_192), randomBytes(5)];
  const whole = Buffer.concat(chunks);
  const crc64 = (body: Buffer) => {
    const digest = checksumDigest('x-amz-checksum-crc64nvme');
    digest.update(body);
    return digest.base64();
  };
  const streamed = (contentSha256: string, trailer?: string) => {
    const headers: Record<string, string> = {
      'x-amz-decoded-content-length': String(whole.length),
      'content-encoding': 'aws-chunked,gzip',
      ...(trailer === undefined ? {} : { 'x-amz-trailer': trailer }),
    };
    const sent = { method: 'PUT', path: `${bucket}/streamed`, headers, contentSha256 };
    return { sent, signed: client.sign(sent) };
  };
  const isThere = async () => (await get('streamed')).body.equals(whole);

  test('in signed chunks', async () => {
    const { sent, signed } = streamed('STREAMING-AWS4-HMAC-SHA256-PAYLOAD');
    const answer = await client.plain({ ...sent, headers: signed.headers, body: signedChunks(signed, chunks) });
    expect(answer.headers.etag).toBe(`"${md5(whole)}"`);
    expect(await isThere()).toBe(true);
    expect((await get('streamed')).headers).toMatchObject({ 'content-encoding': 'gzip' });
  });

  test('in signed chunks with a trailer', async () => {
    const { sent, signed } = streamed('STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER', 'x-amz-checksum-crc64nvme');
    const body = signedChunks(signed, chunks, { 'x-amz-checksum-crc64nvme': crc64(whole) });
    const answer = await client.plain({ ...sent, headers: signed.headers, body });
    expect(answer.headers).toMatchObject({ 'x-amz-checksum-crc64nvme': crc64(whole) });
    expect(await isThere()).toBe(true);
  });

  test('in unsigned chunks with a trailer', async () => {
    const { sent, signed } = streamed('STREAMING-UNSIGNED-PAYLOAD-TRAILER', 'x-amz-checksum-crc64nvme');
    const body = unsignedChunks(chunks, { 'x-amz-checksum-crc64nvme': crc64(whole) });
    expect(await client.plain({ ...sent, headers: signed.headers, body })).toMatchObject({ status: 200 });
    expect(await isThere()).toBe(true);
  });

  test.each([
    ['a wrong trailer', { 'x-amz-checksum-crc64nvme': 'AAAAAAAAAAA=' }, 'BadDigest'],
    ['another trailer', { 'x-amz-checksum-crc32': 'AAAAAA==' }, 'MalformedTrailerError'],
    ['no trailer', {}, 'MalformedTrailerError'],
    ['a malformed trailer', { 'x-amz-checksum-crc64nvme': '?' }, 'InvalidRequest'],
  ])('in chunks with %s leave nothing', async (_name, trailers, code) => {
    const { sent, signed } = streamed('STREAMING-UNSIGNED-PAYLOAD-TRAILER', 'x-amz-checksum-crc64nvme');
    const body = unsignedChunks(chunks, trailers as Record<string, string>);
    expect(await client.plain({ ...sent, headers: signed.headers, body })).toMatchObject({ status: 400, code });
    expect(await get('streamed')).toMatchObject({ status: 404, code: 'NoSuchKey' });
  });

  test('in chunks with a wrong signature leave nothing', async () => {
    const { sent, signed } = streamed('STREAMING-AWS4-HMAC-SHA256-PAYLOAD');
    const body = signedChunks(signed, chunks);
    body[60_000] = (body[60_000] ?? 0) ^ 1;
    const answer = await client.plain({ ...sent, headers: signed.headers, body });
    expect(answer).toMatchObject({ status: 403, code: 'SignatureDoesNotMatch' });
    expect(await get('streamed')).toMatchObject({ status: 404 });
  });

  test('in chunks with another length leave nothing', async () => {
    const { sent, signed } = streamed('STREAMING-AWS4-HMAC-SHA256-PAYLOAD');
    for (const other of [chunks.slice(0, 2), [...chunks.slice(0, 2), randomBytes(9_000)]]) {
      const body = signedChunks(signed, other);
      const answer = await client.plain({ ...sent, headers: signed.headers, body });
      expect(answer).toMatchObject({ status: 400, code: 'IncompleteBody' });
    }
    expect(await get('streamed')).toMatchObject({ status: 404 });
  });

  test.each([
    ['Content-MD5', { 'content-md5': Buffer.from(md5('other'), 'hex').toString('base64') }, 'BadDigest'],
    ['a malformed Content-MD5', { 'content-md5': 'x' }, 'InvalidDigest'],
    ['a checksum', { 'x-amz-checksum-crc32': 'AAAAAA==' }, 'BadDigest'],
    ['a malformed checksum', { 'x-amz-checksum-crc32': 'AAAA' }, 'InvalidRequest'],
    ['two checksums', { 'x-amz-checksum-crc32': 'AAAAAA==', 'x-amz-checksum-crc32c': 'AAAAAA==' }, 'InvalidRequest'],
    ['x-amz-content-sha256', { 'x-amz-content-sha256': sha256('other') }, 'XAmzContentSHA256Mismatch'],
    ['a malformed x-amz-content-sha256', { 'x-amz-content-sha256': 'other' }, 'InvalidArgument'],
  ])('with a wrong digest in %s leave nothing', async (_name, headers, code) => {
    const given = headers as Record<string, string>;
    const contentSha256 = given['x-amz-content-sha256'];
    const answer = await client.send({
      method: 'PUT',
      path: `${bucket}/one`,
      body: 'body',
      headers: given,
      ...(contentSha256 === undefined ? {} : { contentSha256 }),
    });
    expect(answer).toMatchObject({ status: 400, code });
    expect(await get('one')).toMatchObject({ status: 404 });
  });

  test('with right digests are accepted, and the checksum is returned', async () => {
    const digest = checksumDigest('x-amz-checksum-crc32c');
    digest.update(Buffer.from('body'));
    const headers = {
      'content-md5': Buffer.from(md5('body'), 'hex').toString('base64'),
      'x-amz-checksum-crc32c': digest.base64(),
    };
    expect(await put('one', 'body', headers)).toMatchObject({
      status: 200,
      headers: { 'x-amz-checksum-crc32c': digest.base64() },
    });
  });

  test('that are cut off leave nothing', async () => {
    const contentSha256 = 'UNSIGNED-PAYLOAD';
    const sent = { method: 'PUT', path: `${bucket}/cut`, contentSha256 };
    const headers = { ...client.sign(sent).headers, 'content-length': '1000000' };
    const request = client.open({ ...sent, headers });
    const failed = new Promise((resolve) => request.once('error', resolve));
    request.write(randomBytes(500_000));
    // The server reads the first half. Nothing signals this before the answer.
    await sleep(50);
    request.destroy();
    await failed;
    await stays('there is no object', 50, async () => (await get('cut')).status === 404);
    expect(await get('cut')).toMatchObject({ status: 404, code: 'NoSuchKey' });
  });

  test('of refused requests are not awaited, and the answer arrives', async () => {
    const body = randomBytes(900_000);
    const answer = await client.send({ method: 'PUT', path: '/no-such-bucket/one', body });
    expect(answer).toMatchObject({ status: 404, code: 'NoSuchBucket', headers: { connection: 'close' } });
  });

  test('without a length, or too long, are refused before they are sent', async () => {
    const sent = { method: 'PUT', path: `${bucket}/long`, contentSha256: 'UNSIGNED-PAYLOAD' };
    const { headers } = client.sign(sent);
    const chunked = { ...headers, 'transfer-encoding': 'chunked' };
    expect(await client.plain({ ...sent, headers: chunked, body: 'x' })).toMatchObject({
      status: 411,
      code: 'MissingContentLength',
    });
    const tooLong = client.open({
      ...sent,
      headers: { ...headers, 'content-length': String(5 * 1024 ** 3 + 1), expect: '100-continue' },
    });
    const wasAsked = new Promise((resolve) =>
      tooLong.once('continue', () => resolve(true)).once('response', (response) => resolve(response.statusCode)),
    );
    tooLong.flushHeaders();
    expect(await wasAsked).toBe(400);
    tooLong.destroy();
  });

  test('are requested only when the request is otherwise acceptable', async () => {
    const sent = { method: 'PUT', path: `${bucket}/continued`, contentSha256: 'UNSIGNED-PAYLOAD' };
    const ask = (path: string) => {
      const { headers } = client.sign({ ...sent, path });
      const request = client.open({
        ...sent,
        path,
        headers: { ...headers, 'content-length': '4', expect: '100-continue' },
      });
      request.flushHeaders();
      return new Promise<string>((resolve, reject) => {
        let asked = 'refused';
        request.once('error', reject);
        request.once('continue', () => {
          asked = 'asked';
          request.end('body');
        });
        request.once('response', (response) => {
          response.resume();
          resolve(`${asked}: ${response.statusCode}`);
          request.destroy();
        });
      });
    };
    expect(await ask(`${bucket}/continued`)).toBe('asked: 200');
    expect(await ask('/no-such-bucket/continued')).toBe('refused: 404');
    expect((await get('continued')).text).toBe('body');
  });
});

describe('authentication', () => {
  test('refuses callers without a signature, who learn nothing', async () => {
    for (const path of ['/', bucket, `${bucket}/one`, '/no-such-bucket']) {
      const answer = await client.plain({ method: 'GET', path });
      expect(answer).toMatchObject({ status: 403, code: 'AccessDenied', headers: { connection: 'close' } });
    }
  });

  test('refuses a key that is wrong, unknown, or of another region', async () => {
    const refusal = async (credentials: typeof aliceKey) =>
      (await s3.client(credentials).send({ method: 'GET', path: bucket })).code;
    expect(await refusal({ ...aliceKey, secret: 'wrong' })).toBe('SignatureDoesNotMatch');
    expect(await refusal({ ...aliceKey, accessKeyId: 'UNKNOWN' })).toBe('InvalidAccessKeyId');
    const late = await client.send({ method: 'GET', path: bucket, at: new Date(Date.now() - 20 * 60_000) });
    expect(late).toMatchObject({ status: 403, code: 'RequestTimeTooSkewed' });
    expect(late.text).toContain('<MaxAllowedSkewMilliseconds>900000</MaxAllowedSkewMilliseconds>');
  });

  test('lets a read-only key read, but not write', async () => {
    await put('one');
    const reader = s3.client(readerKey);
    expect((await reader.send({ method: 'GET', path: `${bucket}/one` })).text).toBe('one');
    const write = await reader.send({ method: 'PUT', path: `${bucket}/one`, body: 'two' });
    expect(write).toMatchObject({ status: 403, code: 'AccessDenied' });
  });

  test('accepts a token', async () => {
    const headers = { authorization: `Bearer ${aliceToken}` };
    expect(await client.plain({ method: 'PUT', path: `${bucket}/one`, headers, body: 'one' })).toMatchObject({
      status: 200,
    });
    expect((await client.plain({ method: 'GET', path: `${bucket}/one`, headers })).text).toBe('one');
    const wrong = { authorization: 'Bearer wrong' };
    expect(await client.plain({ method: 'GET', path: `${bucket}/one`, headers: wrong })).toMatchObject({ status: 403 });
    const chunked = { ...headers, 'x-amz-content-sha256': 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD' };
    const streamed = await client.plain({ method: 'PUT', path: `${bucket}/one`, headers: chunked, body: 'one' });
    expect(streamed).toMatchObject({ status: 400, code: 'InvalidRequest' });
  });

  test('accepts a presigned URL in a page of another origin: the browser may preflight, send and read; no other request gets such an answer', async () => {
    const origin = 'https://tidegate.example.com';
    const url = `${s3.url}${client.presign({ method: 'PUT', path: `${bucket}/from-a-page` })}`;
    const asked = await fetch(url, {
      ...{ method: 'OPTIONS', headers: { origin, 'access-control-request-method': 'PUT' } },
    });
    expect([asked.status, asked.headers.get('access-control-allow-origin')]).toEqual([204, '*']);
    expect(asked.headers.get('access-control-allow-methods')).toContain('PUT');
    const sent = await fetch(url, { method: 'PUT', headers: { origin }, body: 'hello' });
    expect([sent.status, sent.headers.get('access-control-allow-origin')]).toEqual([200, '*']);
    const removal = `${s3.url}${client.presign({ method: 'DELETE', path: `${bucket}/from-a-page` })}`;
    expect((await fetch(removal, { method: 'DELETE', headers: { origin } })).status).toBe(204);
    const plain = new URL(url);
    plain.search = '';
    const refused = await fetch(plain, {
      ...{ method: 'OPTIONS', headers: { origin, 'access-control-request-method': 'PUT' } },
    });
    expect(refused.status).toBeGreaterThanOrEqual(400);
    expect(refused.headers.get('access-control-allow-origin')).toBeNull();
  });

  test('accepts a presigned URL', async () => {
    const url = client.presign({ method: 'PUT', path: `${bucket}/signed` });
    expect(await client.plain({ method: 'PUT', path: url, body: 'body' })).toMatchObject({ status: 200 });
    const read = client.presign({ method: 'GET', path: `${bucket}/signed?response-content-type=text%2Fcsv` });
    expect((await client.plain({ method: 'GET', path: read })).headers['content-type']).toBe('text/csv');
    expect((await client.plain({ method: 'GET', path: `${read}x` })).status).toBe(400);
    expect((await client.plain({ method: 'DELETE', path: read })).code).toBe('SignatureDoesNotMatch');
    const added = { 'x-amz-copy-source': `${bucket}/one` };
    const copy = client.presign({ method: 'PUT', path: `${bucket}/other` });
    expect((await client.plain({ method: 'PUT', path: copy, headers: added })).code).toBe('AccessDenied');
    const old = client.presign({ method: 'GET', path: `${bucket}/signed`, at: new Date(Date.now() - 120_000) });
    expect((await client.plain({ method: 'GET', path: old })).code).toBe('AccessDenied');
    const long = client.presign({ method: 'GET', path: `${bucket}/signed` }, 8 * 24 * 3_600);
    expect((await client.plain({ method: 'GET', path: long })).code).toBe('AuthorizationQueryParametersError');
  });
});

describe('names', () => {
  test('of more than 1024 bytes are refused', async () => {
    expect((await put('x'.repeat(1_024))).status).toBe(200);
    expect(await put(encodeURIComponent('ä'.repeat(513)))).toMatchObject({ status: 400, code: 'KeyTooLongError' });
  });

  test('are literal: nothing is normalised', async () => {
    for (const key of ['/', '//', 'a/../b', './a', 'a//b', '%2e%2e', 'a%2Fb'])
      expect((await put(key, `at ${key}`)).status).toBe(200);
    for (const key of ['/', '//', 'a/../b', './a', 'a//b']) expect((await get(key)).text).toBe(`at ${key}`);
    expect((await get('a/b')).text).toBe('at a%2Fb');
    expect((await get('..')).text).toBe('at %2e%2e');
  });

  test.each(['%', '%zz', '%ff', '%c3', 'a%e2%82'])('that are not UTF-8 are refused: %s', async (key) => {
    const answer = await client.plain({ method: 'GET', path: `${bucket}/${key}` });
    expect(answer).toMatchObject({ status: 400, code: 'InvalidURI' });
  });

  test('of sources that are not percent-encoded are refused, because they would be other names', async () => {
    const raw = Buffer.from('création').toString('latin1');
    // The name that these bytes would be as characters.
    await put(encodeURIComponent(raw), 'another object');
    const copied = await client.send({
      ...{ method: 'PUT', path: `${bucket}/copy`, headers: { 'x-amz-copy-source': `${bucket}/${raw}` } },
    });
    expect(copied).toMatchObject({ status: 400, code: 'InvalidArgument' });
    expect((await get('copy')).status).toBe(404);
  });

  test('with NUL are refused', async () => {
    expect(await put('a%00b')).toMatchObject({ status: 400, code: 'InvalidArgument' });
  });
});

describe('headers', () => {
  test.each([
    ['x-amz-meta-long', 'x'.repeat(2_049), 400, 'MetadataTooLarge'],
    ['cache-control', 'x'.repeat(1_025), 400, 'InvalidArgument'],
    ['x-amz-meta-a', '\u00ff', 400, 'InvalidArgument'],
    ['x-amz-server-side-encryption', 'AES256', 501, 'NotImplemented'],
    ['x-amz-tagging', 'a=b', 501, 'NotImplemented'],
    ['x-amz-acl', 'public-read', 501, 'NotImplemented'],
    ['x-amz-storage-class', 'GLACIER', 400, 'InvalidStorageClass'],
    ['x-amz-acl', 'private', 200, undefined],
    ['x-amz-storage-class', 'STANDARD', 200, undefined],
  ])('%s: %.20s is answered %d', async (name, value, status, code) => {
    expect(await put('one', 'one', { [name]: value })).toMatchObject({ status, code });
  });

  test('that are too long, too many or not HTTP get S3 errors', async () => {
    const raw = (text: string) =>
      new Promise<string>((resolve) => {
        const { hostname, port } = new URL(s3.url);
        const socket = connect({ host: hostname, port: Number(port) }, () => socket.write(text));
        let answer = '';
        socket.on('data', (data) => {
          answer += data;
        });
        socket.once('close', () => resolve(answer));
        socket.on('error', () => undefined);
      });
    expect(await raw(`GET / HTTP/1.1\r\nhost: x\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`)).toContain(
      'RequestHeaderSectionTooLarge',
    );
    expect(await raw('nonsense\r\n\r\n')).toContain('<Code>InvalidRequest</Code>');
    expect(await raw(`GET /?${'a&'.repeat(100)} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`)).toContain(
      'InvalidURI',
    );
  });
});

describe('failures of the layer below', () => {
  test.each<[ObjectErrorCode, number, string, boolean]>([
    ['NO_QUORUM', 503, 'ServiceUnavailable', true],
    ['FATE_UNKNOWN', 503, 'ServiceUnavailable', true],
    ['ISOLATED', 503, 'ServiceUnavailable', true],
    ['DISK_FULL', 507, 'InsufficientStorage', false],
    ['NO_CONTAINER', 404, 'NoSuchBucket', false],
    ['NOT_ALLOWED', 403, 'AccessDenied', false],
    ['TOO_MANY_UPLOADS', 400, 'InvalidRequest', false],
  ])('%s is answered %d %s', async (refusal, status, code, mayTryAgain) => {
    s3.namespace.refuse(refusal, 'said the namespace');
    try {
      const answer = await put('one');
      expect(answer).toMatchObject({ status, code });
      expect(answer.headers['retry-after']).toBe(mayTryAgain ? '5' : undefined);
      expect(answer.text).toContain(refusal === 'FATE_UNKNOWN' ? 'unknown whether' : 'said the namespace');
    } finally {
      s3.namespace.refuse(undefined);
    }
  });

  test('an internal error leaks no secret', async () => {
    const { stat } = s3.namespace;
    s3.namespace.stat = async () => {
      throw new Error('secret');
    };
    try {
      const answer = await client.send({ method: 'GET', path: `${bucket}/one?acl` });
      expect(answer).toMatchObject({ status: 500, code: 'InternalError' });
      expect(answer.text).not.toContain('secret');
      expect(answer.text).toContain(String(answer.headers['x-amz-request-id']));
    } finally {
      s3.namespace.stat = stat;
    }
  });

  test('a fault of a presigned request is logged without its signature', async () => {
    const lines: string[] = [];
    const logged = await startS3({ log: pino({}, { write: (line: string) => void lines.push(line) }) });
    logged.namespace.get = async () => {
      throw new Error('a fault');
    };
    const path = logged.client().presign({ method: 'GET', path: '/photos/cat' });
    expect((await logged.client().plain({ method: 'GET', path })).status).toBe(500);
    await logged.server.stop();
    expect(lines.join('')).toContain('/photos/cat');
    expect(lines.join('')).not.toMatch(/X-Amz-|[0-9a-f]{64}/);
  });

  test('a copy that fails after its answer has begun is reported to the client, the log and the metrics', async () => {
    const served: ServedRequest[] = [];
    const slow = await startS3({ served: (request) => void served.push(request) });
    const copying = Promise.withResolvers<never>();
    const begun = Promise.withResolvers<void>();
    slow.namespace.copy = () => {
      begun.resolve();
      return copying.promise;
    };
    jest.useFakeTimers({
      doNotFake: [
        ...(['Date', 'hrtime', 'nextTick', 'performance', 'queueMicrotask', 'setImmediate'] as const),
        ...(['clearImmediate', 'setTimeout', 'clearTimeout'] as const),
      ],
    });
    try {
      const headers = { 'x-amz-copy-source': '/photos/cat' };
      const answer = slow.client().send({ method: 'PUT', path: '/photos/dog', headers });
      await begun.promise;
      jest.advanceTimersByTime(10_000);
      copying.reject(new ObjectError('NO_QUORUM', 'too few clusters'));
      expect(await answer).toMatchObject({ status: 200, code: 'ServiceUnavailable' });
      await waitFor('the request to be counted', async () => served.length > 0);
      expect(served).toMatchObject([{ operation: 'copyObject', status: 200, code: 'ServiceUnavailable' }]);
    } finally {
      jest.useRealTimers();
      await slow.server.stop();
    }
  });

  test('a body that fails after its head ends the connection', async () => {
    await put('one', randomBytes(3_000_000));
    const { get: whole } = s3.namespace;
    async function* broken(body: AsyncIterable<Buffer>) {
      for await (const piece of body) {
        yield piece;
        throw new Error('no replica is whole');
      }
    }
    s3.namespace.get = async (...args) => {
      const got = await whole.apply(s3.namespace, args);
      return { ...got, body: broken(got.body) };
    };
    try {
      await expect(client.send({ method: 'GET', path: `${bucket}/one` })).rejects.toThrow(/aborted|socket hang up/);
    } finally {
      s3.namespace.get = whole;
    }
    expect((await client.send({ method: 'HEAD', path: `${bucket}/one` })).status).toBe(200);
  });
});
