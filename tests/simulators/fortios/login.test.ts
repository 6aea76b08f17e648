// How each FortiOS version authenticates a REST client, and rejects it.

import { expect, test } from '@jest/globals';
import { until } from '../../support/machine/temporary-folder.ts';
import { call, cli, sessionHeaders, startGate, useGates, withToken } from './support/gates.ts';

useGates();

const status = '/api/v2/monitor/system/status';
const good = { username: 'admin', secretkey: 'secret' };
const versions = ['5.6.14', '6.2.3', '6.4.1', '6.4.9', '7.0.12', '7.2.5', '7.4.5', '7.6.2', '7.6.3', '7.6.4'] as const;

test.each(versions)(
  '%s: /logincheck returns a session before 7.6.3, and later only reports success',
  async (version) => {
    const gate = await startGate({ version });
    const login = await call(gate, '/logincheck', { method: 'POST', form: { ...good, ajax: '1' } });
    expect(login.text[0]).toBe('1');
    const { cookie } = sessionHeaders(login);
    // Version 5.6 has no page for its status (prometheus-community/fortigate_exporter#158).
    if (version === '5.6.14') expect((await call(gate, status, { headers: { cookie } })).status).toBe(404);
    const read = version === '5.6.14' ? '/api/v2/cmdb/system/global' : status;
    const answer = await call(gate, read, { headers: { cookie } });
    if (version.startsWith('7.6.3') || version.startsWith('7.6.4')) {
      expect(login.headers['set-cookie']).toBeUndefined();
      expect(answer.status).toBe(401);
    } else {
      expect(login.headers['set-cookie']?.join()).toMatch(/APSCOOKIE_\d+="Era=0&Payload=/);
      expect(answer.body).toMatchObject({ version: `v${version}`, status: 'success', results: { hostname: 'fgt' } });
    }
  },
);

test.each(versions)('%s: /api/v2/authentication exists from 6.4.2 on', async (version) => {
  const gate = await startGate({ version });
  const login = await call(gate, '/api/v2/authentication', { method: 'POST', json: good });
  if (version < '6.4.2') {
    expect(login.status).toBe(401);
    expect(gate.device.accounts.attempts).toHaveLength(0);
    return;
  }
  expect(login.body).toEqual({ status_code: 5, status_message: 'LOGIN_SUCCESS' });
  const { cookie } = sessionHeaders(login);
  expect(cookie).toMatch(version >= '7.6.3' ? /^session_key_443_[0-9a-f]+=/ : /^APSCOOKIE_\d+=/);
  expect((await call(gate, status, { headers: { cookie } })).status).toBe(200);
  expect((await call(gate, '/api/v2/authentication', { method: 'DELETE', headers: { cookie } })).status).toBe(200);
  expect((await call(gate, status, { headers: { cookie } })).status).toBe(401);
});

test('a session key is in the body until 7.6.3, and is a bearer token', async () => {
  const json = { ...good, request_key: true };
  for (const version of ['7.2.5', '7.6.3']) {
    const gate = await startGate({ version });
    const { body } = await call(gate, '/api/v2/authentication', { method: 'POST', json });
    const headers = { authorization: `Bearer ${body.session_key}` };
    expect((await call(gate, status, { headers })).status).toBe(200);
  }
  const gate = await startGate({ version: '7.6.4' });
  const login = await call(gate, '/api/v2/authentication', { method: 'POST', json });
  expect(login.body.session_key).toBeUndefined();
  expect(sessionHeaders(login).cookie).toContain('session_key_443_');
});

test('a write with a cookie needs the CSRF token; a read, or a write with a token, does not', async () => {
  const gate = await startGate({ version: '7.0.12', apiUsers: [{ token: 'token' }] });
  const login = await call(gate, '/logincheck', { method: 'POST', form: { ...good, ajax: '1' } });
  const { cookie, csrf } = sessionHeaders(login);
  const write = { method: 'POST', json: { name: 'a', subnet: '10.0.0.0 255.0.0.0' } };
  const path = '/api/v2/cmdb/firewall/address';
  expect((await call(gate, path, { ...write, headers: { cookie } })).status).toBe(403);
  expect(gate.log.entries).toHaveLength(0);
  expect((await call(gate, path, { ...write, headers: { cookie, 'x-csrftoken': csrf } })).status).toBe(200);
  expect((await withToken(gate)('DELETE', '/cmdb/firewall/address/a')).status).toBe(200);
});

test('a token in the query is refused since 7.4.5, unless the device allows it', async () => {
  const apiUsers = [{ token: 'token' }];
  const old = await startGate({ version: '7.4.4', apiUsers });
  expect((await call(old, `${status}?access_token=token`)).status).toBe(200);
  const gate = await startGate({ version: '7.4.5', apiUsers });
  expect((await call(gate, `${status}?access_token=token`)).status).toBe(401);
  gate.device.settings.set('system global', 'rest-api-key-url-query', 'enable');
  expect((await call(gate, `${status}?access_token=token`)).status).toBe(200);
});

test('three wrong passwords lock the source out, for REST and SSH, even with the right password', async () => {
  const gate = await startGate({ lockoutMs: 60_000 });
  const wrong = { ...good, secretkey: 'wrong' };
  for (let attempt = 0; attempt < 3; attempt += 1) {
    const reply = await call(gate, '/api/v2/authentication', { method: 'POST', json: wrong });
    expect(reply.body).toMatchObject({ status_code: -1, status_message: 'LOGIN_FAILED' });
  }
  expect((await call(gate, '/logincheck', { method: 'POST', form: { ...good, ajax: '1' } })).text).toBe('2');
  await expect(cli(gate)).rejects.toMatchObject({ level: 'client-authentication' });
  expect((await withToken(gate)('GET', '/monitor/system/status')).status).toBe(429);
  const results = gate.device.accounts.attempts.map((attempt) => attempt.result);
  expect(results.slice(0, 4)).toEqual(['WRONG', 'WRONG', 'WRONG', 'LOCKED']);
  gate.device.accounts.unlockAll();
  expect((await call(gate, '/api/v2/authentication', { method: 'POST', json: good })).body.status_code).toBe(5);
});

test('limits the number of administrators, for REST and CLI together', async () => {
  const gate = await startGate({ version: '7.2.5', maxSessions: 2 });
  const login = () => call(gate, '/api/v2/authentication', { method: 'POST', json: good });
  const first = await login();
  const shell = await cli(gate);
  expect((await login()).body.status_code).toBe(-1);
  expect(gate.device.accounts.attempts.at(-1)?.result).toBe('NO_SESSION_FREE');
  await call(gate, '/logout', { method: 'POST', headers: { cookie: sessionHeaders(first).cookie } });
  expect((await login()).body.status_code).toBe(5);
  shell.client.end();
  await until(() => gate.device.accounts.openSessions <= 1);
  expect((await login()).body.status_code).toBe(5);
});

test('an API user can be limited to a VDOM and to reading', async () => {
  const gate = await startGate({
    multiVdom: true,
    vdoms: ['tenant'],
    apiUsers: [{ token: 'token', vdoms: ['tenant'], readOnly: true }],
  });
  const api = withToken(gate);
  expect((await api('GET', '/cmdb/firewall/address?vdom=tenant')).status).toBe(200);
  expect((await api('GET', '/cmdb/firewall/address?vdom=root')).status).toBe(403);
  expect((await api('POST', '/cmdb/firewall/address?vdom=tenant', { name: 'a' })).body.error).toBe(-37);
});
