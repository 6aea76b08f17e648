// Commit tokens: the last transaction of each mutation writes a row, and reading that row on the standby shows whether the write
// is replicated. A GTID alone is not enough: a position counts as reached even when another server wrote it.
import { createHmac, type KeyObject, timingSafeEqual } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Database, Sql, Transaction } from './database/database.ts';
import { invariant } from './errors.ts';
import { newUuid } from './ids.ts';
import type { Logger } from './log.ts';
import type { Keyring } from './secrets/keyring.ts';

export interface CommitToken {
  /** Opaque and signed. */
  readonly token: string;
}

export interface Replication {
  readonly state: 'CONFIRMED' | 'PENDING' | 'NOT_REPLICATED' | 'LOST' | 'UNKNOWN';
  readonly reason: string | null;
}

export interface Timeline {
  readonly epoch: number;
  readonly lossy: boolean;
}

export interface CommitsOptions {
  readonly db: Database;
  readonly keyring: Keyring;
  /** The standby, read only; absent when none is configured. */
  readonly standby?: Database;
  readonly log: Logger;
}

/** Rows are kept at least this long; older tokens get UNKNOWN. */
export const commitRecordKeptMs = 7 * 24 * 3_600_000;

/** SQL: the epoch of the last timeline that began with a loss; 0 if there was none. What is from an earlier one may be outdated. */
export const lastLossSql = '(SELECT COALESCE(MAX(epoch), 0) FROM db_timeline WHERE lossy = 1)';

/** SQL: when the newest timeline began, if it is newer than `epoch` (SQL too); else null. */
export const newerSinceSql = (epoch: string): string => `(SELECT MAX(at) FROM db_timeline WHERE epoch > ${epoch})`;

const timelineCachedMs = 1_000;
const mostWaitMs = 10_000;
const purpose = 'commit-token';

interface Decoded {
  readonly epoch: number;
  readonly id: string;
}

export class Commits {
  readonly #db: Database;
  readonly #keyring: Keyring;
  readonly #standby: Database | undefined;
  readonly #log: Logger;
  #timeline: { readonly value: Timeline; readonly readAtMs: number } | undefined;

  constructor(options: CommitsOptions) {
    this.#db = options.db;
    this.#keyring = options.keyring;
    this.#standby = options.standby;
    this.#log = options.log;
  }

  /** Writes the row in a mutation's last transaction, also when nothing changed. Returns its UUID, for `token`. */
  async record(tx: Transaction): Promise<string> {
    const id = newUuid();
    await tx.execute('INSERT INTO commit_record (id, timeline) SELECT ?, MAX(epoch) FROM db_timeline', [id]);
    return id;
  }

  /** The token of a row, with the timeline that this process read last: each mutation reads it (`timeline`) at its start. */
  token(recordId: string): string {
    const { id, keyObject } = this.#keyring.active(purpose);
    const epoch = this.#timeline?.value.epoch;
    invariant(epoch !== undefined, 'the timeline is read before a token is made');
    const body = `${id}.${epoch}.${recordId}`;
    return `${Buffer.from(body, 'latin1').toString('base64url')}.${sign(keyObject, body).toString('base64url')}`;
  }

