// A subgraph's row holds everything that the rest of the program knows about the subgraph. It names its settings, migrations,
// roles, graph, work, exports and texts, and generic code loops over the rows. A row is light: the subgraph's own code is imported
// in `create` and `work`, so that a process loads only what its roles need.
import type { Redis } from 'ioredis';
import type { Registry } from 'prom-client';
import type { Authenticator, CheckLogin } from '../caller/access.ts';
import type { Role } from '../caller/identity.ts';
import type { CheckTenant } from '../checks/check-tenant.ts';
import type { Commits } from '../database/commits.ts';
import type { Database } from '../database/database.ts';
import type { MigrationOwner } from '../database/migrate.ts';
import type { ConfigurationReaders } from '../edge/configuration-versions.ts';
import type { Mutations } from '../edge/mutation.ts';
import type { ProjectEnd, ProjectHoldings } from '../edge/projects.ts';
import type { StatusFeed } from '../events/feed.ts';
import type { EventKinds } from '../events/kinds.ts';
import { platformEvents } from '../events/platform-events.ts';
import type { AskGraph } from '../graph/ask-graph.ts';
import type { GraphExport } from '../graph/graph-export.ts';
import type { Subgraph } from '../graph/subgraph.ts';
import type { Leases } from '../leases/leases.ts';
import type { TrustedClock } from '../leases/trusted-clock.ts';
import type { Logger } from '../log/log.ts';
import type { SlowLog } from '../log/slow-log.ts';
import type { NewMachineRecords } from '../machines/machine-records.ts';
import type { MutualTls } from '../machines/tls.ts';
import type { EgressPolicy } from '../net/egress.ts';
import type { OwedQueue } from '../owed/owed-queue.ts';
import type { RetentionStep } from '../owed/retention-step.ts';
import type { TextMemory } from '../restore/text-memory.ts';
import type { CursorSealer } from '../secrets/cursor-sealer.ts';
import type { KeyFileName, KeyFolder } from '../secrets/key-folder.ts';
import type { Sealer } from '../secrets/seal.ts';
import type { Wake } from '../work/wake.ts';
import type { SettingShapes, SettingsOf } from './config.ts';
import type { HaCluster } from './ha-cluster.ts';
import type { Health } from './health.ts';
import type { LifecycleComponent } from './lifecycle.ts';

/** The context that every role gets. */
export interface ProcessContext {
  /** The process's name, for display. */
  readonly processName: string;
  readonly log: Logger;
  /** Undefined: nothing is logged as slow. */
  readonly slow?: SlowLog | undefined;
  readonly registry: Registry;
  readonly health: Health;
  /** The addresses to which it may connect on behalf of users. */
  readonly egress: EgressPolicy;
  /** A role's certificate for its peers on other hosts. Undefined if the settings give none. */
  tlsOf(role: string): Promise<MutualTls | undefined>;
  /** The folder with this machine's credentials, where a role may keep its own files. Absent if the machine has not joined. */
  readonly machineFolder?: string | undefined;
}

/** The context that every role with a database gets. Its owner closes it, not the roles. */
export interface DatabaseContext extends ProcessContext {
  /** UUID of this incarnation of the process, which identifies its leases and calls. */
  readonly owner: string;
  /** The data host that runs this process. Undefined if the database has no hosts of its own. */
  readonly host?: string | undefined;
  readonly db: Database;
  readonly redis: Redis;
  /** Prefix of every key in Redis. */
  readonly redisPrefix: string;
  readonly wake: Wake;
  readonly leases: Leases;
  readonly trustedClock: TrustedClock;
  /** Seals stored secrets. Throws ConfigError when no key file is set. */
  sealer(): Promise<Sealer>;
}

/** The Nodes of each subgraph that another team runs, by the subgraph's name in the settings. */
export type OutsideNodes = ReadonlyMap<string, readonly string[]>;

