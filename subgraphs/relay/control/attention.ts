// What needs attention in the relay: backends that are not available, calls whose outcome is unknown, and objects that were changed on their
// device.
import { AttentionPart } from '../../../platform/attention/attention.ts';
import type { Database } from '../../../platform/database/database.ts';
import type { BackendReads } from './backends/backend-reads.ts';
import type { OperationReads } from './journal/operation-reads.ts';
import type { MappingReads } from './mappings/mapping-reads.ts';

interface RelayAttentionOptions {
  readonly db: Database;
  readonly backends: BackendReads;
  readonly operations: OperationReads;
  readonly mappings: MappingReads;
}

export function relayAttention({ db, backends, operations, mappings }: RelayAttentionOptions): AttentionPart {
  return new AttentionPart({
    ...{ db, name: 'relay' },
    sorts: [
      {
        ...{ kind: 'BACKEND_NOT_AVAILABLE', subjectType: 'Backend', eventKind: 'backend.operatingStatus' },
        async read(context) {
          // One that was switched off is as its administrator wants it.
          const filter = { operatingStatuses: ['OFFLINE', 'ERROR', 'DEGRADED'], onlyEnabled: true } as const;
          const { nodes, count } = await backends.page(context, filter);
          return {
            count,
            nodes: nodes.map(({ id, name, operatingStatus: status, healthMessage: reason }) => ({
              ...{ id, name, severity: 'CRITICAL', status, reason },
            })),
          };
        },
      },
      {
        ...{ kind: 'OUTCOME_UNKNOWN', subjectType: 'RelayOperation' },
        async read(context) {
          const { nodes, count } = await operations.page(context, { states: ['UNKNOWN'], orderBy: 'OLDEST' });
          const found = nodes.map(async (row) => {
            const backend = await backends.backend(context, row.backendId);
            const cmp = row.cmpId === null ? null : `${row.cmpType}/${row.cmpId}`;
            return {
              ...({ id: row.id, name: row.name, severity: 'CRITICAL', status: 'UNKNOWN' } as const),
              reason: [backend?.name, cmp].filter((each) => each != null).join(', for ') || null,
              since: row.sentAt ?? row.createdAt,
            };
          });
          return { nodes: await Promise.all(found), count };
        },
      },
      {
        ...{ kind: 'MAPPING_DRIFTED', subjectType: 'Mapping' },
        async read(context) {
          const { nodes, count } = await mappings.page(context, {
            ...{ mappingStates: ['ACTIVE', 'UNVERIFIED'], verifications: ['DRIFTED', 'MISSING'], orderBy: 'OLDEST' },
          });
          const found = nodes.map(async (row) => ({
            ...({
              id: row.id,
              name: row.objectKey,
              severity: 'WARNING',
              status: row.verifyResult ?? 'DRIFTED',
            } as const),
            reason: (await backends.backend(context, row.backendId))?.name ?? null,
            since: row.verifiedAt,
          }));
          return { nodes: await Promise.all(found), count };
        },
      },
    ],
    hours: [
      {
        ...{ subjectType: 'Backend', kind: 'backend.operatingStatus', judge: 'worker', projectColumn: 'project_id' },
        rows: `SELECT id, operating_status AS status, created_at AS createdAt FROM backend
          WHERE deleted_at IS NULL AND provisioning_status = 'ENABLED'`,
      },
    ],
  });
}
