// Finds the primary in a list of servers: the writable server on the newest timeline that any server has reported. Each server is
// polled over its own connection: from time to time, at once when a connection to the primary fails, and often while there is no
// primary. A lease can seem to have ended because the primary or this process was paused. Such a primary counts again after its
// next answer.
import { setTimeout as sleep } from 'node:timers/promises';
import { type Connection, createConnection } from 'mariadb';
import { databaseErrorNumber, isReadOnly, NoPrimaryError } from '../errors/database-errors.ts';
import { invariant } from '../errors/errors.ts';
import type { Logger } from '../log/log.ts';
import { type DatabaseLocation, type OneOfSeveral, ServerPools, Sockets } from './server-pools.ts';
import { WaitingRoom } from './waiting-room.ts';

interface PrimaryFinderOptions {
  readonly locations: readonly DatabaseLocation[];
  readonly pools: (location: DatabaseLocation, several: OneOfSeveral) => ServerPools;
  readonly log: Logger | undefined;
  /** There is another primary, or the same again. */
  readonly onPrimary?: (led: LedBy) => void;
  /** Whether `isAlone` is asked for. */
  readonly countsCopies?: boolean;
}

/** A primary, as it was found. */
export interface LedBy {
  readonly location: DatabaseLocation;
  /** Epoch of its timeline. */
  readonly epoch: number;
}

interface Answer {
  readonly isWritable: boolean;
  /** 0 if the database has no timeline yet. */
  readonly epoch: number;
  /** No other server becomes the primary before this time (`performance.now()`). Infinity if leases are not used. */
  readonly leasedUntilMs: number;
  /** Its commits wait for no other server. */
  readonly isAlone: boolean;
}

/** The answer of a server to poll number `asked`. `answer` is undefined if the server is unreachable or silent. */
interface Look {
  readonly asked: number;
  readonly answer: Answer | undefined;
}

interface Primary {
  readonly watch: ServerWatch;
  readonly epoch: number;
  readonly pools: ServerPools;
  /**
   * Number of the last poll before one of the primary's connections failed. The answer to a later poll shows that the primary is
   * still there.
   */
  doubtedAt: number | undefined;
}

const everyMs = 500;
const hurryMs = 50;
const answerMs = 1_500;
/**
 * A primary is given up if a poll has no answer for this long. Requests that wait for it then end, less than 5 s after its last answer.
 */
const silentMs = 2_500;
/** A lease that would last longer was written before the server's clock was put back. */
const longestLeaseMs = 5_000;
const mostWaiting = 1_000;
/** ER_NO_SUCH_TABLE: the database is not migrated. */
const noSuchTable = 1146;
const question = `SELECT @@read_only = 0 AS isWritable, (SELECT MAX(epoch) FROM db_timeline) AS epoch,
  (SELECT TIMESTAMPDIFF(MICROSECOND, UTC_TIMESTAMP(6), ends_at) / 1000 FROM db_lease WHERE id = 1) AS leaseMs`;
const isAlone = `, @@rpl_semi_sync_master_enabled = 0 OR (SELECT variable_value FROM information_schema.global_status
  WHERE variable_name = 'RPL_SEMI_SYNC_MASTER_CLIENTS') = 0 AS isAlone`;

