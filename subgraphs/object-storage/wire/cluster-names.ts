// Finds the cluster of a machine: its name is that of its cluster, or begins with that name and a hyphen. A machine of a deleted cluster may
// still run. It must not be taken for one of a cluster with a shorter name.
import type { MachineName } from '../../../platform/machines/machine.ts';

interface NamedCluster {
  readonly name: string;
  /** Names of deleted clusters that begin with this name and a hyphen. */
  readonly former?: readonly string[] | undefined;
}

/** If several clusters match, the one with the longest name. Undefined if none does, or a deleted one with a longer name. */
export function clusterOf<Cluster extends NamedCluster>(
  clusters: readonly Cluster[],
  machine: Pick<MachineName, 'name'>,
): Cluster | undefined {
  const isNamedBy = (name: string) => machine.name === name || machine.name.startsWith(`${name}-`);
  const [found] = clusters
    .filter(({ name }) => isNamedBy(name))
    .toSorted((one, other) => other.name.length - one.name.length);
  return found?.former?.some(isNamedBy) === true ? undefined : found;
}
