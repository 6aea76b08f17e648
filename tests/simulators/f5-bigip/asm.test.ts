// ASM policies and tasks.

import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { BigIp } from '../../../simulators/f5-bigip/bigip.ts';
import { type Call, clientOf } from './https-client.ts';

let now = 0;
let device: BigIp;
let call: Call;

beforeEach(async () => {
  now = Date.UTC(2020, 0, 1);
  device = await BigIp.start({ now: () => now });
  device.asm.tasks.knobs.taskMs = 1_000;
  const login = await clientOf(device.server)('POST', '/mgmt/shared/authn/login', {
    body: { username: 'admin', password: 'secret', loginProviderName: 'tmos' },
  });
  call = clientOf(device.server, { 'x-f5-auth-token': login.json.token.token });
});
afterEach(() => device.stop());

const xml = '<?xml version="1.0"?>\n<policy description="d"><enforcement_mode>blocking</enforcement_mode></policy>';
const tasks = '/mgmt/tm/asm/tasks/import-policy';
const statusOf = async (id: string, type = 'import-policy') =>
  (await call('GET', `/mgmt/tm/asm/tasks/${type}/${id}`)).json.status;

test('an import goes from NEW to COMPLETED, and only then the policy exists', async () => {
  const taken = await call('POST', tasks, { body: { file: xml, isBase64: false, fullPath: '/Common/app' } });
  expect([taken.status, taken.json.status]).toEqual([201, 'NEW']);
  now += 500;
  expect(await statusOf(taken.json.id)).toBe('STARTED');
  expect(device.asm.find('/Common/app')).toBeUndefined();
  now += 500;
  expect(await statusOf(taken.json.id)).toBe('COMPLETED');
  expect(device.asm.find('/Common/app')).toMatchObject({
    enforcementMode: 'blocking',
    isModified: true,
    active: false,
  });
});

test('a bad file and a planned failure end in FAILURE, and a name in use makes a copy', async () => {
  const failing = [{ file: 'garbage' }, { file: xml, isBase64: true }, { file: xml }, { file: xml }];
  const taken: string[] = [];
  for (const body of failing)
    taken.push((await call('POST', tasks, { body: { fullPath: '/Common/a', ...body } })).json.id);
  now += 1_000;
  const ends = await Promise.all(taken.map((id) => call('GET', `${tasks}/${id}`)));
  expect(ends.map(({ json }) => json.status)).toEqual(['FAILURE', 'FAILURE', 'COMPLETED', 'COMPLETED']);
  expect(ends[3]?.json.result.message).toContain("The security policy name is '/Common/a_1'.");
  device.asm.tasks.knobs.failures.push('No space left.');
  const last = await call('POST', tasks, { body: { file: xml, fullPath: '/Common/b' } });
  now += 1_000;
  expect((await call('GET', `${tasks}/${last.json.id}`)).json.result.message).toBe('No space left.');
});

test('a policy takes effect when it is applied', async () => {
  const made = await call('POST', '/mgmt/tm/asm/policies', { body: { name: 'app', partition: 'Common' } });
  expect(made.status).toBe(201);
  const { id } = made.json;
  const apply = '/mgmt/tm/asm/tasks/apply-policy';
  const link = `https://localhost/mgmt/tm/asm/policies/${id}`;
  const taken = await call('POST', apply, { body: { policyReference: { link } } });
  now += 1_000;
  expect(await statusOf(taken.json.id, 'apply-policy')).toBe('COMPLETED');
  expect((await call('GET', `/mgmt/tm/asm/policies/${id}`)).json).toMatchObject({ active: true, isModified: false });
  expect((await call('POST', apply, { body: { policyReference: { link: `${link}x` } } })).status).toBe(404);
  expect((await call('GET', `${apply}/nothing`)).status).toBe(404);
});

test('isModified stays true for a while after the policy was applied', async () => {
  device.asm.knobs.modifiedLagMs = 60_000;
  const { id } = (await call('POST', '/mgmt/tm/asm/policies', { body: { name: 'app' } })).json;
  const link = `https://localhost/mgmt/tm/asm/policies/${id}`;
  await call('POST', '/mgmt/tm/asm/tasks/apply-policy', { body: { policyReference: { link } } });
  const modified = async () => (await call('GET', `/mgmt/tm/asm/policies/${id}`)).json.isModified;
  now += 1_000;
  expect([await modified(), device.asm.find('/Common/app')?.active]).toEqual([true, true]);
  now += 60_000;
  expect(await modified()).toBe(false);
});

test('policies are found by filters, with the selected fields', async () => {
  for (const name of ['alpha', 'alphabet']) await call('POST', '/mgmt/tm/asm/policies', { body: { name } });
  const find = async (filter: string, more = '') =>
    (await call('GET', `/mgmt/tm/asm/policies?$filter=${encodeURIComponent(filter)}${more}`)).json?.items;
  expect(await find("contains(name,'alpha')")).toHaveLength(2);
  expect(await find("fullPath eq '/Common/alpha'", '&$select=name,id')).toMatchObject([{ name: 'alpha' }]);
  expect((await find('name eq alpha and partition eq Common', '&$select=name'))[0]).not.toHaveProperty('active');
  expect(await find("name gt 'a'")).toBeUndefined();
});

test('a policy protects its virtual servers', async () => {
  const { id } = (await call('POST', '/mgmt/tm/asm/policies', { body: { name: 'app' } })).json;
  const attach = () => call('PATCH', `/mgmt/tm/asm/policies/${id}`, { body: { virtualServers: ['/Common/vs'] } });
  expect((await attach()).status).toBe(404);
  await call('POST', '/mgmt/tm/ltm/virtual', { body: { name: 'vs', destination: '10.0.0.1:80' } });
  expect((await attach()).json.virtualServers).toEqual(['/Common/vs']);
  expect((await call('DELETE', `/mgmt/tm/asm/policies/${id}`)).status).toBe(200);
});
