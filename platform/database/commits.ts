// Commit tokens: the last transaction of each mutation writes a row, and reading that row on the other servers shows whether the write
// is replicated. A GTID alone is not enough: a position counts as reached even when another server wrote it.
import { createHmac, type KeyObject, timingSafeEqual } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../log/log.ts';
import type { Keyring } from '../secrets/keyring.ts';
import { newUuid } from '../values/ids.ts';
import { within } from '../work/within.ts';
import { writeCommitRecord } from './commit-record.ts';
import type { Database, Sql, Transaction } from './database.ts';

export interface CommitToken {
  /** Opaque and signed. */
  readonly token: string;
}

interface Replication {
  readonly state: 'CONFIRMED' | 'PENDING' | 'NOT_REPLICATED' | 'LOST' | 'UNKNOWN';
  readonly reason: string | null;
  /** Servers that are known to hold the write, including the primary. Null if unknown. */
  readonly copies: number | null;
  readonly members: readonly ReplicationMember[];
}

interface ReplicationMember {
  readonly name: string;
  readonly state: 'PRIMARY' | 'CONFIRMED' | 'PENDING' | 'OTHER_TIMELINE' | 'UNREACHABLE';
}

/** A server of the database, at its own address, for reading. */
export interface CommitMember {
  readonly name: string;
  readonly sql: Pick<Sql, 'query'>;
}

interface CommitsOptions {
  readonly db: Database;
  readonly keyring: Keyring;
  /** All servers, or only the standby. Absent if the database has only one server. */
  readonly members?: readonly CommitMember[];
  readonly log: Logger;
}

/** Rows are kept at least this long; older tokens get UNKNOWN. */
export const commitRecordKeptMs = 7 * 24 * 3_600_000;

/** SQL: the epoch of the last timeline that began with a loss, or 0 if there was none. Data of an earlier timeline may be outdated. */
export const lastLossSql = '(SELECT COALESCE(MAX(epoch), 0) FROM db_timeline WHERE lossy = 1)';

/** SQL: whether the database has a commit. Value: its UUID. */
export const hasCommitSql = 'EXISTS (SELECT 1 FROM commit_record WHERE id = ? AND timeline > 0)';

/** SQL: the mark of a commit record, like commitMark. Value: its UUID. */
export const commitMarkSql = "(SELECT CONCAT(timeline, '.', id) FROM commit_record WHERE id = ?)";

/** SQL: the newest timeline. */
export const newestTimelineSql = '(SELECT MAX(epoch) FROM db_timeline)';

const mostWaitMs = 10_000;
/** How long a member may take to answer. */
const memberMs = 2_000;
const purpose = 'commit-token';

interface Decoded {
  readonly epoch: number;
  readonly id: string;
}

/** A server's answer about a row. */
interface Found {
  readonly here: number;
  readonly epoch: number;
  readonly serverId: number;
  readonly readOnly: number;
  /** The first timeline after the row's that began with a loss. Null if none did. */
  readonly lossAt: number | null;
}

type MemberState = ReplicationMember['state'];

export class Commits {
  readonly #db: Database;
  readonly #keyring: Keyring;
  readonly #members: readonly CommitMember[];
  readonly #log: Logger;
  #draining = false;

  constructor(options: CommitsOptions) {
    this.#db = options.db;
    this.#keyring = options.keyring;
    this.#members = options.members ?? [];
    this.#log = options.log;
  }

  /** Writes the row in a mutation's last transaction, also when nothing changed. Returns its mark, for `token`. */
  async record(tx: Transaction, id: string = newUuid()): Promise<string> {
    return commitMark({ id, epoch: await writeCommitRecord(tx, id) });
  }

  /** Like `record`, with a statement of the caller's that also writes the row and returns its timeline. */
  async recordWith(tx: Transaction, write: (id: string) => Promise<number>): Promise<string> {
    const id = newUuid();
    tx.provenBy(id);
    const epoch = await write(id);
    tx.provenBy(id, epoch);
    return commitMark({ id, epoch });
  }

  /** The token of a row, by its mark. */
  token(mark: string): string {
    const { id, keyObject } = this.#keyring.active(purpose);
    // A mark that was stored before marks had a timeline is the row's id alone.
    const body = `${id}.${mark.includes('.') ? mark : commitMark({ id: mark, epoch: 0 })}`;
    return `${Buffer.from(body, 'latin1').toString('base64url')}.${sign(keyObject, body).toString('base64url')}`;
  }

