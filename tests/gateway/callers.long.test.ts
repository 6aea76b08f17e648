// Callers of a whole system. Every root query runs as a user with no, one and three projects, and as an administrator. Each one returns data
// or a coded refusal, never INTERNAL. No browser session survives a logout or another login.
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import {
  buildClientSchema,
  type GraphQLInputType,
  type GraphQLOutputType,
  type GraphQLSchema,
  getIntrospectionQuery,
  getNamedType,
  type IntrospectionQuery,
  isEnumType,
  isInputObjectType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  isRequiredArgument,
  isRequiredInputField,
} from 'graphql';
import { createLogger } from '../../platform/log/log.ts';
import { encodeId, newUuid } from '../../platform/values/ids.ts';
import { ask } from '../bin/support/up-process.ts';
import { type RunningSystem, runningSystem } from '../support/product/running-system.ts';

const lines: string[] = [];
let system: RunningSystem;
let schema: GraphQLSchema;
let admin: string;
let password: string;
/** Access tokens by the number of projects. */
const users = new Map<number, string>();

const login = async (name: string, password: string) => {
  const query = 'mutation ($input: LoginInput!) { login(input: $input) { accessToken } }';
  return (await ask<{ login: { accessToken: string } }>(origin(), undefined, query, { input: { name, password } }))
    .login.accessToken;
};
const origin = () => new URL(system.url).origin;
async function administer<Payload>(mutation: string, input: object, fields: string): Promise<Payload> {
  const type = `${mutation.charAt(0).toUpperCase()}${mutation.slice(1)}Input`;
  const query = `mutation ($input: ${type}!) { done: ${mutation}(input: $input) { ${fields} userErrors { code message } } }`;
  const { done } = await ask<{ done: Payload & { userErrors: object[] } }>(origin(), admin, query, { input });
  expect([mutation, done.userErrors]).toEqual([mutation, []]);
  return done;
}

beforeAll(async () => {
  const destination = new Writable({
    write(chunk, _, done) {
      lines.push(String(chunk));
      done();
    },
  });
  system = await runningSystem({ log: createLogger({ level: 'error', pretty: false, destination }) });
  password = (await readFile(join(system.folder, 'accounts/admin.password'), 'utf8')).trim();
  admin = await login('admin', password);
  const introspection = await ask<IntrospectionQuery>(origin(), admin, getIntrospectionQuery());
  schema = buildClientSchema(introspection);
  const projects: string[] = [];
  for (const name of ['one', 'two', 'three'])
    projects.push(
      (await administer<{ project: { id: string } }>('projectCreate', { name }, 'project { id }')).project.id,
    );
  for (const count of [0, 1, 3]) {
    const [name, own] = [`with-${count}`, `a password for ${randomUUID()}`];
    const { user } = await administer<{ user: { id: string } }>('userCreate', { name, password: own }, 'user { id }');
    for (const projectId of projects.slice(0, count))
      await administer('membershipSet', { userId: user.id, projectId, role: 'OPERATOR' }, 'membership { role }');
    users.set(count, await login(name, own));
  }
});
afterAll(() => system?.stop());

/** A value that fits the type. An id belongs to an object that never existed. */
function sampleOf(type: GraphQLInputType, name: string): unknown {
  if (isNonNullType(type)) return sampleOf(type.ofType, name);
  if (isListType(type)) return [sampleOf(type.ofType, name)];
  if (isEnumType(type)) return type.getValues()[0]?.name;
  if (isInputObjectType(type)) {
    const fields = Object.values(type.getFields());
    const some = type.isOneOf ? fields.slice(0, 1) : fields.filter(isRequiredInputField);
    return Object.fromEntries(some.map((field) => [field.name, sampleOf(field.type, field.name)]));
  }
  const values: Readonly<Record<string, unknown>> = {
    ID: encodeId(`${name.replace(/Ids?$/, '').replace(/^./, (first) => first.toUpperCase())}`, newUuid()),
    ...{
      Int: 1,
      Float: 1,
      Boolean: true,
      BigInt: '1',
      DateTime: '2026-01-01T00:00:00Z',
      JSON: {},
      String: 'none.test',
    },
    ...{ IpAddress: '192.0.2.1', CidrBlock: '192.0.2.0/24', IpOrCidr: '192.0.2.1' },
  };
  return values[type.name] ?? 'x';
}

/** All fields that need no argument, two levels deep. */
function selectionOf(type: GraphQLOutputType, depth: number): string {
  const named = getNamedType(type);
  if (isLeafType(named)) return '';
  if (!isObjectType(named)) return '{ __typename }';
  const fields = Object.values(named.getFields()).filter(({ args }) => !args.some(isRequiredArgument));
  const inner = fields.flatMap((field) => {
    if (isLeafType(getNamedType(field.type))) return [field.name];
    return depth > 1 ? [`${field.name} ${selectionOf(field.type, depth - 1)}`] : [];
  });
  return `{ __typename ${inner.join(' ')} }`;
}

