// Login, refresh, logout and what a credential is worth afterwards, on a real database.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { adminPassword, type SystemBench, systemBench } from '../support/system-bench.ts';

let bench: SystemBench;

beforeAll(async () => {
  bench = await systemBench();
  await bench.system.firstStart.bootstrap({ adminName: 'admin', adminPassword });
});

afterAll(() => bench.close());

const loginMutation = `mutation ($name: String!, $password: String!) { login(input: { name: $name, password: $password }) {
  accessToken accessTokenExpiresAt refreshToken refreshTokenExpiresAt userErrors { code message field retry retryAfterMs } } }`;
const refreshMutation = `mutation ($token: String!) { sessionRefresh(input: { refreshToken: $token }) {
  accessToken refreshToken userErrors { code } } }`;

async function login(name = 'admin', password = adminPassword, address = '192.0.2.1') {
  const { data } = await bench.ask(null, loginMutation, { name, password }, address);
  return data.login;
}

describe('login', () => {
  test('gives tokens that stand for the user', async () => {
    const pair = await login();
    expect(pair.userErrors).toEqual([]);
    const identity = await bench.system.authenticator.authenticate(pair.accessToken);
    expect(identity).toMatchObject({ kind: 'user', name: 'admin', admin: true, projects: {} });
    const me = await bench.ask(identity ?? null, '{ me { name admin projects { role } } }');
    expect(me.data).toEqual({ me: { name: 'admin', admin: true, projects: [] } });
  });
});