export class PrimaryFinder {
  readonly #options: PrimaryFinderOptions;
  #watches: readonly ServerWatch[];
  readonly #waiting = new WaitingRoom<ServerPools>({ most: mostWaiting, refusal: () => this.none() });
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
    this.#watches = options.locations.map((location) => this.#watch(location));
  }

  #watch(location: DatabaseLocation): ServerWatch {
    return new ServerWatch(location, {
      question: this.#options.countsCopies === true ? question + isAlone : question,
      number: () => ++this.#asked,
      pauseMs: () => (this.pools === undefined ? hurryMs : everyMs),
      told: () => this.#decide(),
    });
  }

  /** The servers from now on. One that stays is not left for it. */
  setLocations(locations: readonly DatabaseLocation[]): void {
    if (this.#closed) return;
    const names = locations.map(nameOf);
    const gone = this.#watches.filter(({ location }) => !names.includes(nameOf(location)));
    const stay = this.#watches.filter((each) => !gone.includes(each));
    const known = stay.map(({ location }) => nameOf(location));
    this.#watches = [
      ...stay,
      ...locations.filter((each) => !known.includes(nameOf(each))).map((each) => this.#watch(each)),
    ];
    for (const watch of gone) {
      watch.stop();
      if (this.#primary?.watch === watch) this.#leave('it is none of the servers any more');
    }
  }

  /** The primary's pools. Undefined while there is no primary, or while it is not known whether the last one still is the primary. */
  get pools(): ServerPools | undefined {
    const primary = this.#primary;
    if (primary === undefined || primary.doubtedAt !== undefined) return undefined;
    return performance.now() < (primary.watch.heard?.leasedUntilMs ?? 0) ? primary.pools : undefined;
  }

  /** The primary is on this host. */
  get isHere(): boolean {
    return this.#primary?.watch.isHere === true;
  }

  /** The primary's commits are on no other server. */
  get isAlone(): boolean {
    return this.#primary?.watch.heard?.isAlone === true;
  }

  /** The primary's. */
  get location(): DatabaseLocation | undefined {
    return this.#primary?.watch.location;
  }

  /** The last one that was found. */
  get ledBy(): LedBy | undefined {
    return this.#last && { location: this.#last.watch.location, epoch: this.#last.epoch };
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /**
   * Waits for a primary. Ends `timeoutMs` after `sinceMs` (`performance.now()`) or after the last primary's last answer, whichever
   * is later, or when the process drains. Throws NoPrimaryError.
   */
  async wait(timeoutMs: number, sinceMs = performance.now()): Promise<ServerPools> {
    const { pools } = this;
    if (pools !== undefined) return pools;
    const fromMs = Math.max(sinceMs, this.#last?.watch.heardAtMs ?? sinceMs);
    const leftMs = fromMs + timeoutMs - performance.now();
    if (this.#draining || leftMs <= 0) throw this.none();
    return this.#waiting.wait(leftMs);
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
    this.#waiting.rejectAll(this.none());
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

  #decide(): void {
    if (this.#closed) return;
    for (const { look } of this.#watches) this.#newest = Math.max(this.#newest, look.answer?.epoch ?? 0);
    const why = this.#whyNot();
    if (why !== undefined) this.#leave(why);
    this.#endDoubt();
    const found = this.#primary === undefined ? this.#find() : undefined;
    if (found !== undefined) this.#take(found);
    const { pools } = this;
    if (pools !== undefined) this.#waiting.resolveAll(pools);
  }

  #endDoubt(): void {
    const primary = this.#primary;
    if (primary?.doubtedAt === undefined) return;
    const { asked, answer } = primary.watch.look;
    if (answer !== undefined && asked > primary.doubtedAt) primary.doubtedAt = undefined;
  }

  /** Why the server is no longer the primary. Undefined if it still is. */
  #whyNot(): string | undefined {
    const primary = this.#primary;
    if (primary === undefined) return undefined;
    if (primary.epoch < this.#newest) return `timeline ${this.#newest} has begun`;
    if (primary.watch.silentMs >= silentMs) return 'it is silent';
    const { answer } = primary.watch.look;
    if (answer?.isWritable === false) return 'it is read-only';
    return answer !== undefined && answer.epoch !== primary.epoch ? 'it is on another timeline' : undefined;
  }

  #find(): ServerWatch | undefined {
    const fresh = this.#watches.filter(({ look }) => look.asked > this.#sinceAsked);
    const counts = fresh.filter(({ look: { answer } }) => answer?.isWritable === true && answer.epoch === this.#newest);
    const last = this.#last;
    // If the server is on a newer timeline than the last primary, or is the last primary itself, no other server can be the
    // primary. Otherwise each server must have been asked.
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
    this.#options.onPrimary?.({ location, epoch });
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
  const sizes = { connectionLimit: 1, acquireTimeoutMs: 5_000, preparedKept: 0, readTimeoutMs: 5_000 };
  const pools = (location: DatabaseLocation, several: OneOfSeveral) => new ServerPools(location, sizes, several);
  const finder = new PrimaryFinder({ locations, pools, log: undefined });
  try {
    await finder.wait(5_000);
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
  readonly question: string;
  /** Of a new question. */
  readonly number: () => number;
  readonly pauseMs: () => number;
  readonly told: () => void;
}

/** Polls one server. */
class ServerWatch {
  readonly location: DatabaseLocation;
  readonly #asker: Asker;
  readonly #sockets: Sockets;
  #connection: Connection | undefined;
  #look: Look = { asked: 0, answer: undefined };
  #heard: Answer | undefined;
  #heardAtMs = Number.NEGATIVE_INFINITY;
  /** The end of the first question without an answer since the last answer. */
  #silentSinceMs: number | undefined;
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

  /** Its last answer. */
  get heard(): Answer | undefined {
    return this.#heard;
  }

  get heardAtMs(): number {
    return this.#heardAtMs;
  }

  get isHere(): boolean {
    return this.#sockets.isHere;
  }

  /** How long polls have had no answer. */
  get silentMs(): number {
    return this.#silentSinceMs === undefined ? 0 : performance.now() - this.#silentSinceMs;
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
      this.#hear(answer);
      this.#pause = new AbortController();
      this.#asker.told();
      if (!this.#again && !this.#pause.signal.aborted)
        await sleep(this.#asker.pauseMs(), undefined, { ref: false, signal: this.#pause.signal }).catch(
          () => undefined,
        );
      this.#again = false;
    }
  }

  #hear(answer: Answer | undefined): void {
    const nowMs = performance.now();
    if (answer === undefined) {
      this.#silentSinceMs ??= nowMs;
      return;
    }
    this.#heard = answer;
    this.#heardAtMs = nowMs;
    this.#silentSinceMs = undefined;
  }

  async #ask(): Promise<Answer> {
    const late = setTimeout(() => this.#sockets.reset(), answerMs);
    try {
      this.#connection ??= await this.#connect();
      // Before it is sent: the lease is no shorter then than when the server reads it.
      const askedAtMs = performance.now();
      const [row] = await this.#connection.query<Row[]>(this.#asker.question);
      return toAnswer(row, askedAtMs);
    } catch (error) {
      if (databaseErrorNumber(error) === noSuchTable) return toAnswer(await this.#unmigrated(), 0);
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

  async #unmigrated(): Promise<Row | undefined> {
    const rows = await this.#connection?.query<Row[]>('SELECT @@read_only = 0 AS isWritable');
    return rows?.[0];
  }
}

interface Row {
  readonly isWritable: number;
  readonly epoch?: number | null;
  readonly leaseMs?: number | null;
  readonly isAlone?: number;
}

function toAnswer(row: Row | undefined, askedAtMs: number): Answer {
  const leaseMs = row?.leaseMs ?? Number.POSITIVE_INFINITY;
  const isCredible = leaseMs <= longestLeaseMs || leaseMs === Number.POSITIVE_INFINITY;
  return {
    ...{ isWritable: row?.isWritable === 1, epoch: row?.epoch ?? 0, isAlone: row?.isAlone === 1 },
    leasedUntilMs: isCredible ? askedAtMs + leaseMs : 0,
  };
}
