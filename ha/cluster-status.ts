// The state of a cluster, computed from the reports of its hosts and from etcd.
import type { z } from 'zod';
import { hostOf } from '../platform/net/origin.ts';
import type { reportValue } from './agent/keys.ts';
import type { HostTags } from './agent/tags.ts';
import type { MemberStatus } from './etcd.ts';

export interface ClusterHost {
  readonly name: string;
  readonly address: string;
  readonly kind: 'data' | 'witness';
  readonly site?: string | undefined;
  /** It receives writes, and is never promoted automatically. */
  readonly asynchronous?: boolean | undefined;
  /** False if it has no member of etcd. */
  readonly vote?: boolean | undefined;
}

/** PRIMARY accepts writes. IN_SYNC has every acknowledged write. FOLLOWS receives writes. SILENT: its agent does not report. */
type HostState = 'PRIMARY' | 'IN_SYNC' | 'FOLLOWS' | 'RETURNING' | 'SILENT' | 'WITNESS';

interface HostStatus extends ClusterHost {
  readonly state: HostState;
  /** Transactions not received yet. Null if unknown. */
  readonly behind: number | null;
  /** NONE: the host uses members of other hosts. JOINS: its member receives the data and has no vote yet. */
  readonly etcd: 'LEADS' | 'ANSWERS' | 'SILENT' | 'NONE' | 'JOINS';
  /** Approximate lead of its clock over this host's. Null if unknown. */
  readonly clockAheadMs: number | null;
  /** Whether its key files match those of the primary, or of the first host if there is no primary. Null if it has reported none. */
  readonly keys: 'SAME' | 'DIFFERENT' | null;
  /** USED: answers, and serves the primary. READY: starts empty when its host is promoted. Null if not reported. */
  readonly redis: 'USED' | 'READY' | 'SILENT' | null;
  /** Whether its `tidegate serve` answers. A primary whose API is silent hands over to a host in sync whose API answers. Null if unknown. */
  readonly api: 'ANSWERS' | 'SILENT' | null;
  /** The longest delays of its parts in the last ten seconds, and the share of them in which work waited. Null if not reported. */
  readonly delays: HostReportValue['delays'] | null;
  /** Why it can't be promoted, although it may be in sync. Null if nothing prevents it. */
  readonly unfit: string | null;
  /** When the first of its certificates ends (ISO 8601). Null if not reported. */
  readonly certificatesEndAt: string | null;
  /** It leads only if a person asks for it. */
  readonly noFailover: boolean;
  /** The host with the highest one is kept in sync. */
  readonly priority: number;
  /** Whether its data is to be replaced by a new copy. */
  readonly reinit: boolean;
  /** Why it is not a copy yet, with the progress of its copy. Null if it is a copy, or reports nothing. */
  readonly returning: string | null;
}

export interface ClusterStatus {
  /** Null if there is no leader, and so no writes. */
  readonly primary: string | null;
  /** The host that leads, and has not opened writes yet. */
  readonly promoting: string | null;
  readonly epoch: number;
  /** The number of hosts that have the next write when it is acknowledged. */
  readonly copies: number;
  readonly paused: boolean;
  /** When the pause ends by itself (ISO 8601). Null if there is no pause, or if it lasts until "resume". */
  readonly pausedUntil: string | null;
  readonly switchoverTo: string | null;
  /** A switchover that was requested for a later time (ISO 8601). Null if there is none. */
  readonly scheduled: { readonly to: string; readonly at: string; readonly by: string } | null;
  readonly hosts: readonly HostStatus[];
}

export type HostReportValue = z.output<typeof reportValue>;

interface Heard {
  /** Names of the hosts whose agents do not report. */
  readonly silent: ReadonlySet<string>;
  readonly aheadMs: ReadonlyMap<string, number>;
}

