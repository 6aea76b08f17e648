// Options that choose their clusters by the measurements of their disks: `optimize` takes the faster half, `economy` the larger half, for
// big objects (10 MB) or small ones (128 KB).
import type { ObjectOptionPreset } from '../../../../generated/graph/object-storage.ts';
import type { Sql } from '../../../../platform/database/database.ts';
import { refuse } from '../../../../platform/errors/errors.ts';
import type { ControllerState } from '../../wire/controller-wire.ts';
import { type ClusterRow, liveClusters } from '../stores/cluster-store.ts';
import { controllersOf } from '../stores/controller-store.ts';

type Measured = NonNullable<ControllerState['measured']>;

export interface MeasuredCluster {
  /** UUID. */
  readonly id: string;
  readonly measured: Measured;
}

/** UUIDs of half of the clusters, rounded up, and of at least as many as there are replicas. */
export function chosenBy(
  preset: ObjectOptionPreset,
  clusters: readonly MeasuredCluster[],
  replicas: number,
): readonly string[] {
  const speed = ({ measured }: MeasuredCluster) => speedOf(preset, measured);
  const capacity = ({ measured }: MeasuredCluster) => measured.capacityBytes;
  const [first, second] = preset.startsWith('OPTIMIZE') ? [speed, capacity] : [capacity, speed];
  const count = Math.max(Math.ceil(clusters.length / 2), replicas);
  return clusters
    .toSorted((one, other) => first(other) - first(one) || second(other) - second(one))
    .slice(0, count)
    .map(({ id }) => id);
}

/** Speed of writing and reading back, in bytes per second. */
function speedOf(preset: ObjectOptionPreset, { bigWrite, bigRead, smallWrite, smallRead }: Measured): number {
  const [write, read] = preset.endsWith('BIG') ? [bigWrite, bigRead] : [smallWrite, smallRead];
  return 2 / (1 / Math.max(1, write) + 1 / Math.max(1, read));
}

/** Call it in the transaction that has locked the federation. Refuses WRONG_STATE while an active cluster has no measurement. */
export async function clustersOfPreset(
  sql: Sql,
  preset: ObjectOptionPreset,
  replicas: number,
): Promise<readonly string[]> {
  const active = (await liveClusters(sql)).filter(({ state }) => state === 'ACTIVE');
  const controllers = await controllersOf(
    sql,
    active.map(({ id }) => id),
  );
  const measuredOf = ({ id }: ClusterRow) =>
    (controllers.get(id) ?? [])
      .flatMap(({ state }) => state?.measured ?? [])
      .toSorted((one, other) => other.atMs - one.atMs)[0];
  const measured = active.flatMap((row) => {
    const found = measuredOf(row);
    return found === undefined ? [] : [{ id: row.id, measured: found }];
  });
  const missing = active.filter(({ id }) => !measured.some((each) => each.id === id));
  if (missing.length > 0)
    refuse(
      'WRONG_STATE',
      `the disk of ${missing.map(({ name }) => name).join(', ')} has not been measured: run "tidegate clusters measure --config FILE" on the host of its server, or name clusters`,
      { field: ['input', 'preset'] },
    );
  return chosenBy(preset, measured, replicas);
}
