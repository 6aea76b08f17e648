// SQL of the federation's single row. Its lock serialises changes of clusters, options and rings.

import type { Sql, Transaction } from '../../../../platform/database/database.ts';
import { invariant } from '../../../../platform/errors/errors.ts';
import type { Position } from '../../../../platform/values/positions.ts';

export interface Federation {
  readonly nextCluster: number;
  readonly nextOption: number;
  /** True once there has been an account: clusters may hold data, so rings change only in steps. */
  readonly inUse: boolean;
  /** Generation of the last document. */
  readonly generation: number;
  /** The database's history when documents were last numbered. Null if there were none. */
  readonly history: string | null;
  /** All documents were published again after this generation when that history began. */
  readonly historyStart: number;
}

export async function lockFederation(tx: Transaction): Promise<Federation> {
  const [row] = await tx.query<Omit<Federation, 'inUse'> & { readonly inUse: number }>(
    'SELECT next_cluster AS nextCluster, next_option AS nextOption, in_use AS inUse, generation, history, history_start AS historyStart FROM object_federation WHERE id = 1 FOR UPDATE',
  );
  invariant(row !== undefined, 'the row of the federation is missing');
  return { ...row, inUse: row.inUse === 1, generation: Number(row.generation), historyStart: Number(row.historyStart) };
}

export async function giveClusterNumber(tx: Transaction): Promise<void> {
  await tx.execute('UPDATE object_federation SET next_cluster = next_cluster + 1 WHERE id = 1');
}

export async function giveOptionNumber(tx: Transaction): Promise<void> {
  await tx.execute('UPDATE object_federation SET next_option = next_option + 1 WHERE id = 1');
}

/** The generation in a controller's position. 0 if the position belongs to another history than the documents. */
export async function reachedGenerations(
  sql: Sql,
  positions: readonly (Position | undefined)[],
): Promise<readonly number[]> {
  const [row] = await sql.query<{ history: string | null }>('SELECT history FROM object_federation WHERE id = 1');
  return positions.map((position) => (position?.history === row?.history ? (position?.number ?? 0) : 0));
}

/** Whether there is an account. May be slightly out of date. */
export async function isInUse(sql: Sql): Promise<boolean> {
  const [row] = await sql.query<{ inUse: number }>('SELECT in_use AS inUse FROM object_federation WHERE id = 1');
  return row?.inUse === 1;
}
