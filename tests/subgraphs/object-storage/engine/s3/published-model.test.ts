// Every operation, parameter, header and XML element of the published S3 model, from botocore. Each is carried out as
// S3 documents it, or refused without any change. A later model only adds parts that must be refused.
// needs: python3-boto3
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { checksumDigest } from '../../../../../subgraphs/object-storage/engine/s3/checksums.ts';
import { md5 } from '../../../../support/object-storage/namespace-contract.ts';
import type { Answer, S3TestClient } from '../../../../support/object-storage/s3-client.ts';
import { alice, startS3, type TestedS3 } from '../../../../support/object-storage/s3-server.ts';

interface Member {
  readonly shape: string;
  readonly location?: string;
  readonly locationName?: string;
}

interface Shape {
  readonly type: string;
  readonly members?: Readonly<Record<string, Member>>;
  readonly member?: Member;
  readonly flattened?: boolean;
  readonly payload?: string;
}

interface Model {
  readonly operations: Readonly<
    Record<
      string,
      {
        readonly http: { readonly method: string; readonly requestUri: string };
        readonly input?: { readonly shape: string };
      }
    >
  >;
  readonly shapes: Readonly<Record<string, Shape>>;
}

const packaged = '/usr/lib/python3/dist-packages/botocore';

/** Debian's model, and a newer one if another Python has it. */
function modelFiles(): string[] {
  const found = spawnSync('python3', ['-c', 'import botocore; print(botocore.__path__[0])'], { encoding: 'utf8' });
  const folders = new Set([packaged, ...(found.status === 0 ? [found.stdout.trim()] : [])]);
  return [...folders]
    .flatMap((folder) => ['service-2.json', 'service-2.json.gz'].map((name) => `${folder}/data/s3/2006-03-01/${name}`))
    .filter((file) => existsSync(file));
}

