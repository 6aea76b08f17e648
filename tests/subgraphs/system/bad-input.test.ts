// Bad input of every mutation: a coded error that names the field, and no change.

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Kind, parse } from 'graphql';
import type { UserError } from '../../../generated/graph/system.ts';
import type { Identity } from '../../../platform/caller/identity.ts';
import { readSubgraphSdl } from '../../../platform/graph/sdl.ts';
import { makeAuthority, openAuthority } from '../../../platform/machines/authority.ts';
import { encodeId, newUuid } from '../../../platform/values/ids.ts';
import { type TemporaryFolder, temporaryFolder } from '../../support/temporary-folder.ts';
import { makeUser, type SystemBench, systemBench } from './support/system-bench.ts';

let folder: TemporaryFolder;
let bench: SystemBench;
let admin: Identity;
let ids: {
  readonly project: string;
  readonly spareProject: string;
  readonly user: string;
  readonly admin: string;
  readonly token: string;
  readonly otherToken: string;
  readonly machine: string;
  readonly otherMachine: string;
  readonly published: string;
  readonly otherPublished: string;
};

beforeAll(async () => {
  folder = await temporaryFolder();
  await makeAuthority(folder.path);
  bench = await systemBench({ authority: () => openAuthority(folder.path) });
  const project = await bench.system.firstStart.ensureProject('alpha');
  admin = await makeUser(bench, 'admin', { admin: true });
  const user = await makeUser(bench, 'alice');
  const wish = { projectId: project, name: 'cmp', role: 'MEMBER' } as const;
  const [token, other] = [
    await bench.system.firstStart.issueToken(wish),
    await bench.system.firstStart.issueToken(wish),
  ];
  const [machine, otherMachine] = [await machineNamed('taken'), await machineNamed('other-taken')];
  ids = {
    machine,
    otherMachine,
    project: encodeId('Project', project),
    spareProject: encodeId('Project', await bench.system.firstStart.ensureProject('spare')),
    user: encodeId('User', user.id),
    admin: encodeId('User', admin.id),
    token: encodeId('ApiToken', token.id),
    otherToken: encodeId('ApiToken', other.id),
    published: await published('query Taken { me { name } }'),
    otherPublished: await published('query OtherTaken { me { name } }'),
  };
});

afterAll(async () => {
  await bench?.stop();
  await folder?.remove();
});

async function machineNamed(name: string): Promise<string> {
  const document = `mutation ($input: MachineCreateInput!) { machineCreate(input: $input) { machine { id } } }`;
  const { data } = await bench.ask(admin, document, { input: { name, machineRole: 'RELAY' } });
  return data.machineCreate.machine?.id ?? '';
}

async function published(text: string): Promise<string> {
  const document = `mutation ($input: PublishedOperationAddInput!) { publishedOperationAdd(input: $input) { publishedOperations { id } } }`;
  const { data } = await bench.ask(admin, document, { input: { operations: [{ text }] } });
  return data.publishedOperationAdd.publishedOperations?.[0]?.id ?? '';
}

type Input = Readonly<Record<string, unknown>>;

const operation = { text: 'query New { me { name } }' };
const goodPassword = 'a password that fits';

/** A valid input, and whether it names no visible object: the base of each case, which makes one field invalid. */
const good: Readonly<Record<string, () => Input>> = {
  projectCreate: () => ({ name: 'new', description: 'text' }),
  projectUpdate: () => ({ id: ids.project, description: 'text' }),
  projectDelete: () => ({ id: ids.spareProject }),
  userCreate: () => ({ name: 'new', password: goodPassword }),
  userUpdate: () => ({ id: ids.user, password: goodPassword }),
  membershipSet: () => ({ projectId: ids.project, userId: ids.user, role: 'VIEWER' }),
  membershipRemove: () => ({ projectId: ids.project, userId: ids.admin }),
  apiTokenCreate: () => ({ projectId: ids.project, name: 'new', role: 'VIEWER' }),
  apiTokenRevoke: () => ({ id: ids.token }),
  machineCreate: () => ({ name: 'new', machineRole: 'RELAY' }),
  machineRevoke: () => ({ id: ids.machine }),
  publishedOperationAdd: () => ({ operations: [operation] }),
  publishedOperationRemove: () => ({ id: ids.published }),
};

