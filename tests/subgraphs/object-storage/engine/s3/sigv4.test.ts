// Signature Version 4 against the examples in Amazon's public documentation (Amazon S3 API Reference, "Authenticating Requests").
import { describe, expect, test } from '@jest/globals';
import type { S3Error } from '../../../../../subgraphs/object-storage/engine/s3/errors.ts';
import { s3AddressOf } from '../../../../../subgraphs/object-storage/engine/s3/s3-address.ts';
import { RequestAuthenticator } from '../../../../../subgraphs/object-storage/engine/s3/sigv4/authenticate.ts';
import { decodeChunks } from '../../../../../subgraphs/object-storage/engine/s3/sigv4/chunks.ts';
import type { SignedRequest } from '../../../../../subgraphs/object-storage/rules/sigv4/canonical.ts';
import { deriveKey, SigningKeys } from '../../../../../subgraphs/object-storage/rules/sigv4/signing-keys.ts';

const accessKeyId = 'AKIAIOSFODNN7EXAMPLE';
const secret = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY';
const caller = { accountId: 'a'.repeat(32), canWrite: true, name: 'example' };
const signedAtMs = Date.UTC(2013, 4, 24);
const credential = `${accessKeyId}/20130524/us-east-1/s3/aws4_request`;
const emptySha256 = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

function authenticatorAt(nowMs: number): RequestAuthenticator {
  return new RequestAuthenticator({
    keys: { find: async (id) => (id === accessKeyId ? { secret, caller } : undefined) },
    tokens: { verify: async () => undefined },
    region: 'us-east-1',
    nowMs: () => nowMs,
  });
}

/** The examples address the bucket by its host name. Only path and query matter to the signature. */
function requestOf(method: string, url: string, headers: Record<string, string>): SignedRequest {
  const { pairs } = s3AddressOf(`/${url.slice(url.indexOf('?')).replace(/^[^?].*/, '')}`);
  const all = { host: 'examplebucket.s3.amazonaws.com', ...headers };
  return { method, rawPath: url.split('?')[0] ?? '', pairs, headers: new Map(Object.entries(all)) };
}

function signed(names: string, signature: string): string {
  return `AWS4-HMAC-SHA256 Credential=${credential},SignedHeaders=${names},Signature=${signature}`;
}

const date = { 'x-amz-date': '20130524T000000Z' };
const empty = { ...date, 'x-amz-content-sha256': emptySha256 };

const examples: readonly [string, SignedRequest][] = [
  [
    'GET object',
    requestOf('GET', '/test.txt', {
      ...empty,
      range: 'bytes=0-9',
      authorization: signed(
        'host;range;x-amz-content-sha256;x-amz-date',
        'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
      ),
    }),
  ],
  [
    'PUT object',
    requestOf('PUT', '/test%24file.text', {
      date: 'Fri, 24 May 2013 00:00:00 GMT',
      ...date,
      'x-amz-storage-class': 'REDUCED_REDUNDANCY',
      'x-amz-content-sha256': '44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072',
      authorization: signed(
        'date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class',
        '98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd',
      ),
    }),
  ],
  [
    'GET bucket lifecycle',
    requestOf('GET', '/?lifecycle', {
      ...empty,
      authorization: signed(
        'host;x-amz-content-sha256;x-amz-date',
        'fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543',
      ),
    }),
  ],
  [
    'list objects',
    requestOf('GET', '/?max-keys=2&prefix=J', {
      ...empty,
      authorization: signed(
        'host;x-amz-content-sha256;x-amz-date',
        '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7',
      ),
    }),
  ],
  [
    'a presigned URL',
    requestOf(
      'GET',
      `/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=${encodeURIComponent(credential)}&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404`,
      {},
    ),
  ],
];

async function refusalOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'nothing was refused',
    (error: S3Error) => error.code,
  );
}

describe('a signature', () => {
  test.each(examples)('of the example "%s" is right', async (_name, request) => {
    expect((await authenticatorAt(signedAtMs).authenticate(request)).caller).toBe(caller);
  });

  test.each(examples)('of the example "%s" is wrong when any signed part changes', async (_name, request) => {
    const authenticator = authenticatorAt(signedAtMs);
    const changed: SignedRequest[] = [
      { ...request, method: 'DELETE' },
      { ...request, rawPath: `${request.rawPath}x` },
      { ...request, pairs: [...request.pairs, ['acl', '']] },
      { ...request, headers: new Map([...request.headers, ['host', 'otherbucket.s3.amazonaws.com']]) },
    ];
    for (const each of changed) expect(await refusalOf(authenticator.authenticate(each))).toBe('SignatureDoesNotMatch');
  });

  test.each([
    [-15 * 60_000 - 1_000, 'RequestTimeTooSkewed'],
    [-14 * 60_000, 'nothing was refused'],
    [14 * 60_000, 'nothing was refused'],
    [15 * 60_000 + 1_000, 'RequestTimeTooSkewed'],
  ])('by a clock that is %d ms away: %s', async (awayMs, expected) => {
    const [, request] = examples[0] ?? never();
    expect(await refusalOf(authenticatorAt(signedAtMs + awayMs).authenticate(request))).toBe(expected);
  });

  test.each([
    [-16 * 60_000, 'AccessDenied'],
    [86_400_000, 'nothing was refused'],
    [86_401_000, 'AccessDenied'],
  ])('of a URL for a day, %d ms later: %s', async (laterMs, expected) => {
    const [, request] = examples[4] ?? never();
    expect(await refusalOf(authenticatorAt(signedAtMs + laterMs).authenticate(request))).toBe(expected);
  });

  test('leaves no header of S3 unsigned', async () => {
    const [, request] = examples[0] ?? never();
    const headers = new Map([...request.headers, ['x-amz-meta-added', 'x']]);
    expect(await refusalOf(authenticatorAt(signedAtMs).authenticate({ ...request, headers }))).toBe('AccessDenied');
  });
});