function readModel(file: string): Model {
  const bytes = readFileSync(file);
  return JSON.parse((file.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString()) as Model;
}

const bucket = 'model';
const kept = 'kept';
const copied = 'copied';
const body = 'what is sent';
const checksum = (name: string) => {
  const digest = checksumDigest(name);
  digest.update(Buffer.from(body));
  return digest.base64();
};
const longAgo = 'Sun, 06 Nov 1994 08:49:37 GMT';
const later = 'Wed, 06 Nov 2094 08:49:37 GMT';
let etag = '';
let uploadId = '';
let partTag = '';

/** Values with which members are carried out. Others get `x`. */
const samples: Readonly<Record<string, () => string>> = {
  'cache-control': () => 'no-cache',
  'content-encoding': () => 'gzip',
  'content-length': () => String(body.length),
  'content-md5': () => Buffer.from(md5(body), 'hex').toString('base64'),
  'content-type': () => 'text/plain',
  expires: () => later,
  'fetch-owner': () => 'true',
  'encoding-type': () => 'url',
  'if-match': () => etag,
  'if-none-match': () => '"other"',
  'if-modified-since': () => longAgo,
  'if-unmodified-since': () => later,
  'list-type': () => '2',
  'max-buckets': () => '5',
  'max-keys': () => '5',
  'max-parts': () => '5',
  'max-uploads': () => '5',
  'continuation-token': () => 'YQ',
  'part-number-marker': () => '0',
  range: () => 'bytes=0-1',
  versionid: () => 'null',
  'x-amz-acl': () => 'private',
  'x-amz-bucket-object-lock-enabled': () => 'false',
  'x-amz-bypass-governance-retention': () => 'true',
  'x-amz-checksum-algorithm': () => 'CRC32',
  'x-amz-checksum-mode': () => 'ENABLED',
  'x-amz-copy-source-if-match': () => etag,
  'x-amz-copy-source-if-none-match': () => '"other"',
  'x-amz-copy-source-if-modified-since': () => longAgo,
  'x-amz-copy-source-if-unmodified-since': () => later,
  'x-amz-copy-source-range': () => 'bytes=0-1',
  'x-amz-expected-bucket-owner': () => alice.accountId,
  'x-amz-metadata-directive': () => 'REPLACE',
  'x-amz-mp-object-size': () => String(body.length),
  'x-amz-object-ownership': () => 'BucketOwnerEnforced',
  'x-amz-optional-object-attributes': () => 'RestoreStatus',
  'x-amz-request-payer': () => 'requester',
  'x-amz-source-expected-bucket-owner': () => alice.accountId,
  'x-amz-storage-class': () => 'STANDARD',
  'x-amz-tagging-directive': () => 'COPY',
  ...Object.fromEntries(
    ['crc32', 'crc32c', 'crc64nvme', 'sha1', 'sha256', 'sha512', 'md5'].map((name) => [
      `x-amz-checksum-${name}`,
      () => checksum(`x-amz-checksum-${name}`),
    ]),
  ),
};
const sampleOf = (name: string) => samples[name.toLowerCase()]?.() ?? 'x';

const common = ['x-amz-expected-bucket-owner', 'x-amz-request-payer'];
const readConditions = ['If-Match', 'If-None-Match', 'If-Modified-Since', 'If-Unmodified-Since'];
const sourceConditions = [
  ...['x-amz-copy-source-if-match', 'x-amz-copy-source-if-none-match'],
  ...['x-amz-copy-source-if-modified-since', 'x-amz-copy-source-if-unmodified-since'],
];
const overrides = [
  ...['response-cache-control', 'response-content-disposition', 'response-content-encoding'],
  ...['response-content-language', 'response-content-type', 'response-expires'],
];
const objectHeaders = [
  ...['Cache-Control', 'Content-Disposition', 'Content-Encoding', 'Content-Language', 'Content-Type', 'Expires'],
  ...['x-amz-meta-', 'x-amz-acl', 'x-amz-storage-class'],
];
const bodyHeaders = [
  ...['Content-Length', 'Content-MD5', 'x-amz-checksum-crc32', 'x-amz-checksum-crc32c', 'x-amz-checksum-crc64nvme'],
  ...['x-amz-checksum-sha1', 'x-amz-checksum-sha256', 'x-amz-checksum-sha512', 'x-amz-checksum-md5'],
];

interface Done {
  /** Members that are carried out. */
  readonly takes: readonly string[];
  /** Parameters that are always sent. */
  readonly needs?: () => Readonly<Record<string, string>>;
  readonly body?: () => string;
}

const listing = ['delimiter', 'encoding-type', 'max-keys', 'prefix', 'x-amz-optional-object-attributes'];
const copySource = () => ({ 'x-amz-copy-source': `/${bucket}/${kept}` });

const done: Readonly<Record<string, Done>> = {
  AbortMultipartUpload: { takes: [], needs: () => ({ uploadId }) },
  CompleteMultipartUpload: {
    takes: ['x-amz-mp-object-size', 'If-Match', 'CompleteMultipartUpload.Part.ChecksumCRC32'],
    needs: () => ({ uploadId }),
    body: () =>
      `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>${partTag}</ETag></Part></CompleteMultipartUpload>`,
  },
  CopyObject: {
    takes: [
      ...[...objectHeaders, ...sourceConditions, 'x-amz-metadata-directive', 'x-amz-tagging-directive'],
      ...['x-amz-source-expected-bucket-owner', 'If-Match'],
    ],
    needs: copySource,
  },
  CreateBucket: {
    takes: ['x-amz-acl', 'x-amz-bucket-object-lock-enabled', 'x-amz-object-ownership'],
    body: () =>
      '<CreateBucketConfiguration><LocationConstraint>us-east-1</LocationConstraint></CreateBucketConfiguration>',
  },
  CreateMultipartUpload: { takes: [...objectHeaders, 'x-amz-checksum-algorithm'] },
  DeleteBucket: { takes: [] },
  DeleteObject: { takes: ['versionId', 'If-Match', 'x-amz-bypass-governance-retention'] },
  DeleteObjects: {
    takes: ['x-amz-bypass-governance-retention', 'Delete.Object.VersionId', 'Delete.Object.ETag', 'Delete.Quiet'],
    body: () => `<Delete><Object><Key>${kept}</Key></Object></Delete>`,
  },
  GetBucketLocation: { takes: [] },
  GetObject: { takes: [...readConditions, ...overrides, 'Range', 'versionId', 'x-amz-checksum-mode'] },
  HeadBucket: { takes: [] },
  HeadObject: { takes: [...readConditions, ...overrides, 'Range', 'versionId', 'x-amz-checksum-mode'] },
  ListBuckets: { takes: ['continuation-token', 'max-buckets', 'prefix'] },
  ListMultipartUploads: { takes: ['encoding-type', 'key-marker', 'max-uploads', 'prefix', 'upload-id-marker'] },
  ListObjectVersions: { takes: [...listing, 'key-marker', 'version-id-marker'] },
  ListObjects: { takes: [...listing, 'marker'] },
  ListObjectsV2: { takes: [...listing, 'continuation-token', 'fetch-owner', 'start-after'] },
  ListParts: { takes: ['max-parts', 'part-number-marker'], needs: () => ({ uploadId }) },
  PutObject: { takes: [...objectHeaders, ...bodyHeaders, 'If-Match'], body: () => body },
  UploadPart: { takes: bodyHeaders, needs: () => ({ uploadId, partNumber: '1' }), body: () => body },
  UploadPartCopy: {
    takes: [...sourceConditions, 'x-amz-copy-source-range', 'x-amz-source-expected-bucket-owner'],
    needs: () => ({ uploadId, partNumber: '1', ...copySource() }),
  },
};

/** Answered like S3 does for a bucket without these settings. Nothing changes. */
const answeredAsNone: ReadonlySet<string> = new Set([
  ...['DeleteBucketCors', 'DeleteBucketEncryption', 'DeleteBucketLifecycle', 'DeleteBucketOwnershipControls'],
  ...['DeleteBucketPolicy', 'DeleteBucketReplication', 'DeleteBucketTagging', 'DeleteBucketWebsite'],
  ...['DeleteObjectTagging', 'DeletePublicAccessBlock', 'GetBucketAccelerateConfiguration', 'GetBucketAcl'],
  ...['GetBucketCors', 'GetBucketEncryption', 'GetBucketLifecycle', 'GetBucketLifecycleConfiguration'],
  ...['GetBucketLogging', 'GetBucketNotification', 'GetBucketNotificationConfiguration', 'GetBucketOwnershipControls'],
  ...['GetBucketPolicy', 'GetBucketPolicyStatus', 'GetBucketReplication', 'GetBucketRequestPayment'],
  ...['GetBucketTagging', 'GetBucketVersioning', 'GetBucketWebsite', 'GetObjectAcl', 'GetObjectLegalHold'],
  ...['GetObjectLockConfiguration', 'GetObjectRetention', 'GetObjectTagging', 'GetPublicAccessBlock'],
]);

let s3: TestedS3;
let client: S3TestClient;

beforeAll(async () => {
  s3 = await startS3();
  client = s3.client();
});
afterAll(() => s3.server.stop());

/** Creates one bucket with an object, and an upload that has a part. */
async function reset(): Promise<void> {
  const { namespace } = s3;
  for (const { name } of await namespace.containers(alice, { prefix: '', after: '', limit: 10_000 })) {
    const { uploads } = await namespace.listUploads(alice, name, {
      prefix: '',
      afterName: '',
      afterId: '',
      limit: 100,
    });
    for (const upload of uploads) await namespace.abortUpload(alice, name, upload.name, upload.uploadId);
    const { objects } = await namespace.list(alice, name, { prefix: '', delimiter: '', after: '', limit: 1_000 });
    for (const object of objects) await namespace.delete(alice, name, object.name);
    await namespace.deleteContainer(alice, name);
  }
  await namespace.createContainer(alice, bucket);
  const plain = { contentType: 'text/plain', metadata: {} };
  etag = `"${(await namespace.put(alice, bucket, kept, uploadOf('kept'), plain)).etag}"`;
  await namespace.put(alice, bucket, copied, uploadOf('kept'), plain);
  uploadId = await namespace.beginUpload(alice, bucket, kept, plain);
  const checksums = { 'x-amz-checksum-crc32': checksum('x-amz-checksum-crc32') };
  const part = await namespace.putPart(alice, bucket, kept, uploadId, 1, { ...uploadOf(body), checksums });
  partTag = `"${part.etag}"`;
}

function uploadOf(content: string) {
  return {
    sizeBytes: content.length,
    body: (async function* () {
      yield Buffer.from(content);
    })(),
  };
}

/** All state that a request can change. */
async function state(): Promise<unknown> {
  const { namespace } = s3;
  const containers = await namespace.containers(alice, { prefix: '', after: '', limit: 10_000 });
  return Promise.all(
    containers.map(async ({ name, id }) => {
      const { uploads } = await namespace.listUploads(alice, name, {
        ...{ prefix: '', afterName: '', afterId: '', limit: 100 },
      });
      const parts = await Promise.all(
        uploads.map((each) => namespace.listParts(alice, name, each.name, each.uploadId, 0, 100)),
      );
      const { objects } = await namespace.list(alice, name, { prefix: '', delimiter: '', after: '', limit: 1_000 });
      return { name, id, uploads, parts, objects };
    }),
  );
}

interface Asked {
  readonly method: string;
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body?: string;
}

function askedOf(model: Model, operation: string, more: readonly Input[] = [], inserted?: string): Asked {
  const known = model.operations[operation];
  const { http, input } = known ?? { http: { method: 'GET', requestUri: '/' } };
  const [template = '', fixed = ''] = http.requestUri.split('?', 2);
  const name = operation === 'CreateBucket' ? 'created' : bucket;
  const path = template.replace('{Bucket}', name).replace('{Key+}', operation === 'CopyObject' ? copied : kept);
  const query = fixed === '' ? [] : fixed.split('&');
  const headers: Record<string, string> = {};
  const members = input === undefined ? [] : inputsOf(model, input.shape);
  const needs = done[operation]?.needs?.() ?? {};
  const given = Object.entries(needs).map(([needed, value]): Input & { readonly value: string } => ({
    name: needed,
    place: members.find((each) => each.name === needed)?.place ?? 'header',
    value,
  }));
  for (const each of [...given, ...more.map((one) => ({ ...one, value: sampleOf(one.name) }))])
    if (each.place === 'querystring') query.push(`${each.name}=${encodeURIComponent(each.value)}`);
    else headers[each.name.toLowerCase() + (each.name.endsWith('-') ? 'a' : '')] = each.value;
  const sent = inserted ?? done[operation]?.body?.();
  return {
    ...{ method: http.method, path: path + (query.length === 0 ? '' : `?${query.join('&')}`), headers },
    ...(sent === undefined ? {} : { body: sent }),
  };
}

interface Input {
  readonly name: string;
  readonly place: 'header' | 'querystring';
}

function inputsOf(model: Model, shape: string): Input[] {
  return Object.values(model.shapes[shape]?.members ?? {}).flatMap((member): Input[] => {
    const { location, locationName: name = '' } = member;
    if (location === 'querystring') return [{ name, place: location }];
    return location === 'header' || location === 'headers' ? [{ name, place: 'header' }] : [];
  });
}

/** Paths of all elements of the body, as A.B.C. */
function elementsOf(model: Model, operation: string): string[] {
  const input = model.shapes[model.operations[operation]?.input?.shape ?? ''];
  const payload = input?.payload === undefined ? undefined : input.members?.[input.payload];
  if (payload === undefined || model.shapes[payload.shape]?.type !== 'structure') return [];
  const found: string[] = [];
  const walk = (path: string, shape: Shape | undefined, depth: number): void => {
    if (depth > 6) return;
    for (const [name, member] of Object.entries(shape?.members ?? {})) {
      const at = `${path}.${member.locationName ?? name}`;
      const inner = model.shapes[member.shape];
      if (inner?.type === 'structure') walk(at, inner, depth + 1);
      else if (inner?.type === 'list' && inner.member !== undefined) {
        const each = inner.flattened === true ? at : `${at}.${inner.member.locationName ?? 'member'}`;
        const of = model.shapes[inner.member.shape];
        if (of?.type === 'structure') walk(each, of, depth + 1);
        else found.push(each);
      } else found.push(at);
    }
  };
  walk(payload.locationName ?? payload.shape, model.shapes[payload.shape], 0);
  return found;
}

const elementSamples: Readonly<Record<string, () => string>> = {
  'CompleteMultipartUpload.Part.ChecksumCRC32': () => checksum('x-amz-checksum-crc32'),
  'Delete.Object.VersionId': () => 'null',
  'Delete.Object.ETag': () => etag,
  'Delete.Quiet': () => 'true',
};

/** Undefined if the baseline already has it. */
function withElement(document: string, path: string): string | undefined {
  const names = path.split('.');
  const known = names.findLastIndex((name) => document.includes(`</${name}>`));
  if (known === names.length - 1) return undefined;
  const value = elementSamples[path]?.() ?? 'x';
  const added = names.slice(known + 1).reduceRight((content, name) => `<${name}>${content}</${name}>`, value);
  return document.replace(`</${names[known]}>`, `${added}</${names[known]}>`);
}

const isRefused = ({ status }: Answer) => status === 501 || status === 400;

describe.each(modelFiles())('the model %s', (file) => {
  const model = readModel(file);
  const operations = Object.keys(model.operations);

  beforeEach(reset);

  /** Lists requests that are not refused, or that change something. */
  async function mustRefuse(asked: Asked, what: string, unknownDone: string[]): Promise<void> {
    const before = await state();
    const answer = await client.send(asked);
    const isSame = JSON.stringify(await state()) === JSON.stringify(before);
    if (isRefused(answer) && isSame) return;
    unknownDone.push(`${what}: ${answer.status}${isSame ? '' : ', and something changed'}`);
    await reset();
  }

  test('operations that are not implemented change nothing', async () => {
    const unknownDone: string[] = [];
    for (const operation of operations) {
      if (done[operation] !== undefined) continue;
      const asked = askedOf(model, operation);
      if (!answeredAsNone.has(operation)) {
        // Where S3 has no body, the request lists nothing, because those are never answered here.
        if (asked.path !== '/') await mustRefuse(asked, `${asked.method} ${asked.path}`, unknownDone);
        continue;
      }
      const before = await state();
      const { status } = await client.send(asked);
      if (![200, 204, 400, 404].includes(status)) unknownDone.push(`${operation}: ${status}`);
      expect(await state()).toEqual(before);
    }
    expect(unknownDone).toEqual([]);
  });

  test.each(operations.filter((name) => done[name] !== undefined))('%s', async (operation) => {
    const known = done[operation];
    const { shape = '' } = model.operations[operation]?.input ?? {};
    const unknownDone: string[] = [];
    const takes: ReadonlySet<string> = new Set([...common, ...(known?.takes ?? [])]);
    const prepare = async () => {
      await reset();
      if (operation !== 'DeleteBucket') return;
      await s3.namespace.abortUpload(alice, bucket, kept, uploadId);
      for (const name of [kept, copied]) await s3.namespace.delete(alice, bucket, name);
    };
    const needed = new Set(Object.keys(known?.needs?.() ?? {}));
    for (const input of inputsOf(model, shape)) {
      if (needed.has(input.name)) continue;
      if (!takes.has(input.name)) await mustRefuse(askedOf(model, operation, [input]), input.name, unknownDone);
      else {
        await prepare();
        const asked = askedOf(model, operation, [input]);
        const { status, text } = await client.send(asked);
        if (![200, 204, 206].includes(status)) unknownDone.push(`${input.name} is not done: ${status} ${text}`);
        await reset();
      }
    }
    for (const path of elementsOf(model, operation)) {
      await prepare();
      const document = withElement(known?.body?.() ?? '', path);
      if (document === undefined) continue;
      const asked = askedOf(model, operation, [], document);
      if (!takes.has(path)) await mustRefuse(asked, path, unknownDone);
      else {
        const { status, text } = await client.send(asked);
        if (status !== 200 || text.includes('<Code>')) unknownDone.push(`${path} is not done: ${status} ${text}`);
      }
    }
    await prepare();
    expect(unknownDone).toEqual([]);
    expect([200, 204]).toContain((await client.send(askedOf(model, operation))).status);
  });

  test('parameters of other operations, and invented ones', async () => {
    const named = operations.flatMap((operation) => {
      const { http, input } = model.operations[operation] ?? {};
      const fixed = http?.requestUri.split('?', 2)[1]?.split('&') ?? [];
      const others = input === undefined ? [] : inputsOf(model, input.shape);
      return [...fixed, ...others.filter(({ place }) => place === 'querystring').map(({ name }) => name)];
    });
    const unknownDone: string[] = [];
    for (const name of new Set([...named, 'anything', 'Versionid']))
      for (const operation of ['PutObject', 'DeleteObject', 'DeleteBucket', 'CreateBucket', 'CopyObject']) {
        const isTaken = done[operation]?.takes.includes(name) ?? false;
        const isOther = answeredAsNone.has(operation) || name === 'uploadId' || name === 'partNumber';
        if (isTaken || isOther) continue;
        const asked = askedOf(model, operation);
        const before = await state();
        const { status } = await client.send({ ...asked, path: `${asked.path}?${name}` });
        if (JSON.stringify(await state()) === JSON.stringify(before) && status !== 200) continue;
        unknownDone.push(`${operation} ?${name}: ${status}`);
        await reset();
      }
    expect(unknownDone).toEqual([]);
  });

  test('invented headers and elements', async () => {
    const unknownDone: string[] = [];
    for (const operation of Object.keys(done)) {
      if (model.operations[operation] === undefined) continue;
      for (const header of ['x-amz-invented', 'x-tidegate-invented', 'if-invented', 'content-range']) {
        const asked = askedOf(model, operation);
        await mustRefuse(
          { ...asked, headers: { ...asked.headers, [header]: 'x' } },
          `${operation} ${header}`,
          unknownDone,
        );
      }
      const document = done[operation]?.body?.() ?? '';
      const parents = [
        ...document.matchAll(/<\/(Delete|Object|Part|CompleteMultipartUpload|CreateBucketConfiguration)>/g),
      ].map(([, element = '']) => element);
      for (const element of parents) {
        const invented = document.replace(`</${element}>`, `<Invented>x</Invented></${element}>`);
        await mustRefuse(askedOf(model, operation, [], invented), `${operation} in <${element}>`, unknownDone);
      }
    }
    expect(unknownDone).toEqual([]);
  });
});

test('a model is installed: it comes with python3-botocore', () => {
  expect(modelFiles()).not.toEqual([]);
});
