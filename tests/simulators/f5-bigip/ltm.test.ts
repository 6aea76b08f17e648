// LTM objects: their storage, their references, and the texts of refusals.

import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { BigIp } from '../../../simulators/f5-bigip/bigip.ts';
import { type Call, clientOf, type Got } from './https-client.ts';

let device: BigIp;
let call: Call;

beforeEach(async () => {
  device = await BigIp.start();
  const login = await clientOf(device.server)('POST', '/mgmt/shared/authn/login', {
    body: { username: 'admin', password: 'secret', loginProviderName: 'tmos' },
  });
  call = clientOf(device.server, { 'x-f5-auth-token': login.json.token.token });
});
afterEach(() => device.stop());

const make = (collection: string, body: Record<string, unknown>): Promise<Got> =>
  call('POST', `/mgmt/tm/ltm/${collection}`, { body: { partition: 'Common', ...body } });
const refusal = ({ status, json }: Got) => `${status} ${json?.message}`;

test('a pool is created, read, changed in part and as a whole, and deleted', async () => {
  const made = await make('pool', { name: 'web', description: 'mark', monitor: '/Common/http' });
  expect(made).toMatchObject({
    status: 200,
    json: {
      kind: 'tm:ltm:pool:poolstate',
      fullPath: '/Common/web',
      selfLink: 'https://localhost/mgmt/tm/ltm/pool/~Common~web?ver=13.1.1',
      loadBalancingMode: 'round-robin',
      monitor: '/Common/http ',
      description: 'mark',
      membersReference: { isSubcollection: true },
    },
  });
  const path = '/mgmt/tm/ltm/pool/~Common~web';
  const changed = await call('PATCH', path, { body: { loadBalancingMode: 'least-connections-member' } });
  expect(changed.json).toMatchObject({ loadBalancingMode: 'least-connections-member', description: 'mark' });
  expect(changed.json.generation).toBeGreaterThan(made.json.generation);
  const replaced = await call('PUT', path, { body: { slowRampTime: 20 } });
  expect(replaced.json).toMatchObject({ slowRampTime: 20, loadBalancingMode: 'round-robin' });
  expect(replaced.json.description).toBeUndefined();
  expect((await call('GET', '/mgmt/tm/ltm/pool')).json).toMatchObject({
    kind: 'tm:ltm:pool:poolcollectionstate',
    items: [{ fullPath: '/Common/web' }],
  });
  expect(await call('DELETE', path)).toMatchObject({ status: 200, text: '' });
  expect(refusal(await call('GET', path))).toBe('404 01020036:3: The requested Pool (/Common/web) was not found.');
});

test('refuses existing and unknown objects, and invalid names', async () => {
  await make('pool', { name: 'web' });
  expect(refusal(await make('pool', { name: 'web' }))).toBe(
    '409 01020066:3: The requested Pool (/Common/web) already exists in partition Common.',
  );
  expect(refusal(await make('pool', { name: 'x', monitor: '/Common/nope' }))).toBe(
    '404 01020036:3: The requested Monitor (/Common/nope) was not found.',
  );
  expect(refusal(await make('pool', { name: 'x', colour: 'red' }))).toBe('400 "colour" unknown property');
  expect(refusal(await make('pool', { name: '6pack' }))).toMatch(/^400 01070088:3: /);
  expect(refusal(await make('pool', { name: 'a', partition: 'Nowhere' }))).toMatch(/^404 01020036:3: .*folder/);
  expect(refusal(await call('GET', '/mgmt/tm/ltm/nothing'))).toMatch(/^404 Public URI path not registered/);
  expect((await call('POST', '/mgmt/tm/ltm/pool', { body: '{"name":' })).status).toBe(400);
});

test('members create their nodes, which are then in use', async () => {
  await make('pool', { name: 'web' });
  const members = '/mgmt/tm/ltm/pool/~Common~web/members';
  const made = await call('POST', members, { body: { name: '10.0.0.1:80', partition: 'Common', description: 'm' } });
  expect(made.json).toMatchObject({ address: '10.0.0.1', session: 'user-enabled', state: 'unchecked' });
  const v6 = await call('POST', members, { body: { name: '2001:db8::1.443', partition: 'Common' } });
  expect(v6.json).toMatchObject({ address: '2001:db8::1', fullPath: '/Common/2001:db8::1.443' });
  expect(refusal(await call('POST', members, { body: { name: 'nowhere:80' } }))).toMatch(/^404 01020036:3: .*Node/);
  expect(refusal(await call('DELETE', '/mgmt/tm/ltm/node/~Common~10.0.0.1'))).toBe(
    "400 01070110:3: Node address '/Common/10.0.0.1' is referenced by a member of pool '/Common/web'.",
  );
  await call('PATCH', '/mgmt/tm/ltm/pool/~Common~web', { body: { monitor: '/Common/tcp' } });
  const down = await call('PATCH', `${members}/~Common~10.0.0.1:80`, { body: { session: 'user-disabled' } });
  expect(down.json).toMatchObject({ session: 'user-disabled', state: 'up', description: 'm' });
  const pool = await call('GET', '/mgmt/tm/ltm/pool/~Common~web?expandSubcollections=true');
  expect(pool.json.membersReference.items).toHaveLength(2);
  expect((await call('DELETE', '/mgmt/tm/ltm/pool/~Common~web')).status).toBe(200);
  expect((await call('DELETE', '/mgmt/tm/ltm/node/~Common~10.0.0.1')).status).toBe(200);
});

