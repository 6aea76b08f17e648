// What each part of the lab costs a running system, one added after the other.
import { setTimeout as sleep } from 'node:timers/promises';
import { CommandFailure } from '../../bin/cli/failures.ts';
import { askLab } from '../../bin/cli/lab-client.ts';
import { clusterNames } from '../../lab/clusters/plan.ts';
import { type PartName, partNames } from '../../lab/part.ts';
import { rounded } from '../support/statistics.ts';
import { memoryOf } from './memory-by-name.ts';

export interface AddedParts {
  /** Until it runs, for the first time, and is registered. */
  readonly partSeconds: Readonly<Record<string, number>>;
  readonly partMiB: Readonly<Record<string, number>>;
  /** Why it can't run here. */
  readonly partsLeftOut: Readonly<Record<string, string>>;
  /** Of each of the lab's clusters of object storage, and until all of them serve users for the first time. */
  readonly clusterMiB?: number;
  readonly clustersReadySeconds?: number;
}

export interface AddPartsOptions {
  readonly names: readonly PartName[];
  readonly dataPath: string;
  /** Of the running `npm start`, whose lab has none of them. */
  readonly pid: number;
  /** Before memory is read. */
  readonly idleSeconds: number;
  readonly progress: (line: string) => void;
  readonly signal: AbortSignal;
}

/** The firewall is there anyway. */
const others = partNames.filter((name) => name !== 'firewall');

/** The parts that `--parts` names. */
export function namedParts(given: string | undefined): readonly PartName[] {
  if (given === undefined) return others.filter((name) => name !== 'neutron');
  const names = given === 'none' ? [] : given.split(',');
  const wrong = names.find((name) => !others.some((other) => other === name));
  if (wrong !== undefined) throw new Error(`--parts: '${wrong}' is none of ${others.join(', ')}`);
  return others.filter((name) => names.includes(name));
}

/** They stay. */
export async function addParts(options: AddPartsOptions): Promise<AddedParts> {
  const { names, dataPath, pid, idleSeconds, progress, signal } = options;
  const partSeconds: Record<string, number> = {};
  const partMiB: Record<string, number> = {};
  const partsLeftOut: Record<string, string> = {};
  let before = await memoryOf(pid);
  for (const part of names) {
    const begunMs = performance.now();
    try {
      await askLab(dataPath, { do: 'add', part }, signal);
    } catch (error) {
      if (!(error instanceof CommandFailure)) throw error;
      partsLeftOut[part] = error.message;
      continue;
    }
    partSeconds[part] = rounded((performance.now() - begunMs) / 1000, 2);
    await sleep(idleSeconds * 1000, undefined, { signal });
    const now = await memoryOf(pid);
    partMiB[part] = rounded(now - before, 1);
    before = now;
    progress(`${part}: ${partSeconds[part]} s, ${partMiB[part]} MiB`);
  }
  const { clusters: clustersReadySeconds } = partSeconds;
  const clusterMiB = rounded((partMiB.clusters ?? 0) / clusterNames.length, 1);
  const ofClusters = clustersReadySeconds === undefined ? {} : { clusterMiB, clustersReadySeconds };
  return { partSeconds, partMiB, partsLeftOut, ...ofClusters };
}
