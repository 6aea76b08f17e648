// The driver's login on each FortiOS version, and the outcome of a rejected login.

import { expect, test } from '@jest/globals';
import { makeCertificate } from '../../../../../platform/net/certificates.ts';
import { RelayedGate, useRelayedGates } from './support/relayed-gate.ts';

useRelayedGates();

const versions = ['5.6.14', '6.2.3', '6.4.1', '6.4.2', '6.4.9', '7.0.12', '7.2.5', '7.4.5', '7.6.2', '7.6.3', '7.6.4'];

test.each(versions)('%s: logs in once, writes with the CSRF token, and logs out', async (version) => {
  for (const softwareVersion of [undefined, `FortiOS v${version} build1`]) {
    const relayed = await RelayedGate.start({ version }, softwareVersion === undefined ? {} : { softwareVersion });
    const { gate } = relayed;
    await relayed.done('address.create', { name: 'web', address: '192.0.2.80' });
    await relayed.done('address.delete', { name: 'web' });
    expect(gate.device.accounts.attempts.map((attempt) => attempt.result)).toEqual(['ACCEPTED']);
    const isOld = version < '6.4.2';
    const logins = gate.requests.map(({ path }) => path).filter((path) => /login|authentication/.test(path));
    const tried = softwareVersion === undefined && isOld ? ['/api/v2/authentication'] : [];
    expect(logins).toEqual([...tried, isOld ? '/logincheck' : '/api/v2/authentication']);
    await relayed.stop();
    expect(gate.device.accounts.openSessions).toBe(0);
  }
});

test('an API token is sent with each call, and is checked once', async () => {
  const credentials = { apiToken: 'token' };
  const relayed = await RelayedGate.start({ version: '7.6.4', apiUsers: [{ token: 'token' }] }, { credentials });
  await relayed.done('address.create', { name: 'web', address: '192.0.2.80' });
  await relayed.done('address.list');
  expect(relayed.gate.device.accounts.attempts).toEqual([]);
  expect(relayed.gate.requests.map(({ path }) => path)).toEqual([
    '/api/v2/monitor/system/status',
    '/api/v2/cmdb/firewall/address',
    '/api/v2/cmdb/firewall/address',
  ]);
});

test('an API token is checked where the release has no status page', async () => {
  const credentials = { apiToken: 'token' };
  const relayed = await RelayedGate.start({ version: '5.6.8', apiUsers: [{ token: 'token' }] }, { credentials });
  await relayed.done('address.list');
  expect(relayed.gate.requests.map(({ path }) => path).slice(0, 2)).toEqual([
    '/api/v2/monitor/system/status',
    '/api/v2/cmdb/system/global',
  ]);
});

test('a wrong token is tried once, and causes no lockout', async () => {
  const relayed = await RelayedGate.start({ apiUsers: [{ token: 'token' }] }, { credentials: { apiToken: 'wrong' } });
  expect(await relayed.refused('address.list', {})).toBe('NOT_SENT AUTH_FAILED');
  expect(relayed.gate.device.accounts.attempts.map(({ via, result }) => `${via} ${result}`)).toEqual(['TOKEN WRONG']);
});

test.each(['6.2.3', '7.4.5'])('%s: a wrong password is tried once', async (version) => {
  const credentials = { password: 'wrong' };
  const relayed = await RelayedGate.start({ version }, { credentials });
  expect(await relayed.refused('address.list', {})).toBe('NOT_SENT AUTH_FAILED');
  expect(relayed.gate.device.accounts.attempts.map((attempt) => attempt.result)).toEqual(['WRONG']);
});

test.each(['6.2.3', '7.4.5'])('%s: a right password is refused during a lockout', async (version) => {
  const relayed = await RelayedGate.start({ version, lockoutThreshold: 1 });
  const wrong = new RelayedGate(relayed.gate, { credentials: { password: 'wrong' } });
  await wrong.refused('address.list', {});
  const called = await relayed.refused('address.list', {});
  // The old login gives the reason. The new one does not distinguish a lockout from a wrong password.
  expect(called).toBe(version === '6.2.3' ? 'NOT_SENT SESSION_REFUSED' : 'NOT_SENT AUTH_FAILED');
});

