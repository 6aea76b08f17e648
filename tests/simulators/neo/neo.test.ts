// NEO: sessions, jobs with sub-jobs, and their effects on the switches.

import type { IncomingHttpHeaders } from 'node:http';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Neo } from '../../../simulators/neo/neo.ts';
import { type Call, clientOf } from '../f5-bigip/https-client.ts';

let now = 0;
let neo: Neo;
let call: Call;

async function login(): Promise<Call> {
  const { headers } = await clientOf(neo.server)('POST', '/neo/login', {
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: 'username=admin&password=secret',
  });
  return clientOf(neo.server, { cookie: headers['set-cookie']?.[0]?.split(';')[0] ?? '' });
}

beforeEach(async () => {
  now = Date.UTC(2020, 0, 1);
  neo = await Neo.start({ now: () => now });
  neo.jobs.knobs.jobMs = 1_000;
  call = await login();
});
afterEach(() => neo.stop());

const [first, second] = ['10.224.15.29', '10.224.15.30'] as const;

const cli = (commandline: readonly string[], ips: readonly string[] = [first], description = '') =>
  call('POST', '/neo/actions', { body: { action: 'run_cli', params: { commandline }, description, object_ids: ips } });

/** The last part of the job's location. */
const jobIn = ({ location }: IncomingHttpHeaders): string => location?.split('/').at(-1) ?? '';

test('a login returns a cookie, and every call without it is refused', async () => {
  const bare = clientOf(neo.server);
  expect((await bare('POST', '/neo/login', { body: { username: 'admin', password: 'wrong' } })).status).toBe(401);
  const json = await bare('POST', '/neo/login', { body: { username: 'admin', password: 'secret' } });
  expect(json.json.application).toEqual({ name: 'Mellanox NEO', version: '2.7.20' });
  expect(json.headers['rest-version']).toBe('1.0.2');
  expect((await bare('GET', '/neo/resources/systems')).status).toBe(401);
  neo.sessions.knobs.refusal = 'REDIRECT';
  now += neo.sessions.knobs.lifetimeMs;
  expect((await call('GET', '/neo/resources/systems')).status).toBe(302);
});

test('a job goes from Pending over Running to Completed, switch by switch', async () => {
  const taken = await cli(['vlan 100', 'name web', 'exit'], [first, second], 'mark');
  expect([taken.status, taken.headers.location]).toEqual([202, '/neo/app/jobs/35']);
  const read = async (path: string) => (await call('GET', `/neo/app/jobs${path}`)).json;
  expect(await read('/35')).toMatchObject([{ ID: '35', Status: 'Pending', Progress: 0, Description: ' mark' }]);
  now += 500;
  expect(await read('/35')).toMatchObject([{ Status: 'Running', Progress: 50, RelatedObjects: [first, second] }]);
  expect(await read('?parent_id=35')).toMatchObject([
    { ID: '35.1', Status: 'Completed', RelatedObjects: [first] },
    { ID: '35.2', Status: 'Running' },
  ]);
  expect(neo.switches.get(second)?.vlans.has(100)).toBe(false);
  now += 500;
  expect(await read('/35')).toMatchObject([{ Status: 'Completed', Progress: 100 }]);
  expect(neo.switches.get(second)?.vlans.get(100)).toBe('web');
  expect(await read(`?object_ids=${second}.system`)).toHaveLength(2);
  expect(await read('?parent_id=null')).toHaveLength(1);
});

test('a write returns its job in the Location header, in JSON or in a page', async () => {
  neo.jobs.knobs.namedIn = 'json';
  expect((await cli(['vlan 100'])).json).toEqual({ location: '/neo/app/jobs/35' });
  neo.jobs.knobs.namedIn = 'page';
  const page = await cli(['vlan 100']);
  expect([page.status, page.headers.location, page.headers['content-type']]).toEqual([202, undefined, 'text/html']);
});

test('an unknown job gives an empty list', async () => {
  expect(await call('GET', '/neo/app/jobs/99')).toMatchObject({ status: 200, json: [] });
});

