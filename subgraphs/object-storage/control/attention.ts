// What needs attention in object storage: clusters of which no controller reports, and services that are not ready.
import { AttentionPart } from '../../../platform/attention/attention.ts';
import type { Database } from '../../../platform/database/database.ts';
import { liveClusters } from './stores/cluster-store.ts';
import { controllersOf } from './stores/controller-store.ts';

export function objectAttention(db: Database): AttentionPart {
  const clusters = async () => {
    const all = await liveClusters(db);
    const controllers = await controllersOf(
      db,
      all.map(({ id }) => id),
    );
    return all.map((cluster) => ({ ...cluster, controllers: controllers.get(cluster.id) ?? [] }));
  };
  return new AttentionPart({
    ...{ db, name: 'objectStorage' },
    sorts: [
      {
        ...{ kind: 'CLUSTER_ABSENT', subjectType: 'ObjectCluster', eventKind: 'objectCluster.presence' },
        ofInstallation: true,
        async read() {
          const absent = (await clusters()).filter(({ present }) => !present);
          return {
            count: async () => absent.length,
            nodes: absent.map(({ id, name, controllers }) => ({
              ...({ id, name, severity: 'CRITICAL', status: 'ABSENT' } as const),
              reason: controllers.length === 0 ? 'no controller has connected yet' : 'no controller is connected',
              since: controllers
                .map(({ heardAt }) => heardAt)
                .toSorted((one, other) => one.getTime() - other.getTime())
                .at(-1),
            })),
          };
        },
      },
      {
        ...{ kind: 'SERVICE_NOT_READY', subjectType: 'ObjectCluster', ofInstallation: true },
        async read() {
          const silent = (await clusters())
            .filter(({ present }) => present)
            .flatMap(({ id, name, controllers }) =>
              (controllers[0]?.state?.services ?? [])
                .filter(({ isReady, isDrained }) => !isReady && isDrained !== true)
                .map(({ role, name: service, message }) => ({
                  ...({ id, name, severity: 'WARNING', status: 'NOT_READY', since: null } as const),
                  reason: `${role} ${service} is not ready${message === null ? '' : `: ${message}`}`,
                })),
            );
          return { count: async () => silent.length, nodes: silent };
        },
      },
    ],
    hours: [
      {
        ...{
          subjectType: 'ObjectCluster',
          kind: 'objectCluster.presence',
          judge: 'object-storage',
          ofInstallation: true,
        },
        rows: "SELECT id, IF(present, 'PRESENT', 'ABSENT') AS status, created_at AS createdAt FROM object_cluster WHERE deleted_at IS NULL",
      },
    ],
  });
}
