// What a plan is made from: all that is known of one load balancer, read under its lock, and the few things that depend on others.
import type { BalancerRow } from '../stores/balancer-store.ts';
import type { NameState } from '../stores/names.ts';
import type { NodeRow } from '../stores/node-store.ts';

export interface HealSettings {
  /** A replaced node that comes back within this time takes its place again; afterwards it is deleted. */
  readonly replacedNodeKeepMs: number;
  /** How long a node that is removed may finish its sessions, once its host drains it. */
  readonly nodeDrainMs: number;
  /** A node that is not ready after so long is made anew elsewhere. */
  readonly nodeBuildMs: number;
  /** After so long without a connection a host is given up: its nodes are deleted without it, and not drained before. */
  readonly hostGoneMs: number;
  /** A node that was taken back so often within an hour is not taken back again. */
  readonly mostTakeBacks: number;
  /** For how long an address that was in DNS is given to no other load balancer: clients remember it. */
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
  /** Nodes that it can still take. */
  readonly free: number;
  readonly nodeCount: number;
  /** Nodes on it are down: it may be itself. */
  readonly suspect: boolean;
  /** Why it could take nodes and has no address for them; null: that is not so. */
  readonly noAddress: string | null;
}

export interface BalancerState {
  readonly balancer: BalancerRow;
  /** Without deleted ones, oldest first. */
  readonly nodes: readonly NodeRow[];
  /** Connected, and not cordoned. */
  readonly hosts: readonly HostPlace[];
  /** Without a connection: since when. By id. */
  readonly offlineSince: ReadonlyMap<string, Date>;
  /** How often each node was taken back within an hour. */
  readonly takeBacks: ReadonlyMap<string, number>;
  /** Replaced nodes that see no healthy member of a pool of which others see one: clients would get errors from them. */
  readonly blind: ReadonlySet<string>;
  /** Why nothing is replaced now; null: healing works. */
  readonly breaker: string | null;
  readonly name: NameState;
  readonly settings: HealSettings;
  /** By the database's clock. */
  readonly now: Date;
}

/** The checks, or its host, found it down. */
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

/** Why another node is to take its place, though it is well. */
export function wishOf(node: NodeRow, { nodeConnections, nodeThreads }: BalancerRow): string | null {
  if (node.connections !== nodeConnections || node.threads !== nodeThreads) return 'nodes have another size now';
  return node.replaceReason;
}

export function serves(node: NodeRow): boolean {
  return node.state === 'SERVING' && !isDown(node);
}
