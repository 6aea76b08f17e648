// The mutations of projects, users, memberships and tokens, with their events, versions, keys and rights.
import { beforeAll, describe, expect, test } from '@jest/globals';
import type { Mutation } from '../../../generated/graph/system.ts';
import type { Identity } from '../../../platform/caller/identity.ts';
import { newMasterKey } from '../../../platform/secrets/keyring.ts';
import { decodeUuid, encodeId } from '../../../platform/values/ids.ts';
import { forFile } from '../../support/jest/shared.ts';
import { keyFile } from '../../support/product/test-context.ts';
import { makeUser, systemBench } from './support/system-bench.ts';

const bench = forFile(() => systemBench());
let admin: Identity;

beforeAll(async () => {
  admin = await makeUser(bench, 'admin', { admin: true });
});

const errors = 'userErrors { code message field }';
const documents = {
  projectCreate: `mutation ($input: ProjectCreateInput!) { projectCreate(input: $input) { project { id name version description } commit { token replication { state } } ${errors} } }`,
  projectUpdate: `mutation ($input: ProjectUpdateInput!) { projectUpdate(input: $input) { project { id version description } commit { token } ${errors} } }`,
  userCreate: `mutation ($input: UserCreateInput!) { userCreate(input: $input) { user { id name version admin enabled } commit { token } ${errors} } }`,
  userUpdate: `mutation ($input: UserUpdateInput!) { userUpdate(input: $input) { user { id version admin enabled } ${errors} } }`,
  membershipSet: `mutation ($input: MembershipSetInput!) { membershipSet(input: $input) { membership { role user { name } } ${errors} } }`,
  membershipRemove: `mutation ($input: MembershipRemoveInput!) { membershipRemove(input: $input) { project { name } ${errors} } }`,
  apiTokenCreate: `mutation ($input: ApiTokenCreateInput!) { apiTokenCreate(input: $input) { secret apiToken { id name role prefix version expiresAt revokedAt operationHashes createdBy { name kind } parent { id } project { name } } ${errors} } }`,
  apiTokenRevoke: `mutation ($input: ApiTokenRevokeInput!) { apiTokenRevoke(input: $input) { apiToken { id version revokedAt } ${errors} } }`,
} as const;

async function send<Name extends keyof typeof documents>(
  name: Name,
  input: object,
  caller = admin,
): Promise<Mutation[Name]> {
  const { data, errors: failures } = await bench.ask(caller, documents[name], { input });
  expect(failures).toBeUndefined();
  return data[name];
}

/** Events of a subject, oldest first. */
async function events(globalId: string, type: string): Promise<unknown> {
  return bench.db.query(
    'SELECT kind, subject_version AS version, from_status AS `from`, to_status AS `to`, reason, project_id IS NULL AS adminsOnly FROM status_change WHERE subject_id = ? ORDER BY id',
    [decodeUuid(type, globalId) ?? ''],
  );
}

async function newProject(name: string): Promise<{ id: string; uuid: string }> {
  const uuid = await bench.system.firstStart.ensureProject(name);
  return { id: encodeId('Project', uuid), uuid };
}

const worth = (user: Identity) => bench.system.authenticator.recheck(user);
const globalId = (user: Identity) => encodeId('User', user.id);

describe('a repetition with the key of an earlier request', () => {
  test('is refused to a caller who has since lost the right: projects', async () => {
    const user = await makeUser(bench, 'once-admin', { admin: true });
    const input = { name: 'by-once-admin', idempotencyKey: 'lost-right' };
    expect((await send('projectCreate', input, user)).project).toMatchObject({ name: 'by-once-admin' });
    const answer = await send('projectCreate', input, { ...user, admin: false });
    expect(answer).toMatchObject({ project: null, userErrors: [{ code: 'FORBIDDEN' }] });
  });

  test('is refused to a caller who has since lost the right: tokens', async () => {
    const project = await newProject('lost-role');
    const operator = await makeUser(bench, 'once-operator', { projects: { [project.uuid]: 'OPERATOR' } });
    const input = { projectId: project.id, name: 'ci', role: 'VIEWER', idempotencyKey: 'lost-role' };
    const made = await send('apiTokenCreate', input, operator);
    expect(made.apiToken).toMatchObject({ name: 'ci' });
    const member: Identity = { ...operator, projects: { [project.uuid]: 'MEMBER' } };
    expect((await send('apiTokenCreate', input, member)).userErrors).toMatchObject([{ code: 'FORBIDDEN' }]);
    const revoke = { id: made.apiToken?.id, idempotencyKey: 'lost-role' };
    expect((await send('apiTokenRevoke', revoke, operator)).userErrors).toEqual([]);
    expect((await send('apiTokenRevoke', revoke, member)).userErrors).toMatchObject([{ code: 'FORBIDDEN' }]);
    const stranger: Identity = { ...operator, projects: {} };
    expect((await send('apiTokenRevoke', revoke, stranger)).userErrors).toMatchObject([{ code: 'NOT_FOUND' }]);
  });
});

