// The tables of published operations. Reads through the model; writes are SQL inside the mutation's own transaction.
import type { PublishedOperationType } from '../../../../generated/graph/system.ts';
import { always, type Database, type Transaction } from '../../../../platform/database/database.ts';
import type { Page } from '../../../../platform/pages/connection.ts';
import { type ListFilter, type ListTable, pageOfList } from '../../../../platform/pages/entity-list.ts';
import { newToken } from '../../../../platform/values/ids.ts';
import type { PublishedOperation } from './published-operation.ts';

export type NewPublishedOperation = Omit<PublishedOperation, 'createdAt'> & { readonly textBytes: number };

const shown = { id: true, hash: true, name: true, operationType: true, text: true, createdAt: true } as const;

const publishedList: ListTable = {
  ...{ table: 'published_operation', name: 'name', shown: always },
  all: { time: 'PRIMARY', name: 'published_operation_name_idx' },
};

export class PublishedOperationStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  async byIds(ids: readonly string[]): Promise<ReadonlyMap<string, PublishedOperation>> {
    const rows = await this.#db.prisma.publishedOperation.findMany({ where: { id: { in: [...ids] } }, select: shown });
    return new Map(rows.map((row) => [row.id, typed(row)]));
  }

  /** Keyed by hash. */
  async byHashes(hashes: readonly string[]): Promise<ReadonlyMap<string, PublishedOperation>> {
    const where = { hash: { in: [...hashes] } };
    const rows = await this.#db.prisma.publishedOperation.findMany({ where, select: shown });
    return new Map(rows.map((row) => [row.hash, typed(row)]));
  }

  page(filter: ListFilter): Promise<Page<PublishedOperation>> {
    return pageOfList(this.#db, publishedList, filter, (ids) => this.byIds(ids));
  }

  /** Another text after each change. */
  async revision(): Promise<string> {
    const rows = await this.#db.query<{ revision: string }>(
      'SELECT revision FROM published_operation_set WHERE id = 1',
    );
    return rows[0]?.revision ?? '';
  }

  async hashes(): Promise<readonly string[]> {
    const rows = await this.#db.query<{ hash: string }>('SELECT hash FROM published_operation ORDER BY hash');
    return rows.map(({ hash }) => hash);
  }

  /** Serialises changes of the set, and gives it a new revision. Returns its size. */
  async lock(tx: Transaction): Promise<{ readonly count: number; readonly bytes: number }> {
    await tx.execute('UPDATE published_operation_set SET revision = ? WHERE id = 1', [newToken()]);
    const rows = await tx.query<{ count: number; bytes: number | string | null }>(
      'SELECT COUNT(*) AS count, SUM(text_bytes) AS bytes FROM published_operation',
    );
    return { count: Number(rows[0]?.count ?? 0), bytes: Number(rows[0]?.bytes ?? 0) };
  }

  /** UUIDs by hash. The set must be locked. */
  async known(tx: Transaction, hashes: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const rows = await tx.query<{ id: string; hash: string }>(
      `SELECT id, hash FROM published_operation WHERE hash IN (${hashes.map(() => '?').join(', ')})`,
      hashes,
    );
    return new Map(rows.map(({ id, hash }) => [hash, id]));
  }

  async insert(tx: Transaction, operations: readonly NewPublishedOperation[]): Promise<void> {
    if (operations.length === 0) return;
    await tx.execute(
      `INSERT INTO published_operation (id, hash, name, operation_type, text, text_bytes)
       VALUES ${operations.map(() => '(?, ?, ?, ?, ?, ?)').join(', ')}`,
      operations.flatMap(({ id, hash, name, operationType, text, textBytes }) => [
        ...[id, hash, name, operationType],
        ...[text, textBytes],
      ]),
    );
  }

  /** Returns its name and hash. Undefined if there is none. The set must be locked. */
  async remove(tx: Transaction, id: string): Promise<{ readonly name: string; readonly hash: string } | undefined> {
    const rows = await tx.query<{ name: string; hash: string }>(
      'SELECT name, hash FROM published_operation WHERE id = ?',
      [id],
    );
    await tx.execute('DELETE FROM published_operation WHERE id = ?', [id]);
    return rows[0];
  }
}

function typed<Row extends { readonly operationType: string }>(
  row: Row,
): Row & { readonly operationType: PublishedOperationType } {
  return { ...row, operationType: row.operationType as PublishedOperationType };
}