  /** The database's current timeline: a new one begins with each promotion. Read at most once a second. */
  async timeline(): Promise<Timeline> {
    const cached = this.#timeline;
    if (cached !== undefined && performance.now() - cached.readAtMs < timelineCachedMs) return cached.value;
    const value = await readTimeline(this.#db);
    this.#timeline = { value, readAtMs: performance.now() };
    return value;
  }

  /** Whether the write behind a token is replicated; waits up to `waitMs` (at most 10 s) for the standby. Never throws. */
  async replication(token: string, waitMs: number): Promise<Replication> {
    const decoded = this.#decode(token);
    if (decoded === undefined) return { state: 'UNKNOWN', reason: 'the token is not valid here' };
    const deadlineMs = performance.now() + Math.min(Math.max(waitMs, 0), mostWaitMs);
    try {
      return (await this.#onPrimary(decoded)) ?? (await this.#onStandby(decoded, deadlineMs));
    } catch (error) {
      this.#log.warn({ err: error }, 'a commit token could not be checked');
      return { state: 'UNKNOWN', reason: 'the database is not available: ask again' };
    }
  }

  /** The primary's answer; undefined when the standby has to be asked. */
  async #onPrimary({ id, epoch }: Decoded): Promise<Replication | undefined> {
    const here = await hasRecord(this.#db, id);
    if (here)
      return this.#standby === undefined
        ? { state: 'NOT_REPLICATED', reason: 'no standby is configured, so there is only one copy' }
        : undefined;
    if (Date.now() - timeOf(id) > commitRecordKeptMs)
      return { state: 'UNKNOWN', reason: 'the write is older than the records kept' };
    const current = await readTimeline(this.#db);
    if (epoch < current.epoch)
      return {
        state: 'LOST',
        reason: `the write was on timeline ${epoch} and did not survive the failover to ${current.epoch}`,
      };
    this.#log.error({ recordId: id, epoch }, 'a committed write is not in the database, on the same timeline');
    return { state: 'UNKNOWN', reason: 'the record of the write is missing on its own timeline' };
  }

  async #onStandby({ id }: Decoded, deadlineMs: number): Promise<Replication> {
    const standby = this.#standby;
    if (standby === undefined) return { state: 'NOT_REPLICATED', reason: null };
    let pauseMs = 5;
    try {
      for (;;) {
        const reason = await this.#notYet(standby, id);
        if (reason === undefined) return { state: 'CONFIRMED', reason: null };
        const leftMs = deadlineMs - performance.now();
        if (leftMs <= 0) return { state: 'PENDING', reason };
        await sleep(Math.min(pauseMs, leftMs));
        pauseMs = Math.min(pauseMs * 2, 100);
      }
    } catch (error) {
      this.#log.warn({ err: error }, 'the standby could not be asked');
      return { state: 'PENDING', reason: "the standby can't be reached, so there may be only one copy" };
    }
  }

  /** Why the write is not confirmed yet; undefined when it is. */
  async #notYet(standby: Database, id: string): Promise<string | undefined> {
    const [found] = await standby.query<{ here: number; epoch: number; serverId: number }>(
      'SELECT EXISTS (SELECT 1 FROM commit_record WHERE id = ?) AS here, (SELECT MAX(epoch) FROM db_timeline) AS epoch, @@server_id AS serverId',
      [id],
    );
    const [primary] = await this.#db.query<{ epoch: number; serverId: number }>(
      'SELECT (SELECT MAX(epoch) FROM db_timeline) AS epoch, @@server_id AS serverId',
    );
    if (found?.serverId === primary?.serverId)
      return "the standby's address leads to the primary itself, so there is only one copy";
    if (found?.here === 1 && found.epoch === primary?.epoch) return undefined;
    const [clients] = await this.#db.query<{ Value: string }>("SHOW GLOBAL STATUS LIKE 'Rpl_semi_sync_master_clients'");
    if (clients?.Value === '0') return 'the standby is detached, so there is only one copy';
    if (found?.epoch !== primary?.epoch) return 'the standby is on another timeline';
    return 'the standby has not applied the write yet';
  }

  #decode(token: string): Decoded | undefined {
    if (token.length > 512) return undefined;
    const [text = '', mac = ''] = token.split('.');
    const body = Buffer.from(text, 'base64url').toString('latin1');
    const match = /^([a-z0-9-]{1,32})\.(\d{1,9})\.([0-9a-f-]{36})$/.exec(body);
    const key = this.#keyring.byId(purpose, match?.[1] ?? '');
    if (match === null || key === undefined) return undefined;
    const given = Buffer.from(mac, 'base64url');
    const expected = sign(key.keyObject, body);
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined;
    return { epoch: Number(match[2]), id: match[3] ?? '' };
  }
}

/** Resolvers of the shared type Commit, whose source is `{ token }`. */
export function commitResolvers(commits: Commits): {
  replication(source: CommitToken, args: { readonly waitMs?: number | null }): Promise<Replication>;
} {
  return { replication: (source, args) => commits.replication(source.token, args.waitMs ?? 0) };
}

async function hasRecord(db: Database, id: string): Promise<boolean> {
  return (await db.query('SELECT 1 FROM commit_record WHERE id = ?', [id])).length > 0;
}

async function readTimeline(db: Sql): Promise<Timeline> {
  const sql = 'SELECT epoch, lossy FROM db_timeline ORDER BY epoch DESC LIMIT 1';
  const [row] = await db.query<{ epoch: number; lossy: number }>(sql);
  if (row === undefined) throw new Error('db_timeline is empty: apply the migrations');
  return { epoch: row.epoch, lossy: row.lossy === 1 };
}

function sign(key: KeyObject, body: string): Buffer {
  return createHmac('sha256', key).update(body).digest();
}

/** The Unix milliseconds in a UUIDv7. */
function timeOf(uuid: string): number {
  return Number.parseInt(uuid.replaceAll('-', '').slice(0, 12), 16);
}
