// Live mappings of a deleted backend become orphans: they are kept, so that a person can find the objects left on the device.

import type { Transaction } from '../../../../platform/database/database.ts';
import { marksFor } from '../../../../platform/database/sql.ts';
import { appendStatus } from '../../../../platform/events/append.ts';
import type { Wake } from '../../../../platform/work/wake.ts';
import { relayEvents } from '../events.ts';
import { cmpObjectOfMapping, type MappingRow } from './mapping.ts';

type LiveRow = Pick<MappingRow, 'id' | 'projectId' | 'namespace' | 'cmpType' | 'cmpId' | 'state' | 'version'>;

const batchSize = 500;

export async function orphanMappings(tx: Transaction, wake: Wake, backendId: string): Promise<void> {
  const rows = await tx.query<LiveRow>(
    `SELECT id, project_id AS projectId, namespace, cmp_type AS cmpType, cmp_id AS cmpId, state, version FROM mapping
    WHERE backend_id = ? AND state IN ('ACTIVE', 'UNVERIFIED') FOR UPDATE`,
    [backendId],
  );
  for (let start = 0; start < rows.length; start += batchSize) {
    const batch = rows.slice(start, start + batchSize);
    await tx.execute(
      `UPDATE mapping SET state = 'ORPHAN', version = version + 1, updated_at = NOW(3)
      WHERE id IN (${marksFor(batch)})`,
      batch.map((row) => row.id),
    );
    const events = batch.map((row) => ({
      projectId: row.projectId,
      kind: 'mapping.state' as const,
      subjectId: row.id,
      subjectVersion: row.version + 1,
      from: row.state,
      to: 'ORPHAN' as const,
      reason: 'backend deleted',
      cmpObject: cmpObjectOfMapping(row),
    }));
    await appendStatus(tx, relayEvents, events, wake);
  }
}
