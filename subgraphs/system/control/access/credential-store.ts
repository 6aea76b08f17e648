// Reads the current identity behind a credential, in one statement each: these run on every request whose answer the gateway has
// not cached. Also the table of sessions.

import { type Identity, lowerRole, type Role } from '../../../../platform/caller/identity.ts';
import type { Database, Sql, Transaction } from '../../../../platform/database/database.ts';
import { trustedNow } from '../../../../platform/leases/trusted-clock.ts';

interface SessionRow {
  readonly userId: string;
  readonly name: string;
  readonly admin: number | boolean;
  readonly projectId: string | null;
  readonly role: Role | null;
}

interface TokenRow {
  readonly id: string;
  readonly name: string;
  readonly projectId: string;
  readonly role: Role;
  /** Null if the token was made on the command line, so no user's rights limit it. */
  readonly userId: string | null;
  readonly admin: number | boolean | null;
  readonly makerRole: Role | null;
  readonly usedLately: number | boolean | null;
  /** A JSON list of hashes. Null if it is not bound. */
  readonly operationHashes: string | null;
}

export const refreshTokenDays = 7;
const sessionDays = 30;
const endOfSession = `LEAST(NOW(3) + INTERVAL ${refreshTokenDays} DAY, created_at + INTERVAL ${sessionDays} DAY)`;

const defaultMaxSessions = 1000;
/** The most sessions that one login deletes. */
const mostDeleted = 100;

interface BegunSession {
  readonly expiresAt: Date;
  /** Valid sessions of the user that were ended because there were too many. */
  readonly ended: number;
}

export interface NewSession {
  readonly id: string;
  readonly userId: string;
  readonly userVersion: number;
  readonly refreshHash: string;
  readonly familyHash: string;
}

export interface UserSession {
  readonly id: string;
  readonly createdAt: Date;
  readonly expiresAt: Date;
}

export class CredentialStore {
  readonly #db: Database;
  readonly #noting = new Set<string>();
  readonly #maxSessions: number;

  constructor(db: Database, options: { readonly maxSessionsPerUser?: number | undefined } = {}) {
    this.#db = db;
    this.#maxSessions = options.maxSessionsPerUser ?? defaultMaxSessions;
  }

  /** The user of an active session, with the current roles. An administrator needs none. */
  async bySession(sessionId: string, sql: Sql = this.#db): Promise<Identity | undefined> {
    const rows = await sql.query<SessionRow>(
      `SELECT u.id AS userId, u.name, u.admin, m.project_id AS projectId, m.role
         FROM session s
         JOIN user u ON u.id = s.user_id
         LEFT JOIN membership m ON m.user_id = u.id AND u.admin = 0
        WHERE s.id = ? AND s.ended_at IS NULL AND s.expires_at > NOW(3) AND u.disabled = 0`,
      [sessionId],
    );
    return identityOf(rows, sessionId);
  }

