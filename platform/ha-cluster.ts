// The cluster of hosts that keeps the database, as the graph shows and steers it. What it is made of is behind this port: platform and
// subgraphs do not know how hosts agree.
import type { AuditAnchor } from './audit/ends.ts';
import { refuse } from './errors.ts';

/** The subject of its status events and audit entries: there is one. */
export const haClusterId = '0d9c1f5e-3a52-4c0b-9f0e-6f1c7f1a6a10';

/** The audit entry of a promotion by which acknowledged writes were lost. */
export const haPromotedLossy = 'haPromotedLossy';

export interface HaHost {
  readonly name: string;
  readonly address: string;
  /** Where it is; undefined: no site was named. */
  readonly site?: string | undefined;
  readonly state: 'PRIMARY' | 'IN_SYNC' | 'FOLLOWS' | 'RETURNING' | 'SILENT' | 'WITNESS';
  /** Transactions that it has not received; null: not known. */
  readonly behind: number | null;
  /** NONE: it uses those of the others; JOINS: it receives what they have, and has no vote yet. */
  readonly etcd: 'LEADS' | 'ANSWERS' | 'SILENT' | 'NONE' | 'JOINS';
  /** Before the clock of the host that was asked; null: not known. */
  readonly clockAheadMs: number | null;
  /** Whether its key files are the primary's; null: it has told of none. */
  readonly keys: 'SAME' | 'DIFFERENT' | null;
  /** Why it is no copy yet, and how far its copy is; null: it is one, or says nothing. */
  readonly returning: string | null;
}

export interface HaStatus {
  /** Null: nobody takes writes. */
  readonly primary: string | null;
  readonly epoch: number;
  /** Hosts that have the next write when it is acknowledged. */
  readonly copies: number;
  readonly paused: boolean;
  readonly switchoverTo: string | null;
  readonly hosts: readonly HaHost[];
}

/** A change of the primary. */
export interface HaChange {
  readonly epoch: number;
  readonly primary: string;
  readonly previous: string;
  readonly cause: string;
  readonly at: Date;
  /** From the first look without a leader until writes were open; null: they were not yet. */
  readonly gapMs: number | null;
  /** Transactions whose loss was accepted; null: none could be lost. */
  readonly acceptedLoss: number | null;
  /** What the former primary had that the new one lacks. */
  readonly leftBehind: readonly HaLeftBehind[];
}

/** What was asked for on a host, and what came of it without the graph; for the audit trail. */
export interface HaAct {
  /** Its own, at most 64 characters. */
  readonly id: string;
  readonly action: string;
  /** A user of a host, or the host itself. */
  readonly by: string;
  readonly details: Readonly<Record<string, string | number>>;
}

/** A signed end of the audit trail, which the hosts keep outside of the database. */
export interface HaAuditHead extends AuditAnchor {
  /** Of the timeline that had it. */
  readonly epoch: number;
}

export interface HaLeftBehind {
  readonly host: string;
  readonly transactions: number;
  /** The first ones. */
  readonly gtids: readonly string[];
  /** On that host. */
  readonly folder: string;
}

/** Reads throw CodedError when the hosts do not agree on anything now; wishes throw Refusal. Each call ends in a few seconds. */
export interface HaCluster {
  status(): Promise<HaStatus>;
  /** The newest first. */
  changes(): Promise<readonly HaChange[]>;
  /** The last ones, the oldest first. */
  acts(): Promise<readonly HaAct[]>;
  auditHeads(): Promise<readonly HaAuditHead[]>;
  keepAuditHead(head: HaAuditHead, replaced: readonly HaAuditHead[]): Promise<void>;
  /** Asks for it, and does not wait for it. True: it is asked for now; false: it was already, or is done. */
  switchover(to: string): Promise<boolean>;
  /** The wish for a switchover to that host, if it was not granted yet. */
  takeBackSwitchover(to: string): Promise<void>;
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