interface Known extends Heard {
  readonly leader: { readonly host: string; readonly reign: string } | undefined;
  readonly sync: {
    readonly primary: string;
    readonly reign: string;
    readonly epoch: number;
    readonly members: readonly { readonly host: string }[];
  };
  readonly reports: Readonly<Record<string, HostReportValue>>;
  readonly away: (name: string) => { readonly why: string } | undefined;
  readonly certificatesEndAt: (name: string) => string | undefined;
  readonly tags: (name: string) => HostTags;
  readonly isToReinit: (name: string) => boolean;
  readonly paused: boolean;
  readonly pausedUntil: string | null;
  readonly switchoverTo: string | null;
  readonly scheduled: ClusterStatus['scheduled'];
  /** Of etcd. */
  readonly members: readonly MemberStatus[];
}

export function statusOf(hosts: readonly ClusterHost[], known: Known): ClusterStatus {
  const { leader, sync, paused, pausedUntil, switchoverTo, scheduled } = known;
  const primary = leader !== undefined && leader.reign === sync.reign ? sync.primary : null;
  const data = hosts.filter(({ kind }) => kind === 'data');
  const inOrder = [...(primary === null ? [] : [primary]), ...data.map(({ name }) => name)];
  const keys = inOrder.map((name) => keysOf(known, name)).find((each) => each !== undefined);
  return {
    ...{
      primary,
      promoting: primary === null ? (leader?.host ?? null) : null,
      epoch: sync.epoch,
      copies: primary === null ? 0 : 1 + sync.members.length,
    },
    ...{ paused, pausedUntil, switchoverTo, scheduled },
    hosts: hosts.map((host) => hostStatus(host, known, { primary, keys })),
  };
}

interface Wanted {
  readonly primary: string | null;
  /** The key files that all hosts should have. */
  readonly keys: string | undefined;
}

function hostStatus(host: ClusterHost, known: Known, { primary, keys }: Wanted): HostStatus {
  const { name, address, kind, site, asynchronous, vote } = host;
  const { reports, aheadMs, members, away } = known;
  const state = stateOf(host, primary, known);
  const report = reports[name];
  const received = primary === null ? undefined : reports[primary]?.received;
  const knows = received !== undefined && report?.received !== undefined && state !== 'SILENT';
  const clock = aheadMs.get(name);
  const own = keysOf(known, name);
  return {
    ...{ name, address, kind, site, asynchronous, vote, state },
    behind: knows ? Math.max(0, received - report.received) : null,
    etcd: etcdStateOf(
      host,
      members.find(({ url }) => hostOf(new URL(url)) === address),
    ),
    clockAheadMs: clock === undefined ? null : Math.round(clock),
    keys: own === undefined ? null : own === keys ? 'SAME' : 'DIFFERENT',
    redis: state === 'SILENT' ? null : redisOf(report?.redis, state),
    api: state === 'SILENT' ? null : (report?.api ?? null),
    delays: state === 'SILENT' ? null : (report?.delays ?? null),
    unfit: state === 'SILENT' ? null : (report?.unfit ?? null),
    certificatesEndAt: known.certificatesEndAt(name) ?? null,
    ...known.tags(name),
    reinit: known.isToReinit(name),
    returning: state === 'RETURNING' ? (away(name)?.why ?? null) : null,
  };
}

function stateOf({ name, kind }: ClusterHost, primary: string | null, { silent, sync, reports }: Known): HostState {
  if (kind === 'witness') return 'WITNESS';
  if (name === primary) return 'PRIMARY';
  if (silent.has(name)) return 'SILENT';
  if (primary !== null && sync.members.some(({ host }) => host === name)) return 'IN_SYNC';
  return reports[name]?.receiving === true ? 'FOLLOWS' : 'RETURNING';
}

/** Undefined if it has reported none. */
function keysOf({ reports }: Known, name: string): string | undefined {
  const { keys = {} } = reports[name] ?? {};
  return Object.keys(keys).length === 0 ? undefined : JSON.stringify(keys);
}

function etcdStateOf({ vote }: ClusterHost, member: MemberStatus | undefined): HostStatus['etcd'] {
  if (vote === false) return 'NONE';
  if (member === undefined) return 'SILENT';
  if (member.isLearner) return 'JOINS';
  return member.memberId === member.leaderId ? 'LEADS' : 'ANSWERS';
}

function redisOf(answers: boolean | undefined, state: HostState): HostStatus['redis'] {
  if (answers === undefined) return null;
  if (!answers) return 'SILENT';
  return state === 'PRIMARY' ? 'USED' : 'READY';
}
