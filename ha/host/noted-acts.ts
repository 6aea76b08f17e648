// Administrative requests made before etcd is reachable: one file per request in the data folder, until the host's agent has
// stored it in etcd.

import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SetupLog } from '../../embedded/setup-log.ts';
import { jsonIn } from '../../platform/values/json.ts';
import { recordOf } from '../acts.ts';
import { type Act, actValue, type HaKeys } from '../agent/keys.ts';
import { type EtcdClient, EtcdError } from '../etcd.ts';

const lookEveryMs = 2_000;
const mostNoted = 100;

export async function noteAct(dataPath: string, act: Act): Promise<void> {
  const folder = folderIn(dataPath);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, `${act.id}.json`);
  await writeFile(`${path}.new`, JSON.stringify(act), { mode: 0o600, flush: true });
  await rename(`${path}.new`, path);
}

/** Runs until the signal aborts. */
export async function tellNotedActs(
  etcd: EtcdClient,
  keys: HaKeys,
  { dataPath, log, signal }: { readonly dataPath: string; readonly log: SetupLog; readonly signal: AbortSignal },
): Promise<void> {
  while (!signal.aborted) {
    try {
      await tellAll(etcd, keys, folderIn(dataPath), log);
    } catch (error) {
      const isAway = error instanceof EtcdError;
      if (!isAway) log.warn(`ha: administrative requests of this host could not be stored in etcd: ${String(error)}`);
    }
    await sleep(lookEveryMs, undefined, { signal }).catch(() => undefined);
  }
}

async function tellAll(etcd: EtcdClient, keys: HaKeys, folder: string, log: SetupLog): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  for (const name of names.filter((each) => each.endsWith('.json')).slice(0, mostNoted)) {
    const path = join(folder, name);
    const act = actValue.safeParse(jsonIn(await readFile(path, 'utf8'))).data;
    if (act === undefined) {
      // The file is kept for a person to read. A bad file must not delay later ones.
      await rename(path, `${path}.damaged`);
      log.error(
        `ha: ${path}.damaged is not readable: an administrative request of this host is not in the audit trail`,
      );
      continue;
    }
    // The same key again, if the answer was lost.
    await etcd.transact([], await recordOf(etcd, keys, act));
    await rm(path);
  }
}

function folderIn(dataPath: string): string {
  return join(dataPath, 'ha', 'acts');
}