const neverProject = encodeId('Project', newUuid());
const neverUser = encodeId('User', newUuid());
const neverToken = encodeId('ApiToken', newUuid());
const neverPublished = encodeId('PublishedOperation', newUuid());
const neverMachine = encodeId('Machine', newUuid());
const wrongType = encodeId('Backend', newUuid());
const control = 'a\u0007b';

const cases: readonly [mutation: string, field: string, value: unknown, code: string][] = [
  ['projectCreate', 'name', '', 'INVALID_INPUT'],
  ['projectCreate', 'name', 'Upper', 'INVALID_INPUT'],
  ['projectCreate', 'name', 'with space', 'INVALID_INPUT'],
  ['projectCreate', 'name', '-leading', 'INVALID_INPUT'],
  ['projectCreate', 'name', 'dotted.name', 'INVALID_INPUT'],
  ['projectCreate', 'name', control, 'INVALID_INPUT'],
  ['projectCreate', 'name', 'x'.repeat(64), 'TOO_LONG'],
  ['projectCreate', 'name', 'alpha', 'ALREADY_EXISTS'],
  ['projectCreate', 'description', 'x'.repeat(1_025), 'TOO_LONG'],
  ['projectCreate', 'description', control, 'INVALID_INPUT'],
  ['projectCreate', 'idempotencyKey', '', 'INVALID_INPUT'],
  ['projectCreate', 'idempotencyKey', 'x'.repeat(256), 'TOO_LONG'],
  ['projectUpdate', 'id', neverProject, 'NOT_FOUND'],
  ['projectUpdate', 'id', wrongType, 'NOT_FOUND'],
  ['projectUpdate', 'id', 'nonsense', 'NOT_FOUND'],
  ['projectUpdate', 'description', 'x'.repeat(1_025), 'TOO_LONG'],
  ['projectUpdate', 'description', control, 'INVALID_INPUT'],
  ['projectUpdate', 'expectedVersion', 7, 'STALE_VERSION'],
  ['projectUpdate', 'idempotencyKey', control, 'INVALID_INPUT'],
  ['projectDelete', 'id', neverProject, 'NOT_FOUND'],
  ['projectDelete', 'id', wrongType, 'NOT_FOUND'],
  ['projectDelete', 'id', 'nonsense', 'NOT_FOUND'],
  ['projectDelete', 'expectedVersion', 7, 'STALE_VERSION'],
  ['projectDelete', 'idempotencyKey', control, 'INVALID_INPUT'],
  ['userCreate', 'name', '', 'INVALID_INPUT'],
  ['userCreate', 'name', 'with space', 'INVALID_INPUT'],
  ['userCreate', 'name', 'trailing ', 'INVALID_INPUT'],
  ['userCreate', 'name', control, 'INVALID_INPUT'],
  ['userCreate', 'name', 'x'.repeat(64), 'TOO_LONG'],
  ['userCreate', 'name', 'alice', 'ALREADY_EXISTS'],
  ['userCreate', 'password', 'short', 'INVALID_INPUT'],
  ['userCreate', 'password', 'x'.repeat(257), 'TOO_LONG'],
  ['userCreate', 'password', `${goodPassword}\n`, 'INVALID_INPUT'],
  ['userCreate', 'idempotencyKey', 'x'.repeat(256), 'TOO_LONG'],
  ['userUpdate', 'id', neverUser, 'NOT_FOUND'],
  ['userUpdate', 'id', wrongType, 'NOT_FOUND'],
  ['userUpdate', 'password', 'short', 'INVALID_INPUT'],
  ['userUpdate', 'password', 'x'.repeat(257), 'TOO_LONG'],
  ['userUpdate', 'password', control.repeat(12), 'INVALID_INPUT'],
  ['userUpdate', 'currentPassword', 'x'.repeat(257), 'TOO_LONG'],
  ['userUpdate', 'expectedVersion', 7, 'STALE_VERSION'],
  ['userUpdate', 'idempotencyKey', control, 'INVALID_INPUT'],
  ['membershipSet', 'projectId', neverProject, 'NOT_FOUND'],
  ['membershipSet', 'projectId', wrongType, 'NOT_FOUND'],
  ['membershipSet', 'userId', neverUser, 'NOT_FOUND'],
  ['membershipSet', 'userId', 'nonsense', 'NOT_FOUND'],
  ['membershipSet', 'idempotencyKey', 'x'.repeat(256), 'TOO_LONG'],
  ['membershipRemove', 'projectId', neverProject, 'NOT_FOUND'],
  ['membershipRemove', 'projectId', wrongType, 'NOT_FOUND'],
  ['membershipRemove', 'userId', neverUser, 'NOT_FOUND'],
  ['membershipRemove', 'idempotencyKey', control, 'INVALID_INPUT'],
  ['apiTokenCreate', 'projectId', neverProject, 'NOT_FOUND'],
  ['apiTokenCreate', 'projectId', wrongType, 'NOT_FOUND'],
  ['apiTokenCreate', 'name', '', 'INVALID_INPUT'],
  ['apiTokenCreate', 'name', ' ', 'INVALID_INPUT'],
  ['apiTokenCreate', 'name', control, 'INVALID_INPUT'],
  ['apiTokenCreate', 'name', 'x'.repeat(64), 'TOO_LONG'],
  ['apiTokenCreate', 'expiresAt', '2001-01-01T00:00:00.000Z', 'INVALID_INPUT'],
  ['apiTokenCreate', 'idempotencyKey', control, 'INVALID_INPUT'],
  ['apiTokenRevoke', 'id', neverToken, 'NOT_FOUND'],
  ['apiTokenRevoke', 'id', wrongType, 'NOT_FOUND'],
  ['apiTokenRevoke', 'idempotencyKey', 'x'.repeat(256), 'TOO_LONG'],
  ['machineCreate', 'name', '', 'INVALID_INPUT'],
  ['machineCreate', 'name', 'Upper', 'INVALID_INPUT'],
  ['machineCreate', 'name', 'trailing-', 'INVALID_INPUT'],
  ['machineCreate', 'name', control, 'INVALID_INPUT'],
  ['machineCreate', 'name', 'x'.repeat(64), 'TOO_LONG'],
  ['machineCreate', 'name', 'taken', 'ALREADY_EXISTS'],
  ['machineCreate', 'idempotencyKey', control, 'INVALID_INPUT'],
  ['machineRevoke', 'id', neverMachine, 'NOT_FOUND'],
  ['machineRevoke', 'id', wrongType, 'NOT_FOUND'],
  ['machineRevoke', 'idempotencyKey', 'x'.repeat(256), 'TOO_LONG'],
  ['publishedOperationAdd', 'operations', [], 'INVALID_INPUT'],
  ['publishedOperationAdd', 'operations', Array.from({ length: 101 }, () => operation), 'TOO_LONG'],
  ['publishedOperationAdd', 'idempotencyKey', control, 'INVALID_INPUT'],
  ['publishedOperationRemove', 'id', neverPublished, 'NOT_FOUND'],
  ['publishedOperationRemove', 'id', wrongType, 'NOT_FOUND'],
  ['publishedOperationRemove', 'idempotencyKey', control, 'INVALID_INPUT'],
];

