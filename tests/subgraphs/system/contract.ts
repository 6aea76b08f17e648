// The system subgraph's rows of the contract that every subgraph meets (../support/contract.ts).
import { generateKeyPairSync } from 'node:crypto';
import { makeAuthority, openAuthority } from '../../../platform/machines/authority.ts';
import { encodeId, newUuid } from '../../../platform/values/ids.ts';
import { temporaryFolder } from '../../support/machine/temporary-folder.ts';
import type { Contract } from '../support/contract.ts';
import { makeUser, type SystemBench, systemBench } from './support/system-bench.ts';

async function open() {
  const folder = await temporaryFolder();
  await makeAuthority(folder.path);
  const bench = await systemBench({ authority: () => openAuthority(folder.path) });
  const start = await bench.feed.currentCursor();
  const { firstStart } = bench.system;
  const alpha = await firstStart.ensureProject('alpha', 'the secret of alpha');
  const beta = await firstStart.ensureProject('beta');
  const admin = await makeUser(bench, 'admin', { admin: true });
  const user = await makeUser(bench, 'alpha-user', { projects: { [alpha]: 'OPERATOR' } });
  const issue = async (projectId: string, name: string, role: 'MEMBER' | 'OPERATOR') =>
    (await firstStart.issueToken({ projectId, name, role })).id;
  const [token, otherToken] = [
    await issue(alpha, 'alpha-token', 'MEMBER'),
    await issue(alpha, 'alpha-token-2', 'MEMBER'),
  ];
  const own = await issue(beta, 'beta-token', 'OPERATOR');
  const outsider = await makeUser(bench, 'beta-user', { projects: { [beta]: 'OPERATOR' } });
  const { alert, rule, channel, version } = await alertingOf(bench, alpha);
  const made = async (mutation: string, input: object, shown: string): Promise<string> => {
    const type = `${mutation.charAt(0).toUpperCase()}${mutation.slice(1)}Input`;
    const text = `mutation ($input: ${type}!) { made: ${mutation}(input: $input) { made: ${shown} { id } } }`;
    const { data } = await bench.ask(admin, text, { input });
    return JSON.stringify(data).match(/"id":"([\w-]+)"/)?.[1] ?? '';
  };
  const machineNamed = (name: string) => made('machineCreate', { name, machineRole: 'RELAY' }, 'machine');
  const publish = (text: string) => made('publishedOperationAdd', { operations: [{ text }] }, 'publishedOperations');
  const names = {
    ...{ project: encodeId('Project', alpha), user: encodeId('User', user.id), token: encodeId('ApiToken', token) },
    ...{ machine: await machineNamed('alpha-host'), published: await publish('query alphaOnly { me { name } }') },
    ...{
      alert: encodeId('Alert', alert),
      alertRule: encodeId('AlertRule', rule),
      alertChannel: encodeId('AlertChannel', channel),
    },
    ...{
      spareProject: encodeId('Project', await firstStart.ensureProject('spare')),
      adminUser: encodeId('User', admin.id),
    },
    ...{ otherToken: encodeId('ApiToken', otherToken), otherMachine: await machineNamed('other-host') },
    otherPublished: await publish('query Other { me { name } }'),
    version: encodeId('ConfigurationVersion', version),
    cmp: encodeId('CmpObject', '["default","tenant","42"]'),
    move: encodeId('HaMove', '0192d5a0-0000-7000-8000-000000000001'),
    ...{
      control: 'a\u0007b',
      controls: 'a\u0007b'.repeat(12),
      label: 'x'.repeat(64),
      long: 'x'.repeat(1_025),
      endless: 'x'.repeat(256),
    },
    ...{ tooLong: 'x'.repeat(257), broken: 'a password that fits\n', past: '2001-01-01T00:00:00.000Z' },
    publicKey: generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ type: 'spki', format: 'pem' }),
    manyOperations: Array.from({ length: 101 }, () => ({ text: 'query New { me { name } }' })),
  };
  await bench.sequence();
  return {
    ...{ schema: bench.system.schema, db: bench.db, feed: bench.feed, owner: admin, admin, names, bench, start, beta },
    run: bench.ask.bind(bench),
    strangers: {
      'a stranger': outsider,
      'a token': { ...outsider, kind: 'token' as const, id: own, name: 'beta-token', credentialId: own },
    },
    async stop() {
      await bench.stop();
      await folder.remove();
    },
  };
}

