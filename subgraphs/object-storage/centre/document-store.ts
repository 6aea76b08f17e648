// SQL of documents. Each is written in the transaction that has locked the federation and changes what it says: generations rise in the order
// of commits, so that who asks for what came after one misses none.
import type { Sql, Transaction } from '../../../platform/database/database.ts';
import type { Wake } from '../../../platform/wake.ts';
import { type DocumentBody, type DocumentKind, documentName } from '../documents/documents.ts';
import type { UnsignedDocument } from '../documents/signed-document.ts';

export const documentsTopic = 'object-documents';

/** Null: there is no such thing any more. What is as it was, stays. */
export async function putDocument<Kind extends DocumentKind>(
  tx: Transaction,
  wake: Wake,
  [kind, key]: readonly [Kind, (string | number)?],
  body: DocumentBody<Kind> | null,
): Promise<void> {
  const name = documentName(kind, key);
  const text = JSON.stringify(body);
  const [before] = await tx.query<{ body: string }>('SELECT body FROM object_document WHERE name = ?', [name]);
  if (before?.body === text || (before === undefined && body === null)) return;
  await tx.execute('UPDATE object_federation SET generation = generation + 1 WHERE id = 1');
  await tx.execute(
    `INSERT INTO object_document (name, generation, body) SELECT ?, generation, ? FROM object_federation WHERE id = 1
    ON DUPLICATE KEY UPDATE generation = VALUES(generation), body = VALUES(body), updated_at = NOW(3)`,
    [name, text],
  );
  tx.afterCommit(() => wake.notify(documentsTopic));
}

/** In the order in which they were written, those after a generation. */
export async function documentsAfter(sql: Sql, generation: number, most: number): Promise<readonly UnsignedDocument[]> {
  const rows = await sql.query<UnsignedDocument>(
    'SELECT name, generation, body FROM object_document WHERE generation > ? ORDER BY generation LIMIT ?',
    [generation, most],
  );
  return rows.map((row) => ({ ...row, generation: Number(row.generation) }));
}

/** The newest of one name. */
export async function documentNamed(sql: Sql, name: string): Promise<UnsignedDocument | undefined> {
  const text = 'SELECT name, generation, body FROM object_document WHERE name = ?';
  const [row] = await sql.query<UnsignedDocument>(text, [name]);
  return row && { ...row, generation: Number(row.generation) };
}

/** How many documents came after each generation. */
export async function countAfter(sql: Sql, generations: readonly number[]): Promise<readonly number[]> {
  if (generations.length === 0) return [];
  const counts = generations.map((_, at) => `SUM(generation > ?) AS c${at}`).join(', ');
  const [row] = await sql.query<Readonly<Record<string, number | string | null>>>(
    `SELECT ${counts} FROM object_document`,
    generations,
  );
  return generations.map((_, at) => Number(row?.[`c${at}`] ?? 0));
}

/**
 * A cluster has documents of a later generation than this database has ever given: it was restored from an older state. In the transaction
 * that has locked the federation: all documents are told anew, with generations after that one.
 */
export async function tellAllAfter(tx: Transaction, wake: Wake, generation: number): Promise<void> {
  await tx.execute('UPDATE object_federation SET generation = GREATEST(generation, ?) WHERE id = 1', [generation]);
  const rows = await tx.query<{ name: string }>('SELECT name FROM object_document ORDER BY generation');
  for (const { name } of rows) {
    await tx.execute('UPDATE object_federation SET generation = generation + 1 WHERE id = 1');
    await tx.execute(
      'UPDATE object_document SET generation = (SELECT generation FROM object_federation WHERE id = 1) WHERE name = ?',
      [name],
    );
  }
  tx.afterCommit(() => wake.notify(documentsTopic));
}