test('a token is refused for a while during a lockout', async () => {
  const apiUsers = [{ token: 'token' }];
  const relayed = await RelayedGate.start({ lockoutThreshold: 1, apiUsers }, { credentials: { apiToken: 'token' } });
  await new RelayedGate(relayed.gate, { credentials: { apiToken: 'wrong' } }).refused('address.list', {});
  expect(await relayed.refused('address.list', {})).toBe('NOT_SENT SESSION_REFUSED');
});

test.each(['6.2.3', '7.0.12', '7.6.4'])(
  '%s: an ended session is opened again, and the call is made once',
  async (version) => {
    const relayed = await RelayedGate.start({ version });
    await relayed.done('address.list');
    relayed.gate.device.accounts.closeAll();
    await relayed.done('address.create', { name: 'web', address: '192.0.2.80' });
    expect(relayed.gate.log.entries).toHaveLength(1);
    expect(relayed.gate.device.accounts.attempts).toHaveLength(2);
  },
);

test.each(['6.2.3', '7.4.5'])('%s: confirms the banner that some devices show after login', async (version) => {
  const relayed = await RelayedGate.start({ version, postLoginBanner: true });
  const made = await relayed.call('address.create', { name: 'web', address: '192.0.2.80' });
  expect(made.state).toBe('SUCCEEDED');
});

test('a login without a session is reported', async () => {
  // The answer of 7.6.3 to the old login, at a relay that assumes an older version.
  const relayed = await RelayedGate.start({ version: '7.6.3' }, { softwareVersion: 'FortiOS v6.2.3 build1066' });
  const called = await relayed.call('address.list', {});
  expect(called).toMatchObject({ state: 'NO_REPLY', failure: { code: 'PROTOCOL_FAILED' } });
  expect(JSON.stringify(called)).toContain('7.6.3');
});

test.each([
  ['a web page', { status: 200, body: '<html>Welcome</html>' }],
  ['an error of a proxy', { status: 502, body: '<html>Bad Gateway</html>' }],
  ['incomplete JSON', { status: 200, body: '{"status_code": 5, "sta' }],
  ['a success without cookies', { status: 200, body: '{"status_code": 5}' }],
])('%s is not a login', async (_what, answer) => {
  const relayed = await RelayedGate.start();
  relayed.gate.answerInstead = () => answer;
  expect(await relayed.refused('address.list', {})).toBe('NOT_SENT PROTOCOL_FAILED');
});

test.each([
  ['a second factor', 2],
  ['a new password', 4],
])("%s is requested by the device, and the relay can't provide it", async (_what, status_code) => {
  const relayed = await RelayedGate.start();
  relayed.gate.answerInstead = () => ({ status: 200, body: JSON.stringify({ status_code }) });
  expect(await relayed.refused('address.list', {})).toBe('NOT_SENT AUTH_FAILED');
});

test('no message contains the secret, whatever the device answers', async () => {
  const credentials = { password: 'hunter2-secret' };
  for (const body of ['hunter2-secret', '{"status_code":-1,"echo":"hunter2-secret"}']) {
    const relayed = await RelayedGate.start({}, { credentials });
    relayed.gate.answerInstead = () => ({ status: 200, body });
    expect(JSON.stringify(await relayed.call('address.list', {}))).not.toContain('hunter2');
  }
});

test('a changed certificate is refused before the password is sent', async () => {
  const relayed = await RelayedGate.start();
  relayed.gate.https.present(await makeCertificate({ commonName: 'somebody-else' }));
  expect(await relayed.refused('address.list', {})).toBe('NOT_SENT CERTIFICATE_MISMATCH');
  expect(relayed.gate.requests).toEqual([]);
});
