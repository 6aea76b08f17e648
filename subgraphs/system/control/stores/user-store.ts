// The table of users. Reads through the model; writes are SQL inside the mutation's own transaction.
import { always, type Database, type Sql, type Transaction } from '../../../../platform/database/database.ts';
import type { Page } from '../../../../platform/pages/connection.ts';
import { type ListFilter, type ListTable, pageOfList } from '../../../../platform/pages/entity-list.ts';
import type { User } from './user.ts';

/** The data for a login. It is not used elsewhere. */
interface LoginRow {
  readonly id: string;
  readonly name: string;
  readonly version: number;
  readonly disabled: boolean;
  readonly passwordHash: string | null;
}

interface NewUser {
  readonly id: string;
  readonly name: string;
  readonly passwordHash: string;
  readonly admin: boolean;
}

interface UserChange {
  readonly passwordHash: string | undefined;
  readonly disabled: boolean;
  readonly admin: boolean;
}

const shown = {
  id: true,
  version: true,
  name: true,
  admin: true,
  disabled: true,
  createdAt: true,
  updatedAt: true,
} as const;

const userList: ListTable = {
  ...{ table: 'user', name: 'name', shown: always },
  all: { time: 'PRIMARY', name: 'user_list_idx' },
};

export class UserStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  async login(name: string): Promise<LoginRow | undefined> {
    const row = await this.#db.prisma.user.findUnique({
      where: { name },
      select: { id: true, name: true, version: true, disabled: true, passwordHash: true },
    });
    return row ?? undefined;
  }

  /** The hash of a user's password. Undefined if there is no such user, or if the user has no password. */
  async passwordHash(id: string, sql: Sql = this.#db): Promise<string | undefined> {
    const rows = await sql.query<{ hash: string | null }>('SELECT password_hash AS hash FROM user WHERE id = ?', [id]);
    return rows[0]?.hash ?? undefined;
  }

  async byIds(ids: readonly string[]): Promise<ReadonlyMap<string, User>> {
    const rows = await this.#db.prisma.user.findMany({ where: { id: { in: [...ids] } }, select: shown });
    return new Map(rows.map((row) => [row.id, row]));
  }

  page(filter: ListFilter): Promise<Page<User>> {
    return pageOfList(this.#db, userList, filter, (ids) => this.byIds(ids));
  }

  async anyone(): Promise<boolean> {
    return (await this.#db.prisma.user.findFirst({ select: { id: true } })) !== null;
  }

  /** Locks the user until the transaction ends. */
  async lock(tx: Transaction, id: string): Promise<User | undefined> {
    const rows = await tx.query<Omit<User, 'admin' | 'disabled'> & { admin: unknown; disabled: unknown }>(
      'SELECT id, version, name, admin, disabled, created_at AS createdAt, updated_at AS updatedAt FROM user WHERE id = ? FOR UPDATE',
      [id],
    );
    const row = rows[0];
    return row && { ...row, admin: Boolean(row.admin), disabled: Boolean(row.disabled) };
  }

  /** Throws the database's duplicate key error when the name is taken. */
  async insert(tx: Transaction, user: NewUser): Promise<void> {
    await tx.execute('INSERT INTO user (id, name, password_hash, admin) VALUES (?, ?, ?, ?)', [
      user.id,
      user.name,
      user.passwordHash,
      user.admin,
    ]);
  }

  async update(tx: Transaction, id: string, change: UserChange): Promise<void> {
    await tx.execute(
      'UPDATE user SET password_hash = COALESCE(?, password_hash), disabled = ?, admin = ?, version = version + 1, updated_at = NOW(3) WHERE id = ?',
      [change.passwordHash ?? null, change.disabled, change.admin, id],
    );
  }

  /**
   * The UUIDs of the administrators who can log in: a restore may have taken a password away. Locks them, so that two concurrent
   * changes can't remove the last two at once.
   */
  async lockAdmins(tx: Transaction): Promise<readonly string[]> {
    const rows = await tx.query<{ id: string }>(
      'SELECT id FROM user WHERE admin = 1 AND disabled = 0 AND password_hash IS NOT NULL ORDER BY id FOR UPDATE',
    );
    return rows.map(({ id }) => id);
  }
}
