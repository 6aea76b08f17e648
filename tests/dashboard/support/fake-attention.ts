// The subjects that need attention in the fake world, as `attention` returns them. The present hour is bad while
// something does; the earlier hours are good.
import { coded, type Fields, now } from './fake-values.ts';
import type { FakeWorld } from './fake-world.ts';

interface FakeNeed extends Fields {
  readonly kind: string;
  readonly severity: 'CRITICAL' | 'WARNING';
}

interface Found {
  readonly needs: readonly FakeNeed[];
  /** Only administrators see these. */
  readonly ofInstallation?: readonly FakeNeed[];
  readonly isEmpty: boolean;
}

const hourMs = 3_600_000;

export function createAttentionRoot(world: FakeWorld) {
  const part = (field: string, read: (world: FakeWorld) => Found) => () => {
    if (world.lostFields.has(field)) throw coded('UNAVAILABLE', `The subgraph of ${field} does not answer.`);
    return partOf(read(world), world.user.admin);
  };
  const attention = {
    ...{ id: 'now', alerts: part('alerts', alertNeeds), database: part('haStatus', hostNeeds) },
    ...{ relay: part('backends', relayNeeds), loadBalancing: part('loadBalancers', balancerNeeds) },
    ...{ gslb: part('gslbs', nameNeeds), objectStorage: part('objectClusters', clusterNeeds) },
  };
  return { attention: () => attention };
}

function partOf({ needs: own, ofInstallation = [], isEmpty }: Found, admin: boolean): Fields {
  const found = admin ? [...own, ...ofInstallation] : own;
  const needs = [
    ...found.filter(({ severity }) => severity === 'CRITICAL'),
    ...found.filter(({ severity }) => severity === 'WARNING'),
  ];
  const firstMs = Math.floor(Date.now() / hourMs) * hourMs - 23 * hourMs;
  const isDown = found.some(({ severity }) => severity === 'CRITICAL');
  return {
    ...{ totalCount: needs.length, counts: countsOf(needs), needs: needs.slice(0, 20) },
    notShown: admin ? [] : countsOf(ofInstallation),
    hours: Array.from({ length: 24 }, (_, at) => ({
      startedAt: new Date(firstMs + at * hourMs).toISOString(),
      state: isEmpty ? 'UNKNOWN' : at < 23 || needs.length === 0 ? 'UP' : isDown ? 'DOWN' : 'DEGRADED',
      knownPercent: isEmpty ? 0 : 100,
    })),
  };
}

function countsOf(needs: readonly FakeNeed[]): readonly Fields[] {
  return [...Map.groupBy(needs, ({ kind }) => kind)].map(([kind, all]) => ({ kind, count: all.length }));
}

function need(
  kind: string,
  severity: FakeNeed['severity'],
  subject: readonly [type: string, id: unknown, name: unknown],
  more: Fields,
): FakeNeed {
  const [subjectType, subjectId, subjectName] = subject;
  return { kind, severity, subjectType, subjectId, subjectName, reason: null, since: null, endsAt: null, ...more };
}

/** The time of its last change, if known. */
function sinceOf(world: FakeWorld, id: unknown, kind: string): string | null {
  return (
    String(world.changes.findLast((change) => change.subjectId === id && change.kind === kind)?.changedAt ?? '') || null
  );
}

const isDegraded = (status: unknown) => (status === 'DEGRADED' ? 'WARNING' : 'CRITICAL');

function alertNeeds({ people }: FakeWorld): Found {
  const firing = people.alerts.filter(({ alertState }) => alertState === 'FIRING');
  return {
    isEmpty: true,
    needs: firing.map((alert) =>
      need(
        'ALERT_FIRING',
        alert.severity === 'CRITICAL' ? 'CRITICAL' : 'WARNING',
        ['Alert', alert.id, alert.subjectName ?? alert.ruleName],
        {
          ...{ status: alert.ruleName, reason: alert.reason ?? null, since: alert.since ?? null },
        },
      ),
    ),
  };
}

function relayNeeds(world: FakeWorld): Found {
  const backends = [...world.backends.values()].filter(
    ({ enabled, operatingStatus }) =>
      enabled === true && ['OFFLINE', 'ERROR', 'DEGRADED'].includes(String(operatingStatus)),
  );
  const unknown = [...world.operations.values()].filter(({ state }) => state === 'UNKNOWN');
  const drifted = [...world.mappings.values()].filter(({ lastVerification }) =>
    ['DRIFTED', 'MISSING'].includes(lastVerification?.result ?? ''),
  );
  return {
    isEmpty: world.backends.size === 0,
    needs: [
      ...backends.map((backend) =>
        need('BACKEND_NOT_AVAILABLE', 'CRITICAL', ['Backend', backend.id, backend.name], {
          ...{ status: backend.operatingStatus, since: sinceOf(world, backend.id, 'backend.operatingStatus') },
          reason: (backend.health as Fields).message,
        }),
      ),
      ...unknown.map((operation) => {
        const cmp = operation.cmpObject as Fields | null;
        return need('OUTCOME_UNKNOWN', 'CRITICAL', ['RelayOperation', operation.id, operation.name], {
          ...{ status: 'UNKNOWN', since: operation.startedAt ?? operation.createdAt },
          reason: [operation.backend.name, cmp === null ? null : `${cmp.type}/${cmp.externalId}`]
            .filter(Boolean)
            .join(', for '),
        });
      }),
      ...drifted.map((mapping) =>
        need('MAPPING_DRIFTED', 'WARNING', ['Mapping', mapping.id, mapping.objectKey], {
          ...{ status: mapping.lastVerification?.result, since: mapping.lastVerification?.verifiedAt },
          reason: mapping.backend.name,
        }),
      ),
    ],
  };
}