export type SystemWorld = Awaited<ReturnType<typeof open>>;

/** A rule with a channel, and one of its alerts. */
async function alertingOf({ db }: SystemBench, projectId: string) {
  const [rule, channel, alert] = [newUuid(), newUuid(), newUuid()];
  const place = { host: 'alpha-token.example', port: 443, caCertificates: null, mailSecurity: null };
  const more = { userName: null, sender: null, recipients: [], quietHours: [], timeZone: 'UTC', groupMs: 0 };
  await db.execute(
    `INSERT INTO alert_channel (id, project_id, scope, name, kind, spec, key_id, sealed_secret)
      VALUES (?, ?, ?, 'alpha-channel', 'SLACK', ?, 'k1', 'x')`,
    [channel, projectId, projectId, JSON.stringify({ place, ...more })],
  );
  await db.execute(
    `INSERT INTO alert_rule (id, project_id, scope, name, condition_name, severity, lasts_ms, resolve_after_ms)
      VALUES (?, ?, ?, 'alpha-rule', 'CHECK_IN_LATE', 'WARNING', 60000, 0)`,
    [rule, projectId, projectId],
  );
  await db.execute('INSERT INTO alert_rule_channel (rule_id, channel_id) VALUES (?, ?)', [rule, channel]);
  await db.execute(
    `INSERT INTO alert (id, project_id, rule_id, rule_name, condition_name, severity, subject_type, subject_id, open_key, state, status,
      since_at, told_ms, cursor_text) VALUES (?, ?, ?, 'alpha-rule', 'CHECK_IN_LATE', 'WARNING', 'AlertRule', ?, 'k', 'FIRING', 'LATE', NOW(3), 0, '')`,
    [alert, projectId, rule, rule],
  );
  const version = newUuid();
  await db.execute(
    `INSERT INTO configuration_version (id, subject_type, subject_id, number, root_id, project_id, name, object_version, settings,
      mutation, actor_kind, actor_name) VALUES (?, 'AlertRule', ?, 1, ?, ?, 'alpha-rule', 1, '{"name":"alpha-rule"}', 'alertRuleCreate', 'user', 'alpha-user')`,
    [version, rule, rule, projectId],
  );
  const gone = newUuid();
  await db.execute(
    `INSERT INTO configuration_version (id, subject_type, subject_id, number, root_id, project_id, name, object_version, settings,
      mutation, actor_kind, actor_name) VALUES (?, 'AlertRule', ?, 2, ?, ?, 'alpha-gone', 2, NULL, 'alertRuleDelete', 'user', 'alpha-user')`,
    [newUuid(), gone, gone, projectId],
  );
  return { rule, channel, alert, version };
}

const attention = 'totalCount counts { kind count } needs { subjectName subjectId reason } hours { state }';
const shown = {
  Project: 'id version name description members { nodes { role user { id name } } }',
  User: 'id version name admin memberships { nodes { role project { id name } } }',
  ApiToken: 'id name prefix role project { id name }',
  Machine: 'id version name machineRole machineState',
  PublishedOperation: 'id version hash name text',
  Alert: 'id ruleName subjectName status reason project { id }',
  AlertRule: 'id name condition project { id } channels { id name }',
  AlertChannel: 'id name destination project { id } deliveries { nodes { id } }',
} as const;
const settings =
  'id subjectId subjectName settings actor { name } project { id } undo { mutation input } restore { refusal }';
