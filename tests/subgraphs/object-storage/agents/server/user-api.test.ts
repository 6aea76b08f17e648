// User calls besides S3, over HTTP on a namespace in memory, and the S3 headers that they accept.
import { once } from 'node:events';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { UserApi } from '../../../../../subgraphs/object-storage/agents/server/api/user-api.ts';
import { FederationMap } from '../../../../../subgraphs/object-storage/engine/federation/federation-map.ts';
import type { ServedRequest } from '../../../../../subgraphs/object-storage/engine/s3/served-request.ts';
import { waitFor } from '../../../../support/machine/temporary-folder.ts';
import { sha256, unsignedChunks } from '../../../../support/object-storage/s3-client.ts';
import { alice, aliceToken, startS3, type TestedS3 } from '../../../../support/object-storage/s3-server.ts';

let s3: TestedS3;
const served: ServedRequest[] = [];

beforeAll(async () => {
  const never = () => Promise.reject(new Error('not asked'));
  const api = new UserApi({
    tokens: { verify: async (token) => (token === aliceToken ? alice : undefined) },
    map: new FederationMap({ self: 0, replica: () => undefined }),
    resolvers: { ask: never },
    login: { answer: never },
  });
  s3 = await startS3({
    api,
    served: (request) => void served.push(request),
    limits: { waitMs: 1_000, slowestBytesPerSecond: 1_000_000 },
  });
  await s3.namespace.createContainer(alice, 'photos');
});
afterAll(() => s3.server.stop());

const call = (method: string, path: string, headers: Record<string, string> = {}, body: string | Buffer = '') =>
  s3
    .client()
    .plain({ method, path: `/-/${path}`, headers: { authorization: `Bearer ${aliceToken}`, ...headers }, body });
const bodyOf = async (name: string) => (await call('GET', `download_object/photos/${name}`)).text;

test('the digest of a body is checked', async () => {
  const digest = { 'x-amz-content-sha256': sha256('right') };
  const wrong = await call('PUT', 'create_object/photos/digest', digest, 'wrong');
  expect([wrong.status, JSON.parse(wrong.text)]).toEqual([
    400,
    expect.objectContaining({ code: 'XAMZ_CONTENT_SHA256MISMATCH' }),
  ]);
  expect((await call('GET', 'download_object/photos/digest')).status).toBe(404);
  expect((await call('PUT', 'create_object/photos/digest', digest, 'right')).status).toBe(201);
  expect(await bodyOf('digest')).toBe('right');
  const malformed = await call('PUT', 'update_object/photos/digest', { 'x-amz-content-sha256': 'none' }, 'other');
  expect(malformed.status).toBe(400);
  expect(await bodyOf('digest')).toBe('right');
});

test('chunk frames are not stored', async () => {
  const chunks = { 'x-amz-content-sha256': 'STREAMING-UNSIGNED-PAYLOAD-TRAILER' };
  const framed = unsignedChunks([Buffer.from('hello')], {});
  expect((await call('PUT', 'create_object/photos/chunks', chunks, framed)).status).toBe(411);
  const sized = { ...chunks, 'x-amz-decoded-content-length': '5' };
  expect((await call('PUT', 'create_object/photos/chunks', sized, framed)).status).toBe(201);
  expect(await bodyOf('chunks')).toBe('hello');
});

test('a prefix that is longer than any name is refused', async () => {
  s3.namespace.refuse('INVALID_NAME', 'a prefix has at most 1024 bytes');
  const answer = await call('GET', 'list_object/photos?prefix=x');
  s3.namespace.refuse(undefined);
  expect([answer.status, JSON.parse(answer.text).code]).toEqual([400, 'INVALID_NAME']);
});

test('two projects in one request are refused, and one is passed on', async () => {
  const project = { 'x-tidegate-project': 'shop' };
  const refused = await call('GET', 'list_container?project=bank', project);
  expect([refused.status, JSON.parse(refused.text).code]).toEqual([400, 'INVALID_REQUEST']);
  expect((await call('GET', 'list_container?project=shop', project)).status).toBe(200);
  expect((await call('GET', 'list_container', project)).status).toBe(200);
});

test('a body that arrives too slowly is refused in the form of these calls', async () => {
  const headers = { authorization: `Bearer ${aliceToken}`, 'content-length': '1000' };
  const request = s3.client().open({ method: 'PUT', path: '/-/create_object/photos/slow', headers });
  request.on('error', () => undefined).write('some');
  const [response] = await once(request, 'response');
  const [text] = await once(
    response.on('error', () => undefined),
    'data',
  );
  expect([response.statusCode, JSON.parse(String(text))]).toEqual([
    400,
    { code: 'REQUEST_TIMEOUT', message: expect.stringContaining('too slowly'), requestId: expect.any(String) },
  ]);
  request.destroy();
  expect((await call('GET', 'download_object/photos/slow')).status).toBe(404);
});

test('the request log contains their caller', async () => {
  served.splice(0);
  await call('GET', 'list_container');
  await s3.client().plain({ method: 'GET', path: '/-/list_container' });
  await waitFor('both to be logged', () => served.length === 2);
  expect(served).toMatchObject([
    { operation: 'api', code: 'OK', caller: 'alice' },
    { operation: 'api', code: '401', caller: undefined },
  ]);
});