function balancerNeeds(world: FakeWorld): Found {
  const { balancers, hosts } = world.loadBalancing;
  const failing = [...balancers.values()].filter(({ operatingStatus }) =>
    ['ERROR', 'DEGRADED'].includes(String(operatingStatus)),
  );
  const soon = world.certificates.filter(({ validUntil }) => validUntil < now(14 * 86_400_000));
  const absent = [...hosts.values()].filter(({ presence }) => presence === 'ABSENT');
  return {
    isEmpty: balancers.size === 0,
    needs: [
      ...failing.map(({ id, name, operatingStatus: status, operatingReason: reason }) =>
        need('LOAD_BALANCER_NOT_UP', isDegraded(status), ['LoadBalancer', id, name], {
          ...{ status, reason, since: sinceOf(world, id, 'loadBalancer.operatingStatus') },
        }),
      ),
      ...soon.map(({ id, name, hostNames, validUntil: endsAt }) =>
        need('CERTIFICATE_EXPIRES', 'WARNING', ['TlsCertificate', id, name], {
          ...{ status: 'EXPIRES', reason: hostNames.join(' '), endsAt },
        }),
      ),
    ],
    ofInstallation: absent.map(({ id, name, heardAt: since }) =>
      need('LOAD_BALANCER_HOST_ABSENT', 'CRITICAL', ['LoadBalancerHost', id, name], { status: 'ABSENT', since }),
    ),
  };
}

function nameNeeds(world: FakeWorld): Found {
  const { names, checkers, nameServers } = world.naming;
  const of = (...statuses: readonly string[]) =>
    [...names.values()].filter(({ operatingStatus }) => statuses.includes(String(operatingStatus)));
  const noneVotes = checkers.length > 0 && checkers.every(({ presence }) => presence === 'ABSENT');
  const absent = (kind: string, type: string, machines: readonly Fields[], reason: string | null) =>
    machines
      .filter(({ presence }) => presence === 'ABSENT')
      .map(({ id, name, heardAt: since }) =>
        need(kind, 'CRITICAL', [type, id, name], { status: 'ABSENT', since, reason }),
      );
  return {
    isEmpty: names.size === 0,
    needs: [
      ...of('OFFLINE', 'ERROR', 'DEGRADED').map(({ id, fqdn, operatingStatus: status, operatingReason: reason }) =>
        need('NAME_NOT_UP', isDegraded(status), ['Gslb', id, fqdn], {
          ...{ status, reason, since: sinceOf(world, id, 'gslb.operatingStatus') },
        }),
      ),
      ...of('UNKNOWN').map(({ id, fqdn, operatingReason: reason, createdAt: since }) =>
        need('NAME_WITHOUT_VERDICT', 'WARNING', ['Gslb', id, fqdn], { status: 'UNKNOWN', reason, since }),
      ),
    ],
    ofInstallation: [
      ...absent(
        'CHECKER_ABSENT',
        'GslbChecker',
        checkers,
        noneVotes ? 'no checker is left: no verdict can change' : null,
      ),
      ...absent('NAME_SERVER_ABSENT', 'GslbNameServer', nameServers, null),
    ],
  };
}

function clusterNeeds({ clusters }: FakeWorld): Found {
  const absent = clusters.filter(({ presence }) => presence !== 'PRESENT');
  return {
    ...{ isEmpty: clusters.length === 0, needs: [] },
    ofInstallation: absent.map(({ id, name, controllers }) =>
      need('CLUSTER_ABSENT', 'CRITICAL', ['ObjectCluster', id, name], {
        ...{
          status: 'ABSENT',
          reason: 'no controller is connected',
          since: (controllers as readonly Fields[])[0]?.heardAt ?? null,
        },
      }),
    ),
  };
}

function hostNeeds({ hosts: { status } }: FakeWorld): Found {
  if (status === undefined) return { isEmpty: true, needs: [] };
  const { primaryName, copies, hosts } = status as {
    primaryName: string | null;
    copies: number;
    hosts: readonly Fields[];
  };
  const base = { subjectType: 'HaCluster', id: 'cluster' };
  const isShort = primaryName === null || copies < 2;
  return {
    ...{ isEmpty: false, needs: [] },
    ofInstallation: [
      ...(isShort
        ? [
            need('DATABASE_ONE_COPY', 'CRITICAL', [base.subjectType, base.id, primaryName ?? 'the database'], {
              ...{ status: primaryName === null ? 'NO_PRIMARY' : 'ONE_COPY', reason: null },
            }),
          ]
        : []),
      ...hosts
        .filter(({ state }) => state === 'SILENT')
        .map(({ name, stateReason: reason }) =>
          need('DATA_HOST_SILENT', 'CRITICAL', ['HaHost', null, name], { status: 'SILENT', reason }),
        ),
    ],
  };
}
