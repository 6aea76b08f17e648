// Load balancers, their nodes and their names in DNS, as stores read them and rules decide by them.
import type { NodeState, OperatingStatus, ProvisioningStatus, Topology } from './states.ts';

export interface BalancerRow {
  readonly id: string;
  readonly projectId: string;
  readonly name: string;
  readonly description: string;
  readonly tags: readonly string[];
  readonly cmpNamespace: string | null;
  readonly cmpType: string | null;
  readonly cmpId: string | null;
  readonly subnetId: string;
  readonly topology: Topology;
  readonly enabled: boolean;
  readonly minNodes: number;
  readonly maxNodes: number;
  readonly wantedNodes: number;
  readonly nodeConnections: number;
  readonly nodeThreads: number;
  readonly hostName: string;
  /** Key of its persistence cookies: random, the same on all of its nodes. */
  readonly cookieKey: string;
  readonly generation: number;
  readonly provisioningStatus: ProvisioningStatus;
  readonly provisioningReason: string | null;
  readonly pendingSince: Date | null;
  readonly operatingStatus: OperatingStatus;
  /** ACTIVE_STANDBY: the address that its nodes share, and its VRRP router id. */
  readonly floatingAddress: string | null;
  readonly floatingRouterId: number | null;
  readonly version: number;
  /** Its version after the last change of its settings. */
  readonly settingsVersion: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export interface NodeRow {
  readonly id: string;
  readonly projectId: string;
  readonly loadBalancerId: string;
  readonly hostId: string | null;
  readonly name: string;
  readonly state: NodeState;
  readonly reason: string | null;
  readonly operatingStatus: OperatingStatus;
  readonly address: string | null;
  readonly subnetAddress: string | null;
  readonly managementAddress: string | null;
  readonly connections: number;
  readonly threads: number;
  readonly incarnation: string | null;
  readonly wantedVersion: number;
  readonly appliedGeneration: number;
  readonly placedAt: Date | null;
  readonly madeAt: Date | null;
  readonly configuredAt: Date | null;
  readonly checkedAt: Date | null;
  readonly inDnsAt: Date | null;
  readonly replacesId: string | null;
  readonly deleteAt: Date | null;
  /** Incremented each time it is found down. */
  readonly round: number;
  readonly downSince: Date | null;
  /** By then the checks of all other nodes have shown whether they failed with it. Before that, nothing follows from its being down. */
  readonly judgeAt: Date | null;
  /** Its last check failed. */
  readonly suspect: boolean;
  /** Its HAProxy ended, and its host could not restart it. */
  readonly givenUp: boolean;
  /** The incarnation that answered its last successful check. */
  readonly checkedIncarnation: string | null;
  /** Its address is declared for the name of its load balancer. */
  readonly named: boolean;
  /** When its address had left the DNS servers. */
  readonly outOfDnsAt: Date | null;
  /** Why another node should replace it. Null if none should. */
  readonly replaceReason: string | null;
  /** Sessions that it still has while it drains. Null if unknown. */
  readonly sessions: number | null;
  /** ACTIVE_STANDBY: the node with the highest priority has the floating address. */
  readonly floatingPriority: number | null;
  readonly version: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export interface NameState {
  /** The name belongs to this load balancer, with or without addresses. */
  readonly declared: boolean;
  /** All servers answer the last declaration. */
  readonly published: boolean;
  /** Why they do not, and since when the attempts have failed. Null if the last attempt succeeded, or there was none yet. */
  readonly error: { readonly message: string; readonly since: Date } | null;
  /** How long others may cache an answer. */
  readonly ttlMs: number;
}
