// The required behaviour of every namespace, run against the one in memory and against a real cluster.
import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type {
  Caller,
  CompletionLimits,
  Conditions,
  ContainerQuery,
  Listing,
  ListQuery,
  Namespace,
  ObjectHeaders,
  Upload,
  UploadedPart,
} from '../../../subgraphs/object-storage/engine/namespace/namespace.ts';
import type { ObjectErrorCode } from '../../../subgraphs/object-storage/wire/object-error.ts';

interface TestedNamespace {
  readonly namespace: Namespace;
  readonly caller: Caller;
  /** A caller of another account. */
  readonly stranger: Caller;
  stop?(): Promise<void>;
}

const allContainers = { prefix: '', after: '', limit: 10_000 };
const plainHeaders: ObjectHeaders = { contentType: 'text/plain', metadata: {} };

function uploadOf(...parts: readonly (string | Buffer)[]): Upload {
  const body = parts.map((part) => Buffer.from(part));
  return { sizeBytes: Buffer.concat(body).length, body: piecesOf(body) };
}

async function* piecesOf(parts: readonly Buffer[]): AsyncGenerator<Buffer> {
  yield* parts;
}

async function readAll(body: AsyncIterable<Buffer>): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of body) pieces.push(piece);
  return Buffer.concat(pieces);
}

export function md5(body: string | Buffer): string {
  return createHash('md5').update(body).digest('hex');
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'nothing was refused',
    (error: Error & { readonly code?: ObjectErrorCode }) => error.code ?? String(error),
  );
}

const MiB = 1024 * 1024;

