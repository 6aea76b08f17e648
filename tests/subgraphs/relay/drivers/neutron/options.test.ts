// The allowed login addresses, and the meaning of Keystone's answers.
import { describe, expect, test } from '@jest/globals';
import { validateObject } from '../../../../../platform/input/json-schema.ts';
import type { HttpCall, HttpReply, JsonObject } from '../../../../../subgraphs/relay/drivers/driver.ts';
import { neutron } from '../../../../../subgraphs/relay/drivers/neutron/driver.ts';

const options = { authUrl: 'https://keystone.example:5000/v3', project: 'alpha' };
const faults = (given: JsonObject): string[] => {
  const checked = validateObject(neutron.optionsSchema, given);
  return checked.ok ? [] : checked.faults.map(({ path }) => path.join('.'));
};

test.each([
  'https://keystone.example:5000/v3',
  'https://10.0.0.1/identity/v3/',
  'https://[2001:db8::1]:5000/v3',
  'https://keystone.example',
])('a login at %s is allowed', (authUrl) => {
  expect(faults({ ...options, authUrl })).toEqual([]);
});

test.each([
  'http://keystone.example:5000/v3',
  'https://user:secret@keystone.example/v3',
  'https://keystone.example/v3?x=y',
  'https://keystone.example/../v3#x',
  'file:///etc/passwd',
  '//keystone.example',
])('a login at %s is refused', (authUrl) => {
  expect(faults({ ...options, authUrl })).toEqual(['authUrl']);
});

test("the login's address and project are required", () => {
  expect(faults({}).sort()).toEqual(['authUrl', 'project']);
  expect(faults({ ...options, project: 'a\nb' })).toEqual(['project']);
  expect(faults({ ...options, basePath: '/../x' })).toEqual([]);
  expect(faults({ ...options, basePath: 'x' })).toEqual(['basePath']);
});

describe('an answer of Keystone', () => {
  async function logIn(reply: Partial<HttpReply>) {
    const calls: HttpCall[] = [];
    const login = await neutron.https?.open(
      async (call) => {
        calls.push(call);
        return { kind: 'http', status: 201, headers: {}, body: '', truncated: false, ...reply };
      },
      { username: 'ops', password: 'secret' },
      { transport: 'https', options: { ...options, userDomain: 'people' }, softwareVersion: null },
    );
    return { calls, login };
  }

  test('with a token, whose lifetime is read by its own clock', async () => {
    const body = JSON.stringify({
      token: { issued_at: '2001-01-01T00:00:00.000000Z', expires_at: '2001-01-01T01:00:00.000000Z' },
    });
    const { calls, login } = await logIn({ headers: { 'x-subject-token': 'gAAA' }, body });
    expect(calls).toEqual([
      {
        ...{ kind: 'http', origin: 'https://keystone.example:5000', path: '/v3/auth/tokens', method: 'POST' },
        body: {
          auth: {
            identity: {
              methods: ['password'],
              password: { user: { name: 'ops', password: 'secret', domain: { name: 'people' } } },
            },
            scope: { project: { name: 'alpha', domain: { name: 'Default' } } },
          },
        },
      },
    ]);
    expect(login).toMatchObject({
      ok: true,
      headers: { 'x-auth-token': 'gAAA' },
      lifetimeMs: 3_540_000,
      close: { method: 'DELETE', headers: { 'x-subject-token': 'gAAA' }, origin: 'https://keystone.example:5000' },
    });
  });

  test('an application credential has its own project, which must match the options', async () => {
    const calls: HttpCall[] = [];
    const token = (project: string) => ({ token: { project: { name: project, domain: { name: 'Default' } } } });
    const open = (project: string) =>
      neutron.https?.open(
        async (call) => {
          calls.push(call);
          const headers = { 'x-subject-token': 'gAAA' };
          return { kind: 'http', status: 201, headers, body: JSON.stringify(token(project)), truncated: false };
        },
        { username: 'abc123', password: 'its-secret' },
        { transport: 'https', options: { ...options, login: 'applicationCredential' }, softwareVersion: null },
      );
    expect(await open('alpha')).toMatchObject({ ok: true, headers: { 'x-auth-token': 'gAAA' } });
    const credential = { id: 'abc123', secret: 'its-secret' };
    const identity = { methods: ['application_credential'], application_credential: credential };
    expect(calls.map(({ body }) => body)).toEqual([{ auth: { identity } }]);
    calls.length = 0;
    expect(await open('beta')).toMatchObject({ ok: false, code: 'AUTH_FAILED' });
    // The token is revoked.
    expect(calls.map(({ method, headers }) => [method, headers])).toEqual([
      ['POST', undefined],
      ['DELETE', { 'x-subject-token': 'gAAA', 'x-auth-token': 'gAAA' }],
    ]);
  });

  test.each([
    ['a wrong password', { status: 401, body: '{"error":{"message":"no"}}' }, 'AUTH_FAILED'],
    ['too many requests', { status: 429 }, 'SESSION_REFUSED'],
    ['a redirect', { status: 302 }, 'PROTOCOL_FAILED'],
    ['an error', { status: 500, body: 'oops' }, 'PROTOCOL_FAILED'],
    ['no token', { status: 201, body: '{}' }, 'PROTOCOL_FAILED'],
    ['another API', { status: 200, body: '{"access":{}}' }, 'PROTOCOL_FAILED'],
  ])('%s', async (_what, reply, code) => {
    expect((await logIn(reply)).login).toMatchObject({ ok: false, code });
  });

  test('a token with an unreadable lifetime is used until it is refused', async () => {
    const { login } = await logIn({ headers: { 'x-subject-token': 'gAAA' }, body: 'x' });
    expect(login).toMatchObject({ ok: true });
    expect(login).not.toHaveProperty('lifetimeMs');
  });
});
