// The conditions that alert rules can watch: a closed list. Most are states that status events report. Two are conditions of time:
// a certificate that expires, and a check-in that is late.

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

/** A kind of status event that moves subjects of one type into the condition or out of it. Other values change nothing. */
interface Signal {
  readonly subjectType: string;
  readonly kind: string;
  readonly begins: readonly string[];
  readonly ends: readonly string[];
  /** Its reason is `NAME` or `NAME: why`, because the graph can't name subjects of the installation. Default: a plain reason. */
  readonly reasonBeginsWithName?: boolean;
}

/** A kind of status event after which the subject no longer exists. */
interface Departure {
  readonly subjectType: string;
  readonly kind: string;
  readonly value?: string;
  readonly reason?: string;
}

interface Duration {
  readonly defaultMs: number;
  readonly minMs: number;
  readonly maxMs: number;
}

export interface AlertConditionSpec {
  /** Becomes the description in docs/alerts.md. */
  readonly meaning: string;
  /** Whether rules of projects can watch it. Those of the installation can watch every condition. */
  readonly ofProjects: boolean;
  readonly signals: readonly Signal[];
  readonly departures: readonly Departure[];
  /** How long it must last. */
  readonly lasts: Duration;
  /** Lead time before a subject's end. Absent if its subjects have no end. */
  readonly within?: Duration;
}

/** From zero to a day. */
const lasting = (defaultMs: number): Duration => ({ defaultMs, minMs: 0, maxMs: dayMs });

const up = ['ONLINE', 'NO_MONITOR', 'DRAINING'];
const down = ['DEGRADED', 'OFFLINE', 'ERROR'];

const alertConditions = {
  NAME_DEGRADED: {
    meaning: 'The operating status of a GSLB is DEGRADED, OFFLINE or ERROR.',
    ofProjects: true,
    signals: [{ subjectType: 'Gslb', kind: 'gslb.operatingStatus', begins: down, ends: up }],
    departures: [{ subjectType: 'Gslb', kind: 'gslb.provisioningStatus', value: 'DELETED' }],
    lasts: lasting(2 * minuteMs),
  },
  LOAD_BALANCER_DEGRADED: {
    meaning: 'The operating status of a load balancer is DEGRADED, OFFLINE or ERROR.',
    ofProjects: true,
    signals: [{ subjectType: 'LoadBalancer', kind: 'loadBalancer.operatingStatus', begins: down, ends: up }],
    departures: [{ subjectType: 'LoadBalancer', kind: 'loadBalancer.provisioningStatus', value: 'DELETED' }],
    lasts: lasting(2 * minuteMs),
  },
  LOAD_BALANCER_ERROR: {
    meaning: 'The provisioning status of a load balancer is ERROR: a requested change does not take effect.',
    ofProjects: true,
    signals: [
      {
        ...{ subjectType: 'LoadBalancer', kind: 'loadBalancer.provisioningStatus' },
        ...{ begins: ['ERROR'], ends: ['ACTIVE', 'DELETED'] },
      },
    ],
    departures: [],
    lasts: lasting(0),
  },
  OUTCOME_UNKNOWN: {
    meaning: 'The outcome of a relayed call is unknown, until it is settled.',
    ofProjects: true,
    signals: [
      {
        ...{ subjectType: 'RelayOperation', kind: 'relayOperation.state', begins: ['UNKNOWN'] },
        ends: ['SUCCEEDED', 'FAILED', 'ACCEPTED', 'REJECTED'],
      },
    ],
    departures: [],
    lasts: lasting(0),
  },
  CIRCUIT_OPEN: {
    meaning: 'The circuit of a backend is open, so that calls to it are refused.',
    ofProjects: true,
    signals: [{ subjectType: 'Backend', kind: 'backend.circuit', begins: ['OPEN'], ends: ['CLOSED'] }],
    departures: [{ subjectType: 'Backend', kind: 'backend.provisioningStatus', value: 'DELETED' }],
    lasts: lasting(0),
  },
  BACKEND_OFFLINE: {
    meaning: 'The health checks of a backend fail.',
    ofProjects: true,
    signals: [
      {
        ...{ subjectType: 'Backend', kind: 'backend.operatingStatus', begins: ['OFFLINE'] },
        // The backend was disabled, so it is not checked.
        ends: ['ONLINE', 'UNKNOWN'],
      },
    ],
    departures: [{ subjectType: 'Backend', kind: 'backend.provisioningStatus', value: 'DELETED' }],
    lasts: lasting(2 * minuteMs),
  },
  MAPPING_DRIFTED: {
    meaning: 'A verification found a backend object changed or missing.',
    ofProjects: true,
    signals: [
      { subjectType: 'Mapping', kind: 'mapping.verification', begins: ['DRIFTED', 'MISSING'], ends: ['MATCHES'] },
    ],
    departures: [{ subjectType: 'Mapping', kind: 'mapping.state', value: 'DELETED' }],
    lasts: lasting(0),
  },
  CERTIFICATE_EXPIRES: {
    meaning: 'A TLS certificate of a listener or pool expires soon, or has expired. Looked at every 10 minutes.',
    ofProjects: true,
    signals: [],
    departures: [],
    lasts: { defaultMs: 0, minMs: 0, maxMs: 0 },
    within: { defaultMs: 14 * dayMs, minMs: hourMs, maxMs: 24 * dayMs },
  },
  CHECK_IN_LATE: {
    meaning:
      'A job that should report regularly, for example a backup, has not done so with `alertRuleCheckIn` for too long.',
    ofProjects: true,
    signals: [],
    departures: [],
    lasts: { defaultMs: 25 * hourMs, minMs: minuteMs, maxMs: 24 * dayMs },
  },
  MACHINE_ABSENT: {
    meaning:
      'A load balancer host, a vantage point, a name server or a cluster of object storage does not report, or comes and goes.',
    ofProjects: false,
    signals: [
      ['LoadBalancerHost', 'loadBalancerHost.presence'],
      ['GslbVantagePoint', 'gslbChecker.state'],
      ['GslbNameServer', 'gslbNameServer.state'],
      ['ObjectCluster', 'objectCluster.presence'],
    ].map(([subjectType = '', kind = '']) => ({
      subjectType,
      kind,
      begins: ['ABSENT', 'FLAPPING'],
      ends: ['PRESENT'],
      reasonBeginsWithName: true,
    })),
    departures: [
      { subjectType: 'LoadBalancerHost', kind: 'loadBalancerHost.changed', reason: 'removed' },
      { subjectType: 'ObjectCluster', kind: 'objectCluster.state', value: 'DELETED' },
    ],
    lasts: lasting(2 * minuteMs),
  },
  MACHINE_COPIED: {
    meaning:
      'A second process with the credentials of a connected machine was refused. The alert lasts until the machine is revoked or a person ends it.',
    ofProjects: false,
    signals: [
      {
        ...{ subjectType: 'Machine', kind: 'machine.copyRefused', begins: ['REFUSED'], ends: [] },
        reasonBeginsWithName: true,
      },
    ],
    departures: [{ subjectType: 'Machine', kind: 'machine.revoked' }],
    lasts: lasting(0),
  },
  CLUSTER_LAGS: {
    meaning: 'A cluster of object storage lacks changes that another cluster made over a minute ago.',
    ofProjects: false,
    signals: [
      {
        ...{ subjectType: 'ObjectCluster', kind: 'objectCluster.lag', begins: ['BEHIND'], ends: ['IN_STEP'] },
        reasonBeginsWithName: true,
      },
    ],
    departures: [{ subjectType: 'ObjectCluster', kind: 'objectCluster.state', value: 'DELETED' }],
    lasts: lasting(5 * minuteMs),
  },
  DATABASE_ONE_COPY: {
    meaning: 'The next acknowledged write is on one host of the database only.',
    ofProjects: false,
    signals: [{ subjectType: 'HaCluster', kind: 'ha.copies', begins: ['ONE_COPY'], ends: ['IN_SYNC'] }],
    departures: [],
    lasts: lasting(2 * minuteMs),
  },
  DNS_SERVER_FAILING: {
    meaning: 'A server of a DNS backend fails and is left out.',
    ofProjects: false,
    signals: [
      {
        ...{ subjectType: 'DnsBackendServer', kind: 'dnsBackendServer.state', begins: ['FAILING'], ends: ['SERVING'] },
        reasonBeginsWithName: true,
      },
    ],
    departures: [],
    lasts: lasting(2 * minuteMs),
  },
} as const satisfies Record<string, AlertConditionSpec>;

