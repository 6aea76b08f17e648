// Another project does not exist: an operator of project beta requests objects of project alpha with every root field and every
// entity of the SDL. The answer must be the one for an id that was never assigned, must name nothing of alpha's, and must change
// nothing. A new field in the SDL without a case here fails the test.

import { generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type DefinitionNode, Kind, type ObjectTypeDefinitionNode, parse } from 'graphql';
import type { Identity } from '../../../platform/caller/identity.ts';
import { readSubgraphSdl } from '../../../platform/graph/sdl.ts';
import { encodeId, newUuid } from '../../../platform/values/ids.ts';
import { makeUser, type SystemBench, systemBench } from './support/system-bench.ts';

/** Global ids of alpha's objects, or ids that were never assigned. */
interface Ids {
  readonly project: string;
  readonly user: string;
  readonly token: string;
  /** Only administrators see machines: they belong to no project. */
  readonly machine: string;
  /** Only administrators see published operations. */
  readonly published: string;
  readonly alert: string;
  readonly alertRule: string;
  readonly alertChannel: string;
}

interface Question {
  readonly document: string;
  readonly variables?: Readonly<Record<string, unknown>>;
  /** Top-level error codes, when the field refuses callers who are not administrators. */
  readonly codes?: readonly string[];
}

const errors = 'userErrors { code message field retry }';
const project = 'id version name description members { nodes { role user { id name } } }';
const user = 'id version name admin memberships { nodes { role project { id name } } }';
const token = 'id name prefix role project { id name }';
const machine = 'id version name machineRole machineState';
const published = 'id version hash name text';
const alert = 'id ruleName subjectName status reason project { id }';
const attention = 'totalCount counts { kind count } needs { subjectName subjectId reason } hours { state }';
const alertRule = 'id name condition project { id } channels { id name }';
const alertChannel = 'id name destination project { id } deliveries { nodes { id } }';
const change = `id kind subjectId subjectType subjectVersion from to reason project { ${project} } subject { __typename id }`;

function mutation(name: string, type: string, input: object, selection: string): Question {
  return {
    document: `mutation ($input: ${type}!) { ${name}(input: $input) { ${selection} ${errors} } }`,
    variables: { input },
  };
}

function entity(type: string, id: string, selection: string): Question {
  return {
    document: `query ($representations: [_Any!]!) { _entities(representations: $representations) { ... on ${type} { ${selection} } } }`,
    variables: { representations: [{ __typename: type, id }] },
  };
}

const p256 = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  .publicKey.export({ type: 'spki', format: 'pem' })
  .toString();
const longFilter = (ids: Ids) => [{ projectId: ids.project }, { subjectId: ids.token }, { subjectId: ids.user }, {}];

const ofProjectOrAll = (ids: Ids, field: string, selection: string): readonly Question[] =>
  [ids.project, null].map((projectId) => ({
    document: `query ($projectId: ID) { ${field}(projectId: $projectId) { nodes { ${selection} } } }`,
    variables: { projectId },
  }));

