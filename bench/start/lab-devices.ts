// The cost of each device of the lab for a running system, added one after the other.
import { setTimeout as sleep } from 'node:timers/promises';
import { CommandFailure } from '../../cli/failures.ts';
import { askLab } from '../../cli/lab-client.ts';
import { clusterNames } from '../../lab/clusters/plan.ts';
import { type DeviceName, deviceNames } from '../../lab/device.ts';
import { rounded } from '../../measure/statistics.ts';
import { memoryOf } from './memory-by-name.ts';

interface AddedDevices {
  /** The time until it runs for the first time and is registered. */
  readonly partSeconds: Readonly<Record<string, number>>;
  readonly partMiB: Readonly<Record<string, number>>;
  /** The reason why it can't run here. */
  readonly partsLeftOut: Readonly<Record<string, string>>;
  /** The cost per object storage cluster of the lab, measured when all of them serve users for the first time. */
  readonly clusterMiB?: number;
  readonly clustersReadySeconds?: number;
}

interface AddDevicesOptions {
  readonly names: readonly DeviceName[];
  readonly dataPath: string;
  /** The process of the running `npm start`, whose lab has none of these parts. */
  readonly pid: number;
  /** The pause before memory is read. */
  readonly idleSeconds: number;
  readonly progress: (line: string) => void;
  readonly signal: AbortSignal;
}

/** The firewall exists anyway. */
const others = deviceNames.filter((name) => name !== 'firewall');

/** The devices that `--parts` names. */
export function namedDevices(given: string | undefined): readonly DeviceName[] {
  if (given === undefined) return others.filter((name) => name !== 'neutron');
  const names = given === 'none' ? [] : given.split(',');
  const wrong = names.find((name) => !others.some((other) => other === name));
  if (wrong !== undefined) throw new Error(`--parts: '${wrong}' is none of ${others.join(', ')}`);
  return others.filter((name) => names.includes(name));
}

/** The devices stay. */
export async function addDevices(options: AddDevicesOptions): Promise<AddedDevices> {
  const { names, dataPath, pid, idleSeconds, progress, signal } = options;
  const partSeconds: Record<string, number> = {};
  const partMiB: Record<string, number> = {};
  const partsLeftOut: Record<string, string> = {};
  let before = await memoryOf(pid);
  for (const device of names) {
    const begunMs = performance.now();
    try {
      await askLab(dataPath, { do: 'add', part: device }, signal);
    } catch (error) {
      if (!(error instanceof CommandFailure)) throw error;
      partsLeftOut[device] = error.message;
      continue;
    }
    partSeconds[device] = rounded((performance.now() - begunMs) / 1000, 2);
    await sleep(idleSeconds * 1000, undefined, { signal });
    const now = await memoryOf(pid);
    partMiB[device] = rounded(now - before, 1);
    before = now;
    progress(`${device}: ${partSeconds[device]} s, ${partMiB[device]} MiB`);
  }
  const { clusters: clustersReadySeconds } = partSeconds;
  const clusterMiB = rounded((partMiB.clusters ?? 0) / clusterNames.length, 1);
  const ofClusters = clustersReadySeconds === undefined ? {} : { clusterMiB, clustersReadySeconds };
  return { partSeconds, partMiB, partsLeftOut, ...ofClusters };
}