describe('projects', () => {
  test('are created with an event and a commit, and changed with an increasing version', async () => {
    const made = await send('projectCreate', { name: 'one', description: 'first\nsecond' });
    expect(made).toMatchObject({ userErrors: [], project: { name: 'one', version: 1, description: 'first\nsecond' } });
    expect(made.commit?.replication).toEqual({ state: 'NOT_REPLICATED' });
    const id = made.project?.id ?? '';
    expect((await send('projectUpdate', { id, description: 'new', expectedVersion: 1 })).project).toMatchObject({
      version: 2,
    });
    expect((await send('projectUpdate', { id, description: 'new' })).project).toMatchObject({ version: 2 });
    expect((await send('projectUpdate', { id, description: 'x', expectedVersion: 1 })).userErrors).toMatchObject([
      { code: 'STALE_VERSION', field: ['input', 'expectedVersion'] },
    ]);
    expect(await events(id, 'Project')).toEqual([
      { kind: 'project.created', version: 1, from: null, to: 'ACTIVE', reason: null, adminsOnly: 0 },
      { kind: 'project.changed', version: 2, from: 'ACTIVE', to: 'ACTIVE', reason: 'description', adminsOnly: 0 },
    ]);
  });

  test('sent twice, or many times at once, with one key are created once', async () => {
    const input = { name: 'once', idempotencyKey: 'once' };
    const answers = await Promise.all([1, 2, 3, 4].map(() => send('projectCreate', input)));
    expect(new Set(answers.map((answer) => answer.project?.id)).size).toBe(1);
    expect(answers.every((answer) => answer.userErrors.length === 0)).toBe(true);
    expect(await events(answers[0]?.project?.id ?? '', 'Project')).toHaveLength(1);
  });

  test('are created and changed only by administrators', async () => {
    const { id, uuid } = await newProject('guarded');
    const operator = await makeUser(bench, 'guarded-operator', { projects: { [uuid]: 'OPERATOR' } });
    expect((await send('projectCreate', { name: 'mine' }, operator)).userErrors).toMatchObject([{ code: 'FORBIDDEN' }]);
    expect((await send('projectUpdate', { id, description: 'x' }, operator)).userErrors).toMatchObject([
      { code: 'FORBIDDEN' },
    ]);
    const member = { projectId: id, userId: globalId(operator), role: 'VIEWER' };
    expect((await send('membershipSet', member, operator)).userErrors).toMatchObject([{ code: 'FORBIDDEN' }]);
  });
});

describe('memberships', () => {
  test('are set, changed and ended, with immediate effect', async () => {
    const { id, uuid } = await newProject('team');
    const user = await makeUser(bench, 'mate');
    const input = { projectId: id, userId: globalId(user) };
    expect((await send('membershipSet', { ...input, role: 'MEMBER' })).membership).toEqual({
      role: 'MEMBER',
      user: { name: 'mate' },
    });
    expect(await worth(user)).toMatchObject({ projects: { [uuid]: 'MEMBER' } });
    await send('membershipSet', { ...input, role: 'MEMBER' });
    await send('membershipSet', { ...input, role: 'OPERATOR' });
    expect(await worth(user)).toMatchObject({ projects: { [uuid]: 'OPERATOR' } });
    const { data } = await bench.ask(
      admin,
      'query ($id: ID!) { node(id: $id) { ... on User { memberships { nodes { role project { name } user { name } } } } } }',
      { id: globalId(user) },
    );
    expect(data.node).toEqual({
      memberships: { nodes: [{ role: 'OPERATOR', project: { name: 'team' }, user: { name: 'mate' } }] },
    });
    expect(await send('membershipRemove', input)).toMatchObject({ project: {}, userErrors: [] });
    expect(await worth(user)).toMatchObject({ projects: {} });
    await send('membershipRemove', input);
    expect(await events(id, 'Project')).toMatchObject([
      { kind: 'project.created' },
      { kind: 'membership.changed', version: 2, from: null, to: 'MEMBER', reason: 'user mate' },
      { kind: 'membership.changed', version: 3, from: 'MEMBER', to: 'OPERATOR' },
      { kind: 'membership.changed', version: 4, from: 'OPERATOR', to: 'NONE' },
    ]);
  });

  test('are limited, so that an identity fits into a header', async () => {
    const user = await makeUser(bench, 'everywhere');
    await bench.db.execute("INSERT INTO project (id, name) SELECT UUID(), CONCAT('many-', seq) FROM seq_1_to_200");
    await bench.db.execute(
      "INSERT INTO membership (project_id, user_id, role) SELECT id, ?, 'VIEWER' FROM project WHERE name LIKE 'many-%'",
      [user.id],
    );
    const { id } = await newProject('one-too-many');
    const { userErrors } = await send('membershipSet', { projectId: id, userId: globalId(user), role: 'VIEWER' });
    expect(userErrors).toMatchObject([{ code: 'INVALID_INPUT', field: ['input', 'userId'] }]);
  });
});

