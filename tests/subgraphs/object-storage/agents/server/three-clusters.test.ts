// Three clusters, each with its own database and disk. An object written at one is read at another, even while the
// third is away, and the third catches up when it is back.
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { patience } from '../../../../support/machine/patience.ts';
import { waitFor } from '../../../../support/machine/temporary-folder.ts';
import { makeContainer, RealClusters } from '../../../../support/object-storage/real-clusters.ts';
import type { S3TestClient } from '../../../../support/object-storage/s3-client.ts';

const cleanup = new AsyncDisposableStack();
let clusters: RealClusters;
beforeAll(async () => {
  clusters = await RealClusters.start(cleanup);
}, 120_000 * patience);
afterAll(() => cleanup.disposeAsync(), 60_000 * patience);

const put = (client: S3TestClient, path: string, body: Buffer | string, headers: Record<string, string> = {}) =>
  client.send({ method: 'PUT', path, body, headers });
const get = (client: S3TestClient, path: string) => client.send({ method: 'GET', path });
const del = (client: S3TestClient, path: string) => client.send({ method: 'DELETE', path });

test(
  'small and large objects are written at one cluster and read at another',
  async () => {
    const [north, south, east] = ['north', 'south', 'east'].map((name) => clusters.get(name).client()) as [
      S3TestClient,
      S3TestClient,
      S3TestClient,
    ];
    // A server that was queried before it listened is queried again after a moment.
    await makeContainer(north, 'photos');
    expect((await put(north, '/photos/cat', 'miau')).status).toBe(200);
    const large = randomBytes(3 * 1024 * 1024 + 17);
    expect((await put(south, '/photos/large', large)).status).toBe(200);
    expect((await get(east, '/photos/cat')).text).toBe('miau');
    expect((await get(east, '/photos/large')).body.equals(large)).toBe(true);
    const listed = await get(south, '/photos?list-type=2');
    expect([...listed.text.matchAll(/<Key>(.*?)<\/Key>/g)].map(([, name]) => name)).toEqual(['cat', 'large']);
    expect((await put(east, '/photos/cat', 'wuff', { 'if-none-match': '*' })).status).toBe(412);
    expect((await put(east, '/photos', '')).code).toBe('BucketAlreadyOwnedByYou');
    expect((await del(east, '/photos')).code).toBe('BucketNotEmpty');
  },
  60_000 * patience,
);

test(
  'with one cluster away nothing is refused, and it has everything when it is back',
  async () => {
    const [north, south] = [clusters.get('north'), clusters.get('south')];
    expect((await put(south.client(), '/work', '')).status).toBe(200);
    expect((await put(south.client(), '/work/old', 'old')).status).toBe(200);
    await north.stop();
    expect((await put(south.client(), '/work/new', 'new')).status).toBe(200);
    expect((await del(south.client(), '/work/old')).status).toBe(204);
    expect((await get(clusters.get('east').client(), '/work/new')).text).toBe('new');
    await north.start();
    const rows = (name: string) =>
      clusters
        .get(name)
        .db.query(
          'SELECT ring, HEX(scope) AS scope, HEX(name) AS name, HEX(version) AS version, head FROM store_register WHERE kind <> 2 ORDER BY 1, 2, 3',
        );
    // Its database has all changes, including the deletion.
    await waitFor(
      'north to be equal',
      async () => JSON.stringify(await rows('north')) === JSON.stringify(await rows('east')),
    );
    await waitFor('no lag', () => [...(north.server?.lags().values() ?? [])].every(({ changes }) => changes === 0));
    expect((await get(north.client(), '/work/new')).text).toBe('new');
    expect((await get(north.client(), '/work/old')).code).toBe('NoSuchKey');
  },
  90_000 * patience,
);

test(
  'a cluster on its own refuses requests, and reports that this is temporary',
  async () => {
    const [north, south, east] = [clusters.get('north'), clusters.get('south'), clusters.get('east')];
    await Promise.all([south.stop(), east.stop()]);
    const answer = await get(north.client(), '/photos/cat');
    expect([answer.status, answer.headers['retry-after']]).toEqual([503, expect.any(String)]);
    await Promise.all([south.start(), east.start()]);
    await waitFor('an answer', async () => (await get(north.client(), '/photos/cat')).text === 'miau');
  },
  90_000 * patience,
);
