// Objects that are protected from deletion: a row beside the object, so that every kind has the same rule. The edge of mutations keeps it, in the
// transaction of the change: `deletionProtected` of an input sets it, and a deletion of a protected object is refused.
import type { RequestContext } from '../caller/identity.ts';
import type { Sql, Transaction } from '../database/database.ts';
import { marksFor } from '../database/sql.ts';
import { refuse } from '../errors/errors.ts';
import { loader } from '../pages/loader.ts';

/** A mutation that is about to commit. */
interface Written {
  readonly mutation: string;
  /** The type of the object in the graph, and its UUID. */
  readonly subject: string;
  readonly id: string;
  readonly input: object;
}

/** Refuses DELETION_PROTECTED. Call it under the lock of the object. */
export async function noteProtection(tx: Transaction, { mutation, subject, id, input }: Written): Promise<void> {
  const { deletionProtected: wanted } = input as { readonly deletionProtected?: boolean | null };
  if (wanted === true)
    await tx.execute('INSERT INTO protected_object (id, subject_type) VALUES (?, ?) ON DUPLICATE KEY UPDATE id = id', [
      ...[id, subject],
    ]);
  if (wanted === false)
    await tx.execute('DELETE FROM protected_object WHERE id = ? AND subject_type = ?', [id, subject]);
  await refuseProtected(tx, { mutation, subject, id });
}

/** Of a deletion. Refuses DELETION_PROTECTED. Before the effect it comes before what else would refuse it, but only under the lock it is certain. */
export async function refuseProtected(
  tx: Transaction,
  { mutation, subject, id }: Pick<Written, 'mutation' | 'subject' | 'id'>,
): Promise<void> {
  const isDeletion = mutation === `${subject.charAt(0).toLowerCase()}${subject.slice(1)}Delete`;
  if (isDeletion && (await isProtected(tx, subject, id)))
    refuse('DELETION_PROTECTED', 'it is protected from deletion: update it with deletionProtected false first', {
      field: ['input', 'id'],
    });
}

/** `id`: UUID. */
export async function isProtected(sql: Sql, subject: string, id: string): Promise<boolean> {
  const found = await sql.query('SELECT 1 FROM protected_object WHERE id = ? AND subject_type = ?', [id, subject]);
  return found.length > 0;
}

/** The resolver of `deletionProtected` for rows of a type. */
export function protectionField(
  db: Sql,
  subject: string,
): (row: { readonly id: string }, args: unknown, context: RequestContext) => Promise<boolean> {
  const owner = Symbol(`protection of ${subject}`);
  return async ({ id }, _, context) =>
    (await loader(context, owner, id, (ids) => protectedAmong(db, subject, ids))) === true;
}

async function protectedAmong(
  sql: Sql,
  subject: string,
  ids: readonly string[],
): Promise<ReadonlyMap<string, boolean>> {
  const rows = await sql.query<{ id: string }>(
    `SELECT id FROM protected_object WHERE subject_type = ? AND id IN (${marksFor(ids)})`,
    [subject, ...ids],
  );
  return new Map(rows.map(({ id }) => [id, true]));
}
