// Failures and changes. A fault is over when its end has been called.
import { open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { killQuietly } from '../../embedded/server-process.ts';
import { filesIn } from './disks.ts';
import type { Fault, Place } from './fault.ts';
import { restored } from './restored.ts';

const hourMs = 3_600_000;
const flippedAtOnce = 20;

async function serversKilled({ cluster }: Pick<Place, 'cluster'>): Promise<() => Promise<void>> {
  await cluster.killServers();
  return () => cluster.startServers();
}

async function databaseKilled({ cluster }: Pick<Place, 'cluster'>): Promise<() => Promise<void>> {
  await cluster.mariadb.kill();
  return () => cluster.mariadb.start();
}

/** Neither side receives anything from the other, or one direction is lost. */
async function unplugged({ site, cluster, reach }: Place): Promise<() => Promise<void>> {
  const others = site.clusters.filter((each) => each !== cluster);
  const ends = others.flatMap(({ number }) => [reach.cut(cluster.number, number), reach.cut(number, cluster.number)]);
  const cut = (isCut: boolean) => {
    for (const other of others) {
      cluster.ways.get(other.number)?.cut(isCut);
      other.ways.get(cluster.number)?.cut(isCut);
    }
  };
  cut(true);
  return async () => {
    cut(false);
    for (const end of ends) end();
  };
}

/** The cluster's requests to another one are lost, or the answers to them. */
async function linkCut(
  { site, random, cluster, reach }: Place,
  directions: readonly ('THERE' | 'BACK')[],
): Promise<() => Promise<void>> {
  const other = random.pick(site.clusters.filter((each) => each !== cluster));
  const way = cluster.ways.get(other.number);
  const end = reach.cut(cluster.number, other.number);
  way?.cut(true, directions);
  return async () => {
    way?.cut(false);
    end();
  };
}

async function clock({ cluster }: Place, aheadMs: number, jumpMs = 0): Promise<() => Promise<void>> {
  const before = cluster.ground.clockMs;
  cluster.change({ clockMs: before + aheadMs, jumpMs });
  return async () => cluster.change({ clockMs: before, jumpMs: 0 });
}

/** While it lasts, the cluster is not required to serve anybody. */
function down(begin: Fault): Fault {
  return async (place) => {
    const up = place.reach.down(place.cluster.number);
    const end = await begin(place);
    return async () => {
      await end();
      await place.site.untilServed([place.cluster]);
      up();
    };
  };
}

/** Flips some bits in files on this cluster's disk. */
async function flipBits({ cluster, random }: Place): Promise<void> {
  const files = random.shuffle(await filesIn(join(cluster.folder, 'blobs'))).slice(0, flippedAtOnce);
  for (const path of files) {
    const file = await open(path, 'r+').catch(() => undefined);
    if (file === undefined) continue;
    const at = random.integer(0, (await stat(path).catch(() => ({ size: 1 }))).size - 1);
    const byte = Buffer.alloc(1);
    await file.read(byte, 0, 1, at);
    byte[0] = (byte[0] ?? 0) ^ (1 << random.integer(0, 7));
    await file.write(byte, 0, 1, at);
    await file.close();
  }
}

const restores: Readonly<Record<string, Fault>> = {
  databaseRestored: restored(['DATABASE']),
  diskRestored: restored(['DISK']),
  clusterRestored: restored(['DATABASE', 'DISK']),
};

/** Faults that destroy data that a cluster has acknowledged. */
const losing: ReadonlySet<string> = new Set([...Object.keys(restores), 'bitsFlipped']);

export const faults: Readonly<Record<string, Fault>> = {
  ...restores,
  serverKilled: down(serversKilled),
  serverStopped: down(async ({ cluster }) => {
    for (const { child } of cluster.servers) child.signal('SIGSTOP');
    return async () => {
      for (const { child } of cluster.servers) child.signal('SIGCONT');
    };
  }),
  databaseKilled: down(databaseKilled),
  databaseStopped: down(async ({ cluster }) => {
    const { pid } = cluster.mariadb.running;
    killQuietly(pid, 'SIGSTOP');
    return async () => killQuietly(pid, 'SIGCONT');
  }),
  clusterKilled: down(async (place) => {
    const ends = [await databaseKilled(place), await serversKilled(place)];
    return async () => {
      for (const end of ends) await end();
    };
  }),
  clusterUnplugged: unplugged,
  linkCut: (place) => linkCut(place, ['THERE', 'BACK']),
  requestsCut: (place) => linkCut(place, ['THERE']),
  answersCut: (place) => linkCut(place, ['BACK']),
  clockAhead: (place) => clock(place, hourMs),
  clockBehind: (place) => clock(place, -hourMs),
  clockJumps: (place) => clock(place, 0, hourMs),
  diskFull: down(async ({ cluster }) => {
    cluster.change({ isFull: true });
    return async () => cluster.change({ isFull: false });
  }),
  /** Not a fault: the cluster leaves the rings and returns. */
  ringMoved: async ({ site, cluster }) => {
    const leaves = site.leave(cluster);
    return async () => {
      if (leaves) await site.comeBack();
    };
  },
  bitsFlipped: async (place) => {
    await flipBits(place);
    return async () => undefined;
  },
};

/**
 * Filters a plan for faults that may happen at the same time. Besides a restored cluster, no other cluster may lose data, or too few copies would
 * be left.
 */
export function together<Planned extends { readonly name: string }>(plan: readonly Planned[]): readonly Planned[] {
  const first = plan.find(({ name }) => name in restores);
  return plan.filter((each) => first === undefined || each === first || !losing.has(each.name));
}
