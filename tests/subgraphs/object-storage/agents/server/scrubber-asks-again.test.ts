// Names at one cluster, their blobs at others. A cluster that could not be queried about a blob is queried again,
// without waiting for the next pass.
import { expect, test } from '@jest/globals';
import { pino } from 'pino';
import type { Placement } from '../../../../../platform/registers/placement.ts';
import { Scrubber, type ScrubberOptions } from '../../../../../subgraphs/object-storage/agents/server/scrubber.ts';
import { newBlobId, partitionOfBlob } from '../../../../../subgraphs/object-storage/engine/blobs/blob-id.ts';
import type { BlobStore, ListedBlob } from '../../../../../subgraphs/object-storage/engine/blobs/blob-store.ts';
import type { NamingValue } from '../../../../../subgraphs/object-storage/engine/store/named-blobs.ts';

const partition = 5;
/** In the order in which their names changed. */
const ids = Array.from({ length: 250 }, (_, at) => newBlobId({ ring: at < 125 ? 2 : 3, partition }));
const signal = new AbortController().signal;
const stable: Placement = { epoch: 1, groups: [[1, 2]] };

/** Two other clusters that should have the blobs. */
class Others {
  /** The missing blobs by cluster. */
  readonly lacks = new Map<number, Set<string>>([1, 2].map((cluster) => [cluster, new Set()]));
  readonly away = new Set<number>();
  readonly placements = new Map<number, Placement>([2, 3].map((ring) => [ring, stable]));
  asked = 0;
  readonly scrubber: Scrubber;

  constructor() {
    const names = ids.map((id, at): NamingValue => {
      const head = JSON.stringify({ size: 9, etag: '', at: 0, type: '', blobs: true });
      const value = { head, body: Buffer.from(JSON.stringify([{ id, sizeBytes: 9 }])) };
      return { change: at + 1, version: '0'.repeat(32), value };
    });
    const nothing = { known: () => undefined, rings: () => new Map() };
    this.scrubber = new Scrubber({
      ...{ self: 0, log: pino({ level: 'silent' }), counters: {} as ScrubberOptions['counters'] },
      map: { ...nothing, known: (ring) => this.placements.get(ring) },
      named: {
        partitions: async () => [{ ring: 1, partition: 7, changes: ids.length }],
        after: async (_, change, limit) => names.filter((name) => name.change > change).slice(0, limit),
      },
      blobs: {} as ScrubberOptions['blobs'],
      peer: (cluster) =>
        ({ list: (...asked: readonly unknown[]) => this.#list(cluster, asked) }) as unknown as BlobStore,
      reader: { repair: async (_, cluster, id) => this.lacks.get(cluster)?.delete(id) === true },
    });
  }

  async #list(cluster: number, [ring, at, after]: readonly unknown[]): Promise<readonly Pick<ListedBlob, 'id'>[]> {
    this.asked += 1;
    if (this.away.has(cluster)) throw new Error('away');
    const isNext = (id: string) => partitionOfBlob(id).ring === ring && at === partition && id > String(after);
    const [id] = ids.filter((each) => isNext(each) && this.lacks.get(cluster)?.has(each) !== true).sort();
    return id === undefined ? [] : [{ id }];
  }

  get left(): readonly number[] {
    return [...this.lacks.values()].map(({ size }) => size);
  }
}

test('a cluster that was away when its blobs were checked is queried when it is back', async () => {
  const others = new Others();
  for (const id of ids.slice(100)) others.lacks.get(2)?.add(id);
  others.away.add(2);
  await others.scrubber.look(signal);
  expect(others.left).toEqual([0, 150]);
  // While it is away, one query is enough to find out.
  const { asked } = others;
  await others.scrubber.look(signal);
  expect(others.asked - asked).toBeLessThanOrEqual(2);
  others.away.clear();
  await others.scrubber.look(signal);
  expect(others.left).toEqual([0, 0]);
  const settled = others.asked;
  await others.scrubber.look(signal);
  expect(others.asked).toBe(settled);
});

test('while the ring of its blobs changes no cluster is queried about them; afterwards they are checked', async () => {
  const others = new Others();
  others.placements.set(3, {
    epoch: 2,
    groups: [
      [1, 2],
      [2, 4],
    ],
  });
  for (const id of ids) others.lacks.get(1)?.add(id);
  await others.scrubber.look(signal);
  expect(others.left).toEqual([125, 0]);
  others.placements.set(3, { epoch: 3, groups: [[2, 1]] });
  await others.scrubber.look(signal);
  expect(others.left).toEqual([0, 0]);
});
