// SQL of documents. Each is written in the transaction that has locked the federation and makes the change. Generations therefore rise in
// commit order: a reader who asks for everything after one generation misses nothing.
import { randomInt } from 'node:crypto';
import type { Sql, Transaction } from '../../../../platform/database/database.ts';
import { readHistory } from '../../../../platform/events/database-history.ts';
import { newUuid } from '../../../../platform/values/ids.ts';
import type { Wake } from '../../../../platform/work/wake.ts';
import { type DocumentBody, type DocumentKind, documentName } from '../../wire/documents/documents.ts';
import type { UnsignedDocument } from '../../wire/documents/signed-document.ts';
import type { Federation } from './federation-store.ts';

export const documentsTopic = 'object-documents';

/** Null if the thing is gone. Does nothing if the document is unchanged. */
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

/** Documents after a generation, in the order in which they were written. */
export async function documentsAfter(sql: Sql, generation: number, most: number): Promise<readonly UnsignedDocument[]> {
  const rows = await sql.query<UnsignedDocument>(
    'SELECT name, generation, body FROM object_document WHERE generation > ? ORDER BY generation LIMIT ?',
    [generation, most],
  );
  return rows.map((row) => ({ ...row, generation: Number(row.generation) }));
}

/** The newest document with this name. */
export async function documentNamed(sql: Sql, name: string): Promise<UnsignedDocument | undefined> {
  const text = 'SELECT name, generation, body FROM object_document WHERE name = ?';
  const [row] = await sql.query<UnsignedDocument>(text, [name]);
  return row && { ...row, generation: Number(row.generation) };
}

/** The number of documents after each generation. */
export async function countAfter(sql: Sql, generations: readonly number[]): Promise<readonly number[]> {
  if (generations.length === 0) return [];
  const counts = generations.map((_, at) => `SUM(generation > ?) AS c${at}`).join(', ');
  const [row] = await sql.query<Readonly<Record<string, number | string | null>>>(
    `SELECT ${counts} FROM object_document`,
    generations,
  );
  return generations.map((_, at) => Number(row?.[`c${at}`] ?? 0));
}

/** More than the generations that an earlier history can have used beyond this one. */
const leap = 1_000_000;

/**
 * Call it in the transaction that has locked the federation. If the history of the database has changed, publishes all documents again,
 * with generations that no earlier history has used. So each generation stands for one document.
 */
export async function beginDocumentHistory(
  tx: Transaction,
  wake: Wake,
  { history: known, historyStart, generation }: Federation,
): Promise<{ readonly history: string; readonly historyStart: number }> {
  const history = await readHistory(tx);
  if (known === history) return { history, historyStart };
  const start = known === null ? 0 : generation + leap + randomInt(leap);
  await tx.execute('UPDATE object_federation SET history = ?, history_start = ? WHERE id = 1', [history, start]);
  if (known !== null) await tellAllAfter(tx, wake, start);
  return { history, historyStart: start };
}

/**
 * For a cluster whose documents have a later generation than this database has ever assigned: the database was restored from an older
 * state. Call it in the transaction that has locked the federation. Publishes all documents again with generations after that one. The last
 * document declares older ones void: the cluster may have documents that this database does not know.
 */
export async function tellAllAfter(tx: Transaction, wake: Wake, generation: number): Promise<void> {
  await tx.execute('UPDATE object_federation SET generation = GREATEST(generation, ?) WHERE id = 1', [generation]);
  await putDocument(tx, wake, ['history'], { id: newUuid(), voidUpTo: generation });
  const rows = await tx.query<{ name: string }>(
    "SELECT name FROM object_document ORDER BY name = 'history', generation",
  );
  for (const { name } of rows) {
    await tx.execute('UPDATE object_federation SET generation = generation + 1 WHERE id = 1');
    await tx.execute(
      'UPDATE object_document SET generation = (SELECT generation FROM object_federation WHERE id = 1) WHERE name = ?',
      [name],
    );
  }
  tx.afterCommit(() => wake.notify(documentsTopic));
}
