// What the rest of the house knows of a subgraph: one row. Settings, migrations, roles, graph, work, exports and what it
// says to people are all named here, and whoever needs one of them loops over the rows. A row is light: the subgraph's own
// code is imported in `create` and `work`, so that a process loads only what its roles need.
import type { Redis } from 'ioredis';
import type { Registry } from 'prom-client';
import type { Authenticator } from './access.ts';
import type { CheckTenant } from './checks/check-tenant.ts';
import type { Commits } from './commits.ts';
import type { SettingShapes, SettingsOf } from './config.ts';
import type { Database } from './database/database.ts';
import type { MigrationOwner } from './database/migrate.ts';
import type { StatusFeed } from './events/feed.ts';
import type { EventKinds } from './events/kinds.ts';
import { platformEvents } from './events/platform-events.ts';
import type { GraphExport } from './graph/graph-export.ts';
import type { Subgraph } from './graph/subgraph.ts';
import type { Health } from './health.ts';
import type { Role } from './identity.ts';
import type { Leases } from './leases.ts';
import type { LifecyclePart } from './lifecycle.ts';
import type { Logger } from './log.ts';
import type { Mutations } from './mutation.ts';
import type { OwedQueue } from './owed-queue.ts';
import type { KeyFolder } from './secrets/key-folder.ts';
import type { Sealer } from './secrets/seal.ts';
import type { Wake } from './wake.ts';

/** What every role stands on. */
export interface ProcessGround {
  /** The process's name, to show. */
  readonly processName: string;
  readonly log: Logger;
  readonly registry: Registry;
  readonly health: Health;
}

/** What every role with a database stands on. It stays its owner's: who is handed it closes nothing. */
export interface Ground extends ProcessGround {
  /** UUID of this incarnation of the process, by which leases and calls know it. */
  readonly owner: string;
  readonly db: Database;
  readonly redis: Redis;
  /** Before every key in Redis. */
  readonly redisPrefix: string;
  readonly wake: Wake;
  readonly leases: Leases;
  /** What is stored sealed. Throws ConfigError where no key file is set. */
  sealer(): Promise<Sealer>;
}

/** What a subgraph stands on. */
export interface SubgraphGround extends Ground {
  /** The subgraph's whole SDL: its own, the shared part, and stubs of the entities of others that it names. */
  readonly sdl: string;
  readonly feed: StatusFeed;
  readonly commits: Commits;
  readonly mutations: Mutations;
  /** Of all subgraphs. */
  readonly eventKinds: EventKinds;
  /** All that there are. */
  readonly roles: readonly string[];
  /** The key files of this process's roles. */
  readonly keys: KeyFolder;
}

/** Who may come in: from the one subgraph that knows what a credential is worth. */
export interface Access {
  readonly authenticator: Authenticator;
  readonly firstStart: FirstStart;
}

export interface IssuedMachine {
  /** UUID. */
  readonly id: string;
  readonly credential: {
    readonly certificate: string;
    readonly authority: string;
    readonly token: string;
    readonly expiresAt: Date;
  };
}

/** Accounts that are made before anyone can log in. */
export interface FirstStart {
  /** Makes the first administrator when there is no user yet. */
  bootstrap(wish: { readonly adminName: string; readonly adminPassword?: string }): Promise<unknown>;
  /** UUID of the project of that name, made when there is none. */
  ensureProject(name: string, description?: string): Promise<string>;
  /** Makes a machine that has joined, before there is an endpoint to ask. */
  issueMachine(wish: {
    readonly name: string;
    readonly role: string;
    /** PEM. */
    readonly publicKey: string;
  }): Promise<IssuedMachine>;
  issueToken(wish: {
    readonly projectId: string;
    readonly name: string;
    readonly role: Role;
  }): Promise<{ readonly id: string; readonly secret: string }>;
}

/** A subgraph in this process; started, drained and stopped by the process. */
export interface RunningSubgraph extends LifecyclePart {
  readonly subgraph: Subgraph;
  readonly access?: Access;
}

/** What a subgraph has done in the role worker. */
export interface SubgraphWork {
  readonly checks?: readonly CheckTenant[];
  readonly queues?: readonly OwedQueue[];
  /** Run once an hour by one worker, before platform's own. */
  readonly retention?: readonly RetentionStep[];
  /** Of these calls (UUIDs), those that have ended or are none of the subgraph's: their idempotency keys may go. */
  readonly endedCalls?: (callIds: readonly string[]) => Promise<ReadonlySet<string>>;
}

export interface RetentionStep {
  /** Of what, for the log. */
  readonly name: string;
  /** Deletes what is due in small transactions, oldest first; the number of rows. What is left waits for the next run. */
  run(signal: AbortSignal): Promise<number>;
}

/** A role beside the subgraph's own, for example a checker at a far place. */
export type ExtraRole<Shapes extends SettingShapes> = {
  readonly name: string;
  /** Whether it runs where no roles are named, and in the all-in-one process. */
  readonly standard: boolean;
} & (
  | {
      readonly database: false;
      create(ground: ProcessGround, settings: SettingsOf<Shapes>): Promise<LifecyclePart>;
    }
  | {
      /** Beside platform's: the only tables that the database of this role must have. */
      readonly database: MigrationOwner;
      create(ground: Ground, settings: SettingsOf<Shapes>): Promise<LifecyclePart>;
    }
);

export interface SubgraphRow<Shapes extends SettingShapes = SettingShapes> {
  /** Of the subgraph in the graph, of its folder, and of the role that serves it: lower-case letters and hyphens. */
  readonly name: string;
  /** What it says itself, schema/NAME.graphql; schema/NAME.made.graphql beside it is joined to it. */
  readonly sdl: URL;
  readonly settings: Shapes;
  readonly migrations: MigrationOwner;
  readonly events: EventKinds;
  /** True for the one whose `create` gives `access`: no gateway does without it. */
  readonly authenticates?: boolean;
  /** Root fields that may be asked for without login. */
  readonly publicFields?: readonly string[];
  /** Root fields that a machine may ask for: it may ask for no other. */
  readonly machineFields?: readonly string[];
  /** True: a document may have only one of its mutations (one document, one device call). */
  readonly oneMutation?: boolean;
  readonly exports?: readonly GraphExport[];
  readonly roles?: readonly ExtraRole<Shapes>[];
  create(ground: SubgraphGround, settings: SettingsOf<Shapes>): Promise<RunningSubgraph>;
  work?(ground: Ground, settings: SettingsOf<Shapes>): Promise<SubgraphWork>;
  /** Seals anew what is not sealed with the key `keyId`; the number of secrets. */
  reseal?(db: Database, sealer: Sealer, keyId: string): Promise<number>;
}

/** Binds the row's functions to its settings' types. */
export function subgraphRow<const Shapes extends SettingShapes>(row: SubgraphRow<Shapes>): SubgraphRow {
  return row as unknown as SubgraphRow;
}

/** The kinds of status events that there are; platform's own first. */
export function allEventKinds(rows: readonly Pick<SubgraphRow, 'events'>[]): EventKinds {
  return Object.assign({}, platformEvents, ...rows.map(({ events }) => events));
}
