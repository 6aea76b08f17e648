// The wanted state of a node, which the control plane sends to its host and the host keeps on disk: a whole document with a generation,
// then changes to it. Applying a change is a pure function, so both ends agree on the result.
import type { Position } from '../../../platform/values/positions.ts';
import type { PartName, PartSpec } from '../spec/part-kind.ts';

export interface WantedPart {
  /** UUID. */
  readonly id: string;
  readonly kind: PartName;
  /** UUID of its parent part, or of the load balancer. */
  readonly parentId: string;
  readonly spec: PartSpec;
  /** For a draining member: when its remaining sessions end, RFC 3339. */
  readonly drainUntil: string | null;
}

export interface WantedCertificate {
  /** UUID. */
  readonly id: string;
  readonly version: number;
  /** PEM: chain and private key. On the host only in memory and in files with mode 0600. */
  readonly pem: string;
}

/** The node's leg in the project's subnet. */
interface WantedSubnetLeg {
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
  /** UUID. What a host shares among projects is counted for it. Absent in documents that an earlier version wrote. */
  readonly projectId?: string | undefined;
  /** History of the generation: generations of different histories can't be compared (platform/values/positions.ts). */
  readonly history: string;
  /** Rises with each change of this document. An older one of the same history is refused. */
  readonly generation: number;
  readonly loadBalancer: { readonly id: string; readonly name: string; readonly generation: number };
  /** DRAIN: finishes its sessions and accepts no new ones. */
  readonly state: 'RUN' | 'DRAIN';
  /** For clients: the node's own address. */
  readonly address: string;
  /** Address for health checkers. */
  readonly managementAddress: string;
  /** Null for a provider without subnets. */
  readonly subnet: WantedSubnetLeg | null;
  /** The address that two nodes share, and which of them has it first. Null if there is none. */
  readonly floating: { readonly address: string; readonly routerId: number; readonly priority: number } | null;
  readonly size: { readonly connections: number; readonly threads: number };
  /** For persistence cookies; the same on all nodes of the load balancer. */
  readonly cookieKey: string;
  readonly parts: readonly WantedPart[];
  readonly certificates: readonly WantedCertificate[];
}

/** The change from one generation of a document to a later one. */
export interface WantedChange {
  readonly history: string;
  readonly from: number;
  readonly to: number;
  /** Everything except parts and certificates, if it changed. */
  readonly node?: Omit<WantedNode, 'parts' | 'certificates' | 'history' | 'generation'>;
  readonly parts: readonly WantedPart[];
  /** UUIDs. */
  readonly removedParts: readonly string[];
  readonly certificates: readonly WantedCertificate[];
  /** UUIDs. */
  readonly removedCertificates: readonly string[];
}

export function positionOf({ history, generation }: Pick<WantedNode, 'history' | 'generation'>): Position {
  return { history, number: generation };
}

/** Undefined if the change does not follow this document: the whole one is then needed. */
export function applyChange(wanted: WantedNode, change: WantedChange): WantedNode | undefined {
  if (change.history !== wanted.history || change.from !== wanted.generation || change.to <= change.from)
    return undefined;
  return {
    ...wanted,
    ...change.node,
    generation: change.to,
    parts: merged(wanted.parts, change.parts, change.removedParts),
    certificates: merged(wanted.certificates, change.certificates, change.removedCertificates),
  };
}

/** In a stable order, by id: UUIDs rise with time. */
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