/** The context that a subgraph gets. */
export interface SubgraphContext extends DatabaseContext {
  /** The subgraph's whole SDL: its own, the shared part, and stubs of other subgraphs' entities that it references. */
  readonly sdl: string;
  readonly feed: StatusFeed;
  readonly commits: Commits;
  readonly cursors: CursorSealer;
  readonly mutations: Mutations;
  /** Asks the graph as a viewer of a project. */
  readonly askGraph: AskGraph;
  /** Checks a login that is made outside a gateway. */
  readonly checkLogin: CheckLogin;
  /** Event kinds of all subgraphs. */
  readonly eventKinds: EventKinds;
  /** Of the subgraphs that other teams run. */
  readonly outsideNodes: OutsideNodes;
  /** All existing roles. */
  readonly roles: readonly string[];
  /** The hosts of the database. Undefined if it has no hosts of its own. */
  readonly haCluster: HaCluster | undefined;
  /** Describes the objects that all subgraphs have in a project, in words. */
  readonly projectHoldings: ProjectHoldings;
  /** Runs the actions of all subgraphs when a project is deleted. */
  readonly projectEnd: ProjectEnd;
  /** The key files of this process's roles. */
  readonly keys: KeyFolder;
  /** Where revoked access is remembered outside of the database, which a restore sets back. Each name has separate memories. */
  revokedMemories(name: 'revoked' | 'revoked-keys'): readonly TextMemory[];
}

