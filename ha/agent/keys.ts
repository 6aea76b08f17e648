// The keys of a cluster in etcd, and the form of their values.

import { z } from 'zod';
import { mostPriority, noTags } from './tags.ts';

export interface HaKeys {
  /** Prefix of the keys that every agent reads in each poll. */
  readonly prefix: string;
  readonly leader: string;
  readonly sync: string;
  readonly report: (host: string) => string;
  /** Clock of a host without data. */
  readonly clock: (host: string) => string;
  /** The reason why that host is not a copy now. It is deleted once the host is a copy. */
  readonly away: (host: string) => string;
  /** A person wants that host to return. */
  readonly rejoin: (host: string) => string;
  /** A person wants that host's data to be replaced by a new copy. */
  readonly reinit: (host: string) => string;
  readonly tags: (host: string) => string;
  /** A person wants that host to renew its certificates. */
  readonly renew: (host: string) => string;
  /** Reason for giving up the last lead, from the host that held it. */
  readonly ended: string;
  /** The hosts, after the first one has left. */
  readonly members: string;
  readonly paused: string;
  readonly switchover: string;
  /** A switchover that was requested for a later time. */
  readonly scheduled: string;
  readonly lossy: string;
  /** Wishes for a move that were not granted. */
  readonly ungranted: string;
  readonly ungrantedWish: (wish: UngrantedWish) => string;
  /** History of the primary's moves. */
  readonly changes: string;
  readonly change: (epoch: number) => string;
  /** Writes that no other host had acknowledged. */
  readonly saves: string;
  readonly saved: (epoch: number, host: string) => string;
  /** Administrative requests made on a host, for the audit trail. */
  readonly acts: string;
  readonly act: (act: Act) => string;
  /** Signed ends of the audit trail. */
  readonly auditHeads: string;
  readonly auditHead: (head: AuditHead) => string;
}

/** Older ones are removed. */
export const keptChanges = 100;
export const keptUngranted = 100;
export const keptActs = 200;

export function haKeys(cluster: string): HaKeys {
  const prefix = `/tidegate/ha/${cluster}/`;
  const history = `/tidegate/ha-history/${cluster}/`;
  return {
    prefix,
    leader: `${prefix}leader`,
    sync: `${prefix}sync`,
    report: (host) => `${prefix}hosts/${host}`,
    clock: (host) => `${prefix}clocks/${host}`,
    away: (host) => `${prefix}away/${host}`,
    rejoin: (host) => `${prefix}rejoin/${host}`,
    reinit: (host) => `${prefix}reinit/${host}`,
    renew: (host) => `${prefix}renew/${host}`,
    tags: (host) => `${prefix}tags/${host}`,
    ended: `${prefix}ended`,
    members: `${prefix}members`,
    paused: `${prefix}paused`,
    switchover: `${prefix}switchover`,
    scheduled: `${prefix}scheduled`,
    lossy: `${prefix}lossy`,
    ungranted: `${history}ungranted/`,
    ungrantedWish: ({ endedAt, id }) => `${history}ungranted/${endedAt}-${id}`,
    changes: `${history}changes/`,
    change: (epoch) => `${history}changes/${padded(epoch)}`,
    saves: `${history}saved/`,
    saved: (epoch, host) => `${history}saved/${padded(epoch)}-${host}`,
    acts: `${history}acts/`,
    act: ({ at, id }) => `${history}acts/${at}-${id}`,
    auditHeads: `${history}audit/`,
    auditHead: ({ position, hash }) => `${history}audit/${padded(position)}-${hash}`,
  };
}

/** The reign in `sync` before the first primary has taken the lead. */
export const setUpReign = 'set-up';

export const leaderValue = z.object({ host: z.string(), reign: z.string() });

/** Used in an account's name. */
const admissionId = z.string().regex(/^[0-9a-f]{16}$/);

export const syncValue = z.object({
  primary: z.string(),
  epoch: z.number().int(),
  reign: z.string(),
  lossy: z.boolean().default(false),
  members: z.array(z.object({ host: z.string(), incarnation: z.string() })).max(1),
  admission: z.object({ host: z.string(), id: admissionId }).optional(),
});

/** The longest times of the last ten seconds, and the share of them in which work waited, in percent. */
export const delaysValue = z.object({
  agentMs: z.number().nonnegative(),
  etcdMs: z.number().nonnegative(),
  commitMs: z.number().nonnegative(),
  pressure: z.object({ cpu: z.number(), io: z.number(), memory: z.number() }).optional(),
});

