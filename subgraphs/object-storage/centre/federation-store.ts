// SQL of the federation's one row. Who has locked it may change clusters, options and rings: nobody else does at the same time.

import type { Sql, Transaction } from '../../../platform/database/database.ts';
import { invariant } from '../../../platform/errors.ts';

export interface Federation {
  readonly nextCluster: number;
  readonly nextOption: number;
  /** There was an account: clusters may hold something, so that a ring changes only by steps. */
  readonly inUse: boolean;
  /** Of the last document. */
  readonly generation: number;
}

export async function lockFederation(tx: Transaction): Promise<Federation> {
  const [row] = await tx.query<Omit<Federation, 'inUse'> & { readonly inUse: number }>(
    'SELECT next_cluster AS nextCluster, next_option AS nextOption, in_use AS inUse, generation FROM object_federation WHERE id = 1 FOR UPDATE',
  );
  invariant(row !== undefined, 'the row of the federation is missing');
  return { ...row, inUse: row.inUse === 1, generation: Number(row.generation) };
}

export async function giveClusterNumber(tx: Transaction): Promise<void> {
  await tx.execute('UPDATE object_federation SET next_cluster = next_cluster + 1 WHERE id = 1');
}

export async function giveOptionNumber(tx: Transaction): Promise<void> {
  await tx.execute('UPDATE object_federation SET next_option = next_option + 1 WHERE id = 1');
}

/** Whether there is an account, as it was a moment ago. */
export async function isInUse(sql: Sql): Promise<boolean> {
  const [row] = await sql.query<{ inUse: number }>('SELECT in_use AS inUse FROM object_federation WHERE id = 1');
  return row?.inUse === 1;
}
