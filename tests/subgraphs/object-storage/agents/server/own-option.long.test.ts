// Objects whose bytes use another option than their container. Their names are at north and south, their bytes at east,
// and west has neither. The ring of the bytes changes while that of the names stays, and each cluster collects
// unreferenced blobs.
import { createHash, randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { firstRing } from '../../../../../platform/rings/next-ring.ts';
import { patience, stretch } from '../../../../support/machine/patience.ts';
import { waitFor } from '../../../../support/machine/temporary-folder.ts';
import { makeContainer, RealClusters } from '../../../../support/object-storage/real-clusters.ts';
import type { Answer, Sent } from '../../../../support/object-storage/s3-client.ts';

const names = ['north', 'south', 'east', 'west'];
const far = { 'x-tidegate-option': 'far' };
const cleanup = new AsyncDisposableStack();
const large = randomBytes(2 * 1024 * 1024 + 5);
let clusters: RealClusters;

beforeAll(async () => {
  const times = { uploadMs: 6_000 * stretch, readingMs: 200, collectPauseMs: 300, leavingMs: 1_000 };
  clusters = await RealClusters.start(cleanup, names, ['north', 'south'], undefined, names, times);
  await clusters.tellOption({ nearestReads: false, others: ['far'] });
  await clusters.tellRing(2, 1, [ringOf('east')], { isEmpty: true });
  for (const name of names) await makeContainer(clusters.get(name).client(), 'photos');
  await waitFor('east to vote', () => clusters.get('east').votes());
}, 120_000 * patience);
afterAll(() => cleanup.disposeAsync(), 60_000 * patience);

const ringOf = (...members: readonly string[]) => firstRing(clusters.wish(members, members.length));

/** Like S3 clients: a temporarily refused request (503) is sent again. */
async function send(name: string, sent: Sent): Promise<Answer> {
  for (let left = 5; ; left -= 1) {
    const answer = await clusters.get(name).client().send(sent);
    if (answer.status !== 503 || left === 0) return answer;
    // The pause of a client before a retry.
    await sleep(500);
  }
}

const put = (name: string, path: string, body: Buffer | string, headers: Record<string, string> = far) =>
  send(name, { method: 'PUT', path, body, headers });

async function mustBe(path: string, body: Buffer, through: readonly string[] = names): Promise<void> {
  for (const name of through) {
    const read = await send(name, { method: 'GET', path });
    expect([path, name, read.status, md5(read.body)]).toEqual([path, name, 200, md5(body)]);
  }
}

const md5 = (body: Buffer) => createHash('md5').update(body).digest('hex');

/** The number of blobs on a cluster's disk, by ring. */
async function blobsOf(name: string): Promise<Readonly<Record<number, number>>> {
  const folder = join(clusters.get(name).folder, 'blobs');
  const found = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const counts: Record<number, number> = {};
  for (const each of found.filter((entry) => entry.isFile())) {
    const ring = Number.parseInt(each.name.slice(0, 4), 16);
    counts[ring] = (counts[ring] ?? 0) + 1;
  }
  return counts;
}

test(
  'the bytes are at the clusters of their option, even small ones, and can be read through a cluster that has neither',
  async () => {
    expect((await put('west', '/photos/cat', large)).status).toBe(200);
    expect((await put('west', '/photos/mouse', 'pip')).status).toBe(200);
    expect(await Promise.all(names.map(blobsOf))).toEqual([{}, {}, { 2: 2 }, {}]);
    await mustBe('/photos/cat', large);
    await mustBe('/photos/mouse', Buffer.from('pip'));
    const part = await send('west', { method: 'GET', path: '/photos/cat', headers: { range: 'bytes=5-1048580' } });
    expect(part.body.equals(large.subarray(5, 1_048_581))).toBe(true);
  },
  60_000 * patience,
);

test(
  'an unknown option is refused, and so is an unsigned one',
  async () => {
    const unknown = await put('north', '/photos/dog', 'wuff', { 'x-tidegate-option': 'none' });
    expect([unknown.status, unknown.text]).toEqual([400, expect.stringContaining('no option none')]);
    const unsigned = await send('north', { method: 'PUT', path: '/photos/dog', body: 'wuff', unsigned: far });
    expect([unsigned.status, unsigned.code]).toEqual([403, 'AccessDenied']);
    expect((await send('south', { method: 'GET', path: '/photos/dog' })).status).toBe(404);
  },
  60_000 * patience,
);

test(
  'one of several concurrent creations wins, whatever option each names',
  async () => {
    const bodies = names.map((name) => Buffer.concat([Buffer.from(name), randomBytes(20_000)]));
    // Not sent again: the outcome of a request refused with 503 may be unknown, and a retry would meet its effect.
    const made = await Promise.all(
      names.map((name, at) => {
        const headers = { ...(at % 2 === 0 ? far : {}), 'if-none-match': '*' };
        const body = bodies[at] as Buffer;
        return clusters.get(name).client().send({ method: 'PUT', path: '/photos/race', body, headers });
      }),
    );
    expect(made.filter(({ status }) => ![200, 412, 503].includes(status))).toEqual([]);
    const winners = made.flatMap(({ status }, at) => (status === 200 ? [at] : []));
    expect(winners.length).toBeLessThanOrEqual(1);
    const decided = await put('west', '/photos/race', bodies[3] as Buffer, { ...far, 'if-none-match': '*' });
    expect(winners.length === 0 ? [200, 412] : [412]).toContain(decided.status);
    const read = await send('west', { method: 'GET', path: '/photos/race' });
    const [winner = bodies.findIndex((body) => body.equals(read.body))] = winners;
    await mustBe('/photos/race', bodies[winner] as Buffer);
    const etag = read.headers.etag as string;
    expect((await put('east', '/photos/race', large, { ...far, 'if-match': '"0"' })).status).toBe(412);
    expect((await put('east', '/photos/race', large, { ...far, 'if-match': etag })).status).toBe(200);
    await mustBe('/photos/race', large);
  },
  60_000 * patience,
);

test(
  'the ring of the bytes changes while users continue, and that of the names stays',
  async () => {
    const written = new Map<string, Buffer>();
    const faults: string[] = [];
    let isEnding = false;
    let turns = 0;
    const users = names.map(async (_, user) => {
      for (let turn = 0; !isEnding; turn += 1) {
        const path = `/photos/moving-${user}-${turn % 10}`;
        const body = randomBytes(turn % 2 === 0 ? 20_000 : 40);
        const through = names[(user + turn) % names.length] as string;
        const { status, text } = await put(through, path, body);
        if (status === 200) written.set(path, body);
        else faults.push(`${path}: ${status} ${text}`);
        const read = await send(through, { method: 'GET', path });
        if (read.status !== 200 || !read.body.equals(body)) faults.push(`${path}: read ${read.status}`);
        turns += 1;
      }
    });
    await waitFor('a turn of each user', () => turns >= names.length);
    const [before, after] = [ringOf('east'), ringOf('west')];
    await clusters.tellRing(2, 2, [before, after]);
    await waitFor('west to take over the bytes', () => {
      const told = clusters.get('west').takeOver(2);
      return told?.epoch === 2 && told.left === 0;
    });
    await clusters.tellRing(2, 3, [after]);
    const turnsBefore = turns;
    await waitFor('turns with the new ring alone', () => turns >= turnsBefore + 2 * names.length);
    isEnding = true;
    await Promise.all(users);
    expect(faults).toEqual([]);
    expect(written.size).toBeGreaterThan(4);
    await waitFor('east to delete the blobs that it left', async () => ((await blobsOf('east'))[2] ?? 0) === 0);
    await clusters.get('east').stop();
    for (const [path, body] of written) await mustBe(path, body, ['north', 'west']);
    await mustBe('/photos/cat', large, ['north', 'west']);
    await clusters.get('east').start();
  },
  120_000 * patience,
);

test(
  'a blob that a name in another ring refers to is not collected; overwritten or deleted blobs are',
  async () => {
    expect((await put('south', '/photos/cat', 'now with its container', {})).status).toBe(200);
    expect((await send('south', { method: 'DELETE', path: '/photos/race' })).status).toBe(204);
    // The mouse, and the moved objects.
    const listed = await send('north', { method: 'GET', path: '/photos?list-type=2&prefix=mo' });
    const left = [...listed.text.matchAll(/<Key>(.*?)<\/Key>/g)].map(([, name = '']) => name);
    expect(left).toContain('mouse');
    const bytes = new Map<string, Buffer>();
    for (const name of left) bytes.set(name, (await send('east', { method: 'GET', path: `/photos/${name}` })).body);
    await waitFor('west to have only what is referred to', async () => (await blobsOf('west'))[2] === left.length);
    // Once this one is collected, all older blobs are also past their time.
    expect((await put('east', '/photos/last', 'overwritten')).status).toBe(200);
    expect((await put('north', '/photos/last', 'kept')).status).toBe(200);
    await waitFor('west to collect that', async () => (await blobsOf('west'))[2] === left.length + 1);
    bytes.set('last', Buffer.from('kept'));
    for (const [name, body] of bytes) await mustBe(`/photos/${name}`, body, ['north', 'west']);
  },
  120_000 * patience,
);

test(
  'the ring of the names changes while users continue, and that of the bytes stays: only deleted blobs are collected',
  async () => {
    const isKept = new Map<string, Buffer | undefined>();
    const faults: string[] = [];
    let isEnding = false;
    const users = names.map(async (_, user) => {
      for (let turn = 0; !isEnding; turn += 1) {
        const path = `/photos/renamed-${user}-${turn % 10}`;
        const body = randomBytes(turn % 2 === 0 ? 20_000 : 40);
        const through = (away: number) => names[(user + turn + away) % names.length] as string;
        const written = await put(through(0), path, body);
        const read = await send(through(1), { method: 'GET', path });
        if (written.status !== 200 || read.status !== 200 || !read.body.equals(body))
          faults.push(`${path}: written ${written.status} ${written.text}, read ${read.status}`);
        isKept.set(path, body);
        if (turn % 3 !== 0) continue;
        const deleted = await send(through(2), { method: 'DELETE', path });
        const after = await send(through(3), { method: 'GET', path });
        if (deleted.status !== 204 || after.status !== 404)
          faults.push(`${path}: deleted ${deleted.status}, then ${after.status}`);
        isKept.set(path, undefined);
      }
    });
    const enough = (least: number) => waitFor('users to go on', () => isKept.size >= least || faults.length > 0);
    await enough(8);
    const [before, after] = [ringOf('north', 'south'), ringOf('south', 'east')];
    await clusters.tellRing(1, 2, [before, after]);
    await waitFor('east to take over the names', () => {
      const told = clusters.get('east').takeOver(1);
      return told?.epoch === 2 && told.left === 0;
    });
    await clusters.tellRing(1, 3, [after]);
    await enough(20);
    await waitFor('north to have none of the names', async () => {
      const rows = 'SELECT 1 FROM store_register WHERE ring = 1 LIMIT 1';
      return (await clusters.get('north').db.query(rows)).length === 0;
    });
    isEnding = true;
    await Promise.all(users);
    expect(faults).toEqual([]);
    // Once this one is collected, all older blobs are also past their time.
    expect((await put('east', '/photos/last', 'overwritten again')).status).toBe(200);
    expect((await put('north', '/photos/last', 'kept after all')).status).toBe(200);
    const listed = await send('north', { method: 'GET', path: '/photos?list-type=2' });
    const keys = [...listed.text.matchAll(/<Key>(.*?)<\/Key>/g)].map(([, name = '']) => name);
    const kept = keys.filter((name) => name !== 'cat');
    await waitFor('west to have only what is referred to', async () => (await blobsOf('west'))[2] === kept.length);
    for (const [path, body] of isKept) {
      expect(keys.includes(path.slice('/photos/'.length))).toBe(body !== undefined);
      if (body !== undefined) await mustBe(path, body);
    }
    await mustBe('/photos/last', Buffer.from('kept after all'));
  },
  180_000 * patience,
);