const idNames = {
  ...{ Project: 'project', User: 'user', ApiToken: 'token', Machine: 'machine', PublishedOperation: 'published' },
  ...{ Alert: 'alert', AlertRule: 'alertRule', AlertChannel: 'alertChannel' },
} as const;
const types = Object.keys(shown) as (keyof typeof shown)[];
/** Also used as a subscription shows it. */
export const change = `id kind subjectId subjectType subjectVersion from to reason project { ${shown.Project} } subject { __typename id }`;
const node = `__typename id ${types.map((type) => `... on ${type} { ${shown[type]} }`).join(' ')}`;
const ofProjectOrAll = (field: string, selection: string, seen = '') =>
  ['(projectId: <project>)', '']
    .map((args) => `${field} | ${field}${args} { nodes { ${selection} } } | ${seen}`)
    .join('\n');

export const system: Contract = {
  ...{ subgraph: 'system', open, strangers: ['a stranger', 'a token'], administered: /./, secret: /alpha/ },
  nobody: { reads: 'UNAUTHENTICATED', changes: 'UNAUTHENTICATED' },
  viewersElsewhere: 'mutations.test.ts',
  openToAll: /^(login|sessionStart|sessionRefresh|machineJoin)$/,
  refusedWhole: /^(machineRenew|statusEventsAdd)$/,
  // Login, refresh, logout and the machines' mutations deliberately reveal little about their input. Their tests are
  // access/sessions.test.ts and machines.test.ts. The others have ha.long.test.ts, outside-events.test.ts and
  // alerts.test.ts.
  inputElsewhere: /^(login|session|logout|machineJoin|machineRenew|ha[A-Z]|statusEventsAdd|alert)/,
  queries: `
    ${types.map((type) => `node | node(id: <${idNames[type]}>) { ${node} }`).join('\n')}
    me            | me { name admin projects { role project { ${shown.Project} } } } | -
    project       | project(id: <project>) { ${shown.Project} }
    projects      | projects(first: 100) { nodes { ${shown.Project} } pageInfo { hasNextPage } }
    users         | users { nodes { ${shown.User} } } | alpha | FORBIDDEN
    ${ofProjectOrAll('apiTokens', shown.ApiToken)}
    machines      | machines { nodes { ${shown.Machine} } } | alpha | FORBIDDEN
    processes     | processes { nodes { name programVersion commitHash roles hostName newestMigration live startedAt seenAt } } | - | FORBIDDEN
    machineRevocations    | machineRevocations | - | FORBIDDEN
    publishedOperations   | publishedOperations { nodes { ${shown.PublishedOperation} } } | alpha | FORBIDDEN
    publishedOperation    | publishedOperation(hash: "${'e'.repeat(64)}") { ${shown.PublishedOperation} } | - | FORBIDDEN
    publishedOperationSet | publishedOperationSet { revision hashes } | - | FORBIDDEN
    alert         | alert(id: <alert>) { ${shown.Alert} }
    alertRule     | alertRule(id: <alertRule>) { ${shown.AlertRule} }
    alertChannel  | alertChannel(id: <alertChannel>) { ${shown.AlertChannel} }
    ${ofProjectOrAll('alerts', shown.Alert)}
    ${ofProjectOrAll('alertRules', shown.AlertRule)}
    ${ofProjectOrAll('alertChannels', shown.AlertChannel)}
    ${ofProjectOrAll('appliedObjects', 'subjectType subjectId source createdAt project { id }', '-')}
    cmpObject     | cmpObject(type: "tenant", externalId: "42") { id namespace type externalId } | -
    statusCursor  | statusCursor | -
    ${[
      '(projectId: <project>, first: 100)',
      '(subjectId: <token>, first: 100)',
      '(subjectId: <user>, first: 100)',
      '(first: 100)',
    ]
      .map(
        (args, at) =>
          `statusHistory | statusHistory${args} { nodes { ${change} } pageInfo { hasNextPage } } | ${at === 2 ? '-' : ''}`,
      )
      .join('\n')}
    ${ofProjectOrAll('auditEntries', 'id actor { name } action subjectId subject { id } details version { settings } project { id }', '-')}
    ${ofProjectOrAll('configurationVersions', settings)}
    configurationVersions | configurationVersions(subjectId: <alertRule>) { nodes { ${settings} } }
    configurationVersions | configurationVersions(subjectName: "alpha-rule") { nodes { ${settings} previous { id } } }
    configurationVersions | configurationVersions(onlyDeletions: true) { nodes { ${settings} } } | alpha-gone
    configurationVersion  | configurationVersion(id: <version>) { ${settings} }
    auditVerification | auditVerification { intact checked } | - | FORBIDDEN
    # A commit's token is a capability: its holder made the write. It reveals nothing about the content.
    commit         | commit(token: "x") { replication { state } } | -
    haStatus       | haStatus { primaryName hosts { name address } } | - | FORBIDDEN
    haStatusReason | haStatusReason | - | FORBIDDEN
    haMoves        | haMoves { nodes { primaryName previousName } } | - | FORBIDDEN
    haMove         | haMove(id: "x") { primaryName previousName } | - | FORBIDDEN
    attention      | attention { id alerts { ${attention} } database { ${attention} } } | "totalCount":1
    health         | health { name ready detail } | -`,
  entities: `
    ${types.map((type) => `${type} | <${idNames[type]}> | ${shown[type]}`).join('\n')}
    HaMove    | <move> | primaryName | -
    Attention | "now"  | id alerts { ${attention} } | "totalCount":1
    CmpObject | <cmp>  | id namespace type externalId | -`,
  streams: { statusChanges: { selection: change, elsewhere: 'isolation.test.ts' } },
  mutations: `
    login                    | {name: alpha-user, password: x}
    sessionStart             | {code: x}
    sessionRefresh           | {refreshToken: x}
    # Ends the caller's own session, and names no object.
    logout                   | {}
    projectCreate            | {name: new, description: text}
    projectUpdate            | {id: $project, description: text}
    projectDelete            | {id: $spareProject}
    userCreate               | {name: new, password: a password that fits}
    userUpdate               | {id: $user, password: a password that fits}
    membershipSet            | {projectId: $project, userId: $user, role: VIEWER}
    membershipRemove         | {projectId: $project, userId: $adminUser}
    apiTokenCreate           | {projectId: $project, name: new, role: VIEWER}
    apiTokenRevoke           | {id: $token}
    machineCreate            | {name: new, machineRole: RELAY}
    machineJoin              | {joinToken: x, publicKey: $publicKey}
    machineRenew             | {publicKey: $publicKey}
    machineRevoke            | {id: $machine}
    publishedOperationAdd    | {operations: [{text: 'query New { me { name } }'}]}
    publishedOperationRemove | {id: $published}
    alertRuleCreate          | {projectId: $project, name: mine, condition: NAME_DEGRADED}
    alertRuleUpdate          | {id: $alertRule, enabled: false}
    alertRuleDelete          | {id: $alertRule}
    alertRuleCheckIn         | {id: $alertRule}
    alertChannelCreate       | {projectId: $project, name: mine, target: {slack: {url: 'https://hooks.example.com/x'}}}
    alertChannelUpdate       | {id: $alertChannel, enabled: false}
    alertChannelDelete       | {id: $alertChannel}
    alertChannelTest         | {id: $alertChannel, idempotencyKey: k}
    alertTargetTest          | {projectId: $project, idempotencyKey: k, target: {slack: {url: 'https://127.0.0.1:9/x'}}}
    alertAcknowledge         | {id: $alert}
    alertEnd                 | {id: $alert}
    statusEventsAdd          | {events: [{projectId: $project, kind: Rack.power, subjectId: r1, to: 'ON'}], idempotencyKey: k}
    haSwitchover             | {to: a}
    haHostJoin               | {host: a}
    haPause                  | {}
    haResume                 | {}`,
  refused: `
    projectCreate | an empty name          | {name: ''} | INVALID_INPUT name
    projectCreate | a name with a capital  | {name: Upper} | INVALID_INPUT name
    projectCreate | a name with a space    | {name: with space} | INVALID_INPUT name
    projectCreate | a hyphen at the start  | {name: -leading} | INVALID_INPUT name
    projectCreate | a name with a dot      | {name: dotted.name} | INVALID_INPUT name
    projectCreate | a name with a control  | {name: $control} | INVALID_INPUT name
    projectCreate | a long name            | {name: $label} | TOO_LONG name
    projectCreate | a name that is taken   | {name: alpha} | ALREADY_EXISTS name
    projectCreate | a long description     | {description: $long} | TOO_LONG description
    projectCreate | a control              | {description: $control} | INVALID_INPUT description
    projectCreate | an empty key           | {idempotencyKey: ''} | INVALID_INPUT idempotencyKey
    projectCreate | a key of 256           | {idempotencyKey: $endless} | TOO_LONG idempotencyKey
    projectUpdate | a long description     | {description: $long} | TOO_LONG description
    projectUpdate | a control              | {description: $control} | INVALID_INPUT description
    userCreate | an empty name             | {name: ''} | INVALID_INPUT name
    userCreate | a name with a space       | {name: with space} | INVALID_INPUT name
    userCreate | a space at the end        | {name: 'trailing '} | INVALID_INPUT name
    userCreate | a name with a control     | {name: $control} | INVALID_INPUT name
    userCreate | a long name               | {name: $label} | TOO_LONG name
    userCreate | a name that is taken      | {name: alpha-user} | ALREADY_EXISTS name
    userCreate | a short password          | {password: short} | INVALID_INPUT password
    userCreate | a long password           | {password: $tooLong} | TOO_LONG password
    userCreate | a password with a line end | {password: $broken} | INVALID_INPUT password
    userCreate | both bad                  | {name: with space, password: short} | INVALID_INPUT name, INVALID_INPUT password
    userUpdate | a short password          | {password: short} | INVALID_INPUT password
    userUpdate | a long password           | {password: $tooLong} | TOO_LONG password
    userUpdate | a password of controls    | {password: $controls} | INVALID_INPUT password
    userUpdate | a long current password   | {currentPassword: $tooLong} | TOO_LONG currentPassword
    apiTokenCreate | an empty name         | {name: ''} | INVALID_INPUT name
    apiTokenCreate | a space as name       | {name: ' '} | INVALID_INPUT name
    apiTokenCreate | a name with a control | {name: $control} | INVALID_INPUT name
    apiTokenCreate | a long name           | {name: $label} | TOO_LONG name
    apiTokenCreate | an end that is past   | {expiresAt: $past} | INVALID_INPUT expiresAt
    machineCreate | an empty name          | {name: ''} | INVALID_INPUT name
    machineCreate | a name with a capital  | {name: Upper} | INVALID_INPUT name
    machineCreate | a hyphen at the end    | {name: trailing-} | INVALID_INPUT name
    machineCreate | a name with a control  | {name: $control} | INVALID_INPUT name
    machineCreate | a long name            | {name: $label} | TOO_LONG name
    machineCreate | a name that is taken   | {name: alpha-host} | ALREADY_EXISTS name
    publishedOperationAdd | no operation   | {operations: []} | INVALID_INPUT operations
    publishedOperationAdd | too many       | {operations: $manyOperations} | TOO_LONG operations`,
  keyed: `
    projectCreate            | {} | {name: other}
    projectUpdate            | {} | {description: other}
    projectDelete            | {} | {id: $project}
    userCreate               | {} | {password: another long password}
    userUpdate               | {} | {password: another long password}
    membershipSet            | {} | {role: MEMBER}
    membershipRemove         | {} | {userId: $user}
    apiTokenCreate           | {} | {name: other}
    apiTokenRevoke           | {} | {id: $otherToken}
    machineCreate            | {} | {name: other}
    machineRevoke            | {} | {id: $otherMachine}
    publishedOperationAdd    | {} | {operations: [{text: 'query Last { me { name } }'}]}
    publishedOperationRemove | {} | {id: $otherPublished}`,
};
