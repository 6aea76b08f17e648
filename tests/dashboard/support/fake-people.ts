// Users, projects, tokens, the audit trail and alerts of the fake world, and the root fields about them.
import {
  type Fields,
  mutationsOf,
  type NotedMutations,
  now,
  type Paging,
  page,
  project,
  projects,
  type WithId,
} from './fake-values.ts';

interface ListArguments extends Paging {
  readonly text?: string | null;
  readonly projectId?: string | null;
  readonly userId?: string | null;
  readonly states?: readonly string[] | null;
}
type Known = WithId & Fields;
interface Named extends Known {
  readonly name: string;
}

export class FakePeople {
  readonly users: Named[] = [];
  readonly tokens: Named[] = [];
  readonly audit: Fields[] = [];
  readonly alerts: Known[] = [];
  readonly rules: Named[] = [];
  readonly channels: Named[] = [];
  readonly containers: Named[] = [];
  /** The arguments of each read of the audit trail. */
  readonly auditReads: Fields[] = [];

  addUser(name: string, patch: object = {}): Named {
    const role = { role: 'MEMBER', createdAt: now(-86_400_000), project };
    const user = {
      ...{ __typename: 'User', id: `u${this.users.length + 1}`, name, admin: false, enabled: true },
      ...{ createdAt: now(-86_400_000), updatedAt: now(-3_600_000), memberships: page([role]) },
      ...patch,
    };
    this.users.push(user);
    return user;
  }

  addToken(name: string, patch: object = {}): Named {
    const token = {
      ...{ __typename: 'ApiToken', id: `t${this.tokens.length + 1}`, name, role: 'MEMBER', prefix: 'tg_abc123' },
      ...{ project, createdAt: now(-86_400_000), expiresAt: now(86_400_000), revokedAt: null },
      ...{ lastUsedAt: now(-120_000), createdBy: { name: 'admin' }, parent: null },
      ...patch,
    };
    this.tokens.push(token);
    return token;
  }

  addEntry(action: string, patch: object = {}): void {
    this.audit.unshift({
      ...{ id: `e${this.audit.length + 1}`, position: '7', recordedAt: now(), action, project },
      ...{ actor: { name: 'alice', kind: 'USER', user: { id: 'u1' }, apiToken: null }, subjectId: 'b1' },
      ...{ subject: { __typename: 'Backend', name: 'fw-1' }, outcome: 'ACCEPTED', code: null, requestId: 'request-1' },
      ...{ callerRequestId: null, details: { name: 'fw' }, version: null, hash: 'f'.repeat(64) },
      ...patch,
    });
  }

  addAlert(patch: object = {}): Known {
    const alert = {
      ...{ __typename: 'Alert', id: `a${this.alerts.length + 1}`, version: 1, alertState: 'FIRING' },
      ...{ severity: 'WARNING', condition: 'BACKEND_OFFLINE', ruleName: 'backends', rule: null, project },
      ...{ subjectType: 'Backend', subjectId: 'b1', subjectName: 'fw-1', cmpObject: null, status: 'OFFLINE' },
      ...{ reason: 'CONNECT_FAILED: it does not answer', since: now(-300_000), createdAt: now(-180_000) },
      ...{ acknowledgedAt: null, acknowledgedBy: null, resolvedAt: null, lastNotifiedAt: null },
      ...patch,
    };
    this.alerts.push(alert);
    return alert;
  }

  /** One of each, for views of pages. */
  fill(name: string): void {
    this.addUser(name, { admin: true });
    this.addUser('bob', { enabled: false });
    this.addToken(name);
    this.addToken('old', { revokedAt: now(-3_600_000), lastUsedAt: null });
    const balancer = { subjectId: 'lb1', subject: { __typename: 'LoadBalancer', name } };
    this.addEntry('loadBalancerUpdate', { ...balancer, version: versionsOf('lb1')[0] });
    this.addEntry('backendCreate', { details: { cmpObject: { type: 'tenant', externalId: '42' } } });
    this.addEntry('apiTokenCreate', { outcome: 'REFUSED', code: 'FORBIDDEN', subject: null, subjectId: null });
    this.addAlert({ subjectName: name, severity: 'CRITICAL' });
    this.addAlert({ alertState: 'RESOLVED', resolvedAt: now(-60_000) });
    this.rules.push(ruleOf(name));
    this.channels.push(channelOf(name));
    const object = { sizeBytes: '1200000', contentType: 'image/jpeg', modifiedAt: now() };
    const entries = ({ prefix }: { readonly prefix: string }) =>
      page([
        ...[`${prefix}${name}/`, `${prefix}2026/`].map((each) => ({ name: each, object: null })),
        ...[name, 'cat.jpg'].map((each) => ({ name: prefix + each, object: { ...object, name: prefix + each } })),
      ]);
    this.containers.push({
      ...{ __typename: 'ObjectContainer', id: 'c1', name, createdAt: now(), project },
      ...{ option: { name: 'usual' }, cmpObject: null, entries, objects: page([]) },
    });
  }
}

