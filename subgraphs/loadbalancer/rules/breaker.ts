// Stops replacements when too many nodes are down at once, on several hosts. The cause is then not the nodes but a network, the checkers or
// a bad change, and replacing nodes would only make it worse.

interface FleetFigures {
  /** Nodes that should serve, or did until a moment ago. */
  readonly nodes: number;
  /** Nodes among these that are down or whose last check failed. */
  readonly down: number;
  /** The number of their hosts. */
  readonly hosts: number;
}

const mostShare = 0.3;
const leastNodes = 2;
const leastHosts = 2;

/** Why nothing may be replaced. Null if healing is active. */
export function breakerReason({ nodes, down, hosts }: FleetFigures): string | null {
  if (down < leastNodes || hosts < leastHosts || down <= nodes * mostShare) return null;
  return `${down} of ${nodes} nodes on ${hosts} hosts are down together: none is replaced or taken out of DNS`;
}