describe('users', () => {
  test('are created and changed; a new password or disabling ends the sessions', async () => {
    const made = await send('userCreate', { name: 'bob@example.org', password: 'a password that fits' });
    expect(made.user).toMatchObject({ name: 'bob@example.org', version: 1, admin: false, enabled: true });
    const user = await makeUser(bench, 'carol');
    const id = globalId(user);
    await send('userUpdate', { id, admin: true });
    expect(await worth(user)).toMatchObject({ admin: true });
    await send('userUpdate', { id, admin: false });
    expect(await worth(user)).toMatchObject({ admin: false });
    await send('userUpdate', { id, password: 'another long password' });
    expect(await worth(user)).toBeUndefined();
    expect((await send('userUpdate', { id, enabled: false })).user).toMatchObject({ version: 5, enabled: false });
    expect((await send('userUpdate', { id, enabled: false })).user).toMatchObject({ version: 5 });
    expect(await events(id, 'User')).toMatchObject([
      { kind: 'user.changed', version: 2, from: 'ACTIVE', to: 'ACTIVE', reason: 'admin', adminsOnly: 1 },
      { version: 3, reason: 'admin' },
      { version: 4, reason: 'password' },
      { version: 5, from: 'ACTIVE', to: 'DISABLED', reason: 'disabled' },
    ]);
  });

  test('change their own password, and nothing else', async () => {
    const user = await makeUser(bench, 'dave');
    const id = globalId(user);
    for (const wish of [{ admin: true }, { enabled: false }, { password: 'another long password', admin: true }]) {
      const field = ['input', 'admin' in wish ? 'admin' : 'enabled'];
      expect((await send('userUpdate', { id, ...wish }, user)).userErrors).toMatchObject([
        { code: 'FORBIDDEN', field },
      ]);
    }
    expect(await worth(user)).toEqual(user);
    const wish = { id, password: 'another long password', currentPassword: 'a password that fits' };
    expect((await send('userUpdate', wish, user)).userErrors).toEqual([]);
    expect(await worth(user)).toBeUndefined();
    expect((await bench.system.authenticator.recheck(admin))?.admin).toBe(true);
  });

  test.each([false, true])('change their own password only with the old one (administrator: %s)', async (isAdmin) => {
    const user = await makeUser(bench, `own-password-${isAdmin}`, { admin: isAdmin });
    const wish = { id: globalId(user), password: 'another long password' };
    const before = bench.hasher.hashed;
    const field = ['input', 'currentPassword'];
    expect((await send('userUpdate', wish, user)).userErrors).toMatchObject([{ code: 'INVALID_INPUT', field }]);
    for (const currentPassword of ['another long password', 'wrong'])
      expect((await send('userUpdate', { ...wish, currentPassword }, user)).userErrors).toMatchObject([
        { code: 'BAD_CREDENTIALS', field },
      ]);
    expect(bench.hasher.hashed).toBe(before);
    expect(await worth(user)).toEqual(user);
    const right = { ...wish, currentPassword: 'a password that fits', idempotencyKey: 'own' };
    expect((await send('userUpdate', right, user)).userErrors).toEqual([]);
    expect(await worth(user)).toBeUndefined();
    // The old password is no longer right, but a repetition gets the first answer.
    expect((await send('userUpdate', right, user)).userErrors).toEqual([]);
    expect((await send('userUpdate', { ...right, idempotencyKey: 'again' }, user)).userErrors).toMatchObject([
      { code: 'BAD_CREDENTIALS' },
    ]);
    const kept = JSON.stringify([
      await bench.db.query('SELECT * FROM audit_entry'),
      await bench.db.query('SELECT * FROM idempotency_key'),
    ]);
    expect(kept).not.toContain('a password that fits');
  });

  test('change their own password only once with two concurrent requests', async () => {
    const user = await makeUser(bench, 'own-password-twice');
    const answers = await Promise.all(
      ['first long password', 'second long password'].map((password) =>
        send('userUpdate', { id: globalId(user), password, currentPassword: 'a password that fits' }, user),
      ),
    );
    expect(answers.flatMap(({ userErrors }) => userErrors)).toMatchObject([{ code: 'BAD_CREDENTIALS' }]);
  });

  test('who guess the old password are limited, together with their logins', async () => {
    const user = await makeUser(bench, 'own-password-guessed');
    const wish = { id: globalId(user), password: 'another long password' };
    const guess = async (currentPassword: string, address: string) => {
      const input = { ...wish, currentPassword };
      return (await bench.ask(user, documents.userUpdate, { input }, address)).data.userUpdate.userErrors[0]?.code;
    };
    const login = `mutation { login(input: { name: "${user.name}", password: "x" }) { ${errors} } }`;
    for (let attempt = 1; attempt <= 9; attempt += 1)
      expect(await guess('wrong', '203.0.113.9')).toBe('BAD_CREDENTIALS');
    const { data } = await bench.ask(null, login, {}, '203.0.113.9');
    expect(data.login.userErrors).toMatchObject([{ code: 'BAD_CREDENTIALS' }]);
    const before = bench.hasher.verified;
    expect(await guess('a password that fits', '203.0.113.9')).toBe('RATE_LIMITED');
    expect(bench.hasher.verified).toBe(before);
    expect(await guess('a password that fits', '203.0.113.10')).toBeUndefined();
  });

  test('get a new password from an administrator without the old one', async () => {
    const user = await makeUser(bench, 'forgetful');
    const { userErrors } = await send('userUpdate', { id: globalId(user), password: 'another long password' });
    expect(userErrors).toEqual([]);
    expect(await worth(user)).toBeUndefined();
  });

  test("in a common project see each other, but can't change each other", async () => {
    const { uuid } = await newProject('shared');
    const one = await makeUser(bench, 'erin', { projects: { [uuid]: 'OPERATOR' } });
    const other = await makeUser(bench, 'frank', { projects: { [uuid]: 'VIEWER' } });
    const { userErrors } = await send('userUpdate', { id: globalId(other), enabled: false }, one);
    expect(userErrors).toMatchObject([{ code: 'FORBIDDEN' }]);
  });

  test('without the right to change a password cause no hashing', async () => {
    const user = await makeUser(bench, 'grace');
    const before = bench.hasher.hashed;
    const { userErrors } = await send('userCreate', { name: 'x', password: 'a password that fits' }, user);
    expect(userErrors).toMatchObject([{ code: 'FORBIDDEN' }]);
    await send('userUpdate', { id: globalId(admin), password: 'a password that fits' }, user);
    expect(bench.hasher.hashed).toBe(before);
  });

  test('the last administrator remains, even when two are demoted at once', async () => {
    const alone = await systemBench();
    try {
      const [one, other] = [
        await makeUser(alone, 'one', { admin: true }),
        await makeUser(alone, 'other', { admin: true }),
      ];
      const demote = (target: Identity, wish: object) =>
        alone.ask(one, documents.userUpdate, { input: { id: globalId(target), ...wish } });
      const answers = await Promise.all([demote(one, { admin: false }), demote(other, { enabled: false })]);
      const codes = answers.flatMap(({ data }) => data.userUpdate.userErrors.map((error) => error.code));
      expect(codes).toEqual(['WRONG_STATE']);
      expect(await alone.db.query('SELECT id FROM user WHERE admin = 1 AND disabled = 0')).toHaveLength(1);
    } finally {
      await alone.stop();
    }
  });

  test('the last administrator who can log in remains, besides those whose password a restore suspended', async () => {
    const alone = await systemBench();
    try {
      const [one, other] = [
        await makeUser(alone, 'one', { admin: true }),
        await makeUser(alone, 'other', { admin: true }),
      ];
      await alone.db.execute('UPDATE user SET password_hash = NULL WHERE id = ?', [other.id]);
      const change = async (target: Identity, wish: object) => {
        const input = { id: globalId(target), ...wish };
        return (await alone.ask(one, documents.userUpdate, { input })).data.userUpdate.userErrors;
      };
      for (const wish of [{ admin: false }, { enabled: false }])
        expect(await change(one, wish)).toMatchObject([{ code: 'WRONG_STATE' }]);
      expect(await change(other, { admin: false })).toEqual([]);
    } finally {
      await alone.stop();
    }
  });

  test('a repetition after the keys were rotated gets the first answer', async () => {
    const input = { name: 'before-rotation', password: 'a password that fits', idempotencyKey: 'rotation' };
    const made = await send('userCreate', input);
    const earlier = bench.keyring.ids();
    bench.keyring.replace({ active: 'k9', keys: { ...keyFile.keys, k9: newMasterKey() } });
    try {
      expect(bench.keyring.ids()).toEqual(['k9', ...earlier]);
      const again = await send('userCreate', input);
      expect(again).toMatchObject({ userErrors: [], user: { id: made.user?.id } });
      const other = { ...input, password: 'another long password' };
      expect((await send('userCreate', other)).userErrors).toMatchObject([{ code: 'KEY_CONFLICT' }]);
    } finally {
      bench.keyring.replace(keyFile);
    }
    const kept = JSON.stringify([
      await bench.db.query('SELECT * FROM audit_entry'),
      await bench.db.query('SELECT * FROM idempotency_key'),
    ]);
    expect(kept).not.toContain(input.password);
  });

  test('who were administrators until a moment ago can no longer grant access', async () => {
    const { id: projectId } = await newProject('after-admin');
    const target = await makeUser(bench, 'after-admin-target');
    const userId = globalId(target);
    const attempts = [
      ['userCreate', { name: 'back-door', password: 'a password that fits', admin: true }],
      ['userUpdate', { id: userId, admin: true }],
      ['userUpdate', { id: userId, password: 'another long password' }],
      ['membershipSet', { projectId, userId, role: 'OPERATOR' }],
    ] as const;
    for (const [name, wish] of [
      ['ex-admin', { admin: false }],
      ['ex-user', { enabled: false }],
    ] as const) {
      // The gateway may use the user's cached answer for another second.
      const former = await makeUser(bench, name, { admin: true });
      expect((await send('userUpdate', { id: globalId(former), ...wish })).userErrors).toEqual([]);
      for (const [mutation, input] of attempts)
        expect((await send(mutation, input, former)).userErrors).toMatchObject([{ code: 'FORBIDDEN' }]);
    }
    expect(await worth(target)).toEqual(target);
    expect(await bench.db.query("SELECT id FROM user WHERE name = 'back-door'")).toEqual([]);
  });

  test('who were administrators until a moment ago still change their own password', async () => {
    const former = await makeUser(bench, 'own-after-admin', { admin: true });
    expect((await send('userUpdate', { id: globalId(former), admin: false })).userErrors).toEqual([]);
    const own = { id: globalId(former), password: 'another long password', currentPassword: 'a password that fits' };
    expect((await send('userUpdate', own, former)).userErrors).toEqual([]);
  });
});