export function createPeopleRoot(world: NotedMutations & { readonly people: FakePeople }) {
  const { people } = world;
  const list =
    (nodes: () => readonly Named[]) =>
    ({ first, after, text }: ListArguments) =>
      page(
        nodes().filter(({ name }) => !text || name.includes(text)),
        first,
        after,
      );
  const byId =
    (nodes: () => readonly Known[]) =>
    ({ id }: WithId) =>
      nodes().find((each) => each.id === id) ?? null;
  const replace = (nodes: Known[], id: unknown, patch: object): void => {
    const at = nodes.findIndex((each) => each.id === id);
    const old = nodes[at];
    if (old !== undefined) nodes[at] = { ...old, ...patch };
  };
  const acknowledgedBy = { name: 'admin' };
  const whole = () =>
    projects.map((each) => ({
      ...{ __typename: 'Project', ...each, description: 'of tests', viewerRole: 'OPERATOR', createdAt: now() },
      members: page(people.users.map((user) => ({ role: 'MEMBER', createdAt: now(), user }))),
      loadBalancerQuotas: [{ kind: 'LOAD_BALANCERS', limit: 10, used: 10 }],
      gslbQuotas: [{ kind: 'NAMES', limit: 100, used: 3 }],
    }));
  return {
    users: list(() => people.users),
    projects: list(whole),
    project: byId(whole),
    apiTokens: list(() => people.tokens),
    node: byId(() => [...people.users, ...people.tokens]),
    auditEntries: ({ first, after, ...filter }: ListArguments) => {
      people.auditReads.push(filter as Fields);
      return page(people.audit, first, after);
    },
    configurationVersions: ({ first, after, subjectId, subjectName, onlyDeletions }: VersionArguments) =>
      page<Fields>(
        onlyDeletions === true
          ? [deletion()]
          : versionsOf(subjectId ?? 'LB1').filter((each) => !subjectName || each.subjectName === subjectName),
        first,
        after,
      ),
    alerts: ({ first, after, states }: ListArguments) => {
      const found = people.alerts.filter(({ alertState }) => !states || states.includes(String(alertState)));
      return page(found, first, after);
    },
    alert: byId(() => people.alerts),
    alertRules: list(() => people.rules),
    alertChannels: list(() => people.channels),
    alertChannel: byId(() => people.channels),
    objectContainers: list(() => people.containers),
    objectContainer: byId(() => people.containers),
    ...mutationsOf(world, {
      apiTokenRevoke: ({ id }) => replace(people.tokens, id, { revokedAt: now() }),
      membershipRemove: () => undefined,
      membershipSet: () => undefined,
      userCreate: ({ name }) => ({ user: people.addUser(String(name)) }),
      alertAcknowledge: ({ id }) =>
        replace(people.alerts, id, { alertState: 'ACKNOWLEDGED', acknowledgedAt: now(), acknowledgedBy }),
      alertTargetTest: () => undefined,
      alertChannelCreate: ({ name }) => {
        const alertChannel = { ...channelOf(String(name)), id: `ch-${String(name)}`, project: null };
        people.channels.push(alertChannel);
        return { alertChannel, secret: null };
      },
      alertRuleCreate: ({ name, condition, severity }) =>
        people.rules.push({ ...ruleOf(String(name)), condition, severity, project: null }),
      alertEnd: ({ id }) => replace(people.alerts, id, { alertState: 'RESOLVED', resolvedAt: now() }),
    }),
  };
}

interface VersionArguments extends ListArguments {
  readonly subjectId?: string | null;
  readonly subjectName?: string | null;
  readonly onlyDeletions?: boolean | null;
}

function deletion() {
  const [version] = versionsOf('LB2');
  return {
    ...version,
    id: 'V9',
    subjectName: 'a-rather-long-name-of-what-was-deleted',
    deleted: true,
    changes: [],
    project: { name: 'default' },
  };
}

function ruleOf(name: string): Named {
  return {
    ...{ id: `r-${name}`, name, condition: 'BACKEND_OFFLINE', severity: 'CRITICAL', enabled: true, lastsMs: 120_000 },
    ...{ withinMs: null, resolveAfterMs: 60_000, repeatMs: 3_600_000, checkedInAt: null, project },
    ...{ channels: [{ id: 'ch1', name: 'ops' }], silent: false },
  };
}

function channelOf(name: string): Named {
  const delivery = {
    ...{ id: 'd1', test: false, deliveryState: 'FAILED', alertCount: 2, attempts: 3, lastError: 'HTTP 500' },
    ...{ createdAt: now(), nextAttemptAt: now(60_000), finishedAt: null },
  };
  return {
    ...{ id: 'ch1', name, channelKind: 'WEBHOOK', enabled: true, default: false, recipients: [] },
    ...{ destination: 'hooks.example.com:443' },
    ...{ timeZone: 'Europe/Berlin', groupMs: 10_000, project },
    quietTimes: [{ days: ['MONDAY', 'TUESDAY'], startTime: '22:00', endTime: '06:00' }],
    deliveries: page([delivery]),
  };
}

/** A creation and a change of an object's settings, newest first. */
function versionsOf(subjectId: string) {
  const version = (number: number, change: object) => ({
    ...{ __typename: 'ConfigurationVersion', id: `V${number}`, number, subjectId, subjectType: 'LoadBalancer' },
    ...{ subjectName: 'web', changedAt: now(), deleted: false, secretFieldsSet: [], changes: [] },
    ...{ actor: { name: 'alice', kind: 'USER', user: null, apiToken: null } },
    ...change,
  });
  const changes = [{ field: 'maxNodes', before: 2, after: 5 }];
  return [version(2, { mutation: 'loadBalancerUpdate', changes }), version(1, { mutation: 'loadBalancerCreate' })];
}