export type AlertCondition = keyof typeof alertConditions;

/** Types of projects' subjects whose names the graph has, with the field that has it. */
export const namedTypes: Readonly<Record<string, string>> = {
  Backend: 'name',
  LoadBalancer: 'name',
  Gslb: 'fqdn',
  RelayOperation: 'name',
  Mapping: 'objectKey',
};

export const alertConditionNames = Object.keys(alertConditions) as readonly AlertCondition[];

export function conditionSpec(condition: AlertCondition): AlertConditionSpec {
  return alertConditions[condition];
}

export type AlertSeverity = 'WARNING' | 'CRITICAL';

export type AlertState = 'FIRING' | 'ACKNOWLEDGED' | 'RESOLVED';

/** Bounds of other parameters of a rule. */
export const ruleDurations = {
  resolveAfterMs: { defaultMs: minuteMs, minMs: 0, maxMs: dayMs },
  repeatMs: { defaultMs: 4 * hourMs, minMs: 5 * minuteMs, maxMs: 7 * dayMs },
} as const satisfies Record<string, Duration>;

/** Bounds of a project, and of the installation. */
export const mostAlertRules = 50;
export const mostAlertChannels = 20;
export const mostChannelsOfRule = 10;
export const mostNotificationsPerHour = 120;
/** Share that is reserved for messages with a critical alert, so that many other messages can't block one. */
export const criticalNotificationsPerHour = 30;
/** Limit for one rule. More subjects wait until some of the alerts are resolved. */
export const mostOpenAlerts = 1_000;
/** Limit for all rules of a project. All open alerts are evaluated together, again and again. */
export const mostOpenAlertsOfOwner = 5_000;
/** Limit for one project in a rule of the installation, so that no project displaces the others. */
export const mostOpenAlertsOfProject = 200;
