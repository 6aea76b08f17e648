// Chooses hosts for new nodes: spread out, and away from hosts with nodes that are down.

import { type HostPlace, isUsed } from './plan-input.ts';
import type { NodeRow } from './rows.ts';

/** Undefined if no host has room. `avoid`: used only if there is no other. */
export function bestHost(
  hosts: readonly HostPlace[],
  nodes: readonly Pick<NodeRow, 'hostId' | 'state'>[],
  placed: readonly string[],
  avoid?: string | null,
): string | undefined {
  const here = (id: string) => nodes.filter((node) => node.hostId === id && isUsed(node as NodeRow)).length;
  const extra = (id: string) => placed.filter((each) => each === id).length;
  const rank = (host: HostPlace) => [
    Number(host.suspect),
    Number(host.id === avoid),
    here(host.id),
    host.nodeCount + extra(host.id),
  ];
  const [best] = hosts
    .filter((host) => host.free > extra(host.id))
    .toSorted((a, b) => compare(rank(a), rank(b)) || (a.id < b.id ? -1 : 1));
  return best?.id;
}

function compare(one: readonly number[], other: readonly number[]): number {
  for (const [at, value] of one.entries()) {
    const difference = value - (other[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
