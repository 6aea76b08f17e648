// The input of a plan: everything about one load balancer, read under its lock, and the few things that depend on others.
import type { BalancerRow, NameState, NodeRow } from './rows.ts';

export interface HealSettings {
  /** A replaced node that recovers within this time takes its place back; afterwards it is deleted. */
  readonly replacedNodeKeepMs: number;
  /** How long a removed node may finish its sessions, once its host drains it. */
  readonly nodeDrainMs: number;
  /** A node that is not ready after this time is created again elsewhere. */
  readonly nodeBuildMs: number;
  /** After this time without a connection a host is given up: its nodes are deleted without it, and not drained before. */
  readonly hostGoneMs: number;
  /** A node that was taken back this often within an hour is not taken back again. */
  readonly mostTakeBacks: number;
  /** How long an address that was in DNS is withheld from other load balancers, because clients cache it. */
  readonly addressRestMs: number;
}

export const usualHealing: HealSettings = {
  replacedNodeKeepMs: 600_000,
  nodeDrainMs: 30_000,
  nodeBuildMs: 120_000,
  hostGoneMs: 600_000,
  mostTakeBacks: 3,
  addressRestMs: 65_000,
};

/** A host that may get nodes. */
export interface HostPlace {
  readonly id: string;
  /** Number of nodes that it can still take. */
  readonly free: number;
  readonly nodeCount: number;
  /** Nodes on it are down: the host itself may be the cause. */
  readonly suspect: boolean;
  /** Why it has no address for these nodes although it could take some. Null otherwise. */
  readonly noAddress: string | null;
}

export interface BalancerState {
  readonly balancer: BalancerRow;
  /** Without deleted ones, oldest first. */
  readonly nodes: readonly NodeRow[];
  /** Connected and not cordoned. */
  readonly hosts: readonly HostPlace[];
  /** By id: since when a host has had no connection. */
  readonly offlineSince: ReadonlyMap<string, Date>;
  /** By node: number of times it was taken back within an hour. */
  readonly takeBacks: ReadonlyMap<string, number>;
  /** Replaced nodes that see no healthy member of a pool in which others see one: clients would get errors from them. */
  readonly blind: ReadonlySet<string>;
  /** Why nothing is replaced now. Null if healing is active. */
  readonly breaker: string | null;
  readonly name: NameState;
  readonly settings: HealSettings;
  /** By the database's clock. */
  readonly now: Date;
}

/** Found down by the checks or by its host. */
export function isDown({ operatingStatus, givenUp }: NodeRow): boolean {
  return operatingStatus === 'ERROR' || givenUp;
}

/** The checks found the incarnation that its host reports. */
export function isHealthy(node: NodeRow): boolean {
  return node.checkedAt !== null && !isDown(node) && node.checkedIncarnation === node.incarnation;
}

/** Counts towards the wanted number. */
export function isUsed({ state }: NodeRow): boolean {
  return state === 'BUILDING' || state === 'SERVING';
}

/** Why it should be replaced although it is well. */
export function wishOf(node: NodeRow, { nodeConnections, nodeThreads }: BalancerRow): string | null {
  if (node.connections !== nodeConnections || node.threads !== nodeThreads) return 'nodes have another size now';
  return node.replaceReason;
}

export function serves(node: NodeRow): boolean {
  return node.state === 'SERVING' && !isDown(node);
}

const uncheckedPrefix = 'its health checks are not made: ';

/** The reason of a node whose checks the policy of the control plane denies. This says nothing about the node, so it is not replaced. */
export function uncheckedReason(why: string): string {
  return `${uncheckedPrefix}${why}`;
}

export function isUnchecked({ reason }: Pick<NodeRow, 'reason'>): boolean {
  return reason?.startsWith(uncheckedPrefix) === true;
}

export function uncheckedReasonOf(node: Pick<NodeRow, 'reason'>): string | null {
  return isUnchecked(node) ? node.reason : null;
}
