// The trial of object storage. A small run finds no fault, and the trial finds the faults that this test plants.
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from '@jest/globals';
import { filesIn } from '../../trials/objects/disks.ts';
import type { Fault } from '../../trials/objects/fault.ts';
import { faults, together } from '../../trials/objects/faults.ts';
import type { Step } from '../../trials/objects/history.ts';
import { Reach } from '../../trials/objects/reach.ts';
import { restored } from '../../trials/objects/restored.ts';
import { nothingWrong } from '../../trials/objects/verdict.ts';
import { runObjectTrials, type Sabotaged } from '../../trials/objects.ts';
import { patience } from '../support/machine/patience.ts';

const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 1e9));
const { serverKilled, clusterUnplugged } = faults as Record<string, Fault>;

test(
  `with one cluster's server killed and one cluster unplugged, the answers to clients fit, and the disks have the objects (seed ${seed})`,
  async () => {
    const { figures, findings } = await runObjectTrials({
      ...{ seed, trials: 1, longestMs: 2_000, clients: 1, mostFaults: 2, settleMs: 60_000 * patience },
      faults: { serverKilled: serverKilled as Fault, clusterUnplugged: clusterUnplugged as Fault },
    });
    expect(findings).toEqual([]);
    expect(figures).toMatchObject({ trials: 1, ...nothingWrong });
    expect(figures.operations).toBeGreaterThan(0);
  },
  300_000 * patience,
);

const restores = ['databaseRestored', 'diskRestored', 'clusterRestored'];

// Only one of them in each run, because each takes a minute and a half.
test(
  `a cluster restored from a copy is recovered, and nothing is lost (seed ${seed})`,
  async () => {
    const name = restores[seed % restores.length] as string;
    const { figures, findings } = await runObjectTrials({
      ...{ seed, trials: 1, longestMs: 2_000, clients: 1, mostFaults: 1, settleMs: 60_000 * patience },
      faults: { [name]: faults[name] as Fault },
    });
    expect(findings).toEqual([]);
    expect(figures).toMatchObject({ trials: 1, ...nothingWrong });
    expect(figures.operations).toBeGreaterThan(0);
  },
  300_000 * patience,
);

/** An object too large for a row, which the log knows. */
async function put({ site, clients, container }: Sabotaged, name: string): Promise<void> {
  const body = randomBytes(10_000);
  const etag = createHash('md5').update(body).digest('hex');
  const called = performance.now();
  const told = await site.clusters[0]?.servers[0]
    ?.client()
    .send({ method: 'PUT', path: `/${container}/${name}`, body });
  expect(told?.status).toBe(200);
  clients.contents.set(etag, etag);
  clients.log.set(name, [{ called, answered: performance.now(), step: { kind: 'put', value: etag } }]);
}

/** Reported one after the other. */
function tell({ clients }: Sabotaged, name: string, ...steps: readonly Step[]): void {
  clients.log.set(
    name,
    steps.map((step, at) => ({ called: 2 * at, answered: 2 * at + 1, step })),
  );
}

