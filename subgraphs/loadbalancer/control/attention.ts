// What needs attention in load balancing: load balancers that are not fully up, hosts that do not report, and certificates that end.
import { AttentionPart } from '../../../platform/attention/attention.ts';
import type { Database } from '../../../platform/database/database.ts';
import type { BalancerReads } from './balancers/balancer-reads.ts';
import type { StatusReads } from './balancers/status-reads.ts';
import type { CertificateReads } from './certificates/certificate-reads.ts';
import { absentHosts } from './stores/host-store.ts';

interface BalancerAttentionOptions {
  readonly db: Database;
  readonly balancers: BalancerReads;
  readonly statuses: StatusReads;
  readonly certificates: CertificateReads;
}

/** A certificate that ends sooner needs attention. */
const expiryMs = 14 * 86_400_000;

export function balancerAttention({ db, balancers, statuses, certificates }: BalancerAttentionOptions): AttentionPart {
  return new AttentionPart({
    ...{ db, name: 'loadBalancing' },
    sorts: [
      {
        ...{ kind: 'LOAD_BALANCER_NOT_UP', subjectType: 'LoadBalancer', eventKind: 'loadBalancer.operatingStatus' },
        async read(context) {
          // One that is OFFLINE was switched off.
          const { nodes, count } = await balancers.page(context, { operatingStatuses: ['ERROR', 'DEGRADED'] });
          const found = nodes.map(async (row) => ({
            ...{ id: row.id, name: row.name, status: row.operatingStatus },
            severity: row.operatingStatus === 'DEGRADED' ? ('WARNING' as const) : ('CRITICAL' as const),
            reason: (await statuses.ofBalancer(context, row)).reason,
          }));
          return { nodes: await Promise.all(found), count };
        },
      },
      {
        ...{ kind: 'LOAD_BALANCER_HOST_ABSENT', subjectType: 'LoadBalancerHost', ofInstallation: true },
        async read() {
          const absent = await absentHosts(db);
          return {
            count: async () => absent.length,
            nodes: absent.map(({ id, name, heardAt, nodeCount }) => ({
              ...({ id, name, severity: 'CRITICAL', status: 'ABSENT', since: heardAt } as const),
              reason: nodeCount === 1 ? 'it has a node' : `it has ${nodeCount} nodes`,
            })),
          };
        },
      },
      {
        ...{ kind: 'CERTIFICATE_EXPIRES', subjectType: 'TlsCertificate' },
        async read(context) {
          // By the database's clock, as alerts do.
          const [row] = await db.query<{ now: Date }>('SELECT NOW(3) AS now');
          const nowMs = row?.now.getTime() ?? 0;
          const expiresBefore = new Date(nowMs + expiryMs);
          const { nodes, count } = await certificates.page(context, { expiresBefore, orderBy: 'EXPIRY' });
          return {
            count,
            nodes: nodes.map(({ id, name, hostNames, notAfter }) => {
              const isOver = notAfter.getTime() <= nowMs;
              return {
                ...{ id, name, reason: hostNames.join(' ') },
                ...({ severity: isOver ? 'CRITICAL' : 'WARNING', status: isOver ? 'EXPIRED' : 'EXPIRES' } as const),
                ...{ since: isOver ? notAfter : null, endsAt: isOver ? null : notAfter },
              };
            }),
          };
        },
      },
    ],
    hours: [
      {
        ...{ subjectType: 'LoadBalancer', kind: 'loadBalancer.operatingStatus', judge: 'loadbalancer' },
        projectColumn: 'project_id',
        rows: 'SELECT id, operating_status AS status, created_at AS createdAt FROM lb_load_balancer WHERE deleted_at IS NULL',
      },
      {
        ...{ subjectType: 'LoadBalancerHost', kind: 'loadBalancerHost.presence', judge: 'loadbalancer' },
        ofInstallation: true,
        rows: 'SELECT id, presence AS status, created_at AS createdAt FROM lb_host WHERE removing = 0',
      },
    ],
  });
}