test("an empty text removes a pool's monitor, and /Common/none does not", async () => {
  await make('pool', { name: 'bare', monitor: '/Common/http' });
  const set = (monitor: string) => call('PATCH', '/mgmt/tm/ltm/pool/~Common~bare', { body: { monitor } });
  expect((await set('/Common/none')).status).toBe(404);
  expect((await set('')).json).not.toHaveProperty('monitor');
});

test("a monitor and a pool in use can't be deleted", async () => {
  await make('monitor/http', { name: 'alive', recv: '200 OK', interval: 10, timeout: 31 });
  await make('pool', { name: 'web', monitor: '/Common/alive' });
  const made = await make('virtual', { name: 'vs', destination: '10.1.0.1:80', ipProtocol: 'tcp', pool: 'web' });
  expect(made.json).toMatchObject({ destination: '/Common/10.1.0.1:80', pool: '/Common/web', mask: '255.255.255.255' });
  expect(refusal(await call('DELETE', '/mgmt/tm/ltm/monitor/http/~Common~alive'))).toMatch(/^400 01070083:3: /);
  expect(refusal(await call('DELETE', '/mgmt/tm/ltm/pool/~Common~web'))).toBe(
    '400 01070265:3: The Pool (/Common/web) cannot be deleted because it is in use by a Virtual Server (/Common/vs).',
  );
  expect(refusal(await make('monitor/tcp', { name: 'odd', interval: 5, timeout: 5 }))).toMatch(/^400 /);
});

test('virtual servers exclude each other, and are on or off', async () => {
  const first = { name: 'a', destination: '10.1.0.1:80', ipProtocol: 'tcp', profiles: ['/Common/tcp', 'http'] };
  await make('virtual', first);
  expect(refusal(await make('virtual', { ...first, name: 'b' }))).toMatch(/^400 01070333:3: .*\/Common\/a/);
  expect(refusal(await make('virtual', { ...first, name: 'c', destination: '10.1.0.2:80', pool: 'nope' }))).toBe(
    '404 01020036:3: The requested Pool (/Common/nope) was not found.',
  );
  const path = '/mgmt/tm/ltm/virtual/~Common~a';
  const off = await call('PATCH', path, { body: { disabled: true } });
  expect([off.json.disabled, off.json.enabled]).toEqual([true, undefined]);
  const read = await call('GET', `${path}?expandSubcollections=true`);
  expect(read.json.profilesReference.items).toMatchObject([
    { fullPath: '/Common/tcp', context: 'all' },
    { fullPath: '/Common/http' },
  ]);
});

test('reports its identity, and saves the configuration', async () => {
  const version = await call('GET', '/mgmt/tm/sys/version');
  expect(Object.values(version.json.entries)[0]).toMatchObject({
    nestedStats: { entries: { Version: { description: '13.1.1' } } },
  });
  const devices = (await call('GET', '/mgmt/tm/cm/device')).json.items;
  expect(devices.find((each: { selfDevice: string }) => each.selfDevice === 'true').chassisId).toBe('f5-sim-0001');
  await make('pool', { name: 'web' });
  expect(device.config.unsaved).toBe(true);
  const saved = await call('POST', '/mgmt/tm/sys/config', { body: { command: 'save' } });
  expect([saved.json.kind, device.config.unsaved]).toEqual(['tm:sys:config:savestate', false]);
});

test('its faults are those that users have reported', async () => {
  device.plan('BUSY', 'RESTARTING', 'MCPD_LOST', 'TIMEOUT_AFTER_APPLYING', 'BOGUS_NOT_FOUND', 'TOKEN_LOST');
  expect(refusal(await make('pool', { name: 'a' }))).toBe('503 There is an active asynchronous task executing.');
  expect(refusal(await make('pool', { name: 'a' }))).toMatch(/^404 URI path .* not registered/);
  expect((await make('pool', { name: 'a' })).status).toBe(500);
  expect(device.applied.entries).toHaveLength(0);
  const timedOut = await make('pool', { name: 'a' });
  expect([timedOut.status, timedOut.headers['content-type']]).toEqual([500, 'text/html;charset=ISO-8859-1']);
  expect(timedOut.text).toContain('AsyncContext timeout');
  expect((await make('pool', { name: 'b', partition: undefined })).status).toBe(404);
  expect(device.applied.entries.map((entry) => entry.action)).toEqual(['POST ltm/pool', 'POST ltm/pool']);
  expect((await call('GET', '/mgmt/tm/ltm/pool')).status).toBe(401);
  expect((await call('GET', '/mgmt/tm/ltm/pool')).json.items).toHaveLength(2);
});

test('an answer can be replaced', async () => {
  device.answersInstead.push({ status: 200, body: '<html>' });
  expect((await make('pool', { name: 'a' })).text).toBe('<html>');
  expect((await call('GET', '/mgmt/tm/ltm/pool/~Common~a')).status).toBe(200);
});
