// The deletion of an option while there are accounts. Nothing new may use it, every cluster must report, and any
// reference to it cancels the deletion. Names are at north and south; the bytes of options are only at east.
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { patience, stretch } from '../../../../support/machine/patience.ts';
import { waitFor } from '../../../../support/machine/temporary-folder.ts';
import { type Answer, S3TestClient, type Sent } from '../../../../support/object-storage/s3-client.ts';
import { type ControlGraph, type Input, identity } from '../../support/control-graph.ts';
import { Federation } from '../../support/federation.ts';

const names = ['north', 'south', 'east'];
let federation: Federation;
let graph: ControlGraph;
let send: (cluster: string, sent: Sent) => Promise<Answer>;
let client: (cluster: string) => S3TestClient;

beforeAll(async () => {
  const times = { uploadMs: 6_000 * stretch, partsMs: 600_000, readingMs: 200, collectPauseMs: 300 };
  federation = await Federation.start(names, times);
  graph = federation.graph;
  const idOf = (name: string) => federation.cluster(name).id;
  await graph.make('objectOptionCreate', { name: 'standard', replicas: 2, clusterIds: ['north', 'south'].map(idOf) });
  const { made } = await graph.ask<{ made: { objectAccessKey: { accessKeyId: string }; secret: string } }>(
    'mutation { made: objectAccessKeyCreate(input: { name: "backup" }) { objectAccessKey { accessKeyId } secret } }',
    ...[{}, identity('OPERATOR')],
  );
  const credentials = { accessKeyId: made.objectAccessKey.accessKeyId, secret: made.secret };
  client = (name) => new S3TestClient({ url: federation.url(name), credentials });
  send = (name, sent) => client(name).send(sent);
  await waitFor('all clusters to serve', async () => {
    const answers = await Promise.all(names.map((name) => send(name, { method: 'PUT', path: '/photos' })));
    return answers.every(({ status }) => [200, 409].includes(status));
  });
}, 240_000 * patience);
afterAll(() => federation.stop(), 60_000 * patience);

const numbers = new Map<string, number>();

/** Creates an option at east that all clusters know. */
async function makeOption(name: string): Promise<string> {
  const wish = { name, replicas: 1, clusterIds: [federation.cluster('east').id] };
  const { entity } = await graph.mutate('objectOptionCreate', wish, '{ id number }');
  numbers.set(name, Number(entity?.number));
  await waitFor(`${name} to be known`, async () => {
    const made = await Promise.all(names.map((through) => put(through, `probe-${name}`, 'probe', name)));
    return made.every(({ status }) => status === 200);
  });
  expect((await send('north', { method: 'DELETE', path: `/photos/probe-${name}` })).status).toBe(204);
  return String(entity?.id);
}

const put = (through: string, object: string, body: Buffer | string, option: string) =>
  send(through, { method: 'PUT', path: `/photos/${object}`, body, headers: { 'x-tidegate-option': option } });

const read = async (id: string) => {
  const text = 'query ($id: ID!) { objectOption(id: $id) { ending endingReason } }';
  return (await graph.ask<{ objectOption: Input | null }>(text, { id })).objectOption;
};

const remove = (id: string) => graph.mutate('objectOptionDelete', { id }, '{ ending }');
const gone = (id: string) => waitFor('the option to be gone', async () => (await read(id)) === null);
const kept = (id: string) => waitFor('the option to be kept', async () => (await read(id))?.ending === false);

const has = async (name: string, sql: string, value: number | string) =>
  (await federation.cluster(name).db.query(sql, [value])).length > 0;
const isEndingAt = (name: string, option: string) =>
  has(name, 'SELECT 1 FROM store_counter WHERE name = ?', `ending/${numbers.get(option)}`);

async function blobsAtEast(option: string): Promise<number> {
  const folder = join(
    federation.cluster('east').folder,
    'blobs',
    (numbers.get(option) ?? 0).toString(16).padStart(4, '0'),
  );
  const found = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  return found.filter((entry) => entry.isFile()).length;
}

test(
  'an unreferenced option is deleted with its ring when every cluster has reported that it is unused',
  async () => {
    const id = await makeOption('spare');
    const made = await send('south', { method: 'PUT', path: '/box', headers: { 'x-tidegate-option': 'spare' } });
    expect(made.status).toBe(200);
    expect((await remove(id)).told).toMatchObject([
      { code: 'IN_USE', message: '1 container uses the option spare (alpha/box): delete it first' },
    ]);
    expect((await send('north', { method: 'DELETE', path: '/box' })).status).toBe(204);
    expect(await remove(id)).toMatchObject({ faults: [], entity: { ending: true } });
    // A repeated deletion continues.
    expect(await remove(id)).toMatchObject({ faults: [], entity: { ending: true } });
    expect((await graph.mutate('objectOptionUpdate', { id, replicas: 2 })).faults).toEqual(['WRONG_STATE ']);
    for (const name of names) await waitFor(`${name} to know`, () => isEndingAt(name, 'spare'));
    await gone(id);
    expect(await blobsAtEast('spare')).toBe(0);
    for (const name of names) {
      const number = numbers.get('spare') ?? 0;
      for (const table of ['store_partition', 'store_register', 'store_position'])
        await waitFor(
          `${name} to forget the ring in ${table}`,
          async () => !(await has(name, `SELECT 1 FROM ${table} WHERE ring = ? LIMIT 1`, number)),
        );
      await waitFor(`${name} to forget the option`, async () => {
        const { status, text } = await put(name, 'late', 'late', 'spare');
        expect(status).toBe(400);
        return text.includes('no option spare');
      });
    }
  },
  180_000 * patience,
);

