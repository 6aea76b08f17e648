// Login, tokens and their limits.

import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { BigIp } from '../../../simulators/f5-bigip/bigip.ts';
import { type Call, clientOf } from './https-client.ts';

let now = 0;
let device: BigIp;
let call: Call;

beforeEach(async () => {
  now = Date.UTC(2020, 0, 1);
  device = await BigIp.start({ now: () => now });
  call = clientOf(device.server);
});
afterEach(() => device.stop());

const login = (username = 'netops', password = 'secret') =>
  call('POST', '/mgmt/shared/authn/login', { body: { username, password, loginProviderName: 'tmos' } });

const withToken = (token: string) => clientOf(device.server, { 'x-f5-auth-token': token });

test('a token is valid until it expires, regardless of use', async () => {
  const { status, json } = await login();
  expect([status, json.token.timeout, json.loginProviderName]).toEqual([200, 1200, 'tmos']);
  expect(json.token.expirationMicros).toBe((now + 1_200_000) * 1000);
  const own = withToken(json.token.token);
  now += 1_199_000;
  expect((await own('GET', '/mgmt/tm/ltm/pool')).status).toBe(200);
  now += 1_000;
  const expired = await own('GET', '/mgmt/tm/ltm/pool');
  expect([expired.status, expired.json.message]).toEqual([401, 'X-F5-Auth-Token does not exist.']);
});

test("a token's lifetime can be extended, up to ten hours", async () => {
  const { token } = (await login()).json.token;
  const own = withToken(token);
  expect((await own('PATCH', `/mgmt/shared/authz/tokens/${token}`, { body: { timeout: 36_001 } })).status).toBe(406);
  const longer = await own('PATCH', `/mgmt/shared/authz/tokens/${token}`, { body: { timeout: 36_000 } });
  expect([longer.status, longer.json.timeout]).toEqual([200, 36_000]);
  now += 35_999_000;
  expect((await own('GET', '/mgmt/tm/ltm/pool')).status).toBe(200);
});

test('the 101st live token of a user is refused until one is deleted, and admin has no limit', async () => {
  const tokens: string[] = [];
  for (let index = 0; index < 100; index += 1) tokens.push((await login()).json.token.token);
  const refused = await login();
  expect([refused.status, refused.json.message]).toEqual([400, 'user netops has reached maximum active login tokens']);
  expect((await login('admin')).status).toBe(200);
  const first = tokens[0] ?? '';
  expect((await withToken(first)('DELETE', `/mgmt/shared/authz/tokens/${first}`)).status).toBe(200);
  expect((await login()).status).toBe(200);
  expect(device.tokens.live).toBe(101);
});

test('refuses a wrong password and a call without a password', async () => {
  expect((await login('netops', 'wrong')).status).toBe(401);
  const bare = await call('GET', '/mgmt/tm/ltm/pool');
  expect([bare.status, bare.json.kind]).toEqual([401, ':resterrorresponse']);
  const basic = { authorization: `Basic ${Buffer.from('netops:secret').toString('base64')}` };
  expect((await call('GET', '/mgmt/tm/ltm/pool', { headers: basic })).status).toBe(200);
});