const questions: Readonly<Record<string, (ids: Ids) => readonly Question[]>> = {
  'Query.node': (ids) =>
    Object.values(ids).map((id) => ({
      document: `query ($id: ID!) { node(id: $id) { __typename id ... on Project { ${project} } ... on User { ${user} } ... on ApiToken { ${token} } ... on Machine { ${machine} } ... on PublishedOperation { ${published} } ... on Alert { ${alert} } ... on AlertRule { ${alertRule} } ... on AlertChannel { ${alertChannel} } } }`,
      variables: { id },
    })),
  'Query.me': () => [{ document: `{ me { name admin projects { role project { ${project} } } } }` }],
  'Query.project': ({ project: id }) => [
    { document: `query ($id: ID!) { project(id: $id) { ${project} } }`, variables: { id } },
  ],
  'Query.projects': () => [{ document: `{ projects(first: 100) { nodes { ${project} } pageInfo { hasNextPage } } }` }],
  'Query.users': () => [{ document: `{ users { nodes { ${user} } } }`, codes: ['FORBIDDEN'] }],
  'Query.apiTokens': (ids) =>
    [ids.project, null].map((projectId) => ({
      document: `query ($projectId: ID) { apiTokens(projectId: $projectId) { nodes { ${token} } pageInfo { hasNextPage } } }`,
      variables: { projectId },
    })),
  'Query.machines': () => [{ document: `{ machines { nodes { ${machine} } } }`, codes: ['FORBIDDEN'] }],
  'Query.machineRevocations': () => [{ document: '{ machineRevocations }', codes: ['FORBIDDEN'] }],
  'Query.publishedOperations': () => [
    { document: `{ publishedOperations { nodes { ${published} } } }`, codes: ['FORBIDDEN'] },
  ],
  'Query.publishedOperation': () => [
    { document: `{ publishedOperation(hash: "${'e'.repeat(64)}") { ${published} } }`, codes: ['FORBIDDEN'] },
  ],
  'Query.publishedOperationSet': () => [
    { document: '{ publishedOperationSet { revision hashes } }', codes: ['FORBIDDEN'] },
  ],
  'Query.alert': ({ alert: id }) => [
    { document: `query ($id: ID!) { alert(id: $id) { ${alert} } }`, variables: { id } },
  ],
  'Query.alertRule': ({ alertRule: id }) => [
    { document: `query ($id: ID!) { alertRule(id: $id) { ${alertRule} } }`, variables: { id } },
  ],
  'Query.alertChannel': ({ alertChannel: id }) => [
    { document: `query ($id: ID!) { alertChannel(id: $id) { ${alertChannel} } }`, variables: { id } },
  ],
  'Query.alerts': (ids) => ofProjectOrAll(ids, 'alerts', alert),
  'Query.alertRules': (ids) => ofProjectOrAll(ids, 'alertRules', alertRule),
  'Query.alertChannels': (ids) => ofProjectOrAll(ids, 'alertChannels', alertChannel),
  'Query.appliedObjects': (ids) =>
    ofProjectOrAll(ids, 'appliedObjects', 'subjectType subjectId source createdAt project { id }'),
  'Query.cmpObject': () => [
    { document: '{ cmpObject(type: "tenant", externalId: "42") { id namespace type externalId } }' },
  ],
  'Query.statusCursor': () => [{ document: '{ statusCursor }' }],
  'Query.statusHistory': (ids) =>
    longFilter(ids).map((filter) => ({
      document: `query ($projectId: ID, $subjectId: ID) { statusHistory(projectId: $projectId, subjectId: $subjectId, first: 100) { nodes { ${change} } pageInfo { hasNextPage } } }`,
      variables: filter,
    })),
  'Query.auditEntries': (ids) =>
    [ids.project, null].map((projectId) => ({
      document: `query ($projectId: ID) { auditEntries(projectId: $projectId, first: 100) { nodes { id actor { name } action subjectId subject { id } details project { id } } } }`,
      variables: { projectId },
    })),
  'Query.auditVerification': () => [{ document: '{ auditVerification { intact checked } }', codes: ['FORBIDDEN'] }],
  // A commit's token is a capability: its holder made the write. It reveals nothing about the content.
  'Query.commit': () => [{ document: '{ commit(token: "x") { replication { state } } }' }],
  'Query.haStatus': () => [{ document: '{ haStatus { primaryName hosts { name address } } }', codes: ['FORBIDDEN'] }],
  'Query.haStatusReason': () => [{ document: '{ haStatusReason }', codes: ['FORBIDDEN'] }],
  'Query.haMoves': () => [{ document: '{ haMoves { nodes { primaryName previousName } } }', codes: ['FORBIDDEN'] }],
  'Query.haMove': () => [{ document: '{ haMove(id: "x") { primaryName previousName } }', codes: ['FORBIDDEN'] }],
  'Query.attention': () => [{ document: `{ attention { id alerts { ${attention} } database { ${attention} } } }` }],
  'Query.health': () => [{ document: '{ health { name ready detail } }' }],
  'Mutation.login': () => [mutation('login', 'LoginInput', { name: 'alpha-user', password: 'x' }, 'accessToken')],
  'Mutation.sessionStart': () => [mutation('sessionStart', 'SessionStartInput', { code: 'x' }, 'accessToken')],
  'Mutation.sessionRefresh': () => [
    mutation('sessionRefresh', 'SessionRefreshInput', { refreshToken: 'x' }, 'accessToken'),
  ],
  // Ends the caller's own session, and names no object; requested last.
  'Mutation.logout': () => [{ document: `mutation { logout { ${errors} } }` }],
  'Mutation.projectCreate': () => [
    mutation('projectCreate', 'ProjectCreateInput', { name: 'gamma' }, `project { ${project} }`),
  ],
  'Mutation.projectUpdate': ({ project: id }) => [
    mutation('projectUpdate', 'ProjectUpdateInput', { id, description: 'mine' }, `project { ${project} }`),
  ],
  'Mutation.projectDelete': ({ project: id }) => [mutation('projectDelete', 'ProjectDeleteInput', { id }, 'deletedId')],
  'Mutation.userCreate': () => [
    mutation('userCreate', 'UserCreateInput', { name: 'gamma', password: 'a long password' }, `user { ${user} }`),
  ],
  'Mutation.userUpdate': ({ user: id }) =>
    [{ password: 'a long password' }, { admin: true }, { enabled: false }].map((wish) =>
      mutation('userUpdate', 'UserUpdateInput', { id, ...wish }, `user { ${user} }`),
    ),
  'Mutation.membershipSet': (ids) => [
    mutation(
      'membershipSet',
      'MembershipSetInput',
      { projectId: ids.project, userId: ids.user, role: 'VIEWER' },
      'membership { role }',
    ),
  ],
  'Mutation.membershipRemove': (ids) => [
    mutation(
      'membershipRemove',
      'MembershipRemoveInput',
      { projectId: ids.project, userId: ids.user },
      `project { ${project} }`,
    ),
  ],
  'Mutation.apiTokenCreate': (ids) => [
    mutation(
      'apiTokenCreate',
      'ApiTokenCreateInput',
      { projectId: ids.project, name: 'mine', role: 'VIEWER' },
      `secret apiToken { ${token} }`,
    ),
  ],
  'Mutation.apiTokenRevoke': ({ token: id }) => [
    mutation('apiTokenRevoke', 'ApiTokenRevokeInput', { id }, `apiToken { ${token} }`),
  ],
  'Mutation.machineCreate': () => [
    mutation(
      'machineCreate',
      'MachineCreateInput',
      { name: 'gamma', machineRole: 'RELAY' },
      `joinToken machine { ${machine} }`,
    ),
  ],
  'Mutation.machineJoin': () => [
    mutation(
      'machineJoin',
      'MachineJoinInput',
      { joinToken: 'x', publicKey: p256 },
      'machineId name machineRole token',
    ),
  ],
  'Mutation.machineRenew': () => [
    {
      ...mutation('machineRenew', 'MachineRenewInput', { publicKey: p256 }, 'machineId name machineRole token'),
      codes: ['FORBIDDEN'],
    },
  ],
  'Mutation.machineRevoke': ({ machine: id }) => [
    mutation('machineRevoke', 'MachineRevokeInput', { id }, `machine { ${machine} }`),
  ],
  'Mutation.publishedOperationAdd': () => [
    mutation(
      'publishedOperationAdd',
      'PublishedOperationAddInput',
      { operations: [{ text: 'query Mine { me { name } }' }] },
      `publishedOperations { ${published} }`,
    ),
  ],
  'Mutation.publishedOperationRemove': ({ published: id }) => [
    mutation('publishedOperationRemove', 'PublishedOperationRemoveInput', { id }, 'removedId'),
  ],
  'Mutation.alertRuleCreate': ({ project: projectId }) => [
    mutation(
      'alertRuleCreate',
      'AlertRuleCreateInput',
      { projectId, name: 'mine', condition: 'NAME_DEGRADED' },
      `alertRule { ${alertRule} }`,
    ),
  ],
  'Mutation.alertRuleUpdate': ({ alertRule: id }) => [
    mutation('alertRuleUpdate', 'AlertRuleUpdateInput', { id, enabled: false }, `alertRule { ${alertRule} }`),
  ],
  'Mutation.alertRuleDelete': ({ alertRule: id }) => [
    mutation('alertRuleDelete', 'AlertRuleDeleteInput', { id }, 'deletedId'),
  ],
  'Mutation.alertRuleCheckIn': ({ alertRule: id }) => [
    mutation('alertRuleCheckIn', 'AlertRuleCheckInInput', { id }, `alertRule { ${alertRule} }`),
  ],
  'Mutation.alertChannelCreate': ({ project: projectId }) => [
    mutation(
      'alertChannelCreate',
      'AlertChannelCreateInput',
      { projectId, name: 'mine', target: { slack: { url: 'https://hooks.example.com/x' } } },
      `alertChannel { ${alertChannel} }`,
    ),
  ],
  'Mutation.alertChannelUpdate': ({ alertChannel: id }) => [
    mutation(
      'alertChannelUpdate',
      'AlertChannelUpdateInput',
      { id, enabled: false },
      `alertChannel { ${alertChannel} }`,
    ),
  ],
  'Mutation.alertChannelDelete': ({ alertChannel: id }) => [
    mutation('alertChannelDelete', 'AlertChannelDeleteInput', { id }, 'deletedId'),
  ],
  'Mutation.alertChannelTest': ({ alertChannel: id }) => [
    mutation('alertChannelTest', 'AlertChannelTestInput', { id, idempotencyKey: 'k' }, 'alertDelivery { id }'),
  ],
  'Mutation.alertAcknowledge': ({ alert: id }) => [
    mutation('alertAcknowledge', 'AlertAcknowledgeInput', { id }, `alert { ${alert} }`),
  ],
  'Mutation.alertEnd': ({ alert: id }) => [mutation('alertEnd', 'AlertEndInput', { id }, `alert { ${alert} }`)],
  'Mutation.statusEventsAdd': ({ project: projectId }) => {
    const event = { projectId, kind: 'Rack.power', subjectId: 'r1', to: 'ON' };
    return [
      {
        ...mutation('statusEventsAdd', 'StatusEventsAddInput', { events: [event], idempotencyKey: 'k' }, 'addedCount'),
        codes: ['FORBIDDEN'],
      },
    ];
  },
  'Mutation.haSwitchover': () => [mutation('haSwitchover', 'HaSwitchoverInput', { to: 'a' }, 'haMove { id }')],
  'Mutation.haHostJoin': () => [mutation('haHostJoin', 'HaHostJoinInput', { host: 'a' }, 'accepted')],
  'Mutation.haPause': () => [mutation('haPause', 'HaPauseInput', {}, 'accepted')],
  'Mutation.haResume': () => [mutation('haResume', 'HaResumeInput', {}, 'accepted')],
  'Subscription.statusChanges': (ids) =>
    longFilter(ids).map((filter) => ({
      document: `subscription ($projectId: ID, $subjectId: ID, $after: String) { statusChanges(projectId: $projectId, subjectId: $subjectId, after: $after) { cursor change { ${change} } } }`,
      variables: filter,
    })),
  'entity Project': ({ project: id }) => [entity('Project', id, project)],
  'entity User': ({ user: id }) => [entity('User', id, user)],
  'entity ApiToken': ({ token: id }) => [entity('ApiToken', id, token)],
  'entity Machine': ({ machine: id }) => [entity('Machine', id, machine)],
  'entity PublishedOperation': ({ published: id }) => [entity('PublishedOperation', id, published)],
  'entity Alert': ({ alert: id }) => [entity('Alert', id, alert)],
  'entity AlertRule': ({ alertRule: id }) => [entity('AlertRule', id, alertRule)],
  'entity AlertChannel': ({ alertChannel: id }) => [entity('AlertChannel', id, alertChannel)],
  'entity HaMove': () => [entity('HaMove', encodeId('HaMove', '0192d5a0-0000-7000-8000-000000000001'), 'primaryName')],
  'entity Attention': () => [entity('Attention', 'now', `id alerts { ${attention} }`)],
  'entity CmpObject': () => [
    entity('CmpObject', encodeId('CmpObject', '["default","tenant","42"]'), 'id namespace type externalId'),
  ],
};

