// The dependencies of services, loops and subgraphs, assembled only here for tests, benchmarks and trials: like in a
// process (compose/), but without its settings. Nothing runs before `start`.
import { pino } from 'pino';
import { type CommitMember, Commits } from '../../../platform/database/commits.ts';
import { Database, type DatabaseOptions } from '../../../platform/database/database.ts';
import type { ConfigurationReaders } from '../../../platform/edge/configuration-versions.ts';
import { Mutations } from '../../../platform/edge/mutation.ts';
import { appendStatus } from '../../../platform/events/append.ts';
import { type SequencedEvent, StatusFeed, type StatusFeedOptions } from '../../../platform/events/feed.ts';
import { Sequencer } from '../../../platform/events/sequencer.ts';
import { Leases } from '../../../platform/leases/leases.ts';
import { TrustedClock } from '../../../platform/leases/trusted-clock.ts';
import type { Logger } from '../../../platform/log/log.ts';
import { CursorSealer } from '../../../platform/secrets/cursor-sealer.ts';
import { Keyring } from '../../../platform/secrets/keyring.ts';
import { createSealer, type Sealer } from '../../../platform/secrets/seal.ts';
import { newUuid } from '../../../platform/values/ids.ts';
import { createLocalWake, createRedisWake, type Wake } from '../../../platform/work/wake.ts';
import { testEgress } from '../machine/egress.ts';
import { type TestDatabase, testDatabase } from '../stores/database.ts';
import { kindsOf } from './event-kinds.ts';

/** The content of the key file shared by all processes on one database. */
export const keyFile = { active: 'k1', keys: { k1: Buffer.alloc(32, 7).toString('base64') } };

export interface ContextOptions {
  /** Shared with others, and closed by its owner. Default: its own, within this process. */
  readonly wake?: Wake;
  /** Its own wake over this Redis. */
  readonly redis?: { readonly path: string; readonly prefix: string };
  readonly log?: Logger;
  readonly keys?: ConstructorParameters<typeof Keyring>[0];
  readonly standby?: Database;
  readonly members?: readonly CommitMember[];
  readonly leaseTtlMs?: number;
  /** Elects the sequencer by a lease, like processes do. */
  readonly elected?: boolean;
  readonly feed?: Pick<StatusFeedOptions, 'pollMs' | 'ringSize' | 'checkpointMs'>;
  /** Default: no kind has a history of its settings. */
  readonly configurations?: ConfigurationReaders;
}

export class LocalContext {
  readonly owner = newUuid();
  readonly log: Logger;
  readonly db: Database;
  readonly wake: Wake;
  readonly leases: Leases;
  readonly sequencer: Sequencer;
  readonly feed: StatusFeed;
  readonly keyring: Keyring;
  readonly sealer: Sealer;
  readonly commits: Commits;
  readonly cursors: CursorSealer;
  readonly mutations: Mutations;
  readonly egress = testEgress;
  /** Not started, because tests trust the database's clock (database.ts). */
  readonly trustedClock: TrustedClock;
  readonly #wakeIsOwn: boolean;

  /** `database` is closed with this context. */
  constructor(database: Database | DatabaseOptions, options: ContextOptions = {}) {
    const { standby, leaseTtlMs: ttlMs } = options;
    const log = options.log ?? pino({ level: process.env.TEST_LOG ?? 'silent' });
    const db = database instanceof Database ? database : new Database(database);
    const wake = options.wake ?? ownWake(options, log);
    const leases = new Leases({ db, owner: this.owner, log, ...(ttlMs && { ttlMs, renewMs: ttlMs / 3 }) });
    const keyring = new Keyring(options.keys ?? keyFile);
    const members = options.members ?? (standby && [{ name: 'standby', sql: standby }]);
    const commits = new Commits({ db, keyring, log, ...(members && { members }) });
    this.log = log;
    this.db = db;
    this.wake = wake;
    this.leases = leases;
    this.trustedClock = new TrustedClock({ db, log });
    this.keyring = keyring;
    this.sealer = createSealer(keyring);
    this.commits = commits;
    this.cursors = new CursorSealer(keyring);
    this.mutations = new Mutations({
      db,
      commits,
      log,
      ...(options.configurations && { configurations: options.configurations }),
    });
    this.sequencer = new Sequencer({ db, wake, log, ...(options.elected && { leases }) });
    this.feed = new StatusFeed({ db, wake, log, cursors: this.cursors, ...options.feed });
    this.#wakeIsOwn = options.wake === undefined;
  }

  async start(): Promise<this> {
    this.sequencer.start();
    await this.feed.start();
    return this;
  }

  async stop(): Promise<void> {
    await this.feed.stop();
    await this.sequencer.stop();
    await this.leases.stop();
    if (this.#wakeIsOwn) await this.wake.close();
    await this.db.close();
  }

  /** Writes status events in one transaction; omitted fields have defaults. */
  async append(...wishes: readonly Partial<SequencedEvent>[]): Promise<void> {
    const base = { projectId: null, kind: 'k', subjectType: 'T', subjectVersion: 1, from: null, to: 'A' };
    const events = wishes.map((wish) => ({ ...base, subjectId: newUuid(), ...wish }));
    await this.db.transaction((tx) => appendStatus(tx, kindsOf(events), events, this.wake));
  }

  /** Sequences all committed events. */
  async sequence(): Promise<void> {
    while ((await this.sequencer.runOnce()) > 0);
  }
}

function ownWake({ redis }: ContextOptions, log: Logger): Wake {
  return redis === undefined ? createLocalWake() : createRedisWake({ path: redis.path }, { prefix: redis.prefix, log });
}

/** A context with its own database, which is removed with it. */
export class TestContext extends LocalContext {
  readonly place: TestDatabase;

  constructor(place: TestDatabase, options: ContextOptions & Partial<DatabaseOptions> = {}) {
    super({ connection: place.connection, ...options }, options);
    this.place = place;
  }

  static async open(options: ContextOptions & Partial<DatabaseOptions> = {}): Promise<TestContext> {
    return new TestContext(await testDatabase(), options);
  }

  override async stop(): Promise<void> {
    await super.stop();
    await this.place.drop();
  }
}
