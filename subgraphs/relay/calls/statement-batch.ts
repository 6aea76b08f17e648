// Several writes of one transaction in one round trip: a journaled call has a dozen statements, and waiting for each of them
// would cost more than the statements.
//
// Input: statements that return no rows, in order. Sent as one MariaDB compound statement (BEGIN NOT ATOMIC … END), which
// ends at the first that fails; the caller's transaction is then rolled back. (Statements pipelined one by one would run on
// after a deadlock, outside of the transaction that the deadlock rolled back.)
import { setImmediate } from 'node:timers/promises';
import type { SqlValue, Transaction, WriteResult } from '../../../platform/database/database.ts';
import { databaseErrorNumber } from '../../../platform/database/errors.ts';

/** Appended to a statement of a batch: ends the batch unless it changed exactly one row. See isNothingChanged. */
export const mustChangeOneRow =
  "; IF ROW_COUNT() <> 1 THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'nothing changed'; END IF";

/** ER_SIGNAL_EXCEPTION. */
const signalled = 1644;

/** True for the error of a batch that `mustChangeOneRow` ended. */
export function isNothingChanged(error: unknown): boolean {
  return databaseErrorNumber(error) === signalled;
}

interface Statement {
  readonly sql: string;
  readonly values: readonly SqlValue[];
  readonly resolve: (result: WriteResult) => void;
  readonly reject: (error: unknown) => void;
}

class Batch implements Transaction {
  readonly #tx: Transaction;
  readonly #statements: Statement[] = [];
  #sent = false;

  constructor(tx: Transaction) {
    this.#tx = tx;
  }

  query<Row>(sql: string, values?: readonly SqlValue[]): Promise<Row[]> {
    return this.#tx.query(sql, values);
  }

  /** What comes after the batch was sent goes by itself. How many rows changed is not known. */
  execute(sql: string, values: readonly SqlValue[] = []): Promise<WriteResult> {
    if (this.#sent) return this.#tx.execute(sql, values);
    return new Promise((resolve, reject) => this.#statements.push({ sql, values, resolve, reject }));
  }

  afterCommit(action: () => void): void {
    this.#tx.afterCommit(action);
  }

  async send(): Promise<void> {
    this.#sent = true;
    const statements = this.#statements;
    if (statements.length === 0) return;
    const text = `BEGIN NOT ATOMIC ${statements.map((each) => each.sql).join('; ')}; END`;
    try {
      await this.#tx.execute(
        text,
        statements.flatMap((each) => each.values),
      );
      for (const each of statements) each.resolve({ affectedRows: Number.NaN, insertId: 0 });
    } catch (error) {
      for (const each of statements) each.reject(error);
    }
  }
}

/**
 * Runs `work` with a transaction whose writes are gathered while the event loop turns once, and sent together.
 *
 * @example const [, commitId] = await together(tx, (batch) => [appendStatus(batch, events, wake), commits.record(batch)]);
 */
export async function together<Results extends readonly unknown[]>(
  tx: Transaction,
  work: (batch: Transaction) => readonly [...{ [Index in keyof Results]: Promise<Results[Index]> }],
): Promise<Results> {
  const batch = new Batch(tx);
  const results = Promise.all(work(batch)) as Promise<unknown> as Promise<Results>;
  // Reported by the return below.
  results.catch(() => undefined);
  await setImmediate();
  await batch.send();
  return results;
}
