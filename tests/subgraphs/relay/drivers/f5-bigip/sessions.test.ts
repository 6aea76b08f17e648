// All calls share one token. It is deleted at the end, renewed when lost, and the device may have none left.

import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { BigIp } from '../../../../../simulators/f5-bigip/bigip.ts';
import { f5BigIp } from '../../../../../subgraphs/relay/drivers/f5-bigip/driver.ts';
import { DriverCaller, type DriverCallerOptions } from '../../support/driver-caller.ts';
import { webEndpoint } from '../../support/endpoints.ts';

let device: BigIp;
const drivers: DriverCaller[] = [];

beforeEach(async () => {
  device = await BigIp.start();
});
afterEach(async () => {
  await Promise.all(drivers.splice(0).map((driver) => driver.stop()));
  await device.stop();
});

function driverOf(options: DriverCallerOptions = {}, password = 'secret'): DriverCaller {
  const driver = new DriverCaller(f5BigIp, webEndpoint(device.server, { username: 'netops', password }), options);
  drivers.push(driver);
  return driver;
}

test('one token serves many calls at once, and is deleted at the end', async () => {
  const driver = driverOf();
  await Promise.all(Array.from({ length: 12 }, (_, index) => driver.done('pool.create', { name: `p${index}` })));
  expect(device.tokens.logins).toBe(1);
  expect(device.tokens.live).toBe(1);
  await driver.stop();
  expect(device.tokens.live).toBe(0);
});

test("a token has the backend's configured lifetime", async () => {
  await driverOf({ options: { tokenSeconds: 36_000 } }).done('pool.list', {});
  await driverOf().done('pool.list', {});
  const patches = device.requests.filter((each) => each.startsWith('PATCH /mgmt/shared/authz/tokens/'));
  expect(patches).toHaveLength(1);
});

test('a token that ends during a call is replaced, and the call is executed once', async () => {
  const driver = driverOf();
  await driver.done('pool.create', { name: 'a' });
  device.tokens.revokeAll();
  await driver.done('pool.create', { name: 'b' });
  expect(device.tokens.logins).toBe(2);
  expect(device.applied.entries.filter(({ action }) => action === 'POST ltm/pool')).toHaveLength(2);
});

test('a missing permission costs no second login', async () => {
  const driver = driverOf();
  await driver.done('pool.list', {});
  const message =
    'Authorization failed: user=https://localhost/mgmt/shared/authz/users/netops resource=/mgmt/tm/ltm/pool verb=POST';
  const body = JSON.stringify({ code: 401, message, kind: ':resterrorresponse' });
  device.answersInstead.push({ status: 401, body });
  expect(await driver.call('pool.create', { name: 'a' })).toEqual({ state: 'FAILED', code: 'DEVICE_REFUSED', message });
  expect(device.tokens.logins).toBe(1);
});

test('a user with no token left gets no session, and gets one after another token is deleted', async () => {
  device.tokens.knobs.maxTokensPerUser = 1;
  const holder = driverOf();
  await holder.done('pool.list', {});
  const other = driverOf();
  expect(await other.call('pool.create', { name: 'a' })).toMatchObject({
    state: 'NO_REPLY',
    failure: { kind: 'NOT_SENT', code: 'SESSION_REFUSED' },
  });
  expect(device.applied.entries).toHaveLength(0);
  await holder.stop();
  await other.done('pool.create', { name: 'a' });
});

test('a wrong password is refused once, and its text is never shown', async () => {
  const driver = driverOf({}, 'wrong-and-secret');
  const called = await driver.call('pool.list', {});
  expect(called).toMatchObject({ state: 'NO_REPLY', failure: { kind: 'NOT_SENT', code: 'AUTH_FAILED' } });
  expect(JSON.stringify(called)).not.toContain('wrong-and-secret');
  expect(device.requests).toHaveLength(1);
});

test.each([
  ['no token', { status: 200, body: '{"token":{"token":""}}' }],
  ['a token with other characters', { status: 200, body: '{"token":{"token":"a/../b"}}' }],
  ['HTML', { status: 200, body: '<html></html>' }],
])('a login answered with %s fails before anything is sent', async (_what, reply) => {
  const sessions = f5BigIp.https;
  if (!sessions) throw new Error('no sessions');
  const backend = { transport: 'https', options: {}, softwareVersion: null } as const;
  const opened = await sessions.open(
    async () => ({ kind: 'http', headers: {}, truncated: false, ...reply }),
    { username: 'u', password: 'p' },
    backend,
  );
  expect(opened).toMatchObject({ ok: false, code: 'PROTOCOL_FAILED' });
});