test(
  'each key counts the planted faults',
  async () => {
    const { figures, findings } = await runObjectTrials({
      ...{
        seed,
        trials: 1,
        longestMs: 0,
        clients: 1,
        mostFaults: 1,
        settleMs: 5_000 * patience,
        // Nothing is restored, so there is nothing to notice.
        faults: { none: restored([], 2_000) },
      },
      sabotage: {
        afterFaults: async (place) => {
          for (const name of ['gone', 'bytes', 'unequal', 'back']) await put(place, name);
          // Its object can't be determined, and no object refers to it.
          const left = join(place.site.clusters[0]?.folder ?? '', 'blobs/0001/fff', `0001fff${'0'.repeat(25)}`);
          await mkdir(dirname(left), { recursive: true });
          await writeFile(left, 'left');
        },
        beforeVerdict: async (place) => {
          const { site, scope, clients } = place;
          const holders = site.clusters.filter(({ number }) => site.holders(scope).includes(number));
          const forget = (name: string) =>
            ['DELETE FROM store_register WHERE scope = UNHEX(?) AND name = ?', [scope, Buffer.from(name)]] as const;
          for (const { db } of holders) await db.execute(...forget('gone'));
          await holders[0]?.db.execute(...forget('unequal'));
          const blobs = site.clusters.map(({ folder }) => filesIn(join(folder, 'blobs')));
          // Some are collected in between.
          for (const path of (await Promise.all(blobs)).flat()) await rm(path, { force: true });
          // As if it had been deleted last.
          clients.log.get('back')?.push({ called: 1e12, answered: 1e12 + 1, step: { kind: 'read', got: undefined } });
          tell(place, 'old', { kind: 'put', value: 'v1' }, { kind: 'put', value: 'v2' }, { kind: 'read', got: 'v1' });
          tell(place, 'risen', { kind: 'put', value: 'v3' }, { kind: 'delete' }, { kind: 'read', got: 'v3' });
          tell(place, 'aged', { kind: 'put', value: 'v5' }, { kind: 'put', value: 'v6' });
          clients.nearest.set('aged', [{ asOf: 10, answered: 11, value: 'v5' }]);
          tell(place, 'unlisted', { kind: 'put', value: 'v4' }, { kind: 'read', got: undefined, listed: true });
        },
      },
    });
    const { trials, operations, aged, acknowledgedShare, ...wrong } = figures;
    expect([trials, operations > 0, aged > 0]).toEqual([1, true, true]);
    expect(acknowledgedShare ?? 1).toBeGreaterThan(0);
    for (const [figure, count] of Object.entries(wrong)) expect([figure, count > 0]).toEqual([figure, true]);
    const found = findings.join('\n');
    for (const what of [
      ...['lost: gone is nothing on disk', 'lost: back: nothing was there', 'unreadable: bytes: its blob'],
      ...[
        'diverged: unequal',
        'stale: old: v1',
        'stale: aged: one cluster, as of 1 ms before, had v5 after v6',
        'notLinearizable: old',
        'resurrected: risen',
        'resurrected: back is on disk',
      ],
      ...['listWrong: unlisted', `leakedBlobs: north has 0001fff${'0'.repeat(25)}`, 'unnoticed: '],
    ])
      expect(found).toContain(what);
  },
  300_000 * patience,
);

test('requests that could not be served do not count towards the share of acknowledged requests', () => {
  const reach = new Reach(2, 0);
  const begunMs = performance.now();
  const [up, joined] = [reach.down(0), reach.cut(1, 2)];
  const nowMs = performance.now();
  // 0 is down; 1 reaches itself and 3.
  expect(reach.served(0, [0, 1, 3], nowMs, nowMs)).toBe(false);
  expect(reach.served(1, [1, 2, 3], nowMs, nowMs)).toBe(true);
  expect(reach.served(1, [0, 1, 2], nowMs, nowMs)).toBe(false);
  up();
  joined();
  const afterMs = performance.now() + 1;
  expect(reach.served(1, [0, 1, 2], afterMs, afterMs)).toBe(true);
  expect(reach.served(1, [0, 1, 2], begunMs, afterMs)).toBe(false);
});

test('every fault that the trial promises is there', () => {
  expect(Object.keys(faults)).toEqual(
    expect.arrayContaining([
      ...['serverKilled', 'serverStopped', 'databaseKilled', 'databaseStopped', 'clusterKilled', 'clusterUnplugged'],
      ...['linkCut', 'requestsCut', 'answersCut', 'clockAhead', 'clockBehind', 'clockJumps', 'diskFull', 'bitsFlipped'],
      ...['ringMoved', 'databaseRestored', 'diskRestored', 'clusterRestored'],
    ]),
  );
});

test('while one cluster is restored from a copy, no other cluster loses its objects', () => {
  const names = (...drawn: readonly string[]) => together(drawn.map((name) => ({ name }))).map(({ name }) => name);
  expect(names('serverKilled', 'diskRestored', 'databaseRestored')).toEqual(['serverKilled', 'diskRestored']);
  expect(names('bitsFlipped', 'clusterRestored', 'ringMoved')).toEqual(['clusterRestored', 'ringMoved']);
  expect(names('bitsFlipped', 'bitsFlipped')).toEqual(['bitsFlipped', 'bitsFlipped']);
});
