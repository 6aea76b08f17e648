// Deletes names after their rest, and names of machines that never joined or are long gone.
import type { Database } from '../../platform/database/database.ts';
import { trustedNow } from '../../platform/leases/trusted-clock.ts';
import type { RetentionStep } from '../../platform/process/subgraph-row.ts';

const batchSize = 1_000;
const mostBatches = 100;

export function restedNames(db: Database): readonly RetentionStep[] {
  const step = (name: string, table: string, column: string): RetentionStep => ({
    name,
    async run(signal) {
      let total = 0;
      for (let batch = 0; batch < mostBatches && !signal.aborted; batch += 1) {
        const { affectedRows } = await db.execute(
          `DELETE FROM ${table} WHERE ${column} < ${trustedNow} ORDER BY ${column} LIMIT ${batchSize}`,
        );
        total += affectedRows;
        if (affectedRows < batchSize) break;
      }
      return total;
    },
  });
  return [
    step('names in DNS that have rested', 'dns_held_name', 'rests_until'),
    step('names of past name servers', 'dns_server_name', 'held_until'),
  ];
}
