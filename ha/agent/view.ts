// Everything an agent's decision depends on: the state in etcd, its own server, and its current task.

import type { z } from 'zod';
import type { delaysValue } from './keys.ts';
import type { HostTags } from './tags.ts';

/** Whether `tidegate serve` of a host answers clients. Undefined: unknown, or not for long enough. Nothing is decided by it. */
export type ApiState = 'ANSWERS' | 'SILENT' | undefined;

export interface SyncSet {
  /** The primary, which has every acknowledged write. */
  readonly primary: string;
  /** Epoch in `db_timeline`. It rises each time that writes are opened. */
  readonly epoch: number;
  /** The lead under which `primary` took over. */
  readonly reign: string;
  /** `primary` was promoted without some acknowledged writes. */
  readonly lossy?: boolean | undefined;
  /** Other hosts that have every acknowledged write: at most one. */
  readonly members: readonly { readonly host: string; readonly incarnation: string }[];
  /** The only host whose acknowledgements count, from before it is a member until it is removed. It receives with an account of its own. */
  readonly admission?: { readonly host: string; readonly id: string } | undefined;
}

/** A report by another host's agent on its server. */
export interface HostReport {
  readonly incarnation: string;
  /** The lead of the primary that it follows. */
  readonly reign: string | undefined;
  /** The lead that created the admission account with which it receives. Undefined if it does not acknowledge. */
  readonly admission?: string | undefined;
  /** The lead for whose admission account it would connect immediately. Undefined if there is none, or if the agent has an earlier version. */
  readonly asks?: string | undefined;
  readonly receiving: boolean;
  /** The number of the last transaction that it has received. */
  readonly received: number;
  /** Number of the last applied transaction. Undefined if the agent's version does not report it. */
  readonly applied?: number | undefined;
  /** The lead that ended without a successor. Also undefined if the agent has an earlier version. */
  readonly leaderless?: { readonly reign: string; readonly ms: number } | undefined;
  /** Monotonic time of this host at which it first saw this report. */
  readonly heardAtMs: number;
  /** Monotonic time of this host at which it first saw this amount received. */
  readonly advancedAtMs: number;
  readonly sealing?: SealingKeys | undefined;
  /** Undefined if it is unknown, or if the agent has an earlier version. */
  readonly api?: ApiState;
  /** Estimated time until it has applied everything that it received. Undefined if the agent has an earlier version. */
  readonly drainsInMs?: number | undefined;
  /** How late its parts were. Nothing is decided by it. */
  readonly delays?: Delays | undefined;
}

/** How late the parts of a host were, for people: `agent/state/delays.ts`. */
type Delays = z.output<typeof delaysValue>;

/** Fingerprints of the keys that seal stored credentials, on one host. */
export interface SealingKeys {
  /** Key that encrypts new secrets. */
  readonly active: string;
  readonly known: readonly string[];
}

/** Requests of administrators. */
interface Wishes {
  /** Hosts whose data should be replaced by a new copy of the primary's. */
  readonly reinit?: readonly string[];
  /** No host is promoted while this is set. */
  readonly paused: boolean;
  /** The host that should become the primary. */
  readonly switchoverTo: string | undefined;
  /** Host to promote although it lacks acknowledged writes. Valid while `sync` has this revision. */
  readonly lossy?: { readonly to: string; readonly syncRevision: number; readonly acceptedLoss: number } | undefined;
}

export interface Replica {
  readonly source: string;
  readonly reign: string | undefined;
  /**
   * The admission account with which the server receives and acknowledges. Undefined if it uses the shared account and does not
   * acknowledge.
   */
  readonly admission?: string | undefined;
  /** Whether it receives, or tries to. */
  readonly receiving: boolean;
  readonly connected: boolean;
  /** Everything received is applied. */
  readonly drained: boolean;
  /** The source reports that this host has transactions that the source lacks. */
  readonly diverged: boolean;
  /** The reason if it does not apply. */
  readonly failure: string | undefined;
}