  /**
   * Whether the write behind a token is replicated; waits up to `waitMs` (at most 10 s) for a second server, and through a change of
   * the primary. Never throws.
   */
  async replication(token: string, waitMs: number): Promise<Replication> {
    const decoded = this.#decode(token);
    if (decoded === undefined) return unknown('the token is not valid here');
    const deadlineMs = performance.now() + Math.min(Math.max(waitMs, 0), mostWaitMs);
    for (let pauseMs = 5; ; pauseMs = Math.min(pauseMs * 2, 100)) {
      const found = await this.#find(decoded).catch((error: unknown) => {
        this.#log.warn({ err: error }, 'a commit token could not be checked');
        return unavailable;
      });
      const mayChange = found.state === 'PENDING' || found === changing || found === unavailable;
      const leftMs = deadlineMs - performance.now();
      if (!mayChange || leftMs <= 0 || this.#draining) return found;
      await sleep(Math.min(pauseMs, leftMs));
    }
  }

  /** From now on no question waits for a better answer. */
  drain(): void {
    this.#draining = true;
  }

  async #find(decoded: Decoded): Promise<Replication> {
    // Reads in one statement, because a failover between two statements could make an existing write look lost.
    const primary = await ask(this.#db, decoded);
    if (primary.here !== 1) return this.#missing(decoded, primary);
    if (this.#members.length === 0)
      return { ...alone, state: 'NOT_REPLICATED', reason: 'no standby is configured, so there is only one copy' };
    const asked = await Promise.all(
      this.#members.map(async ({ name, sql }) => ({ name, found: await this.#ask(sql, decoded) })),
    );
    // The server that was taken for the primary is no longer the primary.
    if (asked.some(({ found }) => found !== undefined && found.epoch > primary.epoch)) return changing;
    const members = asked.map(({ name, found }) => ({ name, state: stateOf(found, primary) }));
    const copies = 1 + members.filter(({ state }) => state === 'CONFIRMED').length;
    if (copies > 1) return { state: 'CONFIRMED', reason: null, copies, members };
    return { state: 'PENDING', reason: await this.#whyPending(members.map(({ state }) => state)), copies, members };
  }

  #missing({ id, epoch }: Decoded, primary: Found): Replication {
    // It may not have applied all yet.
    if (primary.readOnly === 1) return changing;
    if (Date.now() - timeOfUuid(id) > commitRecordKeptMs) return unknown('the write is older than the records kept');
    if (epoch < primary.epoch)
      return {
        ...{ state: 'LOST', copies: 0, members: [] },
        reason: `the write was on timeline ${epoch} and did not survive the failover to timeline ${primary.lossAt ?? primary.epoch}`,
      };
    this.#log.error({ recordId: id, epoch }, 'a committed write is not in the database, on the same timeline');
    return unknown('the record of the write is missing on its own timeline');
  }

  async #ask(member: CommitMember['sql'], decoded: Decoded): Promise<Found | undefined> {
    try {
      return await within(memberMs, 'the server did not answer', () => ask(member, decoded));
    } catch (error) {
      this.#log.warn({ err: error }, 'a server of the database could not be asked for a commit');
      return undefined;
    }
  }

  async #whyPending(all: readonly MemberState[]): Promise<string> {
    const others = all.filter((state) => state !== 'PRIMARY');
    if (others.length === 0) return "the standby's address leads to the primary itself, so there is only one copy";
    if (others.every((state) => state === 'UNREACHABLE'))
      return "the standby can't be reached, so there may be only one copy";
    const [clients] = await this.#db.query<{ Value: string }>("SHOW GLOBAL STATUS LIKE 'Rpl_semi_sync_master_clients'");
    if (clients?.Value === '0') return 'the standby is detached, so there is only one copy';
    return others.includes('PENDING')
      ? 'the standby has not applied the write yet'
      : 'the standby is on another timeline';
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

/** The mark of a row: its timeline and id. */
export function commitMark({ id, epoch }: { readonly id: string; readonly epoch: number }): string {
  return `${epoch}.${id}`;
}

const alone = { copies: 1, members: [] };

function unknown(reason: string): Replication {
  return { state: 'UNKNOWN', reason, copies: null, members: [] };
}

const changing = unknown('the database changes its primary: ask again');
const unavailable = unknown('the database is not available: ask again');

/** `found`: the server's answer, undefined if it did not answer. */
function stateOf(found: Found | undefined, primary: Found): MemberState {
  if (found === undefined) return 'UNREACHABLE';
  if (found.serverId === primary.serverId) return 'PRIMARY';
  if (found.epoch !== primary.epoch) return 'OTHER_TIMELINE';
  return found.here === 1 ? 'CONFIRMED' : 'PENDING';
}

async function ask(sql: Pick<Sql, 'query'>, { id, epoch }: Decoded): Promise<Found> {
  const [row] = await sql.query<Found>(
    `SELECT EXISTS (SELECT 1 FROM commit_record WHERE id = ? AND timeline > 0) AS here,
      (SELECT MAX(epoch) FROM db_timeline) AS epoch, @@server_id AS serverId, @@read_only AS readOnly,
      (SELECT MIN(epoch) FROM db_timeline WHERE epoch > ? AND lossy = 1) AS lossAt`,
    [id, epoch],
  );
  if (row === undefined) throw new Error('a server of the database gave no answer');
  return row;
}

function sign(key: KeyObject, body: string): Buffer {
  return createHmac('sha256', key).update(body).digest();
}

/** The Unix milliseconds in a UUIDv7. */
export function timeOfUuid(uuid: string): number {
  return Number.parseInt(uuid.replaceAll('-', '').slice(0, 12), 16);
}
