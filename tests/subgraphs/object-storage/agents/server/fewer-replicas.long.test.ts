// A ring gets fewer replicas right after a remaining cluster was away. Writes acknowledged in that time are only at the
// clusters that leave.
import { randomBytes } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { firstRing, nextRing } from '../../../../../platform/rings/next-ring.ts';
import { copyingIn } from '../../../../../platform/rings/ring.ts';
import { patience } from '../../../../support/machine/patience.ts';
import { waitFor } from '../../../../support/machine/temporary-folder.ts';
import { makeContainer, RealClusters } from '../../../../support/object-storage/real-clusters.ts';

const names = ['north', 'south', 'east'];

test(
  'the remaining cluster ends up with all registers and blobs',
  async () => {
    await using cleanup = new AsyncDisposableStack();
    // Nothing else copies blobs in this time.
    const clusters = await RealClusters.start(cleanup, names, names, { bytesPerSecond: 0, lookMs: 3_600_000 });
    const [north, south] = [clusters.get('north'), clusters.get('south')];
    await makeContainer(north.client(), 'films');
    await north.stop();
    const bodies = Array.from(
      { length: 20 },
      (_, film) => [`/films/${film}`, randomBytes(film < 10 ? 40 : 20_000)] as const,
    );
    for (const [path, body] of bodies)
      expect((await south.client().send({ method: 'PUT', path, body })).status).toBe(200);
    expect((await south.client().send({ method: 'DELETE', path: '/films/0' })).status).toBe(204);
    await north.start();

    let ring = firstRing(clusters.wish(names));
    let epoch = 1;
    for (const members of [['north', 'south'], ['north']])
      for (
        let next = nextRing(ring, clusters.wish(members));
        next !== undefined;
        next = nextRing(ring, clusters.wish(members))
      ) {
        const copying = copyingIn(ring, next);
        epoch += 1;
        for (const number of [0, 1]) await clusters.tellRing(number, epoch, [ring, next]);
        for (const { name, number: cluster } of clusters.clusters.filter((each) => copying.includes(each.number)))
          for (const number of [0, 1])
            await waitFor(`${name} (${cluster}) to have ring ${number}`, () => {
              const told = clusters.get(name).takeOver(number);
              return told?.epoch === epoch && told.left === 0;
            });
        epoch += 1;
        for (const number of [0, 1]) await clusters.tellRing(number, epoch, [next]);
        ring = next;
      }
    expect(ring.replicas).toBe(1);
    for (const name of ['south', 'east']) await clusters.get(name).stop();
    await waitFor(
      'north to serve alone',
      async () => (await north.client().send({ method: 'GET', path: '/films' })).status === 200,
    );
    for (const [path, body] of bodies.slice(1)) {
      const read = await north.client().send({ method: 'GET', path });
      expect([path, read.status, read.body.equals(body)]).toEqual([path, 200, true]);
    }
    expect((await north.client().send({ method: 'GET', path: '/films/0' })).status).toBe(404);
  },
  240_000 * patience,
);
