// Objects of the system that need attention: alerts that fire, and the hosts of the database.
import { AttentionPart, type AttentionSort } from '../../../platform/attention/attention.ts';
import type { Database } from '../../../platform/database/database.ts';
import { projectsFor } from '../../../platform/input/authorise.ts';
import { firstRunSql } from '../../../platform/leases/running-time.ts';
import { type HaCluster, haClusterId } from '../../../platform/process/ha-cluster.ts';
import { type AlertStore, countInstallationAlerts } from './stores/alert-store.ts';

export function alertAttention({ db, alerts }: { readonly db: Database; readonly alerts: AlertStore }): AttentionPart {
  return new AttentionPart({
    ...{ db, name: 'alerts' },
    sorts: [
      {
        ...{ kind: 'ALERT_FIRING', subjectType: 'Alert' },
        async read({ identity }) {
          const { nodes, count } = await alerts.page({
            ...{ projects: projectsFor(identity, null), states: ['FIRING'], orderBy: 'OLDEST' },
          });
          return {
            count,
            nodes: nodes.map(({ id, ruleName, severity, subjectName, subjectType, reason, since }) => ({
              ...{ id, name: subjectName ?? subjectType, severity, status: ruleName, reason, since },
            })),
          };
        },
        hidden: () => countInstallationAlerts(db),
      },
    ],
  });
}

/** `cluster`: undefined if the database is on one machine, which never needs attention. */
export function databaseAttention(db: Database, cluster: HaCluster | undefined): AttentionPart {
  const base = { subjectType: 'HaCluster', ofInstallation: true } as const;
  const found = async (faults: Awaited<ReturnType<AttentionSort['read']>>['nodes']) => ({
    nodes: faults,
    count: async () => faults.length,
  });
  const read: readonly AttentionSort[] = [
    {
      ...{ ...base, kind: 'DATABASE_ONE_COPY', eventKind: 'ha.copies' },
      async read() {
        const status = await cluster?.status();
        if (status === undefined || (status.primary !== null && status.copies >= 2)) return found([]);
        const [name, reason] =
          status.primary === null
            ? ['the database', 'no primary: nothing is written']
            : [status.primary, 'has the only copy of the newest writes'];
        const state = status.primary === null ? 'NO_PRIMARY' : 'ONE_COPY';
        return found([{ id: haClusterId, name, severity: 'CRITICAL', status: state, reason }]);
      },
    },
    {
      ...{ ...base, kind: 'DATA_HOST_SILENT', subjectType: 'HaHost' },
      async read() {
        const silent = (await cluster?.status())?.hosts.filter(({ state }) => state === 'SILENT') ?? [];
        return found(
          silent.map(({ name, returning: reason }) => ({
            ...({ id: null, name, severity: 'CRITICAL', status: 'SILENT', reason, since: null } as const),
          })),
        );
      },
    },
    {
      ...{ ...base, kind: 'PROMOTION_PAUSED', eventKind: 'ha.promotion' },
      async read() {
        if ((await cluster?.status())?.paused !== true) return found([]);
        const reason = 'no host takes over from a lost primary';
        return found([{ id: haClusterId, name: 'promotion', severity: 'WARNING', status: 'PAUSED', reason }]);
      },
    },
  ];
  return new AttentionPart({
    ...{ db, name: 'database', sorts: read },
    hours:
      cluster === undefined
        ? undefined
        : [
            {
              ...{ subjectType: 'HaCluster', kind: 'ha.copies', judge: 'system', ofInstallation: true },
              // It has no row of its own, and has existed since the first run.
              rows: `SELECT '${haClusterId}' AS id, IF(copies >= 2, 'IN_SYNC', 'ONE_COPY') AS status,
                ${firstRunSql('system')} AS createdAt FROM ha_told WHERE id = 1 HAVING createdAt IS NOT NULL`,
            },
          ],
  });
}
