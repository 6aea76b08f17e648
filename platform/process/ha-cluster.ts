// The cluster of hosts that keeps the database, as the graph shows and controls it. This port hides its parts: platform and
// subgraphs do not know how hosts agree.
import type { AuditHead } from '../audit/ends.ts';
import { refuse } from '../errors/errors.ts';

/** The subject of its status events and audit entries. There is only one cluster. */
export const haClusterId = '0d9c1f5e-3a52-4c0b-9f0e-6f1c7f1a6a10';

interface HaDelays {
  readonly agentMs: number;
  readonly etcdMs: number;
  readonly commitMs: number;
  /** Undefined on a kernel that does not measure it. */
  readonly pressure?: { readonly cpu: number; readonly io: number; readonly memory: number } | undefined;
}

export interface HaHost {
  readonly name: string;
  readonly address: string;
  /** The host's site. Undefined if no site was named. */
  readonly site?: string | undefined;
  readonly state: 'PRIMARY' | 'IN_SYNC' | 'FOLLOWS' | 'RETURNING' | 'SILENT' | 'WITNESS';
  /** Number of transactions that it has not received. Null if unknown. */
  readonly behind: number | null;
  /** NONE: it uses etcd on the other hosts. JOINS: it is still receiving the data of the others, and has no vote yet. */
  readonly etcd: 'LEADS' | 'ANSWERS' | 'SILENT' | 'NONE' | 'JOINS';
  /** How far its clock is ahead of the queried host's clock. Null if unknown. */
  readonly clockAheadMs: number | null;
  /** Whether its key files match the primary's. Null if it has not reported any. */
  readonly keys: 'SAME' | 'DIFFERENT' | null;
  /** When the first of its certificates ends (ISO 8601). Null if not reported. */
  readonly certificatesEndAt?: string | null;
  /** The longest delays of its parts in the last ten seconds, and the share of them in percent in which work waited. Null if not reported. */
  readonly delays?: HaDelays | null | undefined;
  /** Why it is not a copy yet, and the progress of its copy. Null if it is a copy or reports nothing. */
  readonly returning: string | null;
}

export interface HaStatus {
  /** Null if no host takes writes. */
  readonly primary: string | null;
  readonly epoch: number;
  /** Hosts that have the next write when it is acknowledged. */
  readonly copies: number;
  readonly paused: boolean;
  /** A switchover that was requested for a later time (ISO 8601). Null if there is none. */
  readonly scheduled?: { readonly to: string; readonly at: string } | null;
  readonly hosts: readonly HaHost[];
}

/** A move of the primary, from a person's wish or the loss of the primary to open writes. */
export interface HaMove {
  /** A UUID. */
  readonly id: string;
  readonly version: number;
  readonly kind: 'SWITCHOVER' | 'LOSSY_PROMOTION' | 'FAILOVER';
  /** PENDING: the hosts have not begun. RUNNING: the new primary does not accept writes yet. FAILED: it was not granted. */
  readonly state: 'PENDING' | 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'UNKNOWN';
  readonly reason: string | null;
  /** The epoch of the timeline that began with it. Null before. */
  readonly epoch: number | null;
  readonly primary: string;
  readonly previous: string;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly startedAt: Date | null;
  readonly finishedAt: Date | null;
  /** Time from the first poll without a leader until writes were open. Null if they are not open yet. */
  readonly gapMs: number | null;
  /** Number of transactions whose loss was accepted. Null if none could be lost. */
  readonly acceptedLoss: number | null;
  /** Transactions of the former primary that the new one lacks. */
  readonly leftBehind: readonly HaLeftBehind[];
}

/** An action that was requested on a host, and its result outside the graph. For the audit trail. */
export interface HaAct {
  /** The act's own id, at most 64 characters. */
  readonly id: string;
  /** The move of the primary that it is about, if there is one. */
  readonly moveId?: string | undefined;
  readonly action: string;
  /** A user of a host, or the host itself. */
  readonly by: string;
  readonly details: Readonly<Record<string, string | number>>;
}

interface HaLeftBehind {
  readonly host: string;
  readonly transactions: number;
  /** The first ones. */
  readonly gtids: readonly string[];
  /** On that host. */
  readonly folder: string;
}

/** Reads throw CodedError while the hosts can't agree. Requests throw Refusal. Each call ends in a few seconds. */
export interface HaCluster {
  status(): Promise<HaStatus>;
  /** The newest first. */
  moves(): Promise<readonly HaMove[]>;
  /** The last ones, the oldest first. */
  acts(): Promise<readonly HaAct[]>;
  auditHeads(): Promise<readonly AuditHead[]>;
  keepAuditHead(head: AuditHead, replaced: readonly AuditHead[]): Promise<void>;
  /** Requests the switchover and does not wait for it. `isNew`: false if it was already requested or done. */
  switchover(to: string): Promise<{ readonly moveId: string; readonly isNew: boolean }>;
  /** Takes back the wish of this move, if it was not granted yet. `why`: for the history. */
  takeBackSwitchover(moveId: string, why: string): Promise<void>;
  /** Refuses if that host can't return by itself. */
  rejoin(host: string): Promise<void>;
  pause(): Promise<void>;
  resume(): Promise<void>;
}

export const notConfigured =
  'the database is on a single machine, or this process does not know its hosts: "tidegate ha init" makes a cluster, and ha.dataFolder names it';

export function refuseNotConfigured(): never {
  refuse('NOT_CONFIGURED', notConfigured);
}
