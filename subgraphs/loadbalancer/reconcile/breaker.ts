// When too many nodes are down together, on several hosts, the cause is not the nodes: a network, the checkers, a bad change. Then
// nothing is replaced, which would only make it worse.

export interface FleetFigures {
  /** Nodes that should serve, or did until a moment ago. */
  readonly nodes: number;
  /** Of these, down or with a failed last check. */
  readonly down: number;
  /** The hosts of those. */
  readonly hosts: number;
}

const mostShare = 0.3;
const leastNodes = 2;
const leastHosts = 2;

/** Why nothing may be replaced; null: healing works. */
export function breakerReason({ nodes, down, hosts }: FleetFigures): string | null {
  if (down < leastNodes || hosts < leastHosts || down <= nodes * mostShare) return null;
  return `${down} of ${nodes} nodes on ${hosts} hosts are down together: none is replaced or taken out of DNS`;
}
