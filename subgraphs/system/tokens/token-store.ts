// The table of API tokens. Reads through the model; writes are SQL inside the mutation's own transaction.
import type { Database, Transaction } from '../../../platform/database/database.ts';
import type { PageRequest } from '../../../platform/graph/connection.ts';
import type { Role } from '../../../platform/identity.ts';
import type { ApiToken } from './api-token.ts';

export interface NewApiToken {
  readonly id: string;
  readonly projectId: string;
  readonly name: string;
  readonly role: Role;
  readonly hash: string;
  readonly prefix: string;
  /** UUID of the user or token that made it. */
  readonly createdBy: string;
  readonly expiresAt: Date | null;
}

const shown = {
  id: true,
  version: true,
  projectId: true,
  name: true,
  role: true,
  prefix: true,
  createdAt: true,
  expiresAt: true,
  revokedAt: true,
  lastUsedAt: true,
} as const;

export class TokenStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  async byIds(ids: readonly string[]): Promise<ReadonlyMap<string, ApiToken>> {
    const rows = await this.#db.prisma.apiToken.findMany({ where: { id: { in: [...ids] } }, select: shown });
    return new Map(rows.map((row) => [row.id, { ...row, role: row.role as Role }]));
  }

  /** Oldest first, of these projects. */
  async page(projects: 'all' | readonly string[], request: PageRequest): Promise<readonly ApiToken[]> {
    const id = request.after?.[0];
    const rows = await this.#db.prisma.apiToken.findMany({
      where: {
        ...(projects === 'all' ? {} : { projectId: { in: [...projects] } }),
        ...(id === undefined ? {} : { id: { gt: id } }),
      },
      select: shown,
      orderBy: { id: 'asc' },
      take: request.take,
    });
    return rows.map((row) => ({ ...row, role: row.role as Role }));
  }

  async insert(tx: Transaction, token: NewApiToken): Promise<void> {
    await tx.execute(
      'INSERT INTO api_token (id, project_id, name, role, secret_hash, prefix, created_by, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
      [token.id, token.projectId, token.name, token.role, token.hash, token.prefix, token.createdBy, token.expiresAt],
    );
  }

  /** Locks the token until the transaction ends. */
  async lock(
    tx: Transaction,
    id: string,
  ): Promise<Pick<ApiToken, 'projectId' | 'version' | 'name' | 'revokedAt'> | undefined> {
    const rows = await tx.query<Pick<ApiToken, 'projectId' | 'version' | 'name' | 'revokedAt'>>(
      'SELECT project_id AS projectId, version, name, revoked_at AS revokedAt FROM api_token WHERE id = ? FOR UPDATE',
      [id],
    );
    return rows[0];
  }

  async revoke(tx: Transaction, id: string): Promise<void> {
    await tx.execute('UPDATE api_token SET revoked_at = NOW(3), version = version + 1 WHERE id = ?', [id]);
  }
}
