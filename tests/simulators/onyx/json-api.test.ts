import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { OnyxSwitch } from '../../../simulators/onyx/switch.ts';
import { clientOf } from '../f5-bigip/https-client.ts';

let device: OnyxSwitch;
beforeEach(async () => {
  device = await OnyxSwitch.start();
});
afterEach(() => device.stop());

const loginPath = '/admin/launch?script=rh&template=json-request&action=json-login';
const login = (password = 'secret') =>
  clientOf(device.https)('POST', loginPath, { body: { username: 'admin', password } });

/** Posts to the API with a session. */
async function session() {
  const [cookie = ''] = (await login()).headers['set-cookie'] ?? [];
  const call = clientOf(device.https, { cookie: cookie.split(';')[0] ?? '' });
  return {
    call,
    run: async (body: unknown) => (await call('POST', '/admin/launch?script=json', { body })).json,
  };
}

test('a login returns a cookie, and a wrong password does not', async () => {
  expect((await login()).json).toEqual({ status: 'OK', status_message: 'Successfully logged-in' });
  const wrong = await login('wrong');
  expect(wrong.json).toEqual({ status: 'ERROR', status_message: 'Invalid username or password' });
  expect(wrong.headers['set-cookie']).toBeUndefined();
  const without = await clientOf(device.https)('POST', '/admin/launch?script=json', { body: { cmd: 'show version' } });
  expect(without.json).toEqual({ status: 'ERROR', status_message: 'Authentication failure' });
});

test('one command or several share one state with the command line', async () => {
  const { run } = await session();
  expect(await run({ cmd: 'show version' })).toMatchObject({
    status: 'OK',
    executed_command: 'show version',
    data: { 'Product release': '3.7.1102' },
  });
  const commands = ['vlan 10', 'name a', 'exit', 'interface ethernet 1/1 switchport access vlan 10'];
  expect(await run({ commands, execution_type: 'sync' })).toEqual({
    results: commands.map((command) => ({ status: 'OK', executed_command: command, status_message: '', data: '' })),
  });
  expect(device.config.vlans.get(10)).toEqual({ name: 'a' });
  expect(device.log.entries.map(({ via }) => via)).toEqual(['JSON', 'JSON', 'JSON']);
});

test('the API is already in configuration mode, and every request begins there', async () => {
  const { run } = await session();
  expect(await run({ cmd: 'configure terminal' })).toMatchObject({
    status: 'ERROR',
    status_message: expect.stringMatching(/^% Unrecognized command/),
  });
  await run({ cmd: 'vlan 10' });
  expect(await run({ cmd: 'name a' })).toMatchObject({ status: 'ERROR' });
});

test('a refused command does not stop the others, unless configured', async () => {
  const { run } = await session();
  const commands = ['no vlan 10', 'vlan 11'];
  expect(await run({ commands })).toMatchObject({ results: [{ status: 'ERROR' }, { status: 'OK' }] });
  device.knobs.stopsAtError = true;
  expect((await run({ commands })).results).toHaveLength(1);
});

test('a job is read by its id', async () => {
  const { run, call } = await session();
  const started = await run({ commands: ['vlan 10'], execution_type: 'async' });
  expect(started).toMatchObject({ status: 'OK', job_id: expect.stringMatching(/^\d+$/) });
  const job = await call('GET', `/admin/launch?script=json&job_id=${started.job_id}`);
  expect(job.json).toMatchObject({ results: [{ executed_command: 'vlan 10', status: 'OK' }] });
});

test('sessions are limited, expire, and end with a logout', async () => {
  device.knobs.maxWebSessions = 1;
  const { run, call } = await session();
  expect((await login()).json).toMatchObject({ status: 'ERROR', status_message: expect.stringContaining('Maximum') });
  const nowMs = performance.now.bind(performance);
  const clock = jest.spyOn(performance, 'now').mockImplementation(() => nowMs() + device.knobs.webSessionLifetimeMs);
  expect(await run({ cmd: 'show version' })).toMatchObject({ status_message: 'Authentication failure' });
  clock.mockRestore();
  const again = await session();
  await again.call('POST', '/admin/launch?script=rh&template=json-request&action=json-logout');
  expect(device.api.sessions).toBe(0);
  expect((await call('GET', '/elsewhere')).status).toBe(404);
});

test('faults apply to changes only', async () => {
  const { run } = await session();
  device.faults.plan('DROP_BEFORE_APPLYING', 'DROP_AFTER_APPLYING', 'FAIL');
  expect(await run({ cmd: 'show version' })).toMatchObject({ status: 'OK' });
  await expect(run({ cmd: 'vlan 10' })).rejects.toThrow();
  expect(device.config.vlans.has(10)).toBe(false);
  await expect(run({ cmd: 'vlan 11' })).rejects.toThrow();
  expect(device.config.vlans.has(11)).toBe(true);
  expect(await run({ cmd: 'vlan 12' })).toMatchObject({ status: 'ERROR', status_message: '% Internal error' });
  expect(device.config.vlans.has(12)).toBe(false);
});

test('without the API its path does not exist', async () => {
  device.knobs.jsonApi = false;
  expect((await login()).status).toBe(404);
});