export type ServerView =
  | { readonly state: 'down' }
  /** There is no database: its folder is gone, or its disk is not mounted. */
  | { readonly state: 'empty' }
  /** Its data is being replaced by a copy of the primary's. */
  | { readonly state: 'copying' }
  | { readonly state: 'starting'; readonly duty: Duty; readonly sinceMs: number }
  | {
      readonly state: 'up';
      readonly duty: Duty;
      /** Changes at each start, and each time the server follows a primary again. */
      readonly incarnation: string;
      readonly writable: boolean;
      /** Whether commits wait for an acknowledgement. */
      readonly semiSync: boolean;
      /** The end of the last heartbeat commit. */
      readonly aliveAtMs: number;
      /** Since when a commit has waited without any acknowledgement. */
      readonly waitingSinceMs: number | undefined;
      /** The number of the last transaction that it has. */
      readonly position: number;
      /** Number of the last transaction that it has or received. */
      readonly received: number;
      readonly replica: Replica | undefined;
      /** Admissions with an account or open connections: acknowledgements of these hosts count. */
      readonly admissions: readonly string[];
    };

/** `primary` if it was started as MASTER, or its writes have been opened. */
export type Duty = 'primary' | 'standby';

export interface View {
  readonly me: string;
  readonly nowMs: number;
  /** A write never completes with only one copy. */
  readonly strict: boolean;
  /** Undefined if etcd did not answer. */
  readonly shared:
    | {
        readonly leader: { readonly host: string; readonly reign: string } | undefined;
        readonly sync: (SyncSet & { readonly revision: number }) | undefined;
        readonly reports: Readonly<Record<string, HostReport>>;
        /**
         * How far the clocks of other hosts are ahead of this one's. Includes hosts without data, but only hosts that have
         * reported.
         */
        readonly clocksAheadMs: Readonly<Record<string, number>>;
        /** Hosts that have left the cluster. */
        readonly left?: readonly string[];
        /** When this host last heard from a last primary that it would lead again at once. Monotonic time of this host. */
        readonly backAtMs?: Readonly<Record<string, number>>;
        readonly tags?: Readonly<Record<string, HostTags>>;
        readonly wishes: Wishes;
      }
    | undefined;
  /** The lead that this agent holds. `fenceAtMs`: two thirds of the lease after the moment before its renewal was sent. */
  readonly reign: { readonly id: string; readonly fenceAtMs: number } | undefined;
  readonly server: ServerView;
  /** Whether `tidegate serve` of this host answers. */
  readonly api?: ApiState;
  /** Estimated time until this host has applied everything that it received. */
  readonly drainsInMs?: number;
  /** How long its applier has made no progress, although there is something to apply. */
  readonly stalledMs?: number;
  /** When a server that was started under a lead was last found to have ended. */
  readonly failedStartAtMs?: number | undefined;
  /** This host was lost as the primary, and a person has to let it return. */
  readonly staysOut?: boolean;
  /** Sealing keys of this host. Undefined if it has none, or if they are stored elsewhere. */
  readonly sealing?: SealingKeys | undefined;
  /** The admission of a member by this primary. */
  readonly admission: Admission | undefined;
  /** The revision of `sync` after this agent's own last change. Undefined after a later request for an admission. */
  readonly sealedRevision: number | undefined;
  readonly leaderlessSinceMs: number | undefined;
  /** The host has asked for an invitation without a break since then. */
  readonly asking?: { readonly reign: string; readonly sinceMs: number } | undefined;
  /** Since when this agent has seen the wish for a switchover. Undefined if there is none. */
  readonly wishedSinceMs?: number | undefined;
  /** When hosts last failed to acknowledge, as far as this agent knows. */
  readonly failedAtMs: Readonly<Record<string, number>>;
  /** Hosts that never become a member and are never promoted automatically. */
  readonly asynchronous?: readonly string[] | undefined;
  /** Site of each host. */
  readonly sites?: Readonly<Record<string, string>> | undefined;
}

export interface Admission {
  readonly host: string;
  readonly id: string;
  readonly sinceMs: number;
  /** `invited`: commits do not wait for the host yet. */
  readonly stage: 'invited' | 'armed' | 'proving' | 'proved';
  /** It was invited before it was receiving, and gives way to a host that is ready. */
  readonly early?: boolean;
  /** It is known before the proving commit, but not while the host is only invited. */
  readonly incarnation?: string | undefined;
}
