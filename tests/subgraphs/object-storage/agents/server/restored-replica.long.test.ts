// A cluster whose database was restored, recreated or exchanged has forgotten its promises and acknowledgements. It
// reports this, and does not vote with its remaining data until it has recovered.
import { copyFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { firstRing } from '../../../../../platform/rings/next-ring.ts';
import type { Ring } from '../../../../../platform/rings/ring.ts';
import { ServiceStore } from '../../../../../subgraphs/object-storage/engine/store/service-store.ts';
import { patience } from '../../../../support/machine/patience.ts';
import { waitFor } from '../../../../support/machine/temporary-folder.ts';
import { makeContainer, type RealCluster, RealClusters } from '../../../../support/object-storage/real-clusters.ts';

const cleanup = new AsyncDisposableStack();
let clusters: RealClusters;
let ring: Ring;
let epoch = 1;
let east: RealCluster;
beforeAll(async () => {
  clusters = await RealClusters.start(cleanup);
  ring = firstRing(clusters.wish(['north', 'south', 'east']));
  east = clusters.get('east');
  await makeContainer(clusters.get('north').client(), 'photos');
}, 120_000 * patience);
afterAll(() => cleanup.disposeAsync(), 60_000 * patience);

const tables = ['store_register', 'store_partition', 'store_position', 'store_counter'];
const file = () => join(east.folder, 'database.json');

async function put(name: string, path: string, body = path): Promise<number> {
  return (await clusters.get(name).client().send({ method: 'PUT', path, body, headers: {} })).status;
}

async function backup({ db, folder } = east): Promise<void> {
  for (const table of tables) {
    await db.execute(`CREATE OR REPLACE TABLE kept_${table} LIKE ${table}`);
    await db.execute(`INSERT INTO kept_${table} SELECT * FROM ${table}`);
  }
  await copyFile(join(folder, 'database.json'), join(folder, 'database.json.kept'));
}

async function restore({ db } = east): Promise<void> {
  for (const table of tables) {
    await db.execute(`DELETE FROM ${table}`);
    // Its servers are running, and may have written one of these rows since.
    await db.execute(`REPLACE INTO ${table} SELECT * FROM kept_${table}`);
  }
}

async function empty(): Promise<void> {
  for (const table of tables.slice(0, 3)) await east.db.execute(`DELETE FROM ${table}`);
  await east.db.execute('UPDATE store_counter SET number = 0');
}

const others = () => ['north', 'south'].map((name) => clusters.get(name));

/** Waits until the others have all of its data on disk. */
async function isFollowed(): Promise<void> {
  const numbers = (db: RealCluster['db'], table: string, of: string, most: string) =>
    db.query<{ ring: number; partition_number: number; most: number }>(
      `SELECT ring, partition_number, MAX(${most}) AS most FROM ${table} WHERE ${of} GROUP BY ring, partition_number`,
    );
  await waitFor('the others to follow', async () => {
    const own = await numbers(east.db, 'store_register', 'kind <> 2', 'change_number');
    const seen = await Promise.all(
      others().map(({ db }) => numbers(db, 'store_position', `peer = ${east.number}`, 'position')),
    );
    return seen.every((rows) =>
      own.every(({ ring: number, partition_number: partition, most }) =>
        rows.some((row) => row.ring === number && row.partition_number === partition && row.most >= most),
      ),
    );
  });
}

/** Its services' reports about it. */
async function told(): Promise<{ readonly isReady: boolean; readonly message: string | null }> {
  const [service] = await new ServiceStore(east.db).all();
  return { isReady: service?.isReady ?? false, message: service?.message ?? null };
}

/** It reports what to do, none of its replicas vote, and this survives another start. */
async function doesNotVote(): Promise<void> {
  for (let start = 0; start < 2; start += 1) {
    await waitFor('east to report that it lost its data', async () =>
      (await told()).message?.includes('tidegate rings change --recover east'),
    );
    expect((await told()).isReady).toBe(false);
    expect(east.server?.lost).toContain('--recover');
    expect(await east.db.query('SELECT 1 FROM store_partition WHERE is_ready LIMIT 1')).toEqual([]);
    // The others are a majority without it. With only one of them there is none.
    await waitFor('the others', async () => (await put('east', '/photos/without')) === 200);
    if (start === 0) {
      await east.stop();
      await east.start();
    }
  }
  await clusters.get('north').stop();
  expect(await put('south', '/photos/alone')).toBe(503);
  await clusters.get('north').start();
}

async function isRecovered(): Promise<void> {
  await east.stop();
  epoch += 1;
  for (const number of [0, 1]) await clusters.tellRing(number, epoch, [ring], { recovering: [east.number] });
  await east.start();
  for (const number of [0, 1]) await waitFor(`east to have ring ${number}`, () => east.takeOver(number)?.left === 0);
  await waitFor('east to be ready', async () => (await told()).isReady);
  await clusters.get('south').stop();
  await waitFor('a majority with east', async () => (await put('north', '/photos/with')) === 200);
  const { text } = await east.client().send({ method: 'GET', path: '/photos/newest', headers: {} });
  expect(text).toBe('/photos/newest');
  await clusters.get('south').start();
  // From now on a start is like any other.
  await east.stop();
  await east.start();
  await isFollowed();
  await waitFor('east to be ready', async () => (await told()).isReady);
}

test(
  'a plain start, even after a kill of everything in between, votes at once',
  async () => {
    await east.stop();
    await east.start();
    await clusters.get('north').stop();
    await waitFor('a majority with east', async () => (await put('south', '/photos/plain')) === 200);
    await clusters.get('north').start();
    await waitFor('east to be ready', async () => (await told()).isReady);
  },
  120_000 * patience,
);

test(
  'a replica restored from a backup is detected by the file next to its blobs, without any other cluster',
  async () => {
    await backup();
    expect(await put('north', '/photos/newest')).toBe(200);
    await east.stop();
    await east.start();
    await east.stop();
    await restore();
    for (const other of others()) await other.stop();
    await east.start();
    await waitFor('east to report it', () => east.server?.lost);
    for (const other of others()) await other.start();
    await doesNotVote();
    await isRecovered();
  },
  240_000 * patience,
);

test(
  'a replica whose disk was restored with it is detected because the others have seen newer data',
  async () => {
    await backup();
    for (let number = 0; number < 5; number += 1) expect(await put('north', '/photos/newest')).toBe(200);
    await isFollowed();
    await east.stop();
    await restore();
    await copyFile(`${file()}.kept`, file());
    await east.start();
    await doesNotVote();
    await isRecovered();
  },
  240_000 * patience,
);

test(
  'a cluster that lost both does not count as new, even where the ring is in its first epoch',
  async () => {
    await isFollowed();
    await east.stop();
    await empty();
    await rm(file());
    // As if nothing had moved since the rings were created.
    epoch += 1;
    for (const number of [0, 1]) await clusters.tellRing(number, epoch, [ring], { isEmpty: true });
    await east.start();
    await doesNotVote();
    await isRecovered();
  },
  240_000 * patience,
);

test(
  'a cluster whose database is exchanged while its servers run stops voting',
  async () => {
    await backup();
    await east.stop();
    await east.start();
    expect(await put('north', '/photos/newest')).toBe(200);
    await restore();
    await waitFor('east to report it', () => east.server?.lost);
    await isRecovered();
  },
  240_000 * patience,
);

test(
  'new clusters vote only when the others have confirmed that they were not there before',
  async () => {
    await using own = new AsyncDisposableStack();
    const fresh = await RealClusters.start(own, ['north', 'south', 'east'], undefined, undefined, ['north', 'south']);
    const north = fresh.get('north');
    const create = async () =>
      (await north.client().send({ method: 'PUT', path: '/photos', body: '', headers: {} })).status;
    await waitFor('north to wait for east', async () => {
      const [service] = await new ServiceStore(north.db).all();
      return service?.message?.includes('east did not answer');
    });
    expect(await create()).toBe(503);
    await fresh.get('east').start();
    await makeContainer(north.client(), 'photos');
    await waitFor('nothing to wait for', async () => {
      const [service] = await new ServiceStore(north.db).all();
      return service?.isReady === true && service.message === null;
    });
  },
  120_000 * patience,
);

test(
  'a lost cluster that leaves its rings is no longer lost, and votes when it comes back',
  async () => {
    await using own = new AsyncDisposableStack();
    const all = ['north', 'south', 'east', 'west'];
    const four = await RealClusters.start(own, all, ['north', 'south', 'east']);
    const [gone, west] = [four.get('east'), four.get('west')];
    const ringOf = (...members: readonly string[]) => firstRing(four.wish(members));
    const [before, without] = [ringOf('north', 'south', 'east'), ringOf('north', 'south', 'west')];
    const putAt = async (name: string, path: string, body = path) =>
      (await four.get(name).client().send({ method: 'PUT', path, body, headers: {} })).status;
    await waitFor('a container', async () => [200, 409].includes(await putAt('north', '/photos', '')));
    await backup(gone);
    for (let number = 0; number < 5; number += 1)
      await waitFor('an object', async () => (await putAt('north', '/photos/newest')) === 200);
    await gone.stop();
    await gone.start();
    await gone.stop();
    await restore(gone);
    await gone.start();
    await waitFor('east to report that it is lost', () => gone.server?.lost);
    const lost = async () =>
      (await gone.db.query<{ name: string }>("SELECT name FROM store_counter WHERE name LIKE 'lost/%'")).length;
    expect(await lost()).toBe(2);
    // Like an administrator who removes it from all rings, and adds it again later.
    const change = async (from: Ring, to: Ring, first: number, taking: RealCluster) => {
      for (const number of [0, 1]) await four.tellRing(number, first, [from, to]);
      for (const number of [0, 1])
        await waitFor(`${taking.name} to take over ring ${number}`, () => {
          const taken = taking.takeOver(number);
          return taken?.epoch === first && taken.left === 0;
        });
      for (const number of [0, 1]) await four.tellRing(number, first + 1, [to]);
    };
    await change(before, without, 2, west);
    await waitFor('nothing to be lost', async () => (await lost()) === 0);
    await waitFor('east to report it', () => gone.server !== undefined && gone.server.lost === undefined);
    await change(without, before, 4, gone);
    await waitFor('east to vote', () => gone.votes());
    // At its start it asks the others for the newest data that they have seen of it.
    await gone.stop();
    await gone.start();
    await four.get('north').stop();
    await waitFor('a majority with east', async () => (await putAt('south', '/photos/again')) === 200);
    const { text } = await gone.client().send({ method: 'GET', path: '/photos/newest', headers: {} });
    expect([text, gone.server?.lost]).toEqual(['/photos/newest', undefined]);
  },
  240_000 * patience,
);
