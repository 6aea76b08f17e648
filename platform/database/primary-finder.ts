// Which server of a list is the primary: one that is writable, and of the newest timeline that any of them has told. Each is looked
// at over a connection of its own: from time to time, at once when a connection of the primary fails, and often while there is none.
// So a primary that is frozen is left as soon as another one is there, and one that was demoted is not read from.
import { setTimeout as sleep } from 'node:timers/promises';
import { type Connection, createConnection } from 'mariadb';
import { invariant } from '../errors.ts';
import type { Logger } from '../log.ts';
import { databaseErrorNumber, isReadOnly, NoPrimaryError } from './errors.ts';
import { type DatabaseLocation, type OneOfSeveral, ServerPools, Sockets } from './server-pools.ts';

export interface PrimaryFinderOptions {
  readonly locations: readonly DatabaseLocation[];
  readonly pools: (location: DatabaseLocation, several: OneOfSeveral) => ServerPools;
  readonly log: Logger | undefined;
}

interface Answer {
  readonly isWritable: boolean;
  /** 0: the database has no timeline yet. */
  readonly epoch: number;
}

/** What a server answered to the question number `asked`; no answer: it can't be reached, or was silent. */
interface Look {
  readonly asked: number;
  readonly answer: Answer | undefined;
}

interface Primary {
  readonly watch: ServerWatch;
  readonly epoch: number;
  readonly pools: ServerPools;
  /** The last question before one of its connections failed: a later answer says that it is still there. Silence alone is no doubt. */
  doubtedAt: number | undefined;
}

interface Waiter {
  readonly resolve: (pools: ServerPools) => void;
  readonly reject: (error: unknown) => void;
}

const everyMs = 1_000;
const hurryMs = 50;
const answerMs = 2_000;
const mostWaiting = 1_000;
/** ER_NO_SUCH_TABLE: the database is not migrated. */
const noSuchTable = 1146;
const question = 'SELECT @@read_only = 0 AS isWritable, (SELECT MAX(epoch) FROM db_timeline) AS epoch';

export class PrimaryFinder {
  readonly #options: PrimaryFinderOptions;
  readonly #watches: readonly ServerWatch[];
  readonly #waiting = new Set<Waiter>();
  #primary: Primary | undefined;
  /** The last one: it may come back without a new timeline. */
  #last: Pick<Primary, 'watch' | 'epoch'> | undefined;
  #newest = 0;
  #asked = 0;
  /** The last question before there was no primary: earlier answers choose none. */
  #sinceAsked = 0;
  #draining = false;
  #closed = false;