/** The authenticator: provided by the one subgraph that checks credentials. */
export interface Access {
  readonly authenticator: Authenticator;
  readonly checkLogin: CheckLogin;
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

/** A user that is made or changed in the database itself. */
export interface DirectUser {
  readonly name: string;
  readonly password?: string;
  readonly admin?: boolean;
}

export interface IssueWish {
  readonly name: string;
  readonly role: string;
  /** PEM. */
  readonly publicKey: string;
  /** Default: none. */
  readonly records?: NewMachineRecords;
}

/** Accounts that are made before the first login. */
export interface FirstStart {
  /** Makes the first administrator when there is no user yet. */
  bootstrap(wish: { readonly adminName: string; readonly adminPassword?: string }): Promise<unknown>;
  /** Makes a user like userCreate, or throws a Refusal. `password` is returned only if it was generated here. */
  createUser(wish: DirectUser): Promise<{ readonly password?: string }>;
  /** Gives a user a new password, enables the user and ends all sessions. `admin` changes nothing if it is absent. Throws a Refusal. */
  recoverUser(wish: DirectUser): Promise<{ readonly password?: string }>;
  /** UUID of the project of that name, which is made if missing. */
  ensureProject(name: string, description?: string): Promise<string>;
  /** Makes machines that count as joined, before there is an endpoint to ask: all of them or, with a Refusal, none. */
  issueMachines<const Wishes extends readonly IssueWish[]>(
    wishes: Wishes,
  ): Promise<{ readonly [Index in keyof Wishes]: IssuedMachine }>;
  /** Checks in at the installation's rule of that name with CHECK_IN_LATE, for a job that ran. False if there is none. */
  checkIn(ruleName: string): Promise<boolean>;
  /** A code that logs the user in once, within ten minutes, in this process. Undefined if the user can't log in. */
  issueLoginCode(userName: string): Promise<string | undefined>;
  issueToken(wish: {
    readonly projectId: string;
    readonly name: string;
    readonly role: Role;
  }): Promise<{ readonly id: string; readonly secret: string }>;
}

/** A subgraph in this process; started, drained and stopped by the process. */
export interface RunningSubgraph extends LifecycleComponent {
  readonly subgraph: Subgraph;
  readonly access?: Access;
}

/** A subgraph's work in the role worker. */
export interface SubgraphWork {
  readonly checks?: readonly CheckTenant[];
  readonly queues?: readonly OwedQueue[];
  /** Run once an hour by one worker, before platform's own. */
  readonly retention?: readonly RetentionStep[];
  /** Selects the calls (UUIDs) that have ended or do not belong to the subgraph. Their idempotency keys may be deleted. */
  readonly endedCalls?: (callIds: readonly string[]) => Promise<ReadonlySet<string>>;
}

/** A role beside the subgraph's own, for example a checker at a remote site. */
type ExtraRole<Shapes extends SettingShapes> = {
  readonly name: string;
  /** Whether it runs by default, and in the all-in-one process. */
  readonly standard: boolean;
  readonly keyFiles?: readonly KeyFileName[];
} & (
  | {
      readonly database: false;
      create(context: ProcessContext, settings: SettingsOf<Shapes>): Promise<LifecycleComponent>;
    }
  | {
      /** Needed beside platform's: the only tables that this role's database must have. */
      readonly database: MigrationOwner;
      create(context: DatabaseContext, settings: SettingsOf<Shapes>): Promise<LifecycleComponent>;
    }
);

/**
 * A module that several subgraphs use and that exists once per installation: settings, tables of its own, and work. Its code is in
 * its own folder.
 */
export interface SharedModule<Shapes extends SettingShapes = SettingShapes> {
  readonly name: string;
  readonly settings: Shapes;
  readonly migrations: MigrationOwner;
  readonly events?: EventKinds;
  work?(context: DatabaseContext, settings: SettingsOf<Shapes>): Promise<SubgraphWork>;
  reseal?(db: Database, options: ResealOptions): Promise<Resealed>;
}

export interface SubgraphRow<Shapes extends SettingShapes = SettingShapes> {
  /** Name of the subgraph in the graph, of its folder, and of its role: lower-case letters and hyphens. */
  readonly name: string;
  /** Its own SDL, schema/NAME.graphql. The SDL generated from its typed kinds is added. */
  readonly sdl: URL;
  readonly settings: Shapes;
  readonly migrations: MigrationOwner;
  /** Shared modules that it writes to in its own transactions: its database has their tables too. */
  readonly uses?: readonly SharedModule[];
  /** The DNS zones in which it publishes names. */
  zones?(settings: SettingsOf<Shapes>): readonly string[];
  readonly events: EventKinds;
  /** Key files that it reads, beside those of every subgraph. */
  keyFiles?(settings: SettingsOf<Shapes>): readonly KeyFileName[];
  /** Settings of the ports at which machines connect to it, by mutual TLS. */
  readonly linkPorts?: readonly string[];
  /** True for the one whose `create` provides `access`: no gateway works without it. */
  readonly authenticates?: boolean;
  /** Root fields that need no login. */
  readonly publicFields?: readonly string[];
  /** The only root fields that a machine may request. */
  readonly machineFields?: readonly string[];
  /**
   * Subscription fields whose items name the argument values that select them (platform/events/facets.ts): a gateway then follows
   * each once for all readers.
   */
  readonly filteredFeeds?: readonly string[];
  /** If true, a document may have only one of its mutations (one document, one device call). */
  readonly oneMutation?: boolean;
  /**
   * If true, a gateway uses one of several processes until it fails, because another one answers but has more to do for it. Default: it
   * spreads requests over all.
   */
  readonly oneAtATime?: boolean;
  readonly exports?: readonly GraphExport[];
  /** How the settings of its kinds are read: these kinds have a history of their settings. */
  readonly configurations?: () => Promise<ConfigurationReaders>;
  /** Describes the objects of a project that must be deleted before the project. */
  readonly held?: ProjectHoldings;
  /** Its parts of a project outside the database, and how they end when the project is deleted. */
  readonly projectEnd?: () => Promise<ProjectEnd>;
  readonly roles?: readonly ExtraRole<Shapes>[];
  create(context: SubgraphContext, settings: SettingsOf<Shapes>): Promise<RunningSubgraph>;
  work?(context: DatabaseContext, settings: SettingsOf<Shapes>): Promise<SubgraphWork>;
  reseal?(db: Database, options: ResealOptions): Promise<Resealed>;
}

export interface ResealOptions {
  readonly sealer: Sealer;
  /** Secrets sealed with another key are sealed again. */
  readonly keyId: string;
  /** Whether secrets of an earlier version, which are not bound to an address, are opened. */
  readonly openOlder: boolean;
}

export interface Resealed {
  /** Number of secrets. */
  readonly resealed: number;
  /** Secrets bound to their present address without proof: name and address. */
  readonly trusted: readonly string[];
  /** Secrets left unchanged, with the reason. */
  readonly failed: readonly string[];
}

/** Binds the row's functions to the types of its settings. */
export function subgraphRow<const Shapes extends SettingShapes>(row: SubgraphRow<Shapes>): SubgraphRow {
  return row as unknown as SubgraphRow;
}

export function sharedModule<const Shapes extends SettingShapes>(module: SharedModule<Shapes>): SharedModule {
  return module as unknown as SharedModule;
}

/** The shared modules of these subgraphs, each once. */
export function sharedModulesOf(rows: readonly Pick<SubgraphRow, 'uses'>[]): readonly SharedModule[] {
  return [...new Set(rows.flatMap(({ uses = [] }) => uses))];
}

/** The owners of the tables of these subgraphs and of their shared modules. */
export function migrationsOf(rows: readonly Pick<SubgraphRow, 'migrations' | 'uses'>[]): readonly MigrationOwner[] {
  return [...sharedModulesOf(rows), ...rows].map(({ migrations }) => migrations);
}

/** All kinds of status events; platform's own first. */
export function allEventKinds(rows: readonly Pick<SubgraphRow, 'events' | 'uses'>[]): EventKinds {
  return Object.assign({}, platformEvents, ...[...sharedModulesOf(rows), ...rows].map(({ events = {} }) => events));
}