const openToAll = new Set([
  'Mutation.login',
  'Mutation.sessionStart',
  'Mutation.sessionRefresh',
  'Mutation.machineJoin',
]);

let bench: SystemBench;
let outsider: Identity;
let tokenOutsider: Identity;
let alpha: Ids;
let alphaUuids: readonly string[];
let start: string;

beforeAll(async () => {
  bench = await systemBench();
  const { firstStart } = bench.system;
  start = await bench.feed.currentCursor();
  const alphaProject = await firstStart.ensureProject('alpha', 'the secret of alpha');
  const beta = await firstStart.ensureProject('beta');
  const alphaUser = await makeUser(bench, 'alpha-user', { projects: { [alphaProject]: 'OPERATOR' } });
  const made = await firstStart.issueToken({ projectId: alphaProject, name: 'alpha-token', role: 'MEMBER' });
  const own = await firstStart.issueToken({ projectId: beta, name: 'beta-token', role: 'OPERATOR' });
  outsider = await makeUser(bench, 'beta-user', { projects: { [beta]: 'OPERATOR' } });
  tokenOutsider = {
    kind: 'token',
    id: own.id,
    name: 'beta-token',
    admin: false,
    projects: { [beta]: 'OPERATOR' },
    credentialId: own.id,
  };
  const machineId = newUuid();
  await bench.db.execute(
    "INSERT INTO machine (id, name, role, join_hash, join_until, created_by) VALUES (?, 'alpha-host', 'relay', ?, NOW(3), ?)",
    [machineId, 'f'.repeat(64), alphaUser.id],
  );
  const publishedId = newUuid();
  await bench.db.execute(
    `INSERT INTO published_operation (id, hash, name, operation_type, text, text_bytes)
     VALUES (?, ?, 'alphaOnly', 'QUERY', 'query alphaOnly { me { name } }', 31)`,
    [publishedId, 'e'.repeat(64)],
  );
  const alerting = await alertingOf(alphaProject);
  alphaUuids = [alphaProject, alphaUser.id, made.id, machineId, publishedId, ...Object.values(alerting)];
  alpha = {
    project: encodeId('Project', alphaProject),
    user: encodeId('User', alphaUser.id),
    token: encodeId('ApiToken', made.id),
    machine: encodeId('Machine', machineId),
    published: encodeId('PublishedOperation', publishedId),
    alert: encodeId('Alert', alerting.alert),
    alertRule: encodeId('AlertRule', alerting.rule),
    alertChannel: encodeId('AlertChannel', alerting.channel),
  };
  await bench.sequence();
});

