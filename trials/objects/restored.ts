// A cluster that returns to an earlier state: its database, its disk or both are restored from a copy, as a person with a backup would. It
// has forgotten its acknowledgements and promises since then, and must not vote until it is recovered.
import { constants, cp, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { waitFor } from '../../tests/support/machine/temporary-folder.ts';
import type { Fault, Place } from './fault.ts';
import type { Cluster } from './site.ts';

type Part = 'DATABASE' | 'DISK';

const lookMs = 100;

/** `noticeMs`: an older database must be noticed within this time. */
export function restored(parts: readonly Part[], noticeMs = 60_000): Fault {
  return async (place) => {
    const { cluster, site, reach } = place;
    const folders = parts.map((part) => (part === 'DATABASE' ? cluster.dataFolder : cluster.folder));
    const copied = reach.down(cluster.number);
    await cluster.stop();
    for (const folder of folders) await replace(copyOf(folder), folder);
    const mark = await markOf(cluster);
    await cluster.start();
    await site.untilServed([cluster]);
    copied();
    return async () => {
      // A copy newer than its last mark can't be recognised as older: see docs/decisions/0094.
      await waitFor(`a mark of ${cluster.name} after its copy`, async () => (await markOf(cluster)) > mark);
      const recovered = reach.down(cluster.number);
      await cluster.stop();
      for (const folder of folders) {
        await replace(folder, copyOf(folder));
        await rm(copyOf(folder), { recursive: true });
      }
      await cluster.mariadb.start();
      await site.tellAgain(cluster);
      // If the disk is older too, the cluster can't notice by itself: the person who restores it must recover it before it starts.
      if (!parts.includes('DISK')) await mustNotice(place, noticeMs);
      await site.recover(cluster);
      await site.untilServed([cluster]);
      recovered();
    };
  };
}

/** Its servers run as if nothing had happened, and stop when all of them have reported that they don't vote. */
async function mustNotice({ cluster, found }: Place, noticeMs: number): Promise<void> {
  await cluster.startServers();
  const untilMs = performance.now() + noticeMs;
  while (!(await saysSo(cluster))) {
    if (performance.now() > untilMs) {
      found({ figure: 'unnoticed', what: `${cluster.name} votes with an older database` });
      break;
    }
    await sleep(lookMs);
  }
  await cluster.killServers();
}

async function saysSo(cluster: Cluster): Promise<boolean> {
  const told = await cluster.told();
  if (!told.every((each) => each?.lost?.includes(`rings change --recover ${cluster.name}`))) return false;
  return (await cluster.db.query('SELECT 1 FROM store_partition WHERE is_ready LIMIT 1')).length === 0;
}

/** The mark on its disk from the last time that a process served. */
async function markOf({ folder }: Cluster): Promise<number> {
  const { mark } = JSON.parse(await readFile(join(folder, 'database.json'), 'utf8')) as { readonly mark: number };
  return mark;
}

function copyOf(folder: string): string {
  return `${folder}-copy`;
}

async function replace(folder: string, from: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await cp(from, folder, { recursive: true, mode: constants.COPYFILE_FICLONE });
}
