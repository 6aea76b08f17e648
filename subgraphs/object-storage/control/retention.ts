// Deletes containers and keys that were given up long ago, after revoking the keys of URLs that have expired.
import { isToldSql } from '../../../platform/events/history.ts';
import { inBatches } from '../../../platform/owed/batches.ts';
import { oldRowsStep } from '../../../platform/owed/old-rows.ts';
import type { RetentionStep } from '../../../platform/owed/retention-step.ts';
import type { SubgraphContext } from '../../../platform/process/subgraph-row.ts';
import { retireUrlKeys } from './containers/url-service.ts';

const keptMs = 30 * 86_400_000;
const urlKeys = 100;

export function objectRetention(context: Pick<SubgraphContext, 'db' | 'wake'>): readonly RetentionStep[] {
  const { db } = context;
  const deleted = [
    { name: 'deleted containers of object storage', table: 'object_container', column: 'deleted_at', keptMs },
    {
      ...{ name: 'revoked keys of object storage', table: 'object_access_key', column: 'revoked_at', keptMs },
      where: `NOT ${isToldSql('ObjectAccessKey', 'object_access_key.id')}`,
    },
  ];
  return [
    {
      ...{ name: 'keys of URLs of object storage', tables: [] },
      run: (signal) => inBatches(() => retireUrlKeys(context, urlKeys), signal, { size: urlKeys }),
    },
    ...deleted.map((rows) => oldRowsStep(db, rows)),
  ];
}