/** `said` differs in each report, so that an unchanged report still counts as new. */
export const reportValue = z.object({
  said: z.string(),
  incarnation: z.string(),
  reign: z.string().optional(),
  admission: z.string().optional(),
  /** The lead for which it would connect at once with an admission account. */
  asks: z.string().optional(),
  receiving: z.boolean(),
  received: z.number().int(),
  applied: z.number().int().optional(),
  /** Time of the report by the host's clock (Unix). */
  wallMs: z.number().optional(),
  /** Fingerprints of the key files. */
  keys: z.record(z.string(), z.string()).optional(),
  sealing: z.object({ active: z.string(), known: z.array(z.string()) }).optional(),
  /** Reason why it is not promoted, although it may be in sync. */
  unfit: z.string().optional(),
  /** Estimated time until it has applied everything that it received. */
  drainsInMs: z.number().nonnegative().optional(),
  /** Whether the Redis of this host answers. */
  redis: z.boolean().optional(),
  /** Whether `tidegate serve` of this host answers. Left out if that is unknown. */
  api: z.enum(['ANSWERS', 'SILENT']).optional(),
  certificatesEndAt: z.iso.datetime().optional(),
  /** How late the parts of the host were. */
  delays: delaysValue.optional(),
  /** The lead that ended without a successor: its reign, and how long before this report the host first saw that nobody leads. */
  leaderless: z.object({ reign: z.string(), ms: z.number().nonnegative() }).optional(),
});

export const membersValue = z.array(z.object({ name: z.string(), left: z.boolean().optional() }));

export const clockValue = z.object({
  said: z.string(),
  wallMs: z.number(),
  certificatesEndAt: z.iso.datetime().optional(),
});

/** `isBack`: it was the primary, and would lead again at once. */
export const awayValue = clockValue.extend({ why: z.string().max(500), isBack: z.boolean().optional() });

/** `lateAt`: when leads ended in the last minutes because their host was slow (Unix, in ms), with those that the host knew. */
export const endedValue = z.object({ reign: z.string(), why: z.string(), lateAt: z.array(z.number()).optional() });

/** A person's request that this host become the primary. `id`: id of the move, also after the wish was granted. */
const wishValue = z.object({ id: z.uuid(), to: z.string(), from: z.string(), askedAt: z.iso.datetime() });
export type Wish = z.infer<typeof wishValue>;

/** `endsAt`: the primary's agent takes the wish back then. Without it, the process that wrote the wish does. */
export const switchoverValue = wishValue.extend({ endsAt: z.iso.datetime().optional() });

/** `id`: id of the move that it becomes. `by`: the person who requested it. */
export const scheduledValue = wishValue.extend({
  at: z.iso.datetime(),
  by: z.string(),
  acceptNoFailover: z.boolean().optional(),
});
export type Scheduled = z.infer<typeof scheduledValue>;

export const tagsValue = z.object({
  noFailover: z.boolean().default(noTags.noFailover),
  priority: z.number().int().min(0).max(mostPriority).default(noTags.priority),
});

/** `until`: the pause ends by itself then. Without it, it lasts until somebody ends it. */
export const pausedValue = z.object({ until: z.iso.datetime().optional() });

/** Whether a pause lasts, by this host's clock. `value`: of its key, undefined if there is none. */
export function isPaused(value: string | undefined): boolean {
  if (value === undefined) return false;
  const { until } = pausedValue.parse(JSON.parse(value));
  return until === undefined || Date.now() < Date.parse(until);
}

export const lossyValue = wishValue.extend({ syncRevision: z.number().int(), acceptedLoss: z.number().int() });

export const ungrantedValue = wishValue.extend({
  /** The number of transactions whose loss was accepted. Omitted for a switchover. */
  acceptedLoss: z.number().int().optional(),
  endedAt: z.iso.datetime(),
  why: z.string(),
});
export type UngrantedWish = z.infer<typeof ungrantedValue>;

export const changeValue = z.object({
  /** Id of the move. If a person requested the move, it is the id of the wish. */
  id: z.uuid(),
  /** Time of the person's request. Omitted if the hosts moved by themselves. */
  askedAt: z.iso.datetime().optional(),
  epoch: z.number().int(),
  primary: z.string(),
  previous: z.string(),
  /** The number of the last transaction before it. */
  position: z.number().int(),
  cause: z.string(),
  /** Transactions whose loss a person accepted. Omitted if none could be lost. */
  acceptedLoss: z.number().int().optional(),
  /** Time by the new primary's clock. */
  takenAt: z.string(),
  /** Time since a data host first saw that nobody led. */
  takenAfterMs: z.number(),
  openedAfterMs: z.number().optional(),
});
export type Change = z.infer<typeof changeValue>;

export const savedValue = z.object({
  epoch: z.number().int(),
  host: z.string(),
  transactions: z.number().int(),
  /** The first ones. */
  gtids: z.array(z.string()),
  folder: z.string(),
});
export type Saved = z.infer<typeof savedValue>;

export const actValue = z.object({
  id: z.uuid(),
  /** Name in the audit entry. */
  action: z.string().max(64),
  /** User of the machine who typed the command. */
  user: z.string().max(64),
  host: z.string().max(64),
  at: z.iso.datetime(),
  details: z.record(z.string(), z.union([z.string(), z.number()])),
});
export type Act = z.infer<typeof actValue>;

export const auditHeadValue = z.object({
  position: z.number().int(),
  hash: z.string().max(64),
  signature: z.string().max(160),
  epoch: z.number().int(),
});
export type AuditHead = z.infer<typeof auditHeadValue>;

/** Pads a number so that keys sort numerically. */
function padded(number: number): string {
  return String(number).padStart(10, '0');
}
