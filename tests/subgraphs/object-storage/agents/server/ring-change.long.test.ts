// A ring changes while clusters serve. A fourth cluster takes over partitions with everything in them, one leaves, and
// one that lost its database recovers it from the others. Users' requests continue all the time.
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { firstRing, nextRing } from '../../../../../platform/rings/next-ring.ts';
import { clustersOfPartition, countsOf, gainsIn, type Ring } from '../../../../../platform/rings/ring.ts';
import { patience } from '../../../../support/machine/patience.ts';
import { waitFor } from '../../../../support/machine/temporary-folder.ts';
import { makeContainer, type RealCluster, RealClusters } from '../../../../support/object-storage/real-clusters.ts';

const names = ['north', 'south', 'east'];
/** Each is one partition of the index. With this many, some move. */
const containers = Array.from({ length: 16 }, (_, number) => `work-${number}`);
const cleanup = new AsyncDisposableStack();
let clusters: RealClusters;
let ring: Ring;
let epoch = 1;
/** The last acknowledged value by path. Undefined if deleted. */
const acknowledged = new Map<string, Buffer | undefined>();

beforeAll(async () => {
  clusters = await RealClusters.start(cleanup, [...names, 'west'], names);
  ring = firstRing(clusters.wish(names));
  const north = clusters.get('north').client();
  for (const container of containers) await makeContainer(north, container);
}, 120_000 * patience);
afterAll(() => cleanup.disposeAsync(), 60_000 * patience);

/** Writes, overwrites, deletes and reads until it is stopped. Every answer must be correct. */
class Users {
  readonly faults: string[] = [];
  operations = 0;
  readonly #through: readonly RealCluster[];
  readonly #prefix: string;
  readonly #done: Promise<unknown>;
  #isEnding = false;

  constructor(through: readonly RealCluster[], prefix: string) {
    this.#through = through;
    this.#prefix = prefix;
    this.#done = Promise.all(through.map((_, user) => this.#work(user)));
  }

  /** Waits until each user has completed some more operations. */
  async go(): Promise<void> {
    const least = this.operations + 10 * this.#through.length;
    await waitFor('more operations', () => this.operations >= least);
  }

  async end(): Promise<void> {
    this.#isEnding = true;
    await this.#done;
  }

  async #work(user: number): Promise<void> {
    for (let turn = 0; !this.#isEnding; turn += 1) {
      const client = (this.#through[(user + turn) % this.#through.length] as RealCluster).client();
      const name = turn % 40;
      const path = `/${containers[name % containers.length]}/${this.#prefix}-${user}-${name}`;
      const isDeletion = turn % 7 === 6;
      // Every fifth value is a blob.
      const body = randomBytes(turn % 5 === 0 ? 20_000 : 40);
      const written = await asClientsDo(() =>
        client.send(isDeletion ? { method: 'DELETE', path } : { method: 'PUT', path, body }),
      );
      this.operations += 1;
      if (written.status >= 300) this.faults.push(`${path}: ${written.status} ${written.text}`);
      else acknowledged.set(path, isDeletion ? undefined : body);
      const read = await asClientsDo(() => client.send({ method: 'GET', path }));
      if (read.status !== (isDeletion ? 404 : 200) || (!isDeletion && !read.body.equals(body)))
        this.faults.push(`${path}: read ${read.status} ${read.body.length < 2000 ? read.text : ''}`);
    }
  }
}

/** On a starved machine a cluster may briefly refuse (503). Every S3 client retries then. */
async function asClientsDo<Result extends { readonly status: number }>(send: () => Promise<Result>): Promise<Result> {
  for (let left = 5; ; left -= 1) {
    const result = await send();
    if (result.status !== 503 || left === 0) return result;
    // The pause of a client before a retry.
    await sleep(1_000);
  }
}

/**
 * One step of the change of both rings: both groups until the joining clusters have everything, then only the new
 * group.
 */
