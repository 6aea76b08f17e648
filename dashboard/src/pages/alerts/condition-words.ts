// The conditions of rules in words: `Tell me when …`. And the templates, each of which makes a rule or several.
import type { AlertCondition, AlertSeverity } from '../../../../generated/dashboard/graphql.ts';

export const conditionWords: Readonly<Record<AlertCondition, string>> = {
  NAME_DEGRADED: 'a GSLB name is degraded or down',
  LOAD_BALANCER_DEGRADED: 'a load balancer is degraded or down',
  LOAD_BALANCER_ERROR: 'a change of a load balancer does not take effect',
  OUTCOME_UNKNOWN: 'the outcome of a call is unknown',
  CIRCUIT_OPEN: 'calls to a backend are refused',
  BACKEND_OFFLINE: 'a backend is offline',
  MAPPING_DRIFTED: 'a backend object was changed or removed',
  CERTIFICATE_EXPIRES: 'a certificate expires soon',
  CHECK_IN_LATE: 'a job has not checked in',
  MACHINE_ABSENT: 'a machine does not report',
  MACHINE_COPIED: 'a copy of a machine is refused',
  CLUSTER_LAGS: 'a storage cluster lags behind',
  DATABASE_ONE_COPY: 'the database has one copy only',
  DNS_SERVER_FAILING: 'a DNS server fails',
};

interface Template {
  readonly title: string;
  /** Rules by their names. */
  readonly rules: Readonly<Record<string, AlertCondition>>;
  /** Only for the installation. */
  readonly ofInstallation?: Readonly<Record<string, AlertCondition>>;
  readonly severity: AlertSeverity;
}

export const templates: readonly Template[] = [
  {
    title: 'anything is down',
    rules: {
      'load-balancers-down': 'LOAD_BALANCER_DEGRADED',
      'names-down': 'NAME_DEGRADED',
      'backends-down': 'BACKEND_OFFLINE',
    },
    ofInstallation: {
      'machines-down': 'MACHINE_ABSENT',
      'dns-servers-down': 'DNS_SERVER_FAILING',
      'database-one-copy': 'DATABASE_ONE_COPY',
    },
    severity: 'CRITICAL',
  },
  {
    title: 'a change fails',
    rules: {
      'balancer-changes': 'LOAD_BALANCER_ERROR',
      'unknown-outcomes': 'OUTCOME_UNKNOWN',
      'refused-calls': 'CIRCUIT_OPEN',
    },
    severity: 'WARNING',
  },
  { title: 'a certificate expires in 14 days', rules: { certificates: 'CERTIFICATE_EXPIRES' }, severity: 'WARNING' },
  { title: 'somebody changes a device by hand', rules: { drift: 'MAPPING_DRIFTED' }, severity: 'WARNING' },
];

/** Rules of a template by their names. `projectId`: null for those of the installation. */
export function rulesOf(
  { rules, ofInstallation }: Template,
  projectId: string | null,
): readonly (readonly [name: string, condition: AlertCondition])[] {
  return Object.entries({ ...rules, ...(projectId === null ? ofInstallation : {}) });
}