test('no root query is INTERNAL for a user with no, one or three projects, or for an administrator', async () => {
  const found: unknown[] = [];
  const fields = Object.values(schema.getQueryType()?.getFields() ?? {});
  expect(fields.length).toBeGreaterThan(50);
  for (const field of fields) {
    const args = field.args.filter(isRequiredArgument);
    const variables = Object.fromEntries(args.map((arg) => [arg.name, sampleOf(arg.type, arg.name)]));
    const head = args.length === 0 ? '' : `(${args.map(({ name, type }) => `$${name}: ${type}`).join(', ')})`;
    const given = args.length === 0 ? '' : `(${args.map(({ name }) => `${name}: $${name}`).join(', ')})`;
    const query = `query ${head} { ${field.name}${given} ${selectionOf(field.type, 2)} }`;
    for (const [who, bearer] of [...users, ['admin', admin] as const]) {
      const response = await fetch(system.url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${bearer}` },
        body: JSON.stringify({ query, variables }),
      });
      const { errors = [] } = (await response.json()) as {
        errors?: { message: string; extensions?: { code?: string } }[];
      };
      for (const { message, extensions } of errors)
        if (!isExplained(extensions?.code)) found.push([field.name, who, extensions?.code, message]);
    }
  }
  expect(found).toEqual([]);
  expect(lines.filter((line) => /"level":(50|60)/.test(line))).toEqual([]);
});

/** Whether the code is an acceptable refusal. A validation error or a bad value is a fault of this test. */
function isExplained(code: string | undefined): boolean {
  return (
    code !== undefined && !['INTERNAL', 'GRAPHQL_VALIDATION_FAILED', 'BAD_USER_INPUT', 'LIMIT_EXCEEDED'].includes(code)
  );
}

test('a caller with several projects must name one to list containers, and a caller without a project has none', async () => {
  const query = '{ objectContainers { nodes { name } } }';
  const codes = async (bearer: string | undefined) => {
    const response = await fetch(system.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${bearer}` },
      body: JSON.stringify({ query }),
    });
    const { data, errors = [] } = (await response.json()) as {
      data: { objectContainers: object | null };
      errors?: { message: string; extensions: object }[];
    };
    return errors.length === 0 ? data.objectContainers : errors.map(({ extensions }) => extensions);
  };
  const several = [expect.objectContaining({ code: 'PROJECT_REQUIRED', field: ['projectId'] })];
  expect(await codes(users.get(0))).toEqual({ nodes: [] });
  expect(await codes(users.get(3))).toEqual(several);
  expect(await codes(admin)).toEqual(several);
});

/** Sends a request as a page of the dashboard does. */
async function atSession(field: string, body: object, cookie: string | undefined) {
  const response = await fetch(`${origin()}/session/${field}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: origin(), ...(cookie === undefined ? {} : { cookie }) },
    body: JSON.stringify(body),
  });
  const { data } = (await response.json()) as { data?: Record<string, { accessToken?: string | null } | null> };
  const set = response.headers.getSetCookie().find((each) => !/^[^=]*=;/.test(each));
  return { cookie: set?.split(';')[0], accessToken: data?.[field]?.accessToken ?? undefined };
}
const statusOf = async (bearer: string | undefined) => {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${bearer}` };
  return (await fetch(system.url, { method: 'POST', headers, body: '{"query":"{ me { name } }"}' })).status;
};
const logInPage = (cookie?: string) => atSession('login', { name: 'admin', password }, cookie);

test('after a logout no cookie of the session yields a token', async () => {
  const begun = await logInPage();
  const renewed = await atSession('sessionRefresh', {}, begun.cookie);
  expect(await statusOf(renewed.accessToken)).toBe(200);
  expect(await atSession('sessionRefresh', {}, begun.cookie)).toEqual(renewed);
  await atSession('logout', {}, renewed.cookie);
  for (const { cookie } of [renewed, begun])
    expect(await atSession('sessionRefresh', {}, cookie)).toEqual({ cookie: undefined, accessToken: undefined });
  const left = await logInPage();
  await atSession('logout', {}, left.cookie);
  expect(await atSession('sessionRefresh', {}, left.cookie)).toEqual({ cookie: undefined, accessToken: undefined });
});

test('a login in the same browser ends its previous session', async () => {
  const former = await logInPage();
  expect(await statusOf(former.accessToken)).toBe(200);
  const next = await logInPage(former.cookie);
  expect(await statusOf(next.accessToken)).toBe(200);
  expect(await atSession('sessionRefresh', {}, former.cookie)).toEqual({ cookie: undefined, accessToken: undefined });
  expect(await atSession('sessionRefresh', {}, next.cookie)).toMatchObject({ accessToken: expect.any(String) });
});