const malformedHeaders: readonly [string, string, string][] = [
  ['nothing', '', 'AccessDenied'],
  ['another scheme', 'Basic YTpi', 'InvalidRequest'],
  ['version 2', `AWS ${accessKeyId}:signature`, 'InvalidRequest'],
  ['an unknown token', 'Bearer token', 'AccessDenied'],
  ['no fields', 'AWS4-HMAC-SHA256 ', 'AuthorizationHeaderMalformed'],
  ['no signature', `AWS4-HMAC-SHA256 Credential=${credential},SignedHeaders=host`, 'AuthorizationHeaderMalformed'],
  ['a short signature', signed('host', 'abcd'), 'AuthorizationHeaderMalformed'],
  ['no host', signed('x-amz-date', '0'.repeat(64)), 'AuthorizationHeaderMalformed'],
  ['another region', signed('host', '0'.repeat(64)).replace('us-east-1', 'moon-1'), 'AuthorizationHeaderMalformed'],
  ['another day', signed('host', '0'.repeat(64)).replace('20130524', '20130523'), 'AuthorizationHeaderMalformed'],
  ['another service', signed('host', '0'.repeat(64)).replace('/s3/', '/ec2/'), 'AuthorizationHeaderMalformed'],
  ['an unknown key', signed('host', '0'.repeat(64)).replace(accessKeyId, 'UNKNOWN'), 'AccessDenied'],
  ['a wrong signature', signed('host;x-amz-content-sha256;x-amz-date', '0'.repeat(64)), 'SignatureDoesNotMatch'],
];

test.each(malformedHeaders)('an Authorization header with %s is refused', async (_name, authorization, expected) => {
  const headers = authorization === '' ? empty : { ...empty, authorization };
  const refusal = await refusalOf(authenticatorAt(signedAtMs).authenticate(requestOf('GET', '/test.txt', headers)));
  expect([expected, expected === 'AccessDenied' ? 'InvalidAccessKeyId' : expected]).toContain(refusal);
});

test('a URL presigned with version 2 is refused, and the refusal names the version to use instead', async () => {
  const old = requestOf('GET', `/test.txt?AWSAccessKeyId=${accessKeyId}&Signature=x&Expires=1`, {});
  await expect(authenticatorAt(signedAtMs).authenticate(old)).rejects.toThrow('use AWS4-HMAC-SHA256');
});

test('signing keys are cached by key, day and secret', () => {
  const keys = new SigningKeys();
  const first = keys.of(accessKeyId, secret, '20130524', 'us-east-1');
  expect(keys.of(accessKeyId, secret, '20130524', 'us-east-1')).toBe(first);
  expect(keys.of(accessKeyId, secret, '20130525', 'us-east-1').equals(first)).toBe(false);
  const other = keys.of(accessKeyId, 'another', '20130524', 'us-east-1');
  expect(other.equals(deriveKey('another', '20130524', 'us-east-1'))).toBe(true);
});