afterAll(() => bench.stop());

/** A rule with a channel, and an alert of it. */
async function alertingOf(projectId: string) {
  const [rule, channel, open] = [newUuid(), newUuid(), newUuid()];
  const place = { host: 'alpha-token.example', port: 443, caCertificates: null, mailSecurity: null };
  const more = { userName: null, sender: null, recipients: [], quietHours: [], timeZone: 'UTC', groupMs: 0 };
  await bench.db.execute(
    `INSERT INTO alert_channel (id, project_id, scope, name, kind, spec, key_id, sealed_secret)
      VALUES (?, ?, ?, 'alpha-channel', 'SLACK', ?, 'k1', 'x')`,
    [channel, projectId, projectId, JSON.stringify({ place, ...more })],
  );
  await bench.db.execute(
    `INSERT INTO alert_rule (id, project_id, scope, name, condition_name, severity, lasts_ms, resolve_after_ms)
      VALUES (?, ?, ?, 'alpha-rule', 'CHECK_IN_LATE', 'WARNING', 60000, 0)`,
    [rule, projectId, projectId],
  );
  await bench.db.execute('INSERT INTO alert_rule_channel (rule_id, channel_id) VALUES (?, ?)', [rule, channel]);
  await bench.db.execute(
    `INSERT INTO alert (id, project_id, rule_id, rule_name, condition_name, severity, subject_type, subject_id, open_key, state, status,
      since_at, told_ms, cursor_text) VALUES (?, ?, ?, 'alpha-rule', 'CHECK_IN_LATE', 'WARNING', 'AlertRule', ?, 'k', 'FIRING', 'LATE', NOW(3), 0, '')`,
    [open, projectId, rule, rule],
  );
  return { rule, channel, alert: open };
}