test(
  'an object that uses the option cancels the deletion, which names the object; without the object the option is deleted',
  async () => {
    const id = await makeOption('far');
    const body = randomBytes(20_000);
    expect((await put('south', 'cat', body, 'far')).status).toBe(200);
    expect((await remove(id)).faults).toEqual([]);
    await kept(id);
    expect(await read(id)).toEqual({
      ending: false,
      endingReason: expect.stringMatching(
        /^the object alpha\/photos\/cat uses it: delete the object, or write it again/,
      ),
    });
    // The option can be used as before.
    await waitFor('it to be taken again', async () => (await put('north', 'dog', 'wuff', 'far')).status === 200);
    expect((await send('north', { method: 'GET', path: '/photos/cat' })).body.equals(body)).toBe(true);
    for (const object of ['cat', 'dog'])
      expect((await send('south', { method: 'DELETE', path: `/photos/${object}` })).status).toBe(204);
    // The collector has not run yet. Nothing refers to the blobs, and the deletion waits for their removal.
    expect(await blobsAtEast('far')).toBeGreaterThan(0);
    expect((await remove(id)).faults).toEqual([]);
    await gone(id);
    expect(await blobsAtEast('far')).toBe(0);
  },
  180_000 * patience,
);

test(
  'with an upload in flight, data that is not on disk yet is refused; data on disk may still become an object, which keeps the option',
  async () => {
    const id = await makeOption('late');
    // Only a part of its bytes is at east.
    const open = client('north').open({
      ...{ method: 'PUT', path: '/photos/slow' },
      headers: {
        ...client('north').sign({
          ...{ method: 'PUT', path: '/photos/slow', contentSha256: 'UNSIGNED-PAYLOAD' },
          headers: { 'x-tidegate-option': 'late' },
        }).headers,
        'content-length': '200000',
      },
    });
    open.write(randomBytes(100_000));
    // A multipart upload with one part.
    const far = { 'x-tidegate-option': 'late' };
    const begun = await send('south', { method: 'POST', path: '/photos/parts?uploads=', headers: far });
    const uploadId = /<UploadId>(.*?)<\/UploadId>/.exec(begun.text)?.[1] ?? '';
    const part = { method: 'PUT', path: `/photos/parts?partNumber=1&uploadId=${uploadId}`, body: randomBytes(9_000) };
    const stored = await send('south', part);
    expect(stored.status).toBe(200);
    expect((await remove(id)).faults).toEqual([]);
    for (const name of names) await waitFor(`${name} to know`, () => isEndingAt(name, 'late'));
    open.end(randomBytes(100_000));
    const [answer] = (await once(open, 'response')) as [IncomingMessage];
    answer.resume();
    expect(answer.statusCode).toBe(503);
    expect((await send('north', { method: 'GET', path: '/photos/slow' })).status).toBe(404);
    // Nothing new is accepted, not even for the multipart upload.
    await waitFor('a part to be refused', async () => (await send('south', part)).status === 400);
    expect((await put('east', 'new', 'new', 'late')).status).toBe(400);
    await waitFor('east to wait for the part', async () =>
      /^east has [1-9]/.test(String((await read(id))?.endingReason)),
    );
    expect(await read(id)).toMatchObject({ ending: true });
    const etag = String(stored.headers.etag);
    const done = await send('north', {
      ...{ method: 'POST', path: `/photos/parts?uploadId=${uploadId}` },
      body: `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>${etag}</ETag></Part></CompleteMultipartUpload>`,
    });
    expect([done.status, done.code]).toEqual([200, undefined]);
    await kept(id);
    expect((await read(id))?.endingReason).toContain('the object alpha/photos/parts uses it');
    expect((await send('east', { method: 'GET', path: '/photos/parts' })).body.length).toBe(9_000);
  },
  180_000 * patience,
);

test(
  'the deletion waits for an absent cluster, and names it; the deletion can be cancelled until then',
  async () => {
    const id = await makeOption('slow');
    await federation.away('south');
    expect((await remove(id)).faults).toEqual([]);
    await waitFor('south to be named', async () => {
      const message = String((await read(id))?.endingReason);
      return message.includes('south is not connected: start it, or remove it') && !message.includes('north');
    });
    expect(await read(id)).toMatchObject({ ending: true });
    expect(await graph.mutate('objectOptionDeleteCancel', { id }, '{ ending endingReason }')).toMatchObject({
      ...{ faults: [], entity: { ending: false, endingReason: null } },
    });
    expect((await remove(id)).faults).toEqual([]);
    await federation.back('south');
    await gone(id);
    const events = await graph.db.query<{ text: string }>(
      `SELECT CONCAT_WS(' ', from_status, to_status) AS text FROM status_change WHERE kind = 'objectOption.state' AND subject_id =
        (SELECT id FROM object_option WHERE name = 'slow') ORDER BY subject_version`,
    );
    expect(events.map(({ text }) => text)).toEqual([
      ...['CREATED', 'CREATED ENDING', 'ENDING KEPT', 'CREATED ENDING', 'ENDING DELETED'],
    ]);
  },
  240_000 * patience,
);
