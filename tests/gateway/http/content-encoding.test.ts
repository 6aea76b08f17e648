// Compressed answers: the encoding that is chosen for an Accept-Encoding, and correct bytes, lengths and Vary headers.
// needs: processes
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { request } from 'undici';
import { AnswerCompressor, encodingFor } from '../../../gateway/http/content-encoding.ts';
import { TestGateway } from '../support/gateway.ts';

const script = `// ${'x'.repeat(2000)}`;
let folder: string;
let gateway: TestGateway;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidegate-encoding-'));
  await mkdir(join(folder, 'assets'));
  await writeFile(join(folder, 'assets', 'app-1a2b.js'), script);
  gateway = await new TestGateway('in-process').start({ staticFolder: folder, corsOrigins: ['https://app.example'] });
});
afterAll(async () => {
  await gateway.stop();
  await rm(folder, { recursive: true });
});

async function ask(acceptEncoding: string | undefined, query: string) {
  const response = await request(`${gateway.gateway.url}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: 'Bearer token-ann',
      ...(acceptEncoding === undefined ? {} : { 'accept-encoding': acceptEncoding }),
    },
    body: JSON.stringify({ query }),
  });
  return { headers: response.headers, bytes: Buffer.from(await response.body.arrayBuffer()) };
}

const decoders: Record<string, (bytes: Buffer) => Buffer> = {
  br: (bytes) => brotliDecompressSync(bytes),
  gzip: (bytes) => gunzipSync(bytes),
};
const large = '{ things(first: 100) { nodes { id name } } }';

describe('the choice', () => {
  test.each([
    [undefined, undefined],
    ['', undefined],
    ['identity', undefined],
    ['gzip', 'gzip'],
    ['gzip, deflate, br, zstd', 'br'],
    ['br;q=0.5, gzip', 'gzip'],
    ['br;q=0, *', 'gzip'],
    ['br;q=0, gzip;q=0, *', undefined],
    ['*', 'br'],
    ['*;q=0', undefined],
    ['GZIP;q=1.0', 'gzip'],
    ['gzip;q=0', undefined],
    ['identity;q=1, gzip;q=0.1', undefined],
    ['gzip;q=nonsense', undefined],
    ['deflate', undefined],
    [',;,=;q', undefined],
  ])('for %s is %s', (given, chosen) => {
    expect(encodingFor(given)).toBe(chosen);
  });

  test('is fast even for a header of the maximum length', () => {
    const flood = 'x;q=0.1,'.repeat(4000);
    const started = process.cpuUsage();
    encodingFor(flood);
    // CPU time, because a busy machine runs other processes too.
    expect(process.cpuUsage(started).user).toBeLessThan(100_000);
  });
});

test.each(['br', 'gzip'])('an answer above 1 KiB is sent as %s, complete and with its length', async (encoding) => {
  const plain = await ask(undefined, large);
  const packed = await ask(encoding, large);
  expect(packed.headers['content-encoding']).toBe(encoding);
  expect(packed.headers['content-length']).toBe(String(packed.bytes.length));
  expect(packed.bytes.length).toBeLessThan(plain.bytes.length / 3);
  const data = (bytes: Buffer | undefined) => JSON.parse(String(bytes)).data;
  expect(data(decoders[encoding]?.(packed.bytes))).toEqual(data(plain.bytes));
});

test('a small answer is not compressed, and caches learn that others are', async () => {
  const { headers } = await ask('br, gzip', '{ caller }');
  expect(headers['content-encoding']).toBeUndefined();
  expect(String(headers.vary)).toContain('origin');
  expect(String(headers.vary)).toContain('accept-encoding');
});

test('a file is sent compressed, and HEAD has the same headers', async () => {
  const url = `${gateway.gateway.url}/assets/app-1a2b.js`;
  for (const [given, encoding] of [
    ['gzip', 'gzip'],
    ['br;q=0.9, gzip;q=0.2', 'br'],
  ] as const) {
    const got = await request(url, { headers: { 'accept-encoding': given } });
    const bytes = Buffer.from(await got.body.arrayBuffer());
    expect(String(decoders[encoding]?.(bytes))).toBe(script);
    const head = await request(url, { method: 'HEAD', headers: { 'accept-encoding': given } });
    expect(await head.body.text()).toBe('');
    for (const name of ['content-length', 'content-encoding', 'etag', 'vary', 'content-type'])
      expect([name, head.headers[name]]).toEqual([name, got.headers[name]]);
    expect(got.headers['content-length']).toBe(String(bytes.length));
    expect(got.headers.vary).toContain('accept-encoding');
  }
});

test('while two answers are being compressed, further ones are sent uncompressed', async () => {
  const compressor = new AnswerCompressor();
  const body = 'x'.repeat(4096);
  const made = await Promise.all(Array.from({ length: 5 }, () => compressor.compress(body, 'gzip')));
  expect(made.map((each) => each?.encoding)).toEqual(['gzip', 'gzip', undefined, undefined, undefined]);
  expect((await compressor.compress(body, 'gzip'))?.encoding).toBe('gzip');
});
