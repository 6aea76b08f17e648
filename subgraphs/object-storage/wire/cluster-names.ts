// Finds the cluster of a machine: its name is that of its cluster, or begins with that name and a hyphen.
import type { MachineName } from '../../../platform/machines/machine.ts';

/** If several clusters match, the one with the longest name. Undefined if none does. */
export function clusterOf<Cluster extends { readonly name: string }>(
  clusters: readonly Cluster[],
  machine: Pick<MachineName, 'name'>,
): Cluster | undefined {
  return clusters
    .filter(({ name }) => machine.name === name || machine.name.startsWith(`${name}-`))
    .toSorted((one, other) => other.name.length - one.name.length)[0];
}