describe('API tokens', () => {
  test('are created with a secret that is shown once, and revoked at once', async () => {
    const { id: projectId, uuid } = await newProject('cmp');
    const operator = await makeUser(bench, 'heidi', { projects: { [uuid]: 'OPERATOR' } });
    const expiresAt = '2099-01-01T00:00:00.000Z';
    const input = { projectId, name: 'my cmp', role: 'OPERATOR', expiresAt, idempotencyKey: 'k' };
    const made = await send('apiTokenCreate', input, operator);
    const id = made.apiToken?.id ?? '';
    expect(made.apiToken).toMatchObject({
      name: 'my cmp',
      role: 'OPERATOR',
      prefix: made.secret?.slice(0, 11),
      expiresAt,
      project: { name: 'cmp' },
    });
    const again = await send('apiTokenCreate', input, operator);
    expect([again.apiToken?.id, again.secret, again.userErrors]).toEqual([id, null, []]);
    const identity = await bench.system.authenticator.authenticate(made.secret ?? '');
    expect(identity).toMatchObject({ kind: 'token', projects: { [uuid]: 'OPERATOR' } });
    expect((await send('apiTokenRevoke', { id }, operator)).apiToken).toMatchObject({
      version: 2,
      revokedAt: expect.any(String),
    });
    expect(identity && (await worth(identity))).toBeUndefined();
    expect((await send('apiTokenRevoke', { id }, operator)).apiToken).toMatchObject({ version: 2 });
    expect(await events(id, 'ApiToken')).toMatchObject([
      { kind: 'apiToken.created', to: 'ACTIVE', reason: 'my cmp', adminsOnly: 0 },
      { kind: 'apiToken.revoked', version: 2, from: 'ACTIVE', to: 'REVOKED' },
    ]);
    const kept = JSON.stringify(
      await bench.db.query("SELECT result FROM idempotency_key WHERE operation = 'apiTokenCreate'"),
    );
    expect(kept).not.toContain(made.secret);
  });

  /** A new token, made by a user or a token. */
  async function make(maker: Identity, project: { id: string }, wish: object = {}) {
    const input = { projectId: project.id, name: 'child', role: 'OPERATOR', ...wish };
    const { apiToken, secret, userErrors } = await send('apiTokenCreate', input, maker);
    expect(userErrors).toEqual([]);
    const identity = await bench.system.authenticator.authenticate(secret ?? '');
    if (apiToken == null || identity === undefined) throw new Error('the token is not valid');
    return { id: apiToken.id, apiToken, identity };
  }

  /** Audit entries about a token's end. */
  const revocations = async (globalId: string) => {
    const rows = await bench.db.query<{ actor: string; details: string }>(
      "SELECT actor_name AS actor, details FROM audit_entry WHERE action = 'apiTokenRevoke' AND subject_id = ?",
      [decodeUuid('ApiToken', globalId) ?? ''],
    );
    return rows.map(({ actor, details }) => ({ actor, details: JSON.parse(details) as unknown }));
  };

  test('made with a token end with it at the latest', async () => {
    const project = await newProject('families');
    const operator = await makeUser(bench, 'families', { projects: { [project.uuid]: 'OPERATOR' } });
    const end = '2098-01-01T00:00:00.000Z';
    const parent = await make(operator, project, { expiresAt: end });
    const wish = { projectId: project.id, name: 'child', role: 'OPERATOR' };
    for (const expiresAt of [undefined, null, '2098-01-01T00:00:00.001Z'])
      expect((await send('apiTokenCreate', { ...wish, expiresAt }, parent.identity)).userErrors).toMatchObject([
        { code: 'INVALID_INPUT', field: ['input', 'expiresAt'], message: expect.stringContaining(end) },
      ]);
    const child = await make(parent.identity, project, { expiresAt: end });
    const late = { ...wish, expiresAt: '2099-01-01T00:00:00.000Z' };
    expect((await send('apiTokenCreate', late, child.identity)).userErrors).toMatchObject([{ code: 'INVALID_INPUT' }]);
    const endless = await make(operator, project);
    expect((await make(endless.identity, project)).apiToken).toMatchObject({ expiresAt: null });
  });

  test('bound to operations can only make tokens bound to the same or fewer', async () => {
    const project = await newProject('bound');
    const operator = await makeUser(bench, 'binder', { projects: { [project.uuid]: 'OPERATOR' } });
    const [one, two, three] = ['1', '2', '3'].map((digit) => digit.repeat(64));
    const parent = await make(operator, project, { operationHashes: [one, two] });
    expect([parent.identity.operations, parent.apiToken.operationHashes]).toEqual([
      [one, two],
      [one, two],
    ]);
    expect((await make(operator, project)).identity.operations).toBeUndefined();
    expect((await make(parent.identity, project)).identity.operations).toEqual([one, two]);
    expect((await make(parent.identity, project, { operationHashes: [two] })).identity.operations).toEqual([two]);
    const wish = { projectId: project.id, name: 'child', role: 'OPERATOR' };
    for (const [operationHashes, error] of [
      [[two, three], { code: 'FORBIDDEN', field: ['input', 'operationHashes'] }],
      [[], { code: 'INVALID_INPUT', field: ['input', 'operationHashes'] }],
      [Array(101).fill(one), { code: 'TOO_LONG', field: ['input', 'operationHashes'] }],
      [[one, 'A'.repeat(64)], { code: 'INVALID_INPUT', field: ['input', 'operationHashes', '1'] }],
    ] as const)
      expect((await send('apiTokenCreate', { ...wish, operationHashes }, parent.identity)).userErrors).toMatchObject([
        error,
      ]);
  });

  test('show their maker', async () => {
    const project = await newProject('makers');
    const operator = await makeUser(bench, 'maker', { projects: { [project.uuid]: 'OPERATOR' } });
    const parent = await make(operator, project, { name: 'of a user' });
    expect(parent.apiToken).toMatchObject({ createdBy: { name: 'maker', kind: 'USER' }, parent: null });
    const child = await make(parent.identity, project);
    expect(child.apiToken).toMatchObject({
      createdBy: { name: 'of a user', kind: 'API_TOKEN' },
      parent: { id: parent.id },
    });
    const { id } = await bench.system.firstStart.issueToken({ projectId: project.uuid, name: 't', role: 'VIEWER' });
    const { data } = await bench.ask(
      operator,
      'query ($id: ID!) { node(id: $id) { ... on ApiToken { createdBy { name } parent { id } } } }',
      { id: encodeId('ApiToken', id) },
    );
    expect(data.node).toEqual({ createdBy: null, parent: null });
  });

  test('are revoked with the tokens made with them, and with no others', async () => {
    const project = await newProject('trees');
    const operator = await makeUser(bench, 'trees', { projects: { [project.uuid]: 'OPERATOR' } });
    const root = await make(operator, project);
    const parent = await make(root.identity, project, { name: 'parent' });
    const child = await make(parent.identity, project);
    const grandchild = await make(child.identity, project);
    const sibling = await make(root.identity, project);
    expect((await send('apiTokenRevoke', { id: parent.id }, operator)).userErrors).toEqual([]);
    for (const { identity } of [parent, child, grandchild]) expect(await worth(identity)).toBeUndefined();
    for (const { identity } of [root, sibling]) expect(await worth(identity)).toMatchObject({ id: identity.id });
    for (const { id } of [parent, child, grandchild])
      expect(await events(id, 'ApiToken')).toMatchObject([
        { kind: 'apiToken.created' },
        { kind: 'apiToken.revoked', version: 2, from: 'ACTIVE', to: 'REVOKED' },
      ]);
    for (const { id } of [child, grandchild])
      expect(await revocations(id)).toEqual([{ actor: 'trees', details: { madeWith: parent.id } }]);
    // The gateway may use the token's cached answer for another second.
    const wish = { projectId: project.id, name: 'late', role: 'VIEWER' };
    expect((await send('apiTokenCreate', wish, child.identity)).userErrors).toMatchObject([{ code: 'FORBIDDEN' }]);
    await send('apiTokenRevoke', { id: root.id }, operator);
    expect(await worth(sibling.identity)).toBeUndefined();
    expect(await events(grandchild.id, 'ApiToken')).toHaveLength(2);
  });

  test('that a clock jump made expire are still revoked with their parent', async () => {
    const project = await newProject('ahead');
    const operator = await makeUser(bench, 'ahead', { projects: { [project.uuid]: 'OPERATOR' } });
    const parent = await make(operator, project);
    const child = await make(parent.identity, project, { expiresAt: '2098-01-01T00:00:00.000Z' });
    const expire = (when: string) =>
      bench.db.execute(`UPDATE api_token SET expires_at = NOW(3) ${when} INTERVAL 1 HOUR WHERE id = ?`, [
        decodeUuid('ApiToken', child.id) ?? '',
      ]);
    // As it looks to a clock that is a day ahead.
    await bench.db.execute('UPDATE trusted_clock SET trusted_at = NOW(3) - INTERVAL 1 DAY');
    try {
      await expire('-');
      expect((await send('apiTokenRevoke', { id: parent.id }, operator)).userErrors).toEqual([]);
    } finally {
      await bench.db.execute('UPDATE trusted_clock SET trusted_at = NOW(3)');
    }
    await expire('+');
    expect(await worth(child.identity)).toBeUndefined();
  });

  test('end permanently with the membership of their maker', async () => {
    const project = await newProject('leavers');
    const [leaver, other] = [
      await makeUser(bench, 'leaver', { projects: { [project.uuid]: 'OPERATOR' } }),
      await makeUser(bench, 'stays', { projects: { [project.uuid]: 'OPERATOR' } }),
    ];
    const token = await make(leaver, project);
    const child = await make(token.identity, project, { role: 'VIEWER' });
    const kept = await make(other, project);
    const input = { projectId: project.id, userId: globalId(leaver) };
    await send('membershipRemove', input);
    // The gateway may use the user's cached answer for another second.
    const wish = { projectId: project.id, name: 'late', role: 'VIEWER' };
    expect((await send('apiTokenCreate', wish, leaver)).userErrors).toMatchObject([{ code: 'FORBIDDEN' }]);
    await send('membershipSet', { ...input, role: 'OPERATOR' });
    for (const { identity } of [token, child]) expect(await worth(identity)).toBeUndefined();
    expect(await worth(kept.identity)).toMatchObject({ id: kept.identity.id });
    expect(await events(child.id, 'ApiToken')).toMatchObject([{}, { kind: 'apiToken.revoked', to: 'REVOKED' }]);
    expect(await revocations(child.id)).toMatchObject([{ actor: 'admin', details: { membershipOf: 'leaver' } }]);
  });

  test('never have more rights than their maker has now', async () => {
    const project = await newProject('demoted');
    const user = await makeUser(bench, 'demoted', { projects: { [project.uuid]: 'OPERATOR' } });
    const parent = await make(user, project);
    const child = await make(parent.identity, project, { role: 'MEMBER' });
    const set = (role: string) => send('membershipSet', { projectId: project.id, userId: globalId(user), role });
    const rights = async () => [(await worth(parent.identity))?.projects, (await worth(child.identity))?.projects];
    await set('VIEWER');
    expect(await rights()).toEqual([{ [project.uuid]: 'VIEWER' }, { [project.uuid]: 'VIEWER' }]);
    // The gateway may use the token's cached answer for another second.
    const wish = { projectId: project.id, name: 'late', role: 'MEMBER' };
    for (const maker of [parent.identity, user])
      expect((await send('apiTokenCreate', wish, maker)).userErrors).toMatchObject([{ code: 'FORBIDDEN' }]);
    await set('OPERATOR');
    expect(await rights()).toEqual([{ [project.uuid]: 'OPERATOR' }, { [project.uuid]: 'MEMBER' }]);
  });

  test('do not work while their maker is disabled', async () => {
    const project = await newProject('paused');
    const user = await makeUser(bench, 'paused', { projects: { [project.uuid]: 'OPERATOR' } });
    const child = await make((await make(user, project)).identity, project);
    await send('userUpdate', { id: globalId(user), enabled: false });
    expect(await worth(child.identity)).toBeUndefined();
    const wish = { projectId: project.id, name: 'late', role: 'MEMBER' };
    expect((await send('apiTokenCreate', wish, child.identity)).userErrors).toMatchObject([{ code: 'FORBIDDEN' }]);
    await send('userUpdate', { id: globalId(user), enabled: true });
    expect(await worth(child.identity)).toMatchObject({ id: child.identity.id });
  });

  test('of an administrator need no membership, while their maker is an administrator', async () => {
    const project = await newProject('of-admins');
    const user = await makeUser(bench, 'once-more-admin', { admin: true });
    const token = await make(user, project);
    const membership = { projectId: project.id, userId: globalId(user) };
    const rights = async () => (await worth(token.identity))?.projects[project.uuid];
    await send('membershipSet', { ...membership, role: 'VIEWER' });
    await send('membershipRemove', membership);
    expect(await rights()).toBe('OPERATOR');
    await send('userUpdate', { id: globalId(user), admin: false });
    expect(await rights()).toBeUndefined();
    await send('membershipSet', { ...membership, role: 'MEMBER' });
    expect(await rights()).toBe('MEMBER');
  });

  test('are limited to 1,000 valid ones per project', async () => {
    const project = await newProject('crowded');
    const user = await makeUser(bench, 'crowded', { projects: { [project.uuid]: 'OPERATOR' } });
    const fill = (suffix: string, count: number, more: string) =>
      bench.db.execute(
        `INSERT INTO api_token (id, project_id, name, role, secret_hash, prefix, created_by, revoked_at)
         SELECT UUID(), ?, 'x', 'VIEWER', CONCAT(?, seq), 'tg_', UUID(), ${more} FROM seq_1_to_1000 WHERE seq <= ?`,
        [project.uuid, suffix, count],
      );
    await fill('ended', 1_000, 'NOW(3)');
    await fill('live', 999, 'NULL');
    await make(user, project);
    const wish = { projectId: project.id, name: 'one more', role: 'VIEWER' };
    expect((await send('apiTokenCreate', wish, user)).userErrors).toMatchObject([
      { code: 'INVALID_INPUT', field: ['input', 'projectId'] },
    ]);
  });

  test('that have ended are kept until there are 10,000: those that ended first are removed', async () => {
    const project = await newProject('many-ended');
    const user = await makeUser(bench, 'many-ended', { projects: { [project.uuid]: 'OPERATOR' } });
    // Each ended a second later than the one before, alternately by revocation and by expiry.
    await bench.db.execute(
      `INSERT INTO api_token (id, project_id, name, role, secret_hash, prefix, created_by, revoked_at, expires_at)
       SELECT UUID(), ?, seq, 'VIEWER', CONCAT('many-ended', seq), 'tg_', UUID(),
         IF(seq % 2 = 0, NOW(3) - INTERVAL 20000 - seq SECOND, NULL), IF(seq % 2 = 1, NOW(3) - INTERVAL 20000 - seq SECOND, NULL)
       FROM seq_1_to_11500`,
      [project.uuid],
    );
    const working = await make(user, project);
    const rows = await bench.db.query<{ name: string }>(
      "SELECT name FROM api_token WHERE project_id = ? AND name <> 'child' ORDER BY CAST(name AS UNSIGNED)",
      [project.uuid],
    );
    expect(rows.length).toBeLessThan(11_000);
    expect(rows.length).toBeGreaterThan(10_000);
    expect(rows.at(-1)?.name).toBe('11500');
    expect(rows[0]?.name).toBe(String(11_500 - rows.length + 1));
    expect(await worth(working.identity)).toMatchObject({ id: working.identity.id });
  });

  test.each(['MEMBER', 'VIEWER'] as const)('are refused to a %s', async (role) => {
    const { id: projectId, uuid } = await newProject(`tokens-${role.toLowerCase()}`);
    const user = await makeUser(bench, `tokens-${role}`, { projects: { [uuid]: role } });
    const existing = await bench.system.firstStart.issueToken({ projectId: uuid, name: 't', role: 'VIEWER' });
    const id = encodeId('ApiToken', existing.id);
    const refused = [
      await send('apiTokenCreate', { projectId, name: 'x', role: 'VIEWER' }, user),
      await send('apiTokenRevoke', { id }, user),
    ];
    for (const { userErrors } of refused) expect(userErrors).toMatchObject([{ code: 'FORBIDDEN' }]);
    const list = await bench.ask(user, 'query ($id: ID) { apiTokens(projectId: $id) { nodes { id } } }', {
      id: projectId,
    });
    expect(list.codes).toEqual(['FORBIDDEN']);
    const node = await bench.ask(user, 'query ($id: ID!) { node(id: $id) { id } }', { id });
    expect(node.data.node).toBeNull();
  });
});

describe('first start', () => {
  test('creates one administrator, however many processes try', async () => {
    const fresh = await systemBench();
    try {
      const tries = await Promise.all([1, 2, 3].map(() => fresh.system.firstStart.bootstrap({ adminName: 'root' })));
      expect(tries.filter(({ created }) => created)).toHaveLength(1);
      const { password = '' } = tries.find(({ created }) => created) ?? {};
      const { data } = await fresh.ask(
        null,
        'mutation ($p: String!) { login(input: { name: "root", password: $p }) { accessToken } }',
        { p: password },
      );
      expect(await fresh.system.authenticator.authenticate(data.login.accessToken ?? '')).toMatchObject({
        admin: true,
      });
      expect(await fresh.system.firstStart.bootstrap({ adminName: 'second', adminPassword: 'x' })).toEqual({
        created: false,
      });
    } finally {
      await fresh.stop();
    }
  });

  test('creates a project once', async () => {
    const made = await Promise.all([1, 2, 3].map(() => bench.system.firstStart.ensureProject('shared-name')));
    expect(new Set(made).size).toBe(1);
  });
});