const unknown: Ids = {
  project: encodeId('Project', newUuid()),
  user: encodeId('User', newUuid()),
  token: encodeId('ApiToken', newUuid()),
  machine: encodeId('Machine', newUuid()),
  published: encodeId('PublishedOperation', newUuid()),
  alert: encodeId('Alert', newUuid()),
  alertRule: encodeId('AlertRule', newUuid()),
  alertChannel: encodeId('AlertChannel', newUuid()),
};

function fieldsOf(definition: DefinitionNode): readonly string[] {
  if (definition.kind !== Kind.OBJECT_TYPE_DEFINITION) return [];
  const name = definition.name.value;
  if (['Query', 'Mutation', 'Subscription'].includes(name))
    return (definition.fields ?? []).map((field) => `${name}.${field.name.value}`);
  return isResolvedHere(definition) ? [`entity ${name}`] : [];
}

function isResolvedHere(definition: ObjectTypeDefinitionNode): boolean {
  return (definition.directives ?? []).some(
    (directive) =>
      directive.name.value === 'key' && !directive.arguments?.some((argument) => argument.name.value === 'resolvable'),
  );
}

const sdl = parse(readSubgraphSdl('system'));
const paths = sdl.definitions.flatMap(fieldsOf);

/** The data of alpha and its members in the database; sessions and audit rows are allowed. */
async function tables(): Promise<unknown> {
  const names = [
    ...['project', 'user', 'membership', 'status_change', 'machine', 'published_operation'],
    ...['alert', 'alert_rule', 'alert_rule_channel', 'alert_channel', 'alert_notification'],
  ];
  const rows = await Promise.all(names.map((name) => bench.db.query(`SELECT * FROM ${name} ORDER BY 1, 2`)));
  const columns = 'id, project_id, name, role, version, revoked_at, expires_at';
  return [rows, await bench.db.query(`SELECT ${columns} FROM api_token ORDER BY id`)];
}