test('a switch that refuses, or does not answer, makes the job end with errors', async () => {
  (neo.switches.get(second) as { reachable: boolean }).reachable = false;
  const { headers } = await cli(['vlan 5000'], [first, second]);
  now += 1_000;
  const [job] = (await call('GET', `/neo/app/jobs/${jobIn(headers)}`)).json;
  expect(job.Status).toBe('Completed With Errors');
  expect(job.Summary).toMatch(/15\.29: % VLAN 5000 is out of range.*\n.*15\.30: Failed to connect/);
  const subJobs = (await call('GET', `/neo/app/jobs?parent_id=${job.ID}`)).json;
  expect(subJobs.map((each: { Status: string }) => each.Status)).toEqual(Array(2).fill('Completed With Errors'));
});

const provision = (template_name: string, globals: Record<string, unknown>, ports: readonly string[]) =>
  call('POST', '/neo/actions/ports', {
    body: {
      action: 'port_provisioning',
      params: { template_name, arguments: { globals } },
      ports: { [first]: ports },
      description: '',
    },
  });

test('templates change ports', async () => {
  await cli(['vlan 100', 'vlan 200']);
  now += 1_000;
  await provision('Set-Access-VLAN-Port', { vlan_id: 100 }, ['Eth1/1', 'Eth1/2']);
  await provision('Set-Hybrid-Vlan-Port', { vlan_id: 200 }, ['Eth1/3']);
  await provision('Set-MTU', { mtu: 9216 }, ['Eth1/3']);
  await provision('Disable-Ports', {}, ['Eth1/4']);
  now += 1_000;
  const ports = (await call('GET', `/neo/resources/ports?system_ids=${first}.system`)).json;
  expect(ports).toMatchObject([
    { name: 'Eth1/1', vlanMode: 'Access', accessVlan: 100, vlans: [100] },
    { name: 'Eth1/2', accessVlan: 100 },
    { name: 'Eth1/3', vlanMode: 'Hybrid', allowedVlans: [200], mtu: 9216 },
    { name: 'Eth1/4', adminState: 'Disabled', operationalState: 'DOWN' },
  ]);
  const [vlan] = (await call('GET', `/neo/resources/vlans?system_ids=${first}.system`)).json.filter(
    (each: { vlanID: number }) => each.vlanID === 100,
  );
  expect(vlan).toMatchObject({ id: `${first}.vlan.100`, portNames: ['Eth1/1', 'Eth1/2'] });
  const ofPort = await call('GET', `/neo/resources/ports/${first}.network_port.eth1.3/vlans`);
  expect(ofPort.json.map((each: { vlanID: number }) => each.vlanID)).toEqual([1, 200]);
});

test('a missing argument of a template is an error of the job', async () => {
  const { headers } = await provision('Set-MTU', { size: 9000 }, ['Eth1/1']);
  now += 1_000;
  const [job] = (await call('GET', `/neo/app/jobs/${jobIn(headers)}`)).json;
  expect(job).toMatchObject({ Status: 'Completed With Errors', Summary: `${first}: Argument mtu is missing` });
});

test("an input that can't become a job is refused at once", async () => {
  expect((await cli([], [first])).status).toBe(400);
  expect((await cli(['vlan 5'], ['10.9.9.9'])).status).toBe(400);
  expect((await provision('No-Such-Template', {}, ['Eth1/1'])).status).toBe(400);
  expect((await call('POST', '/neo/actions', { body: '{' })).status).toBe(400);
  expect((await call('POST', '/neo/actions/provisioning/Nope', { body: { object_ids: [first] } })).status).toBe(404);
  expect(neo.applied.entries).toHaveLength(0);
});

test('templates can be read', async () => {
  const all = (await call('GET', '/neo/app/provisioning_templates')).json;
  expect(all.map((each: { title: string }) => each.title)).toContain('Set-Access-VLAN-Port');
  const one = (await call('GET', '/neo/app/provisioning_templates/Set-MTU')).json;
  expect(one.content).toBe('interface ethernet <port> mtu <mtu> force');
  const saved = await call('POST', '/neo/actions/provisioning/Save-Configuration', { body: { object_ids: [first] } });
  expect(saved.status).toBe(202);
});