async function step(next: Ring, joining: readonly string[]): Promise<void> {
  epoch += 1;
  for (const number of [0, 1]) await clusters.tellRing(number, epoch, [ring, next]);
  for (const name of joining)
    for (const number of [0, 1])
      await waitFor(`${name} to take over ring ${number}`, () => {
        const told = clusters.get(name).takeOver(number);
        return told?.epoch === epoch && told.left === 0;
      });
  epoch += 1;
  for (const number of [0, 1]) await clusters.tellRing(number, epoch, [next]);
  ring = next;
}

async function everythingIsThere(through: string): Promise<void> {
  const client = clusters.get(through).client();
  for (const [path, body] of acknowledged) {
    const read = await asClientsDo(() => client.send({ method: 'GET', path }));
    expect([path, read.status]).toEqual([path, body === undefined ? 404 : 200]);
    if (body !== undefined) expect(read.body.equals(body)).toBe(true);
  }
}

/** The partitions in which a cluster has data. */
async function partitionsOf(name: string, number: number): Promise<readonly number[]> {
  const rows = await clusters
    .get(name)
    .db.query<{ partition_number: number }>('SELECT DISTINCT partition_number FROM store_register WHERE ring = ?', [
      number,
    ]);
  return rows.map((row) => row.partition_number);
}

const isHeldBy = (name: string, partition: number) =>
  clustersOfPartition(ring, partition).includes(clusters.get(name).number);

test(
  'an added cluster takes over its share while users continue, and a cluster keeps nothing of a partition that it left',
  async () => {
    const users = new Users(
      names.map((name) => clusters.get(name)),
      'add',
    );
    await users.go();
    const next = nextRing(ring, clusters.wish([...names, 'west']));
    if (next === undefined) throw new Error('no step');
    expect(countsOf(next).get(3)).toBeGreaterThan(3_000);
    await step(next, ['west']);
    await users.go();
    await users.end();
    expect(users.faults).toEqual([]);
    expect(users.operations).toBeGreaterThan(20);
    await everythingIsThere('west');
    const used = new Set((await Promise.all(names.map((name) => partitionsOf(name, 1)))).flat());
    const gained = [...used].filter((partition) => isHeldBy('west', partition));
    expect(gained).not.toEqual([]);
    const taken = await partitionsOf('west', 1);
    expect(gained.filter((partition) => !taken.includes(partition))).toEqual([]);
    await waitFor('the others to delete the blobs that they left', async () => {
      for (const name of names)
        if (!(await partitionsOf(name, 1)).every((partition) => isHeldBy(name, partition))) return false;
      return true;
    });
  },
  240_000 * patience,
);

test(
  'a leaving cluster has nothing in the end, and everything is there without it',
  async () => {
    const users = new Users(
      ['north', 'east', 'west'].map((name) => clusters.get(name)),
      'remove',
    );
    for (;;) {
      const next = nextRing(ring, clusters.wish(['north', 'east', 'west']));
      if (next === undefined) break;
      await step(
        next,
        ['north', 'east', 'west'].filter((name) => gainsIn(ring, next).has(clusters.get(name).number)),
      );
    }
    await users.end();
    expect(users.faults).toEqual([]);
    await clusters.get('south').stop();
    await everythingIsThere('west');
    await everythingIsThere('north');
    await clusters.get('south').start();
    await waitFor('south to have nothing', async () => (await partitionsOf('south', 1)).length === 0);
    await clusters.get('south').stop();
  },
  240_000 * patience,
);

test(
  'a cluster that lost its database recovers it from the others, and votes again',
  async () => {
    const east = clusters.get('east');
    await east.stop();
    for (const table of ['store_register', 'store_partition', 'store_position'])
      await east.db.execute(`DELETE FROM ${table}`);
    epoch += 1;
    for (const number of [0, 1]) await clusters.tellRing(number, epoch, [ring], { recovering: [east.number] });
    await east.start();
    for (const number of [0, 1]) await waitFor(`east to have ring ${number}`, () => east.takeOver(number)?.left === 0);
    // With one of the others away it is needed, and has the writes acknowledged without it.
    await clusters.get('north').stop();
    await everythingIsThere('east');
    await clusters.get('north').start();
  },
  240_000 * patience,
);