function masked(answer: unknown, ...several: readonly Ids[]): string {
  // A cursor is another text each time.
  let text = JSON.stringify(answer).replaceAll(/"statusCursor":"[\w-]+"/g, '"statusCursor":"<cursor>"');
  for (const ids of several) for (const [name, id] of Object.entries(ids)) text = text.replaceAll(id, `<${name}>`);
  return text;
}

async function answer(
  caller: Identity | null,
  path: string,
  question: Question,
): Promise<{ codes: readonly unknown[]; data: unknown }> {
  if (!path.startsWith('Subscription.')) {
    const { codes, data } = await bench.ask(caller, question.document, question.variables ?? {}, '192.0.2.9');
    return { codes, data };
  }
  const stream = await bench.subscribe(caller, question.document, { ...question.variables, after: start });
  if (!(Symbol.asyncIterator in stream))
    return { codes: (stream.errors ?? []).map((error) => error.extensions?.code), data: null };
  // Events of alpha's are in the stream by now; one of beta's, made here, is the first that may arrive.
  const marker = await bench.system.firstStart.issueToken({ projectId: betaUuid(), name: 'marker', role: 'VIEWER' });
  await bench.sequence();
  const seen: unknown[] = [];
  const unfiltered = Object.keys(question.variables ?? {}).length === 0;
  while (unfiltered) {
    const { value } = await stream.next();
    seen.push(value);
    if (JSON.stringify(value).includes(encodeId('ApiToken', marker.id))) break;
  }
  if (!unfiltered) {
    // Nothing matches: the reader is notified that it has caught up, and waits although beta's event has passed.
    expect((await stream.next()).value).toMatchObject({ data: { statusChanges: { change: null } } });
    const waiting = stream.next().then((item) => seen.push(item));
    await bench.feed.waitFor(() => true, { timeoutMs: 150 });
    expect(seen).toEqual([]);
    await stream.return(undefined);
    await waiting;
  }
  await stream.return(undefined);
  return { codes: [], data: unfiltered ? JSON.stringify(seen).includes('alpha') : seen };
}

