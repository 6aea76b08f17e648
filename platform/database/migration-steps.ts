// Runs the statements of one migration, and counts them in its row: a run that was killed goes on with the statement that it had reached.
import type { Connection } from 'mariadb';
import { databaseErrorNumber, MigrationError } from '../errors/database-errors.ts';
import { statementsOf } from './expansion.ts';

interface Progress {
  /** Of its row in `_prisma_migrations`. */
  readonly id: string;
  /** Statements that have run. */
  readonly done: number;
  /** After a run that was killed. The next statement may have run, too: each is atomic, but the count is written after it. */
  readonly isAgain: boolean;
}

/** A table, column or index that is there already, or gone already: ER_TABLE_EXISTS_ERROR, ER_DUP_FIELDNAME, ER_DUP_KEYNAME, ER_BAD_TABLE_ERROR and ER_CANT_DROP_FIELD_OR_KEY. */
const doneBefore: ReadonlySet<number> = new Set([1050, 1060, 1061, 1051, 1091]);
const changesRows = /^(?:INSERT|UPDATE|DELETE)\b/i;

/** Throws MigrationError, and notes the reason in the row: people must correct it. */
export async function applySteps(
  db: Connection,
  { name, sql }: { readonly name: string; readonly sql: string },
  { id, done, isAgain }: Progress,
): Promise<void> {
  const count = (steps: number) =>
    db.query('UPDATE _prisma_migrations SET logs = NULL, applied_steps_count = ? WHERE id = ?', [steps, id]);
  await count(done);
  try {
    for (const [index, statement] of statementsOf(sql).entries()) {
      if (index < done) continue;
      // Together with the count, so that it can't run twice. Other statements commit by themselves.
      const isCounted = changesRows.test(statement);
      if (isCounted) await db.beginTransaction();
      await db.query(statement).catch((error: unknown) => {
        if (!isAgain || index > done || !doneBefore.has(databaseErrorNumber(error) ?? 0)) throw error;
      });
      await count(index + 1);
      if (isCounted) await db.commit();
    }
  } catch (error) {
    await db.rollback();
    const reason = error instanceof Error ? error.message.slice(0, 2000) : String(error);
    await db.query('UPDATE _prisma_migrations SET logs = ? WHERE id = ?', [reason, id]);
    throw new MigrationError(`the migration ${name} failed: ${reason}`, error);
  }
  await db.query('UPDATE _prisma_migrations SET finished_at = CURRENT_TIMESTAMP(3) WHERE id = ?', [id]);
}