function typeName(mutation: string): string {
  return `${mutation.charAt(0).toUpperCase()}${mutation.slice(1)}Input`;
}

async function send(mutation: string, input: Input): Promise<{ userErrors: readonly UserError[]; commit: unknown }> {
  const document = `mutation ($input: ${typeName(mutation)}!) { ${mutation}(input: $input) {
    userErrors { code message field retry } commit { token } } }`;
  const { data, errors } = await bench.ask(admin, document, { input });
  expect(errors).toBeUndefined();
  return (
    (data as unknown as Record<string, { userErrors: UserError[]; commit: unknown }>)[mutation] ?? {
      userErrors: [],
      commit: null,
    }
  );
}

/** All data that a mutation could have changed; audit rows of refusals are allowed. */
async function state(): Promise<unknown> {
  const names = [
    'project',
    'user',
    'membership',
    'api_token',
    'session',
    'machine',
    'published_operation',
    'status_change',
    'idempotency_key',
    'commit_record',
  ];
  return Promise.all(names.map((name) => bench.db.query(`SELECT * FROM ${name} ORDER BY 1, 2, 3`)));
}

test('every mutation with its own input has cases', () => {
  const sdl = parse(readSubgraphSdl('system'));
  const mutations = sdl.definitions.flatMap((definition) =>
    definition.kind === Kind.OBJECT_TYPE_DEFINITION && definition.name.value === 'Mutation'
      ? (definition.fields ?? []).map((field) => field.name.value)
      : [],
  );
  // Login, refresh, logout and the machines' mutations deliberately reveal little about
  // their input: access/sessions.test.ts, machines.test.ts.
  const tellNothing = ['login', 'sessionStart', 'sessionRefresh', 'logout', 'machineJoin', 'machineRenew'];
  // Those of the cluster of hosts need one: ha.long.test.ts.
  const ofHosts = ['haSwitchover', 'haHostJoin', 'haPause', 'haResume'];
  // Those of machines of the role SUBGRAPH: outside-events.test.ts.
  const ofMachines = ['statusEventsAdd'];
  // Those of alerts: alerts.test.ts.
  const ofAlerts = mutations.filter((name) => name.startsWith('alert'));
  const elsewhere = [...tellNothing, ...ofHosts, ...ofMachines, ...ofAlerts];
  const told = mutations.filter((name) => !elsewhere.includes(name));
  expect([...new Set(cases.map(([mutation]) => mutation))].sort()).toEqual(told.sort());
});