function betaUuid(): string {
  return Object.keys(outsider.projects)[0] ?? '';
}

test('every root field and entity of the SDL has a case, and every case has a field', () => {
  expect(Object.keys(questions).sort()).toEqual([...paths].sort());
});

describe.each([
  ['a user', () => outsider],
  ['an API token', () => tokenOutsider],
])("another project's operator, %s", (_name, caller) => {
  test.each(paths.filter((path) => path !== 'Mutation.logout'))('%s', async (path) => {
    const ask = questions[path];
    if (ask === undefined) throw new Error(`${path} has no case`);
    const before = path.startsWith('Subscription.') ? undefined : await tables();
    const known: string[] = [];
    const never: string[] = [];
    // The caller's own entries have what the caller sent in other cases.
    const [own, other] = path === 'Query.auditEntries' ? [unknown, alpha] : [];
    const also = (ids: Ids | undefined) => (ids === undefined ? [] : [ids]);
    for (const question of ask(alpha)) {
      const found = await answer(caller(), path, question);
      expect(found.codes).toEqual(question.codes ?? []);
      const text = JSON.stringify(found);
      for (const secret of ['alpha-user', 'alpha-token', 'the secret of alpha', ...alphaUuids])
        expect(text).not.toContain(secret);
      known.push(masked(found, alpha, ...also(own)));
    }
    for (const question of ask(unknown))
      never.push(masked(await answer(caller(), path, question), unknown, ...also(other)));
    expect(known).toEqual(never);
    if (before !== undefined) expect(await tables()).toEqual(before);
  });
});

test('the administrator does see alpha with the same requests: they are meaningful', async () => {
  const admin: Identity = { ...outsider, admin: true, projects: {} };
  for (const path of [
    'Query.node',
    'Query.project',
    'Query.apiTokens',
    'entity Project',
    'entity User',
    'entity ApiToken',
    ...['Query.alert', 'Query.alertRule', 'Query.alertChannel', 'Query.alerts', 'entity Alert'],
  ])
    for (const question of questions[path]?.(alpha) ?? [])
      expect(JSON.stringify((await answer(admin, path, question)).data)).toContain('alpha');
  for (const question of questions['Query.statusHistory']?.(alpha).slice(0, 2) ?? [])
    expect(JSON.stringify((await answer(admin, 'Query.statusHistory', question)).data)).toContain(alpha.project);
});

describe('without a login', () => {
  test.each(paths.filter((path) => !openToAll.has(path)))('%s is UNAUTHENTICATED', async (path) => {
    for (const question of questions[path]?.(alpha) ?? []) {
      const before = await tables();
      const { codes, data } = await answer(null, path, question);
      expect(codes).toEqual(['UNAUTHENTICATED']);
      expect(JSON.stringify(data)).not.toContain('alpha');
      expect(await tables()).toEqual(before);
    }
  });
});
