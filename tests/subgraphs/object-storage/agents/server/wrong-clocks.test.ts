// Three clusters of which one, two or all have a clock that is days ahead and is then corrected. Objects written or
// deleted in that time can be written, deleted and listed afterwards at every cluster, and all replicas become equal.
import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { patience } from '../../../../support/machine/patience.ts';
import { waitFor } from '../../../../support/machine/temporary-folder.ts';
import { makeContainer, type RealCluster, RealClusters } from '../../../../support/object-storage/real-clusters.ts';

const dayMs = 86_400_000;
const names = ['north', 'south', 'east'];
const cleanup = new AsyncDisposableStack();
let clusters: RealClusters;

beforeAll(async () => {
  clusters = await RealClusters.start(cleanup);
  const north = clusters.get('north').client();
  await makeContainer(north, 'work');
}, 120_000 * patience);
afterEach(() => {
  for (const each of clusters.clusters) each.aheadMs = 0;
});
afterAll(() => cleanup.disposeAsync(), 60_000 * patience);

function send(cluster: RealCluster, method: string, path: string, body?: Buffer | string) {
  return cluster.client().send({ method, path, ...(body === undefined ? {} : { body }) });
}

async function restart(cluster: RealCluster): Promise<void> {
  await cluster.stop();
  await cluster.start();
}

const rowsOf = (name: string) =>
  clusters
    .get(name)
    .db.query(
      'SELECT ring, HEX(scope) AS scope, HEX(name) AS name, HEX(version) AS version, head FROM store_register WHERE kind <> 2 ORDER BY 1, 2, 3',
    );

async function converge(): Promise<void> {
  await waitFor('equal replicas', async () => {
    const [first, ...others] = await Promise.all(names.map(async (name) => JSON.stringify(await rowsOf(name))));
    return others.every((each) => each === first);
  });
}

test.each([
  { wrong: ['north', 'south'], days: 3, restarts: false },
  { wrong: ['north', 'south'], days: 3, restarts: true },
  { wrong: ['north'], days: 400, restarts: true },
  { wrong: names, days: 400, restarts: true },
  { wrong: ['east'], days: -400, restarts: false },
])(
  '$wrong $days days ahead, restarted afterwards: $restarts',
  async ({ wrong, days, restarts }) => {
    const stepped = wrong.map((name) => clusters.get(name));
    const prefix = `${wrong.join('-')}${days}${restarts}`;
    const [written, deleted, large] = ['written', 'deleted', 'large'].map((what) => `/work/${prefix}-${what}`) as [
      string,
      string,
      string,
    ];
    const [first] = stepped as [RealCluster];
    const before = randomBytes(100_000);
    for (const path of [written, deleted, large]) expect((await send(first, 'PUT', path, before)).status).toBe(200);
    for (const each of stepped) each.aheadMs = days * dayMs;
    expect((await send(first, 'PUT', written, 'ahead')).status).toBe(200);
    expect((await send(first, 'DELETE', deleted)).status).toBe(204);
    expect((await send(first, 'PUT', large, randomBytes(100_000))).status).toBe(200);
    for (const each of stepped) each.aheadMs = 0;
    if (restarts) for (const each of stepped) await restart(each);
    await converge();
    const upload = randomBytes(200_000);
    for (const [at, name] of names.entries()) {
      const cluster = clusters.get(name);
      expect((await send(cluster, 'PUT', written, `by ${name}`)).status).toBe(200);
      expect((await send(cluster, 'PUT', deleted, `by ${name}`)).status).toBe(200);
      expect((await send(cluster, 'PUT', large, upload)).status).toBe(200);
      expect((await send(cluster, 'PUT', `${written}-new-${name}`, 'new')).status).toBe(200);
      const next = clusters.get(names[(at + 1) % names.length] ?? '');
      expect((await send(next, 'GET', written)).text).toBe(`by ${name}`);
      expect((await send(next, 'GET', large)).body.equals(upload)).toBe(true);
      expect((await send(next, 'DELETE', deleted)).status).toBe(204);
      expect((await send(cluster, 'GET', deleted)).status).toBe(404);
      const listed = await send(next, 'GET', `/work?list-type=2&prefix=${prefix}-`);
      const keys = [...listed.text.matchAll(/<Key>(.*?)<\/Key>/g)].map(([, key]) => key);
      expect(keys).not.toContain(`${prefix}-deleted`);
      expect(keys).toEqual(expect.arrayContaining([`${prefix}-written`, `${prefix}-large`]));
    }
    await converge();
  },
  120_000 * patience,
);
