// GSLB objects that need attention: names that are not fully up or have no verdict, and checkers and name servers that do not report.
import { AttentionPart } from '../../../platform/attention/attention.ts';
import type { RequestContext } from '../../../platform/caller/identity.ts';
import type { Database } from '../../../platform/database/database.ts';
import type { EntityReads } from './entities/entity-reads.ts';
import { gslbJudge } from './entities/resolvers.ts';
import { absentCheckers, heardChecker } from './stores/checker-store.ts';
import { absentNameServers } from './stores/name-server-store.ts';

interface GslbAttentionOptions {
  readonly db: Database;
  readonly reads: EntityReads;
  readonly silenceMs: number;
}

export function gslbAttention({ db, reads, silenceMs }: GslbAttentionOptions): AttentionPart {
  const names = async (
    context: RequestContext,
    operatingStatuses: readonly ('OFFLINE' | 'ERROR' | 'DEGRADED' | 'UNKNOWN')[],
  ) => {
    const { nodes, count } = await reads.page(context, 'Gslb', { operatingStatuses, orderBy: 'NAME' });
    return {
      count,
      nodes: nodes.map(({ id, fqdn: name, operatingStatus: status, statusMessage: reason, createdAt }) => ({
        ...{ id, name, status: status ?? 'UNKNOWN', reason, createdAt },
      })),
    };
  };
  return new AttentionPart({
    ...{ db, name: 'gslb' },
    sorts: [
      {
        ...{ kind: 'NAME_NOT_UP', subjectType: 'Gslb', eventKind: 'gslb.operatingStatus' },
        async read(context) {
          const { nodes, count } = await names(context, ['OFFLINE', 'ERROR', 'DEGRADED']);
          const severityOf = (status: string) => (status === 'DEGRADED' ? ('WARNING' as const) : ('CRITICAL' as const));
          return { count, nodes: nodes.map((node) => ({ ...node, severity: severityOf(node.status) })) };
        },
      },
      {
        ...{ kind: 'NAME_WITHOUT_VERDICT', subjectType: 'Gslb' },
        async read(context) {
          const { nodes, count } = await names(context, ['UNKNOWN']);
          return { count, nodes: nodes.map((node) => ({ ...node, severity: 'WARNING', since: node.createdAt })) };
        },
      },
      {
        ...{ kind: 'CHECKER_ABSENT', subjectType: 'GslbChecker', ofInstallation: true },
        async read() {
          const { absent, isAnyHeard } = await absentCheckers(db, silenceMs);
          const reason = isAnyHeard ? null : 'no checker is left: no verdict can change';
          return {
            count: async () => absent.length,
            nodes: absent.map(({ id, name, vantagePoint, heardAt: since }) => ({
              ...({ id, name, severity: 'CRITICAL', status: 'ABSENT', since } as const),
              reason: reason ?? (vantagePoint === null ? null : `of vantage point ${vantagePoint}`),
            })),
          };
        },
      },
      {
        ...{ kind: 'NAME_SERVER_ABSENT', subjectType: 'GslbNameServer', ofInstallation: true },
        async read() {
          const absent = await absentNameServers(db);
          return {
            count: async () => absent.length,
            nodes: absent.map(({ id, name, heardAt: since }) => ({
              ...({ id, name, severity: 'CRITICAL', status: 'ABSENT', reason: null, since } as const),
            })),
          };
        },
      },
    ],
    hours: [
      {
        ...{ subjectType: 'Gslb', kind: 'gslb.operatingStatus', judge: gslbJudge, projectColumn: 'project_id' },
        rows: 'SELECT id, operating_status AS status, created_at AS createdAt FROM gslb WHERE deleted_at IS NULL',
      },
      {
        ...{ subjectType: 'GslbVantagePoint', kind: 'gslbChecker.state', judge: 'gslb', ofInstallation: true },
        rows: `SELECT v.id, IF(MAX(${heardChecker(silenceMs)}), 'PRESENT', 'ABSENT') AS status, v.created_at AS createdAt
          FROM gslb_vantage_point v JOIN gslb_checker c ON c.vantage_point_id = v.id WHERE v.deleted_at IS NULL GROUP BY v.id, v.created_at`,
      },
      {
        ...{ subjectType: 'GslbNameServer', kind: 'gslbNameServer.state', judge: 'gslb', ofInstallation: true },
        rows: "SELECT id, IF(present, 'PRESENT', 'ABSENT') AS status, created_at AS createdAt FROM gslb_name_server",
      },
    ],
  });
}
