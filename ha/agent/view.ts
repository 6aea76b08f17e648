// What an agent knows when it decides: of etcd, of its own server, and of what it is about.

export interface SyncSet {
  /** Who has every acknowledged write. */
  readonly primary: string;
  /** Of `db_timeline`: each time that writes are opened has its own. */
  readonly epoch: number;
  /** Under which lead `primary` took it. */
  readonly reign: string;
  /** `primary` was promoted without writes that had been acknowledged. */
  readonly lossy?: boolean | undefined;
  /** Who else has every acknowledged write: at most one. */
  readonly members: readonly { readonly host: string; readonly incarnation: string }[];
  /** The one host whose acknowledgements count, from before it is a member until it is taken out: it receives with an account of its own. */
  readonly admission?: { readonly host: string; readonly id: string } | undefined;
}

/** What another host's agent says of its server. */
export interface Report {
  readonly incarnation: string;
  /** The lead whose primary it follows. */
  readonly reign: string | undefined;
  /** With whose account it receives, and acknowledges; undefined: it does not acknowledge. */
  readonly admission?: string | undefined;
  /** The lead with whose account for an admission it would connect at once; undefined: none, or an agent of an earlier version. */
  readonly asks?: string | undefined;
  readonly receiving: boolean;
  /** The number of the last transaction that it has received. */
  readonly received: number;
  /** And of the last one that it has applied; undefined: an agent of an earlier version does not say. */
  readonly applied?: number | undefined;
  /** Monotonic, by this host: when this report was first seen. */
  readonly heardAtMs: number;
  /** Monotonic, by this host: when it was first seen that it had received so much. */
  readonly advancedAtMs: number;
  readonly sealing?: SealingKeys | undefined;
}

/** Fingerprints of the keys that seal stored credentials, on one host. */
export interface SealingKeys {
  /** What is sealed now is sealed by it. */
  readonly active: string;
  readonly known: readonly string[];
}

/** What people want. */
export interface Wishes {
  /** Nothing is promoted meanwhile. */
  readonly paused: boolean;
  /** The host that is to be the primary. */
  readonly switchoverTo: string | undefined;
  /** Who is to be promoted without writes that were acknowledged, as long as `sync` is of this revision. */
  readonly lossy?: { readonly to: string; readonly syncRevision: number; readonly acceptedLoss: number } | undefined;
}

export interface Replica {
  readonly source: string;
  readonly reign: string | undefined;
  /** With whose account it receives, and acknowledges; undefined: with that of all hosts, and it does not acknowledge. */
  readonly admission?: string | undefined;
  /** Or tries to. */
  readonly receiving: boolean;
  readonly connected: boolean;
  /** All that was received is applied. */
  readonly drained: boolean;
  /** The source says that this host has what it lacks. */
  readonly diverged: boolean;
  /** Why it does not apply. */
  readonly failure: string | undefined;
}

export type ServerView =
  | { readonly state: 'down' }
  /** It has no database: its folder is gone, or its disk is not mounted. */
  | { readonly state: 'empty' }
  /** Its data is being replaced by a copy of the primary's. */
  | { readonly state: 'copying' }
  | { readonly state: 'starting'; readonly duty: Duty; readonly sinceMs: number }
  | {
      readonly state: 'up';
      readonly duty: Duty;
      /** Another one after each start, and each time that it follows a primary anew. */
      readonly incarnation: string;
      readonly writable: boolean;
      /** Commits wait for an acknowledgement. */
      readonly semiSync: boolean;
      /** The end of the last heartbeat commit. */
      readonly aliveAtMs: number;
      /** Since when a commit waits, and none has been acknowledged. */
      readonly waitingSinceMs: number | undefined;
      /** The number of the last transaction that it has. */
      readonly position: number;
      /** The number of the last transaction that it received, or has. */
      readonly received: number;
      readonly replica: Replica | undefined;
      /** Whose accounts it has, or connections of them: of these hosts the acknowledgements count. */
      readonly admissions: readonly string[];
    };

/** `primary`: it was started as MASTER, or its writes have been opened. */
export type Duty = 'primary' | 'standby';

export interface View {
  readonly me: string;
  readonly nowMs: number;
  /** A write is never done with one copy. */
  readonly strict: boolean;
  /** Undefined: etcd did not answer. */
  readonly shared:
    | {
        readonly leader: { readonly host: string; readonly reign: string } | undefined;
        readonly sync: (SyncSet & { readonly revision: number }) | undefined;
        readonly reports: Readonly<Record<string, Report>>;
        /** How far the clocks of other hosts, also of those without data, are ahead of this one's: of those that were heard. */
        readonly clocksAheadMs: Readonly<Record<string, number>>;
        /** Hosts that have left the cluster. */
        readonly left?: readonly string[];
        readonly wishes: Wishes;
      }
    | undefined;
  /** The lead that this agent holds. `fenceAtMs`: two thirds of the lease after the moment before its renewal was sent. */
  readonly reign: { readonly id: string; readonly fenceAtMs: number } | undefined;
  readonly server: ServerView;
  /** It was lost as the primary, and a person has to let it return. */
  readonly staysOut?: boolean;
  /** Of this host; undefined: it has none, or keys are elsewhere. */
  readonly sealing?: SealingKeys | undefined;
  /** Of a member by this primary. */
  readonly admission: Admission | undefined;
  /** The revision of `sync` that this agent's own last change made; undefined once it has asked for an admission after it. */
  readonly sealedRevision: number | undefined;
  readonly leaderlessSinceMs: number | undefined;
  /** This host asks to be invited, all the time since then. */
  readonly asking?: { readonly reign: string; readonly sinceMs: number } | undefined;
  /** Since when this agent knows of the wish for a switchover; undefined: there is none. */
  readonly wishedSinceMs?: number | undefined;
  /** When hosts last failed to acknowledge, as far as this agent knows. */
  readonly failedAtMs: Readonly<Record<string, number>>;
  /** Hosts that are never a member, nor promoted by themselves. */
  readonly asynchronous?: readonly string[] | undefined;
  /** Where hosts are. */
  readonly sites?: Readonly<Record<string, string>> | undefined;
}

export interface Admission {
  readonly host: string;
  readonly id: string;
  readonly sinceMs: number;
  /** `invited`: commits do not wait for it yet. */
  readonly stage: 'invited' | 'armed' | 'proving' | 'proved';
  /** It was invited before it received: it makes room for a host that is ready. */
  readonly early?: boolean;
  /** Known before the commit that proves it; not while it is only invited. */
  readonly incarnation?: string | undefined;
}