describe('a bad field is refused by name and code, and changes nothing', () => {
  test.each(cases)('%s %s %j: %s', async (mutation, field, value, code) => {
    const before = await state();
    const { userErrors, commit } = await send(mutation, { ...good[mutation]?.(), [field]: value });
    expect(userErrors).toMatchObject([{ code, field: ['input', field] }]);
    expect(commit).toBeNull();
    expect(await state()).toEqual(before);
  });
});

test('all bad fields are reported at once', async () => {
  const { userErrors } = await send('userCreate', { name: 'with space', password: 'short' });
  expect(userErrors.map((error) => error.field)).toEqual([
    ['input', 'name'],
    ['input', 'password'],
  ]);
});

describe('the same key with another input is KEY_CONFLICT, and changes nothing', () => {
  const changed: Readonly<Record<string, () => Input>> = {
    projectCreate: () => ({ name: 'other' }),
    projectUpdate: () => ({ description: 'other' }),
    projectDelete: () => ({ id: ids.project }),
    userCreate: () => ({ password: 'another long password' }),
    userUpdate: () => ({ password: 'another long password' }),
    membershipSet: () => ({ role: 'MEMBER' }),
    membershipRemove: () => ({ userId: ids.user }),
    apiTokenCreate: () => ({ name: 'other' }),
    apiTokenRevoke: () => ({ id: ids.otherToken }),
    machineCreate: () => ({ name: 'other' }),
    machineRevoke: () => ({ id: ids.otherMachine }),
    publishedOperationAdd: () => ({ operations: [{ text: 'query Other { me { name } }' }] }),
    publishedOperationRemove: () => ({ id: ids.otherPublished }),
  };
  test.each(Object.keys(good))('%s', async (mutation) => {
    const input = { ...good[mutation]?.(), idempotencyKey: `key of ${mutation}` };
    expect((await send(mutation, input)).userErrors).toEqual([]);
    const before = await state();
    const { userErrors } = await send(mutation, { ...input, ...changed[mutation]?.() });
    expect(userErrors).toMatchObject([{ code: 'KEY_CONFLICT', field: ['input', 'idempotencyKey'], retry: 'NEW_KEY' }]);
    expect(await state()).toEqual(before);
  });
});

test('a password is in no error, no audit entry and no idempotency row', async () => {
  const password = 'a very secret sentence';
  await send('userCreate', { name: 'with space', password, idempotencyKey: 'secret 1' });
  await send('userCreate', { name: 'secretive', password, idempotencyKey: 'secret 2' });
  const kept = JSON.stringify([
    await bench.db.query('SELECT * FROM audit_entry'),
    await bench.db.query('SELECT * FROM idempotency_key'),
  ]);
  expect(kept).toContain('secretive');
  expect(kept).not.toContain(password);
});

// In DNS it is a label of its own: with dots, `a` of project `b.c` and `a.b` of project `c` would be one name.
test('a project that a command or a first start makes has no dots in its name either', async () => {
  await expect(bench.system.firstStart.ensureProject('b.c')).rejects.toThrow('INVALID_INPUT');
});
