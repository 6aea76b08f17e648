// Sends several statements of one transaction in one round trip: a journaled call has a dozen, and a round trip for each would
// cost more than the statements themselves.
//
// Input: statements in order. Sent as one MariaDB compound statement (BEGIN NOT ATOMIC … END), which ends at the first failure;
// the caller's transaction is then rolled back. (Pipelined single statements would continue after a deadlock, outside of the
// transaction that the deadlock rolled back.)
// Output: the rows of each query, and which statement failed, so that a function behaves the same in a batch and alone.
import { setImmediate } from 'node:timers/promises';
import { databaseErrorNumber, failedStep } from '../errors/database-errors.ts';
import type { Condition, SqlValue, Transaction, WriteResult } from './database.ts';

/** Appended to a statement of a batch: ends the batch unless it changed exactly one row. See isNothingChanged. */
export const mustChangeOneRow =
  "; IF ROW_COUNT() <> 1 THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'nothing changed'; END IF";

/**
 * Appended to a statement of a batch, its values after the statement's: ends the batch unless the condition holds at that moment.
 * Unlike a condition in the statement's WHERE it is read after the statement has its locks, and so sees the changes that the
 * statement waited for.
 */
export function mustHold(condition: Condition): string {
  return `; IF NOT (${condition.sql}) THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'nothing changed'; END IF`;
}

/** ER_SIGNAL_EXCEPTION. */
const signalled = 1644;

/** True for the error of a batch that `mustChangeOneRow` or `mustHold` ended. */
export function isNothingChanged(error: unknown): boolean {
  return databaseErrorNumber(error) === signalled;
}

interface Statement {
  readonly sql: string;
  readonly values: readonly SqlValue[];
  readonly hasRows: boolean;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
}

interface BatchOptions {
  /** The batch is the last of the transaction: it commits. */
  readonly commits?: boolean;
}

class Batch implements Transaction {
  readonly #tx: Transaction;
  readonly #commits: boolean;
  readonly #statements: Statement[] = [];
  #sent = false;

  constructor(tx: Transaction, options: BatchOptions) {
    this.#tx = tx;
    this.#commits = options.commits === true;
  }

  /** Statements after the batch was sent are sent separately; `execute` likewise. */
  query<Row>(sql: string, values: readonly SqlValue[] = []): Promise<Row[]> {
    return this.#sent ? this.#tx.query(sql, values) : this.#add(sql, values, true);
  }

  /** The number of changed rows is not known: see mustChangeOneRow. */
  execute(sql: string, values: readonly SqlValue[] = []): Promise<WriteResult> {
    return this.#sent ? this.#tx.execute(sql, values) : this.#add(sql, values, false);
  }

  afterCommit(action: () => void): void {
    this.#tx.afterCommit(action);
  }

  provenBy(recordId: string, epoch?: number): void {
    this.#tx.provenBy(recordId, epoch);
  }

  async send(): Promise<void> {
    this.#sent = true;
    const statements = this.#statements;
    if (statements.length === 0) return;
    const values = statements.flatMap((each) => each.values);
    try {
      // A block answers with its result sets and a closing status, or with the status alone.
      // Prepared: the server would need a fifth of the batch's time to parse it.
      const commits = this.#commits;
      const answer: unknown = await this.#tx.query(compound(statements, commits), values, { prepared: true, commits });
      const resultSets = Array.isArray(answer) ? answer.values() : [].values();
      const changed = { affectedRows: Number.NaN, insertId: 0 };
      for (const each of statements) each.resolve(each.hasRows ? resultSets.next().value : changed);
    } catch (error) {
      const failed = statements[failedStep(error) - 1];
      if (failed !== undefined) {
        failed.reject(error);
        // A caller that waits for all statements then gets the error of the failed one first.
        await setImmediate();
      }
      for (const each of statements) each.reject(error);
    }
  }

  #add<Result>(sql: string, values: readonly SqlValue[], hasRows: boolean): Promise<Result> {
    return new Promise<unknown>((resolve, reject) =>
      this.#statements.push({ sql, values, hasRows, resolve, reject }),
    ) as Promise<Result>;
  }
}

/** The handler reports the step. MESSAGE_TEXT takes no more than 128 characters. */
function compound(statements: readonly Statement[], commits: boolean): string {
  const texts = [...statements.map((each) => each.sql), ...(commits ? ['COMMIT'] : [])];
  const steps = texts.map((text, index) => `SET batch_step = ${index + 1}; ${text};`);
  return `BEGIN NOT ATOMIC
    DECLARE batch_step INT DEFAULT 0;
    DECLARE batch_message TEXT;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN
      GET DIAGNOSTICS CONDITION 1 batch_message = MESSAGE_TEXT;
      SET batch_message = LEFT(CONCAT('statement ', batch_step, ': ', batch_message), 128);
      RESIGNAL SET MESSAGE_TEXT = batch_message;
    END;
    ${steps.join('\n')}
  END`;
}

/** Settles when all work has run that waits for no input or output: a tick requested by a microtask follows the last one. */
function withoutWaiting(): Promise<void> {
  return new Promise((resolve) => queueMicrotask(() => process.nextTick(resolve)));
}

/**
 * Runs `work` with a transaction that collects statements until they wait for something, and sends them together, before the
 * event loop runs anything else. Throws the error of the first function whose statement failed. In a batch that commits, no
 * function may need the answer of one statement for another, nor wait for anything else before its statement: that statement fails.
 *
 * @example const [, commitId] = await together(tx, (batch) => [appendStatus(batch, kinds, events, wake), commits.record(batch)]);
 */
export async function together<Results extends readonly unknown[]>(
  tx: Transaction,
  work: (batch: Transaction) => readonly [...{ [Index in keyof Results]: Promise<Results[Index]> }],
  options: BatchOptions = {},
): Promise<Results> {
  const batch = new Batch(tx, options);
  const results = Promise.all(work(batch)) as Promise<unknown> as Promise<Results>;
  // The return below reports it.
  results.catch(() => undefined);
  await withoutWaiting();
  await batch.send();
  return results;
}
