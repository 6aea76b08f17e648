// What a node must do, as the control plane tells its host and the host keeps it on disk: a whole document with a generation, then
// changes of it. Applying a change is a pure function, so that both ends agree on the result.
import type { PartName, PartSpec } from '../parts/part-kind.ts';

export interface WantedPart {
  /** UUID. */
  readonly id: string;
  readonly kind: PartName;
  /** UUID of the part, or of the load balancer, to which it belongs. */
  readonly parentId: string;
  readonly spec: PartSpec;
  /** A member that is drained: RFC 3339; its remaining sessions end then. */
  readonly drainUntil: string | null;
}

export interface WantedCertificate {
  /** UUID. */
  readonly id: string;
  readonly version: number;
  /** PEM: chain and private key. On the host only in files with mode 0600, and in memory. */
  readonly pem: string;
}

/** The node in the project's subnet. */
export interface WantedSubnetLeg {
  readonly address: string;
  readonly cidr: string;
  readonly vni: number;
  /** Tunnel addresses of the other hosts with nodes in the subnet. */
  readonly peers: readonly string[];
}

export interface WantedNode {
  /** UUID. */
  readonly id: string;
  /** Names its namespace, interfaces, files and processes. */
  readonly name: string;
  /** Rises with each change of this document. An older one is refused. */
  readonly generation: number;
  readonly loadBalancer: { readonly id: string; readonly name: string; readonly generation: number };
  /** DRAIN: finishes its sessions and accepts no new ones. */
  readonly state: 'RUN' | 'DRAIN';
  /** For clients: the node's own address. */
  readonly address: string;
  /** Where the health checkers reach it. */
  readonly managementAddress: string;
  /** Null for a provider without subnets. */
  readonly subnet: WantedSubnetLeg | null;
  /** The address that two nodes share, and which of them has it first; null: none. */
  readonly floating: { readonly address: string; readonly routerId: number; readonly priority: number } | null;
  readonly size: { readonly connections: number; readonly threads: number };
  /** For persistence cookies: the same on all nodes of the load balancer. */
  readonly cookieKey: string;
  readonly parts: readonly WantedPart[];
  readonly certificates: readonly WantedCertificate[];
}

/** From one generation of a document to a later one. */
export interface WantedChange {
  readonly from: number;
  readonly to: number;
  /** Everything but the parts and certificates, where it changed. */
  readonly node?: Omit<WantedNode, 'parts' | 'certificates' | 'generation'>;
  readonly parts: readonly WantedPart[];
  /** UUIDs. */
  readonly removedParts: readonly string[];
  readonly certificates: readonly WantedCertificate[];
  /** UUIDs. */
  readonly removedCertificates: readonly string[];
}

/** Undefined: the change does not follow this document, so the whole one is needed. */
export function applyChange(wanted: WantedNode, change: WantedChange): WantedNode | undefined {
  if (change.from !== wanted.generation || change.to <= change.from) return undefined;
  return {
    ...wanted,
    ...change.node,
    generation: change.to,
    parts: merged(wanted.parts, change.parts, change.removedParts),
    certificates: merged(wanted.certificates, change.certificates, change.removedCertificates),
  };
}

/** In a stable order, that of ids: UUIDs rise with time. */
function merged<Item extends { readonly id: string }>(
  before: readonly Item[],
  changed: readonly Item[],
  removed: readonly string[],
): readonly Item[] {
  const byId = new Map(before.map((item) => [item.id, item]));
  for (const item of changed) byId.set(item.id, item);
  for (const id of removed) byId.delete(id);
  return [...byId.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
}