  constructor(options: PrimaryFinderOptions) {
    this.#options = options;
    this.#watches = options.locations.map(
      (location) =>
        new ServerWatch(location, {
          number: () => ++this.#asked,
          pauseMs: () => (this.pools === undefined ? hurryMs : everyMs),
          told: () => this.#judge(),
        }),
    );
  }

  /** The primary's; undefined while there is none, or it is not known whether it is still there. */
  get pools(): ServerPools | undefined {
    return this.#primary?.doubtedAt === undefined ? this.#primary?.pools : undefined;
  }

  /** The primary's. */
  get location(): DatabaseLocation | undefined {
    return this.#primary?.watch.location;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /** Waits for a primary until then (by `performance.now()`), or a drain. Throws NoPrimaryError. */
  async wait(untilMs: number): Promise<ServerPools> {
    const { pools } = this;
    if (pools !== undefined) return pools;
    const leftMs = untilMs - performance.now();
    if (this.#draining || leftMs <= 0 || this.#waiting.size >= mostWaiting) throw this.none();
    const { promise, resolve, reject } = Promise.withResolvers<ServerPools>();
    const waiter = { resolve, reject };
    this.#waiting.add(waiter);
    const timer = setTimeout(() => reject(this.none()), leftMs);
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(waiter);
    }
  }

  /** Whether the server of these pools is the primary, and answered when it was last asked. */
  isHeard(pools: ServerPools): boolean {
    return this.#primary?.pools === pools && this.#primary.watch.look.answer !== undefined;
  }

  /** A connection of these pools failed: all servers are looked at now. */
  failed(pools: ServerPools, error: unknown): void {
    this.#doubt(pools);
    if (isReadOnly(error) && this.#primary?.pools === pools) this.#leave('it is read-only');
    this.#lookNow();
  }

  /** Requests no longer wait. */
  endWaits(): void {
    this.#draining = true;
    const error = this.none();
    for (const { reject } of this.#waiting) reject(error);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.endWaits();
    for (const watch of this.#watches) watch.stop();
    await this.#primary?.pools.end();
  }

  #doubt(pools: ServerPools): void {
    if (this.#primary?.pools === pools) this.#primary.doubtedAt = this.#asked;
  }

  #lookNow(): void {
    for (const watch of this.#watches) watch.lookNow();
  }

  #judge(): void {
    if (this.#closed) return;
    for (const { look } of this.#watches) this.#newest = Math.max(this.#newest, look.answer?.epoch ?? 0);
    const why = this.#whyNot();
    if (why !== undefined) this.#leave(why);
    this.#endDoubt();
    const found = this.#primary === undefined ? this.#find() : undefined;
    if (found !== undefined) this.#take(found);
    const { pools } = this;
    if (pools !== undefined) for (const { resolve } of this.#waiting) resolve(pools);
  }

  #endDoubt(): void {
    const primary = this.#primary;
    if (primary?.doubtedAt === undefined) return;
    const { asked, answer } = primary.watch.look;
    if (answer !== undefined && asked > primary.doubtedAt) primary.doubtedAt = undefined;
  }

  /** Why the primary is one no more. */
  #whyNot(): string | undefined {
    const primary = this.#primary;
    if (primary === undefined) return undefined;
    if (primary.epoch < this.#newest) return `timeline ${this.#newest} has begun`;
    const { answer } = primary.watch.look;
    if (answer?.isWritable === false) return 'it is read-only';
    return answer !== undefined && answer.epoch !== primary.epoch ? 'it is on another timeline' : undefined;
  }

  #find(): ServerWatch | undefined {
    const fresh = this.#watches.filter(({ look }) => look.asked > this.#sinceAsked);
    const counts = fresh.filter(({ look: { answer } }) => answer?.isWritable === true && answer.epoch === this.#newest);
    const last = this.#last;
    // A newer timeline than the last primary's, or that one itself: nobody else can be it. Else each must have been asked.
    if (last !== undefined && this.#newest > last.epoch) return counts[0];
    return (
      counts.find((watch) => watch === last?.watch) ?? (fresh.length === this.#watches.length ? counts[0] : undefined)
    );
  }

  #take(watch: ServerWatch): void {
    const { location } = watch;
    const epoch = this.#newest;
    const onEnd = () => {
      if (this.#closed) return;
      this.#doubt(pools);
      watch.lookNow();
    };
    const pools = this.#options.pools(location, { epoch, onEnd });
    this.#primary = { watch, epoch, pools, doubtedAt: undefined };
    if (this.#last !== undefined)
      this.#options.log?.warn({ server: nameOf(location), epoch }, 'the database has a primary again');
    this.#last = { watch, epoch };
  }

  #leave(why: string): void {
    const primary = this.#primary;
    if (primary === undefined) return;
    this.#primary = undefined;
    this.#sinceAsked = this.#asked;
    const server = nameOf(primary.watch.location);
    this.#options.log?.warn({ server, epoch: primary.epoch, why }, 'the primary of the database was left');
    void primary.pools.cut();
    this.#lookNow();
  }

  none(): NoPrimaryError {
    const told = this.#watches.map(({ location, look: { answer } }) => `${nameOf(location)} ${sayOf(answer)}`);
    return new NoPrimaryError(
      `no server of the database is the primary of timeline ${this.#newest}: ${told.join('; ')}`,
    );
  }
}

/** The primary's location, for tools with a single connection. Throws NoPrimaryError. */
export async function primaryLocation(locations: readonly DatabaseLocation[]): Promise<DatabaseLocation> {
  const [first, ...others] = locations;
  if (first !== undefined && others.length === 0) return first;
  const sizes = { connectionLimit: 1, acquireTimeoutMs: 5_000, preparedKept: 0 };
  const pools = (location: DatabaseLocation, several: OneOfSeveral) => new ServerPools(location, sizes, several);
  const finder = new PrimaryFinder({ locations, pools, log: undefined });
  try {
    await finder.wait(performance.now() + 5_000);
    invariant(finder.location !== undefined, 'there is a primary');
    return finder.location;
  } finally {
    await finder.close();
  }
}

function nameOf({ socketPath, host = 'localhost', port = 3306 }: DatabaseLocation): string {
  return socketPath ?? `${host}:${port}`;
}

function sayOf(answer: Answer | undefined): string {
  if (answer === undefined) return 'does not answer';
  return `is ${answer.isWritable ? 'writable' : 'read-only'}, on timeline ${answer.epoch}`;
}

interface Asker {
  /** Of a new question. */
  readonly number: () => number;
  readonly pauseMs: () => number;
  readonly told: () => void;
}

/** Asks one server again and again. */
class ServerWatch {
  readonly location: DatabaseLocation;
  readonly #asker: Asker;
  readonly #sockets: Sockets;
  #connection: Connection | undefined;
  #look: Look = { asked: 0, answer: undefined };
  #pause = new AbortController();
  #isAsking = false;
  #again = false;
  #stopped = false;

  constructor(location: DatabaseLocation, asker: Asker) {
    this.location = location;
    this.#asker = asker;
    this.#sockets = new Sockets(location);
    void this.#lookOn();
  }

  get look(): Look {
    return this.#look;
  }

  lookNow(): void {
    this.#again = this.#isAsking;
    this.#pause.abort();
  }

  stop(): void {
    this.#stopped = true;
    this.#pause.abort();
    this.#sockets.cut();
  }

  async #lookOn(): Promise<void> {
    while (!this.#stopped) {
      const asked = this.#asker.number();
      this.#isAsking = true;
      const answer = await this.#ask().catch(() => undefined);
      this.#isAsking = false;
      if (this.#stopped) return;
      this.#look = { asked, answer };
      this.#pause = new AbortController();
      this.#asker.told();
      if (!this.#again && !this.#pause.signal.aborted)
        await sleep(this.#asker.pauseMs(), undefined, { ref: false, signal: this.#pause.signal }).catch(
          () => undefined,
        );
      this.#again = false;
    }
  }

  async #ask(): Promise<Answer> {
    const late = setTimeout(() => this.#sockets.reset(), answerMs);
    try {
      this.#connection ??= await this.#connect();
      const [row] = await this.#connection.query<{ isWritable: number; epoch: number | null }[]>(question);
      return { isWritable: row?.isWritable === 1, epoch: row?.epoch ?? 0 };
    } catch (error) {
      if (databaseErrorNumber(error) === noSuchTable) return { isWritable: await this.#isWritable(), epoch: 0 };
      this.#connection = undefined;
      this.#sockets.reset();
      throw error;
    } finally {
      clearTimeout(late);
    }
  }

  async #connect(): Promise<Connection> {
    const connection = await createConnection({
      ...this.#sockets.options(),
      socketTimeout: 0,
      connectTimeout: answerMs,
    });
    // The next question fails.
    connection.on('error', () => undefined);
    return connection;
  }

  async #isWritable(): Promise<boolean> {
    const rows = await this.#connection?.query<{ isWritable: number }[]>('SELECT @@read_only = 0 AS isWritable');
    return rows?.[0]?.isWritable === 1;
  }
}
