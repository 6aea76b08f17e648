// Deletes names after their rest, and names of machines that never joined or are long gone.
import type { Database } from '../../platform/database/database.ts';
import { trustedNow } from '../../platform/leases/trusted-clock.ts';
import { batchSize, deleteInBatches } from '../../platform/owed/batches.ts';
import type { RetentionStep } from '../../platform/process/subgraph-row.ts';

export function restedNames(db: Database): readonly RetentionStep[] {
  const step = (name: string, table: string, column: string): RetentionStep => ({
    name,
    run: (signal) =>
      deleteInBatches(
        db,
        `DELETE FROM ${table} WHERE ${column} < ${trustedNow} ORDER BY ${column} LIMIT ${batchSize}`,
        [],
        signal,
      ),
  });
  return [
    step('names in DNS that have rested', 'dns_held_name', 'rests_until'),
    step('names of past name servers', 'dns_server_name', 'held_until'),
  ];
}
