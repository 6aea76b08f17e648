// Which cluster a machine is of: its name is that of its cluster, or begins with it and a hyphen.
import type { MachineName } from '../../../platform/machines/machine.ts';

/** Of several clusters that fit, the one with the longest name. Undefined: none does. */
export function clusterOf<Cluster extends { readonly name: string }>(
  clusters: readonly Cluster[],
  machine: Pick<MachineName, 'name'>,
): Cluster | undefined {
  return clusters
    .filter(({ name }) => machine.name === name || machine.name.startsWith(`${name}-`))
    .toSorted((one, other) => other.name.length - one.name.length)[0];
}
