// Deletes names after their rest, and names of machines that never joined or are long gone.
import type { Database } from '../../platform/database/database.ts';
import { oldRowsStep } from '../../platform/owed/old-rows.ts';
import type { RetentionStep } from '../../platform/owed/retention-step.ts';

export function restedNames(db: Database): readonly RetentionStep[] {
  return [
    { name: 'names in DNS that have rested', table: 'dns_held_name', key: 'name', column: 'rests_until', keptMs: 0 },
    {
      name: 'names of past name servers',
      table: 'dns_server_name',
      key: 'machine_id',
      column: 'held_until',
      keptMs: 0,
    },
  ].map((rows) => oldRowsStep(db, rows));
}
