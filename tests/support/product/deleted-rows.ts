// A run of retention, as the number of rows that each step deleted.
import { runRetention } from '../../../platform/owed/retention.ts';
import type { RetentionStep } from '../../../platform/owed/retention-step.ts';

export async function deletedRows(
  steps: readonly RetentionStep[],
  signal?: AbortSignal,
): Promise<Readonly<Record<string, number>>> {
  const done = await runRetention(steps, signal);
  return Object.fromEntries(Object.entries(done).map(([name, { rows }]) => [name, rows]));
}