export function namespaceContract(name: string, start: () => Promise<TestedNamespace>): void {
  describe(`${name} meets the contract of the namespace port`, () => {
    let tested: TestedNamespace;
    let namespace: Namespace;
    let caller: Caller;
    beforeAll(async () => {
      tested = await start();
      ({ namespace, caller } = tested);
    });
    afterAll(() => tested?.stop?.());

    let made = 0;
    const container = async (): Promise<string> => {
      made += 1;
      const { name: created } = await namespace.createContainer(caller, `contract-${made}`);
      return created;
    };
    const put = (bucket: string, key: string, body: string | Buffer = key) =>
      namespace.put(caller, bucket, key, uploadOf(body), plainHeaders);
    const bodyOf = async (bucket: string, key: string) =>
      (await readAll((await namespace.get(caller, bucket, key)).body)).toString();

    describe('containers', () => {
      test('are created once, listed and deleted', async () => {
        const bucket = await container();
        expect(await codeOf(namespace.createContainer(caller, bucket))).toBe('CONTAINER_EXISTS');
        const stat = await namespace.statContainer(caller, bucket);
        expect(stat).toMatchObject({ name: bucket, id: expect.stringMatching(/^[0-9a-f]{32}$/) });
        expect((await namespace.containers(caller, allContainers)).map((each) => each.name)).toContain(bucket);
        await namespace.deleteContainer(caller, bucket);
        expect(await codeOf(namespace.statContainer(caller, bucket))).toBe('NO_CONTAINER');
        expect((await namespace.containers(caller, allContainers)).map((each) => each.name)).not.toContain(bucket);
      });

      test('are listed in the order of their names, in pages, with a prefix', async () => {
        const names = ['pages-b', 'pages-a', 'pages.c', 'pages-aa', 'other-pages'];
        for (const each of names) await namespace.createContainer(caller, each);
        const listed = async (query: Partial<ContainerQuery>) =>
          (await namespace.containers(caller, { ...allContainers, prefix: 'pages', ...query })).map(
            (each) => each.name,
          );
        expect(await listed({})).toEqual(['pages-a', 'pages-aa', 'pages-b', 'pages.c']);
        expect(await listed({ limit: 2 })).toEqual(['pages-a', 'pages-aa']);
        expect(await listed({ limit: 2, after: 'pages-aa' })).toEqual(['pages-b', 'pages.c']);
        expect(await listed({ after: 'pages.c' })).toEqual([]);
        await namespace.deleteContainer(caller, 'pages-a');
        expect(await listed({ limit: 1 })).toEqual(['pages-aa']);
      });

      test('with a nonexistent option are refused', async () => {
        const created = namespace.createContainer(caller, 'contract-option', { option: 'no-such-option' });
        expect(await codeOf(created)).toBe('NO_OPTION');
      });

      test('that are not empty stay', async () => {
        const bucket = await container();
        await put(bucket, 'one');
        expect(await codeOf(namespace.deleteContainer(caller, bucket))).toBe('CONTAINER_NOT_EMPTY');
        await namespace.delete(caller, bucket, 'one');
        await namespace.deleteContainer(caller, bucket);
      });

      test('deleted and created again are empty', async () => {
        const bucket = await container();
        await put(bucket, 'one');
        await namespace.delete(caller, bucket, 'one');
        await namespace.deleteContainer(caller, bucket);
        await namespace.createContainer(caller, bucket);
        expect(await codeOf(namespace.stat(caller, bucket, 'one'))).toBe('NO_OBJECT');
      });

      test('of another account look nonexistent', async () => {
        const bucket = await container();
        await put(bucket, 'one');
        const { stranger } = tested;
        expect(await codeOf(namespace.statContainer(stranger, bucket))).toBe('NO_CONTAINER');
        expect(await codeOf(namespace.get(stranger, bucket, 'one'))).toBe('NO_CONTAINER');
        expect(await codeOf(namespace.put(stranger, bucket, 'one', uploadOf('x'), plainHeaders))).toBe('NO_CONTAINER');
        expect(await codeOf(namespace.delete(stranger, bucket, 'one'))).toBe('NO_CONTAINER');
        expect(await codeOf(namespace.deleteContainer(stranger, bucket))).toBe('NO_CONTAINER');
        const query = { prefix: '', delimiter: '', after: '', limit: 10 };
        expect(await codeOf(namespace.list(stranger, bucket, query))).toBe('NO_CONTAINER');
        expect(await bodyOf(bucket, 'one')).toBe('one');
      });

      test("can't be changed by read-only callers", async () => {
        const bucket = await container();
        await put(bucket, 'one');
        const reader = { ...caller, canWrite: false };
        expect(await codeOf(namespace.put(reader, bucket, 'one', uploadOf('x'), plainHeaders))).toBe('NOT_ALLOWED');
        expect(await codeOf(namespace.delete(reader, bucket, 'one'))).toBe('NOT_ALLOWED');
        expect(await codeOf(namespace.createContainer(reader, 'contract-reader'))).toBe('NOT_ALLOWED');
        expect(await codeOf(namespace.beginUpload(reader, bucket, 'one', plainHeaders))).toBe('NOT_ALLOWED');
        expect((await namespace.stat(reader, bucket, 'one')).sizeBytes).toBe(3);
      });
    });

    describe('objects', () => {
      test('keep their bytes, headers and entity tag', async () => {
        const bucket = await container();
        const headers: ObjectHeaders = {
          contentType: 'image/jpeg',
          cacheControl: 'no-cache',
          contentDisposition: 'attachment; filename="ä.jpg"',
          contentEncoding: 'gzip',
          contentLanguage: 'de',
          expires: 'Thu, 01 Dec 2033 16:00:00 GMT',
          metadata: { colour: 'grün', 'two-words': 'a b' },
        };
        const written = await namespace.put(caller, bucket, 'cat.jpg', uploadOf('ab', 'cd'), headers);
        const stat = await namespace.stat(caller, bucket, 'cat.jpg');
        expect(stat).toMatchObject({ ...headers, name: 'cat.jpg', sizeBytes: 4, etag: md5('abcd') });
        expect(stat).toEqual(written);
        const read = await namespace.get(caller, bucket, 'cat.jpg');
        expect(read.stat).toEqual(stat);
        expect((await readAll(read.body)).toString()).toBe('abcd');
      });

      test.each([0, 1, 4_096, 4_097, 3 * MiB + 17])('of %d bytes come back as they were', async (sizeBytes) => {
        const bucket = await container();
        const body = randomBytes(sizeBytes);
        expect((await put(bucket, 'bytes', body)).etag).toBe(md5(body));
        const read = await namespace.get(caller, bucket, 'bytes');
        expect((await readAll(read.body)).equals(body)).toBe(true);
      });

      test.each([
        [0, 0],
        [1, 4],
        [MiB - 1, MiB],
        [2 * MiB + 5, 3 * MiB + 16],
        [3 * MiB + 16, 3 * MiB + 16],
      ])('are read from byte %d to %d', async (firstByte, lastByte) => {
        const bucket = await container();
        const body = randomBytes(3 * MiB + 17);
        await put(bucket, 'bytes', body);
        const sizes: number[] = [];
        const range = (sizeBytes: number) => {
          sizes.push(sizeBytes);
          return { firstByte, lastByte };
        };
        const read = await namespace.get(caller, bucket, 'bytes', { range });
        expect(read.range).toEqual({ firstByte, lastByte });
        expect(sizes).toEqual([body.length]);
        expect((await readAll(read.body)).equals(body.subarray(firstByte, lastByte + 1))).toBe(true);
      });

      test('are not read when the range refuses', async () => {
        const bucket = await container();
        await put(bucket, 'one');
        const refuse = () => {
          throw new Error('refused');
        };
        await expect(namespace.get(caller, bucket, 'one', { range: refuse })).rejects.toThrow('refused');
        const all = await namespace.get(caller, bucket, 'one', { range: () => undefined });
        expect(all.range).toBeUndefined();
        expect((await readAll(all.body)).toString()).toBe('one');
      });

      test('that do not exist are not found, and deleting them is not an error', async () => {
        const bucket = await container();
        expect(await codeOf(namespace.stat(caller, bucket, 'none'))).toBe('NO_OBJECT');
        expect(await codeOf(namespace.get(caller, bucket, 'none'))).toBe('NO_OBJECT');
        await namespace.delete(caller, bucket, 'none');
        expect(await codeOf(namespace.delete(caller, 'contract-none', 'none'))).toBe('NO_CONTAINER');
        expect(await codeOf(put('contract-none', 'none'))).toBe('NO_CONTAINER');
      });

      test('are replaced, with a later version', async () => {
        const bucket = await container();
        const first = await put(bucket, 'one', 'first');
        const second = await put(bucket, 'one', 'second');
        expect(second.version > first.version).toBe(true);
        expect(await bodyOf(bucket, 'one')).toBe('second');
        await namespace.delete(caller, bucket, 'one');
        expect(await codeOf(namespace.stat(caller, bucket, 'one'))).toBe('NO_OBJECT');
      });

      test('whose body fails leave nothing, and the existing object stays', async () => {
        const bucket = await container();
        await put(bucket, 'there');
        async function* broken(): AsyncGenerator<Buffer> {
          yield randomBytes(MiB);
          throw new Error('the digest is wrong');
        }
        for (const key of ['there', 'new']) {
          const upload = { sizeBytes: 2 * MiB, body: broken() };
          await expect(namespace.put(caller, bucket, key, upload, plainHeaders)).rejects.toThrow('the digest is wrong');
        }
        expect(await bodyOf(bucket, 'there')).toBe('there');
        expect(await codeOf(namespace.stat(caller, bucket, 'new'))).toBe('NO_OBJECT');
      });

      test('whose body is shorter than its length leave nothing', async () => {
        const bucket = await container();
        const upload = { ...uploadOf('abc'), sizeBytes: 4 };
        expect(await codeOf(namespace.put(caller, bucket, 'short', upload, plainHeaders))).toBe('BODY_CUT_OFF');
        expect(await codeOf(namespace.stat(caller, bucket, 'short'))).toBe('NO_OBJECT');
      });

      test('have names of 1 to 1024 bytes without NUL', async () => {
        const bucket = await container();
        for (const name of ['', '\0hidden', 'a\0b', 'ä'.repeat(513)])
          expect(await codeOf(put(bucket, name))).toBe('INVALID_NAME');
        const names = ['ä'.repeat(512), ' ', 'a ', 'a', '/', '//', '../..', 'a%2Fb', 'a+b', '\u{1f600}', '\u0001', 'A'];
        for (const name of names) await put(bucket, name);
        for (const name of names) expect(await bodyOf(bucket, name)).toBe(name);
      });
    });

    describe('conditions', () => {
      test('a write that requires a free name has one winner', async () => {
        const bucket = await container();
        const results = await Promise.all(
          Array.from({ length: 8 }, (_, at) =>
            codeOf(namespace.put(caller, bucket, 'one', uploadOf(`${at}`), plainHeaders, { ifNoneMatch: ['*'] })),
          ),
        );
        expect(results.filter((result) => result === 'nothing was refused')).toHaveLength(1);
        expect(await bodyOf(bucket, 'one')).toBe(`${results.indexOf('nothing was refused')}`);
      });

      test('a write that requires an entity tag needs it', async () => {
        const bucket = await container();
        const write = (body: string, ...ifMatch: readonly string[]) =>
          codeOf(namespace.put(caller, bucket, 'one', uploadOf(body), plainHeaders, { ifMatch }));
        expect(await write('first', md5('none'))).toBe('NO_OBJECT');
        await put(bucket, 'one', 'first');
        expect(await write('second', md5('other'))).toBe('PRECONDITION_FAILED');
        expect(await write('second', md5('other'), md5('first'))).toBe('nothing was refused');
        expect(await write('third', '*')).toBe('nothing was refused');
        expect(await bodyOf(bucket, 'one')).toBe('third');
      });

      test('a deleted object counts as missing', async () => {
        const bucket = await container();
        await put(bucket, 'one');
        await namespace.delete(caller, bucket, 'one');
        const again = namespace.put(caller, bucket, 'one', uploadOf('again'), plainHeaders, { ifNoneMatch: ['*'] });
        expect((await again).etag).toBe(md5('again'));
      });

      test('the failed condition of a read is reported, in the order of RFC 9110', async () => {
        const bucket = await container();
        const { modifiedAt, etag } = await put(bucket, 'one');
        const before = new Date(modifiedAt.getTime() - 2_000);
        const after = new Date(modifiedAt.getTime() + 2_000);
        const read = async (conditions: Conditions) => {
          const codes = [
            await codeOf(namespace.stat(caller, bucket, 'one', conditions)),
            await codeOf(namespace.get(caller, bucket, 'one', { conditions })),
          ];
          expect(codes[0]).toBe(codes[1]);
          return codes[0];
        };
        expect(await read({ ifMatch: ['other'] })).toBe('PRECONDITION_FAILED');
        expect(await read({ ifMatch: ['other', etag] })).toBe('nothing was refused');
        expect(await read({ ifMatch: ['*'], ifUnmodifiedSince: before })).toBe('nothing was refused');
        expect(await read({ ifUnmodifiedSince: before })).toBe('PRECONDITION_FAILED');
        expect(await read({ ifUnmodifiedSince: after })).toBe('nothing was refused');
        expect(await read({ ifNoneMatch: [etag] })).toBe('NOT_MODIFIED');
        expect(await read({ ifNoneMatch: ['*'] })).toBe('NOT_MODIFIED');
        expect(await read({ ifNoneMatch: ['other'], ifModifiedSince: after })).toBe('nothing was refused');
        expect(await read({ ifModifiedSince: after })).toBe('NOT_MODIFIED');
        expect(await read({ ifModifiedSince: before })).toBe('nothing was refused');
        expect(await read({ ifMatch: ['other'], ifNoneMatch: [etag] })).toBe('PRECONDITION_FAILED');
      });

      test('a deletion may have a condition', async () => {
        const bucket = await container();
        await put(bucket, 'one');
        const conditions = { ifMatch: [md5('other')] };
        expect(await codeOf(namespace.delete(caller, bucket, 'one', conditions))).toBe('PRECONDITION_FAILED');
        await namespace.delete(caller, bucket, 'one', { ifMatch: [md5('one')] });
        expect(await codeOf(namespace.stat(caller, bucket, 'one'))).toBe('NO_OBJECT');
      });
    });

    describe('copies', () => {
      test('keep the bytes, and optionally the headers', async () => {
        const bucket = await container();
        const other = await container();
        const headers = { contentType: 'image/png', metadata: { a: '1' } };
        const body = randomBytes(2 * MiB);
        await namespace.put(caller, bucket, 'one', uploadOf(body), headers);
        const from = { container: bucket, name: 'one' };
        const kept = await namespace.copy(caller, from, { container: other, name: 'two' }, 'KEEP');
        expect(kept).toMatchObject({ ...headers, etag: md5(body), sizeBytes: body.length });
        const replaced = { contentType: 'text/plain', metadata: { b: '2' } };
        await namespace.copy(caller, from, from, replaced);
        expect(await namespace.stat(caller, bucket, 'one')).toMatchObject(replaced);
        await namespace.delete(caller, bucket, 'one');
        const read = await namespace.get(caller, other, 'two');
        expect((await readAll(read.body)).equals(body)).toBe(true);
      });

      test('check the conditions of both sides', async () => {
        const bucket = await container();
        await put(bucket, 'one');
        await put(bucket, 'two');
        const to = { container: bucket, name: 'two' };
        const copy = (ifMatch: string, ifNoneMatch?: string) => {
          const from = { container: bucket, name: 'one', conditions: { ifMatch: [ifMatch] } };
          const conditions = ifNoneMatch === undefined ? undefined : { ifNoneMatch: [ifNoneMatch] };
          return codeOf(namespace.copy(caller, from, to, 'KEEP', conditions));
        };
        expect(await copy(md5('other'))).toBe('PRECONDITION_FAILED');
        expect(await copy(md5('one'), '*')).toBe('PRECONDITION_FAILED');
        expect(await bodyOf(bucket, 'two')).toBe('two');
        expect(await copy(md5('one'))).toBe('nothing was refused');
        expect(await bodyOf(bucket, 'two')).toBe('one');
        const missing = namespace.copy(caller, { container: bucket, name: 'none' }, to, 'KEEP');
        expect(await codeOf(missing)).toBe('NO_OBJECT');
      });
    });

    describe('listings', () => {
      // In the order of their UTF-8 bytes. UTF-16 reverses the last two.
      const names = ['A', 'a', 'a ', 'a-b', 'a/', 'a/1', 'a/2/x', 'a/2/y', 'b', 'dir/x', 'ä', '\uffee', '\u{1f600}'];
      let bucket = '';
      beforeAll(async () => {
        bucket = await container();
        for (const name of [...names].reverse()) await put(bucket, name);
        await put(bucket, 'deleted');
        await namespace.delete(caller, bucket, 'deleted');
        await namespace.beginUpload(caller, bucket, 'unfinished', plainHeaders);
      });
      const list = (query: Partial<ListQuery>): Promise<Listing> =>
        namespace.list(caller, bucket, { prefix: '', delimiter: '', after: '', limit: 1_000, ...query });
      const shown = ({ objects, prefixes }: Listing) => [...objects.map((each) => each.name), ...prefixes];

      test('have all names once, in the order of their bytes', async () => {
        const listing = await list({});
        expect(shown(listing)).toEqual(names);
        expect(listing.isTruncated).toBe(false);
        expect(listing.objects[1]).toMatchObject({
          name: 'a',
          sizeBytes: 1,
          etag: md5('a'),
          contentType: 'text/plain',
        });
      });

      test.each([1, 2, 3, 5, 12, 13])('come in pages of %d', async (limit) => {
        for (const delimiter of ['', '/']) {
          const whole = shown(await list({ delimiter })).sort();
          const found: string[] = [];
          let page = await list({ delimiter, limit });
          for (;;) {
            const entries = shown(page);
            expect(entries.length).toBeLessThanOrEqual(limit);
            found.push(...entries);
            if (!page.isTruncated) break;
            expect(entries.length).toBeGreaterThan(0);
            page = await list({ delimiter, limit, after: page.next });
          }
          expect(found.sort()).toEqual(whole);
        }
      });

      test('of nothing are empty and complete', async () => {
        expect(await list({ limit: 0 })).toMatchObject({ objects: [], prefixes: [], isTruncated: false });
      });

      test('obey the prefix, the delimiter and the name to begin after', async () => {
        expect(shown(await list({ prefix: 'a/' }))).toEqual(['a/', 'a/1', 'a/2/x', 'a/2/y']);
        const top = await list({ delimiter: '/' });
        expect(top.objects.map((each) => each.name)).toEqual(names.filter((each) => !each.includes('/')));
        expect(top.prefixes).toEqual(['a/', 'dir/']);
        const inside = await list({ prefix: 'a/', delimiter: '/' });
        expect(inside.objects.map((each) => each.name)).toEqual(['a/', 'a/1']);
        expect(inside.prefixes).toEqual(['a/2/']);
        expect(shown(await list({ after: 'b' }))).toEqual(names.slice(names.indexOf('b') + 1));
        expect(shown(await list({ after: 'a/2/xx', prefix: 'a' }))).toEqual(['a/2/y']);
        expect(shown(await list({ prefix: 'none' }))).toEqual([]);
        expect((await list({ delimiter: '-' })).prefixes).toEqual(['a-']);
      });

      test('continue behind a prefix that they ended with, and show one that they begin within', async () => {
        expect((await list({ delimiter: '/', after: 'a/' })).prefixes).toEqual(['dir/']);
        expect((await list({ delimiter: '/', after: 'a/1' })).prefixes).toEqual(['a/', 'dir/']);
      });
    });

    describe('multipart uploads', () => {
      test('become one object of their parts', async () => {
        const bucket = await container();
        const headers = { contentType: 'video/mp4', metadata: { a: '1' } };
        const uploadId = await namespace.beginUpload(caller, bucket, 'film', headers);
        expect(uploadId).toMatch(/^[0-9a-f]{32}$/);
        const bodies = [randomBytes(5 * MiB), randomBytes(5 * MiB + 3), randomBytes(7)];
        for (const at of [2, 0, 1]) {
          const body = bodies[at] ?? Buffer.alloc(0);
          const part = await namespace.putPart(caller, bucket, 'film', uploadId, at * 10 + 1, uploadOf(body));
          expect(part).toMatchObject({ etag: md5(body), sizeBytes: body.length });
        }
        expect(await codeOf(namespace.stat(caller, bucket, 'film'))).toBe('NO_OBJECT');
        const parts = bodies.map((body, at) => ({ part: at * 10 + 1, etag: md5(body) }));
        const stat = await namespace.completeUpload(caller, bucket, 'film', uploadId, parts);
        const digests = Buffer.concat(bodies.map((body) => Buffer.from(md5(body), 'hex')));
        expect(stat).toMatchObject({ ...headers, etag: `${md5(digests)}-3`, sizeBytes: 10 * MiB + 10, parts: 3 });
        const whole = Buffer.concat(bodies);
        const read = await namespace.get(caller, bucket, 'film');
        expect((await readAll(read.body)).equals(whole)).toBe(true);
        const range = () => ({ firstByte: 5 * MiB - 2, lastByte: 10 * MiB + 5 });
        const across = await namespace.get(caller, bucket, 'film', { range });
        expect((await readAll(across.body)).equals(whole.subarray(5 * MiB - 2, 10 * MiB + 6))).toBe(true);
        expect(await codeOf(namespace.listParts(caller, bucket, 'film', uploadId, 0, 10))).toBe('NO_UPLOAD');
      });

      test('list their parts; the latest part with a number counts', async () => {
        const bucket = await container();
        const uploadId = await namespace.beginUpload(caller, bucket, 'one', plainHeaders);
        for (const part of [3, 1, 2]) await namespace.putPart(caller, bucket, 'one', uploadId, part, uploadOf('first'));
        await namespace.putPart(caller, bucket, 'one', uploadId, 2, uploadOf('second'));
        const page = await namespace.listParts(caller, bucket, 'one', uploadId, 0, 2);
        expect(page.parts.map(({ part, etag }) => [part, etag])).toEqual([
          [1, md5('first')],
          [2, md5('second')],
        ]);
        expect(page.isTruncated).toBe(true);
        const rest = await namespace.listParts(caller, bucket, 'one', uploadId, 2, 2);
        expect(rest).toMatchObject({ parts: [{ part: 3, sizeBytes: 5 }], isTruncated: false });
      });

      test('are refused with missing, wrong or too small parts', async () => {
        const bucket = await container();
        const uploadId = await namespace.beginUpload(caller, bucket, 'one', plainHeaders);
        for (const part of [1, 2]) await namespace.putPart(caller, bucket, 'one', uploadId, part, uploadOf('x'));
        const complete = (...parts: { part: number; etag: string }[]) =>
          codeOf(namespace.completeUpload(caller, bucket, 'one', uploadId, parts));
        const first = { part: 1, etag: md5('x') };
        expect(await complete({ part: 3, etag: md5('x') })).toBe('INVALID_PART');
        expect(await complete({ part: 1, etag: md5('y') })).toBe('INVALID_PART');
        expect(await complete(first, { part: 2, etag: md5('x') })).toBe('PART_TOO_SMALL');
        expect(await complete(first)).toBe('nothing was refused');
        expect(await bodyOf(bucket, 'one')).toBe('x');
      });

      test('obey a condition when they are completed', async () => {
        const bucket = await container();
        await put(bucket, 'one');
        const uploadId = await namespace.beginUpload(caller, bucket, 'one', plainHeaders);
        await namespace.putPart(caller, bucket, 'one', uploadId, 1, uploadOf('x'));
        const parts = [{ part: 1, etag: md5('x') }];
        const complete = (conditions: { readonly ifMatch?: string[]; readonly ifNoneMatch?: string[] }) =>
          codeOf(namespace.completeUpload(caller, bucket, 'one', uploadId, parts, { conditions }));
        expect(await complete({ ifNoneMatch: ['*'] })).toBe('PRECONDITION_FAILED');
        expect(await complete({ ifMatch: [md5('one')] })).toBe('nothing was refused');
      });

      const completed = async (name: string, conditions: Conditions = {}) => {
        const bucket = await container();
        const uploadId = await namespace.beginUpload(caller, bucket, name, plainHeaders);
        const bodies = [randomBytes(5 * MiB), randomBytes(7)];
        for (const [at, body] of bodies.entries())
          await namespace.putPart(caller, bucket, name, uploadId, at + 1, uploadOf(body));
        const parts = bodies.map((body, at) => ({ part: at + 1, etag: md5(body) }));
        const complete = (wanted: readonly UploadedPart[] = parts, limits: CompletionLimits = { conditions }) =>
          namespace.completeUpload(caller, bucket, name, uploadId, wanted, limits);
        return { bucket, uploadId, parts, complete, stat: await complete() };
      };

      test('completed again by the same request succeed with the same object', async () => {
        for (const conditions of [{}, { ifNoneMatch: ['*'] }]) {
          const { bucket, uploadId, parts, complete, stat } = await completed('film', conditions);
          expect(await complete()).toEqual(stat);
          expect(await complete(parts, { conditions, sizeBytes: 5 * MiB + 7 })).toEqual(stat);
          expect(await codeOf(complete(parts, { conditions, sizeBytes: 5 * MiB }))).toBe('INVALID_PART');
          expect(await namespace.stat(caller, bucket, 'film')).toEqual(stat);
          expect(await codeOf(namespace.listParts(caller, bucket, 'film', uploadId, 0, 10))).toBe('NO_UPLOAD');
          expect(await codeOf(namespace.abortUpload(caller, bucket, 'film', uploadId))).toBe('NO_UPLOAD');
        }
      });

      test('that were completed look nonexistent to another request', async () => {
        const { bucket, uploadId, parts, complete, stat } = await completed('film');
        const [first = { part: 1, etag: '' }, second = { part: 2, etag: '' }] = parts;
        for (const others of [
          [first],
          [second],
          [first, { ...second, etag: first.etag }],
          [first, { ...second, part: 3 }],
          [first, { ...second, checksums: { 'x-amz-checksum-crc32': 'AAAAAA==' } }],
        ])
          expect(await codeOf(complete(others))).toBe('NO_UPLOAD');
        expect(await codeOf(complete(parts, { conditions: { ifNoneMatch: ['*'] } }))).toBe('NO_UPLOAD');
        const completeAs = (by: Caller, name: string, id: string) =>
          codeOf(namespace.completeUpload(by, bucket, name, id, parts));
        expect(await completeAs(caller, 'other', uploadId)).toBe('NO_UPLOAD');
        expect(await completeAs(caller, 'film', '0'.repeat(32))).toBe('NO_UPLOAD');
        expect(await completeAs({ ...caller, canWrite: false }, 'film', uploadId)).toBe('NOT_ALLOWED');
        expect(await completeAs(tested?.stranger ?? caller, 'film', uploadId)).toBe('NO_CONTAINER');
        expect(await namespace.stat(caller, bucket, 'film')).toEqual(stat);
      });

      test.each<[string, (bucket: string) => Promise<unknown>]>([
        ['deleted', (bucket) => namespace.delete(caller, bucket, 'film')],
        ['replaced', (bucket) => put(bucket, 'film', 'other')],
        [
          'given other headers',
          (bucket) => {
            const film = { container: bucket, name: 'film' };
            return namespace.copy(caller, film, film, { contentType: 'video/mp4', metadata: {} });
          },
        ],
        [
          'made by another upload',
          async (bucket) => {
            const again = await namespace.beginUpload(caller, bucket, 'film', plainHeaders);
            await namespace.putPart(caller, bucket, 'film', again, 1, uploadOf('x'));
            await namespace.completeUpload(caller, bucket, 'film', again, [{ part: 1, etag: md5('x') }]);
          },
        ],
      ])('that were completed no longer exist once their object is %s', async (_, change) => {
        const { bucket, complete } = await completed('film');
        await change(bucket);
        const read = async () =>
          (await namespace.list(caller, bucket, { prefix: '', delimiter: '', after: '', limit: 9 })).objects;
        const before = await read();
        expect(await codeOf(complete())).toBe('NO_UPLOAD');
        expect(await read()).toEqual(before);
      });

      test('are not answered from copies of their object', async () => {
        const { bucket, uploadId, parts } = await completed('film');
        await namespace.copy(caller, { container: bucket, name: 'film' }, { container: bucket, name: 'copy' }, 'KEEP');
        expect(await codeOf(namespace.completeUpload(caller, bucket, 'copy', uploadId, parts))).toBe('NO_UPLOAD');
      });

      test('that were aborted or never begun do not exist', async () => {
        const bucket = await container();
        const uploadId = await namespace.beginUpload(caller, bucket, 'one', plainHeaders);
        await namespace.putPart(caller, bucket, 'one', uploadId, 1, uploadOf('x'));
        expect(await codeOf(namespace.putPart(caller, bucket, 'two', uploadId, 1, uploadOf('x')))).toBe('NO_UPLOAD');
        await namespace.abortUpload(caller, bucket, 'one', uploadId);
        for (const each of [uploadId, '0'.repeat(32)]) {
          expect(await codeOf(namespace.putPart(caller, bucket, 'one', each, 1, uploadOf('x')))).toBe('NO_UPLOAD');
          const parts = [{ part: 1, etag: md5('x') }];
          expect(await codeOf(namespace.completeUpload(caller, bucket, 'one', each, parts))).toBe('NO_UPLOAD');
          expect(await codeOf(namespace.abortUpload(caller, bucket, 'one', each))).toBe('NO_UPLOAD');
        }
      });

      test('are listed by name, then id, in pages', async () => {
        const bucket = await container();
        const begun: string[] = [];
        for (const name of ['b', 'a', 'b', 'c/1', 'b']) {
          const uploadId = await namespace.beginUpload(caller, bucket, name, plainHeaders);
          begun.push(`${name}\0${uploadId}`);
        }
        const pages = async (limit: number): Promise<string[]> => {
          const found: string[] = [];
          for (;;) {
            const [afterName = '', afterId = ''] = (found.at(-1) ?? '').split('\0');
            const page = await namespace.listUploads(caller, bucket, { prefix: '', afterName, afterId, limit });
            found.push(...page.uploads.map(({ name, uploadId }) => `${name}\0${uploadId}`));
            if (!page.isTruncated) return found;
          }
        };
        for (const limit of [1, 2, 5, 1_000]) expect(await pages(limit)).toEqual([...begun].sort());
        const query = { prefix: 'c', afterName: '', afterId: '', limit: 10 };
        expect((await namespace.listUploads(caller, bucket, query)).uploads).toMatchObject([{ name: 'c/1' }]);
        const behind = await namespace.listUploads(caller, bucket, {
          prefix: '',
          afterName: 'b',
          afterId: '',
          limit: 10,
        });
        expect(behind.uploads.map(({ name }) => name)).toEqual(['c/1']);
      });
    });
  });
}
