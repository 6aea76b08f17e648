// The table of API tokens. Reads through the model; writes are SQL inside the mutation's own transaction.

import type { Role } from '../../../../platform/caller/identity.ts';
import { always, type Database, type Transaction } from '../../../../platform/database/database.ts';
import { trustedNow } from '../../../../platform/leases/trusted-clock.ts';
import type { Page } from '../../../../platform/pages/connection.ts';
import { type ListFilter, type ListTable, pageOfList } from '../../../../platform/pages/entity-list.ts';
import type { ApiToken } from './api-token.ts';

/** Identifies the creator of a token. */
export interface TokenMaker {
  /** UUID of the user or token. */
  readonly id: string;
  readonly name: string | null;
  /** The user whose rights limit the token's rights. Null for the command line. */
  readonly userId: string | null;
  /** The token that creates it. */
  readonly parentId: string | null;
}

/** The properties that a token passes on to the tokens that it creates. */
interface ParentToken {
  readonly userId: string | null;
  readonly expiresAt: Date | null;
  readonly operationHashes: readonly string[] | null;
}

export interface WorkingToken {
  readonly id: string;
  readonly parentId: string | null;
  readonly userId: string | null;
  readonly version: number;
  readonly name: string;
}

interface NewApiToken {
  readonly id: string;
  readonly projectId: string;
  readonly name: string;
  readonly role: Role;
  readonly hash: string;
  readonly prefix: string;
  readonly maker: TokenMaker;
  readonly expiresAt: Date | null;
  readonly operationHashes: readonly string[] | null;
}

const shown = {
  id: true,
  version: true,
  projectId: true,
  name: true,
  role: true,
  prefix: true,
  createdAt: true,
  updatedAt: true,
  expiresAt: true,
  revokedAt: true,
  lastUsedAt: true,
  createdBy: true,
  makerName: true,
  parentId: true,
  operationHashes: true,
} as const;

const tokenList: ListTable = {
  ...{ table: 'api_token', name: 'name', shown: always },
  all: { time: 'PRIMARY', name: 'api_token_name_idx' },
  ofProject: { time: 'api_token_project_idx', name: 'api_token_project_name_idx' },
};

const works = 'revoked_at IS NULL AND (expires_at IS NULL OR expires_at > NOW(3))';
const forgottenAtOnce = 100;

function hashesIn(stored: string | null): readonly string[] | null {
  return stored === null ? null : (JSON.parse(stored) as string[]);
}

/** Includes tokens that expired only because a clock jumped ahead. They work again later. */
const mayWork = `revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ${trustedNow})`;

export class TokenStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  async byIds(ids: readonly string[]): Promise<ReadonlyMap<string, ApiToken>> {
    const rows = await this.#db.prisma.apiToken.findMany({ where: { id: { in: [...ids] } }, select: shown });
    return new Map(
      rows.map((row) => [row.id, { ...row, role: row.role as Role, operationHashes: hashesIn(row.operationHashes) }]),
    );
  }

  /** The revoked ones too. */
  page(filter: ListFilter): Promise<Page<ApiToken>> {
    return pageOfList(this.#db, tokenList, filter, (ids) => this.byIds(ids));
  }

  async insert(tx: Transaction, token: NewApiToken): Promise<void> {
    const { id, projectId, name, role, hash, prefix, maker, expiresAt } = token;
    const operationHashes = token.operationHashes && JSON.stringify(token.operationHashes);
    await tx.execute(
      `INSERT INTO api_token (id, project_id, name, role, secret_hash, prefix, created_by, user_id, parent_id, maker_name, expires_at, operation_hashes)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      [
        id,
        projectId,
        name,
        role,
        hash,
        prefix,
        maker.id,
        maker.userId,
        maker.parentId,
        maker.name,
        expiresAt,
        operationHashes,
      ],
    );
  }

  /** The token that creates another. Undefined if it is no longer valid. Its project must be locked. */
  async parent(tx: Transaction, id: string): Promise<ParentToken | undefined> {
    const rows = await tx.query<Omit<ParentToken, 'operationHashes'> & { readonly operationHashes: string | null }>(
      `SELECT user_id AS userId, expires_at AS expiresAt, operation_hashes AS operationHashes FROM api_token WHERE id = ? AND ${works}`,
      [id],
    );
    return rows[0] && { ...rows[0], operationHashes: hashesIn(rows[0].operationHashes) };
  }

  /** Deletes a batch of the tokens that ended first, if the project has more tokens than `most`. The project must be locked. */
  async forgetEnded(tx: Transaction, projectId: string, most: number): Promise<void> {
    const sql = 'SELECT COUNT(*) AS count FROM api_token WHERE project_id = ?';
    const count = (await tx.query<{ count: number }>(sql, [projectId]))[0]?.count ?? 0;
    if (count < most) return;
    await tx.execute(
      `DELETE FROM api_token WHERE project_id = ? AND (revoked_at IS NOT NULL OR expires_at < ${trustedNow})
        ORDER BY COALESCE(LEAST(revoked_at, expires_at), revoked_at, expires_at), id LIMIT ?`,
      [projectId, count - most + forgottenAtOnce],
    );
  }

  async countWorking(tx: Transaction, projectId: string): Promise<number> {
    const sql = `SELECT COUNT(*) AS count FROM api_token WHERE project_id = ? AND ${works}`;
    return (await tx.query<{ count: number }>(sql, [projectId]))[0]?.count ?? 0;
  }

  /**
   * All tokens of a project that are valid, or will be valid once the clock is right. The project must be locked. Their number is limited per
   * project.
   */
  async working(tx: Transaction, projectId: string): Promise<readonly WorkingToken[]> {
    return tx.query<WorkingToken>(
      `SELECT id, parent_id AS parentId, user_id AS userId, version, name
         FROM api_token WHERE project_id = ? AND ${mayWork} ORDER BY id`,
      [projectId],
    );
  }

  /** A token that is not revoked. It may have expired. Undefined if it is revoked. Its project must be locked. */
  async unrevoked(tx: Transaction, id: string): Promise<WorkingToken | undefined> {
    const rows = await tx.query<WorkingToken>(
      `SELECT id, parent_id AS parentId, user_id AS userId, version, name
         FROM api_token WHERE id = ? AND revoked_at IS NULL`,
      [id],
    );
    return rows[0];
  }

  async revoke(tx: Transaction, ids: readonly string[]): Promise<void> {
    await tx.execute(
      `UPDATE api_token SET revoked_at = NOW(3), updated_at = NOW(3), version = version + 1 WHERE id IN (${ids.map(() => '?').join(', ')})`,
      ids,
    );
  }
}
