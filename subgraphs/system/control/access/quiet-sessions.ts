// Sessions of a process that only reads: they are in its memory and end with it. Nothing about them is written, so the audit trail lacks their logins.
import type { Identity } from '../../../../platform/caller/identity.ts';
import type { Database, Sql, Transaction } from '../../../../platform/database/database.ts';
import { CredentialStore, type NewSession, refreshTokenDays, type UserSession } from './credential-store.ts';

interface KeptSession extends NewSession {
  readonly createdAt: Date;
  /** For people. */
  readonly expiresAt: Date;
  /** By `performance.now()`. */
  readonly endsAtMs: number;
}

const mostSessions = 1_000;
const dayMs = 86_400_000;

export class QuietSessions extends CredentialStore {
  /** By id, the one that was refreshed last at the end. */
  readonly #sessions = new Map<string, KeptSession>();

  /** Sessions in the database, from before, are valid too. */
  override async bySession(sessionId: string, sql?: Sql): Promise<Identity | undefined> {
    const session = this.#find(sessionId);
    if (session === undefined) return super.bySession(sessionId, sql);
    const identity = await this.byUser({ id: session.userId, version: session.userVersion });
    return identity && { ...identity, credentialId: sessionId };
  }

  override async begin(_tx: Transaction, session: NewSession): Promise<{ expiresAt: Date; ended: number } | undefined> {
    if ((await this.byUser({ id: session.userId, version: session.userVersion })) === undefined) return undefined;
    return { expiresAt: this.#keep({ ...session, createdAt: new Date() }), ended: 0 };
  }

  override async rotate(
    _tx: Transaction,
    { id, oldHash, newHash }: { id: string; oldHash: string; newHash: string },
  ): Promise<Date | undefined> {
    const session = this.#find(id);
    return session?.refreshHash === oldHash ? this.#keep({ ...session, refreshHash: newHash }) : undefined;
  }

  override async end(_tx: Transaction, id: string): Promise<boolean> {
    return this.#sessions.delete(id);
  }

  override async endFamily(_tx: Transaction, { id, familyHash }: { id: string; familyHash: string }): Promise<boolean> {
    return this.#sessions.get(id)?.familyHash === familyHash && this.#sessions.delete(id);
  }

  override async sessionsOf(userId: string): Promise<readonly UserSession[]> {
    return [...this.#sessions.values()].filter((each) => each.userId === userId).reverse();
  }

  override async endOthers(_tx: Transaction, { id, userId }: { id: string; userId: string }): Promise<number> {
    const others = [...this.#sessions.values()].filter((each) => each.userId === userId && each.id !== id);
    for (const other of others) this.#sessions.delete(other.id);
    return others.length;
  }

  #find(id: string): KeptSession | undefined {
    const session = this.#sessions.get(id);
    return session !== undefined && session.endsAtMs > performance.now() ? session : undefined;
  }

  #keep(session: Omit<KeptSession, 'expiresAt' | 'endsAtMs'>): Date {
    const expiresAt = new Date();
    expiresAt.setDate(expiresAt.getDate() + refreshTokenDays);
    this.#sessions.delete(session.id);
    this.#sessions.set(session.id, {
      ...{ ...session, expiresAt },
      endsAtMs: performance.now() + refreshTokenDays * dayMs,
    });
    const [oldest] = this.#sessions.keys();
    if (oldest !== undefined && this.#sessions.size > mostSessions) this.#sessions.delete(oldest);
    return expiresAt;
  }
}

/** The reads of a database, and transactions whose writes are left out: here these are entries of the audit trail alone. */
export function withoutWrites(db: Database): Sql & Pick<Database, 'transaction'> {
  const sql: Sql = {
    query: (text, values) => db.query(text, values),
    execute: async () => ({ affectedRows: 0, insertId: 0 }),
  };
  const tx: Transaction = { ...sql, afterCommit: (action) => action(), provenBy: () => undefined };
  return { ...sql, transaction: (work) => work(tx) };
}