  /** A user who was just verified, with the current roles. Undefined if the user was changed or disabled since. */
  async byUser({ id, version }: { readonly id: string; readonly version: number }): Promise<Identity | undefined> {
    const rows = await this.#db.query<SessionRow>(
      `SELECT u.id AS userId, u.name, u.admin, m.project_id AS projectId, m.role
         FROM user u LEFT JOIN membership m ON m.user_id = u.id AND u.admin = 0
        WHERE u.id = ? AND u.version = ? AND u.disabled = 0`,
      [id, version],
    );
    return identityOf(rows, id);
  }

  /** The token with that secret, unless it is revoked or expired, with at most the current rights of the user who made it. */
  async bySecretHash(hash: string): Promise<Identity | undefined> {
    return this.#token('secret_hash', hash);
  }

  async byTokenId(id: string, sql: Sql = this.#db): Promise<Identity | undefined> {
    return this.#token('id', id, sql);
  }

  /** The caller's current identity. Undefined once the session or token has ended. */
  async recheck(identity: Identity, sql: Sql = this.#db): Promise<Identity | undefined> {
    const { kind, credentialId } = identity;
    const now = await this.#now(kind, credentialId, sql);
    return now?.id === identity.id ? now : undefined;
  }

  #now(kind: Identity['kind'], credentialId: string, sql: Sql): Promise<Identity | undefined> {
    if (kind === 'token') return this.byTokenId(credentialId, sql);
    return kind === 'machine' ? this.byMachineId(credentialId) : this.bySession(credentialId, sql);
  }

  async #token(column: 'secret_hash' | 'id', value: string, sql: Sql = this.#db): Promise<Identity | undefined> {
    const rows = await sql.query<TokenRow>(
      `SELECT t.id, t.name, t.project_id AS projectId, t.role, t.user_id AS userId, t.operation_hashes AS operationHashes, u.admin, m.role AS makerRole,
              t.last_used_at > NOW(3) - INTERVAL 1 MINUTE AS usedLately
         FROM api_token t
         LEFT JOIN user u ON u.id = t.user_id
         LEFT JOIN membership m ON m.user_id = t.user_id AND m.project_id = t.project_id
        WHERE t.${column} = ? AND t.revoked_at IS NULL AND (t.expires_at IS NULL OR t.expires_at > NOW(3))
          AND (t.user_id IS NULL OR u.disabled = 0 AND (u.admin = 1 OR m.role IS NOT NULL))`,
      [value],
    );
    const row = rows[0];
    if (row === undefined) return undefined;
    if (!row.usedLately) this.#noteUse(row.id);
    const isBound = row.userId !== null && !row.admin && row.makerRole !== null;
    const projects = { [row.projectId]: isBound ? lowerRole(row.role, row.makerRole) : row.role };
    const owner = row.userId === null || row.admin ? {} : { ownerId: row.userId };
    const bound = row.operationHashes === null ? {} : { operations: JSON.parse(row.operationHashes) as string[] };
    return {
      kind: 'token',
      id: row.id,
      name: row.name,
      admin: false,
      projects,
      credentialId: row.id,
      ...owner,
      ...bound,
    };
  }

  /** The machine with that token, unless it is revoked or the token has expired. */
  async byMachineToken(hash: string): Promise<Identity | undefined> {
    return this.#machine(
      'SELECT m.id, m.name, m.role FROM machine_token t JOIN machine m ON m.id = t.machine_id WHERE t.hash = ? AND t.expires_at > NOW(3) AND m.revoked_at IS NULL',
      hash,
    );
  }

  async byMachineId(id: string): Promise<Identity | undefined> {
    return this.#machine(
      'SELECT id, name, role FROM machine WHERE id = ? AND expires_at > NOW(3) AND revoked_at IS NULL',
      id,
    );
  }

  async #machine(sql: string, value: string): Promise<Identity | undefined> {
    const [row] = await this.#db.query<{ id: string; name: string; role: string }>(sql, [value]);
    if (row === undefined) return undefined;
    const { id, name, role: machineRole } = row;
    return { kind: 'machine', id, name, admin: false, projects: {}, credentialId: id, machineRole };
  }

  /** Runs in the background. Its failure refuses nobody, because the time of last use is only informative. */
  #noteUse(tokenId: string): void {
    if (this.#noting.has(tokenId)) return;
    this.#noting.add(tokenId);
    const sql =
      'UPDATE api_token SET last_used_at = NOW(3) WHERE id = ? AND (last_used_at IS NULL OR last_used_at <= NOW(3) - INTERVAL 1 MINUTE)';
    this.#db
      .execute(sql, [tokenId])
      .catch(() => undefined)
      .finally(() => this.#noting.delete(tokenId));
  }

  /** Begins a session, unless the user has been changed or disabled since the verification. Ends others if there are too many. */
  async begin(tx: Transaction, session: NewSession): Promise<BegunSession | undefined> {
    // The share lock waits for a concurrent change of password, which ends all sessions that it can see.
    const user = await tx.query(
      'SELECT id FROM user WHERE id = ? AND version = ? AND disabled = 0 LOCK IN SHARE MODE',
      [session.userId, session.userVersion],
    );
    if (user.length === 0) return undefined;
    const ended = await this.#makeRoom(tx, session.userId);
    await tx.execute(
      `INSERT INTO session (id, user_id, refresh_hash, family_hash, expires_at)
       VALUES (?, ?, ?, ?, NOW(3) + INTERVAL ${refreshTokenDays} DAY)`,
      [session.id, session.userId, session.refreshHash, session.familyHash],
    );
    const expiresAt = await this.#expiry(tx, session.id);
    return expiresAt && { expiresAt, ended };
  }

  /**
   * Deletes ended sessions first, then the sessions that would expire first, which have the oldest refresh. Concurrent logins do
   * not see each other's sessions: the next login removes the excess. Returns how many were still valid.
   */
  async #makeRoom(tx: Transaction, userId: string): Promise<number> {
    // Sessions are read without locks and deleted in the order of ids, so that concurrent logins of one user can't deadlock.
    const rows = await tx.query<{ id: string; works: number | boolean }>(
      `SELECT id, works FROM (
         SELECT id, expires_at, ended_at IS NULL AND expires_at > ${trustedNow} AS works,
                ROW_NUMBER() OVER (ORDER BY ended_at IS NOT NULL, expires_at DESC) AS place
           FROM session WHERE user_id = ?) ranked
        WHERE NOT works OR place >= ? ORDER BY expires_at LIMIT ${mostDeleted}`,
      [userId, this.#maxSessions],
    );
    if (rows.length === 0) return 0;
    const ids = rows.map(({ id }) => id).sort();
    await tx.execute(`DELETE FROM session WHERE id IN (${ids.map(() => '?').join(', ')})`, ids);
    return rows.filter(({ works }) => works).length;
  }

  /**
   * Exchanges the refresh token. Returns undefined if the old token is not the session's current one, or if the session has ended.
   * A session from before families gets this token's family.
   */
  async rotate(
    tx: Transaction,
    session: { id: string; oldHash: string; newHash: string; familyHash: string },
  ): Promise<Date | undefined> {
    const { affectedRows } = await tx.execute(
      `UPDATE session s JOIN user u ON u.id = s.user_id
          SET s.refresh_hash = ?, s.family_hash = ?, s.expires_at = ${endOfSession.replaceAll('created_at', 's.created_at')}
        WHERE s.id = ? AND s.refresh_hash = ? AND s.ended_at IS NULL AND s.expires_at > NOW(3) AND u.disabled = 0`,
      [session.newHash, session.familyHash, session.id, session.oldHash],
    );
    return affectedRows === 1 ? this.#expiry(tx, session.id) : undefined;
  }

  async #expiry(tx: Transaction, id: string): Promise<Date | undefined> {
    const rows = await tx.query<{ expiresAt: Date }>('SELECT expires_at AS expiresAt FROM session WHERE id = ?', [id]);
    return rows[0]?.expiresAt;
  }

  /** Ends a session. Returns false if it had already ended, or never existed. */
  async end(tx: Transaction, sessionId: string): Promise<boolean> {
    const sql = 'UPDATE session SET ended_at = NOW(3) WHERE id = ? AND ended_at IS NULL';
    return (await tx.execute(sql, [sessionId])).affectedRows === 1;
  }

  /**
   * Ends a session after reuse of an earlier refresh token. Returns false if the token does not belong to the session's family, or
   * if the session had already ended.
   */
  async endFamily(tx: Transaction, session: { id: string; familyHash: string }): Promise<boolean> {
    const sql = 'UPDATE session SET ended_at = NOW(3) WHERE id = ? AND family_hash = ? AND ended_at IS NULL';
    return (await tx.execute(sql, [session.id, session.familyHash])).affectedRows === 1;
  }

  /** At most 100 sessions that have not ended, the newest first. */
  async sessionsOf(userId: string): Promise<readonly UserSession[]> {
    const sql = `SELECT id, created_at AS createdAt, expires_at AS expiresAt FROM session
      WHERE user_id = ? AND ended_at IS NULL AND expires_at > NOW(3) ORDER BY created_at DESC, id DESC LIMIT 100`;
    return this.#db.query<UserSession>(sql, [userId]);
  }

  /** Ends all sessions of a user except one. Returns how many ended. */
  async endOthers(tx: Transaction, session: { id: string; userId: string }): Promise<number> {
    const sql =
      'UPDATE session SET ended_at = NOW(3) WHERE user_id = ? AND id <> ? AND ended_at IS NULL AND expires_at > NOW(3)';
    return (await tx.execute(sql, [session.userId, session.id])).affectedRows;
  }

  /** Ends all sessions of a user. The user must be locked. */
  async endAll(tx: Transaction, userId: string): Promise<void> {
    await tx.execute('UPDATE session SET ended_at = NOW(3) WHERE user_id = ? AND ended_at IS NULL', [userId]);
  }
}

/** Expects one row for each of the user's projects. */
function identityOf(rows: readonly SessionRow[], credentialId: string): Identity | undefined {
  const first = rows[0];
  if (first === undefined) return undefined;
  const projects: Record<string, Role> = {};
  for (const row of rows) if (row.projectId !== null && row.role !== null) projects[row.projectId] = row.role;
  return { kind: 'user', id: first.userId, name: first.name, admin: Boolean(first.admin), projects, credentialId };
}