describe('a body of chunks', () => {
  const key = deriveKey(secret, '20130524', 'us-east-1');
  const scope = '20130524/us-east-1/s3/aws4_request';
  const data = Buffer.alloc(66_560, 'a');
  const signer = (seed: string) => ({ key, timestamp: '20130524T000000Z', scope, seed });
  const seed = '4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9';
  const chunk = (size: number, signature: string) =>
    `${size.toString(16)};chunk-signature=${signature}\r\n${'a'.repeat(size)}\r\n`;
  const example = [
    chunk(65_536, 'ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648'),
    chunk(1_024, '0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497'),
    '0;chunk-signature=b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9\r\n\r\n',
  ].join('');
  const trailerSeed = '106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e';
  const trailerLine = 'x-amz-checksum-crc32c:sOO8/Q==';
  const withTrailer = [
    chunk(65_536, 'b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2'),
    chunk(1_024, '1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7'),
    '0;chunk-signature=2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992\r\n',
    `${trailerLine}\r\n`,
    'x-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n\r\n',
  ].join('');

  async function decode(text: string | Buffer, options: Parameters<typeof decodeChunks>[1], pieceBytes = 65_536) {
    const bytes = Buffer.from(text);
    async function* source() {
      for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
    }
    const found: Buffer[] = [];
    for await (const piece of decodeChunks(source(), options)) found.push(Buffer.from(piece));
    return Buffer.concat(found);
  }

  test.each([1, 2, 7, 89, 1_000, 65_536, 100_000])('is decoded from pieces of %d bytes', async (pieceBytes) => {
    expect((await decode(example, { signer: signer(seed) }, pieceBytes)).equals(data)).toBe(true);
  });

  test.each([
    ['the first chunk', example.replace('ad80', 'ad81'), 'SignatureDoesNotMatch'],
    ['the last chunk', example.replace('b6c6', 'b6c7'), 'SignatureDoesNotMatch'],
    ['the data', example.replace('aaaa\r\n', 'aaab\r\n'), 'SignatureDoesNotMatch'],
    ['the size', example.replace('10000;', '1000000000;'), 'IncompleteBody'],
    ['the size to more digits than any', example.replace('10000;', '10000000000;'), 'IncompleteBody'],
    ['its head to a long one', example.replace('10000;', `10000;x=${'y'.repeat(200)};`), 'IncompleteBody'],
    ['the end, which is missing', example.slice(0, -90), 'IncompleteBody'],
    ['the end, to which more is added', `${example}GET / HTTP/1.1\r\n`, 'IncompleteBody'],
    ['its head to one without signature', '5\r\naaaaa\r\n0\r\n\r\n', 'IncompleteBody'],
    [
      'its end to one with a trailer',
      example.replace(/\r\n$/, 'x-amz-checksum-crc32:AAAAAA==\r\n\r\n'),
      'MalformedTrailerError',
    ],
  ])('with a change of %s is refused', async (_name, text, expected) => {
    for (const pieceBytes of [10, 65_536])
      expect(await refusalOf(decode(text, { signer: signer(seed) }, pieceBytes))).toBe(expected);
  });

  test('is refused when the chain begins with another signature', async () => {
    expect(await refusalOf(decode(example, { signer: signer(trailerSeed) }))).toBe('SignatureDoesNotMatch');
  });

  test('has signed trailers', async () => {
    for (const text of [withTrailer, withTrailer.replace(`${trailerLine}\r\n`, `${trailerLine}\n\r\n`)]) {
      const trailers: ReadonlyMap<string, string>[] = [];
      const options = {
        signer: signer(trailerSeed),
        onTrailers: (each: ReadonlyMap<string, string>) => trailers.push(each),
      };
      expect((await decode(text, options, 100)).equals(data)).toBe(true);
      expect(trailers).toEqual([new Map([['x-amz-checksum-crc32c', 'sOO8/Q==']])]);
    }
  });

  test.each([
    ['another trailer', withTrailer.replace('sOO8', 'sOO9'), 'SignatureDoesNotMatch'],
    ['a trailer more', withTrailer.replace(trailerLine, `${trailerLine}\r\nx:y`), 'SignatureDoesNotMatch'],
    ['no signature', withTrailer.replace(/x-amz-trailer-signature.*\r\n/, ''), 'IncompleteBody'],
    ['a trailer behind the signature', withTrailer.replace(/\r\n$/, 'x:y\r\n\r\n'), 'MalformedTrailerError'],
    ['trailers without end', withTrailer.replace(trailerLine, `x:${'y'.repeat(3_000)}`), 'IncompleteBody'],
  ])('with %s is refused', async (_name, text, expected) => {
    const options = { signer: signer(trailerSeed), onTrailers: () => undefined };
    expect(await refusalOf(decode(text, options, 100))).toBe(expected);
  });

  test('without signatures has trailers too', async () => {
    const trailers: ReadonlyMap<string, string>[] = [];
    const onTrailers = (each: ReadonlyMap<string, string>) => trailers.push(each);
    const body = '3\r\nabc\r\n2\r\nde\r\n0\r\nX-Amz-Checksum-Crc32:AAAAAA==\r\n\r\n';
    for (const text of [body, `${body}\r\n`]) expect((await decode(text, { onTrailers }, 3)).toString()).toBe('abcde');
    expect(trailers[0]).toEqual(new Map([['x-amz-checksum-crc32', 'AAAAAA==']]));
    expect((await decode('0\r\n\r\n', { onTrailers })).length).toBe(0);
    expect(await refusalOf(decode('3;chunk-signature=00\r\nabc\r\n0\r\n\r\n', { onTrailers }))).toBe('IncompleteBody');
  });

  test('with small signed chunks in the middle is refused', async () => {
    const small = 'bd8e0000000000000000000000000000000000000000000000000000000000aa';
    // The signature of a chunk is checked before the next one begins.
    expect(await refusalOf(decode(chunk(10, small), { signer: signer(seed) }))).toBe('SignatureDoesNotMatch');
  });
});

function never(): never {
  throw new Error('there is no such example');
}
