// The lbhost role as `tidegate serve --roles lbhost` starts it, with the credentials of an enrolled machine.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import pino from 'pino';
import { Agent, request } from 'undici';
import { type RunningProcess, startProcess } from '../../../../../compose/process.ts';
import { writeMachineFile } from '../../../../../platform/machines/machine-file.ts';
import type { CertificateAndKey } from '../../../../../platform/net/certificates.ts';
import { readConfig } from '../../../../../platform/process/config.ts';
import { newUuid } from '../../../../../platform/values/ids.ts';
import { loadBalancerRow } from '../../../../../subgraphs/loadbalancer/row.ts';
import { freePort } from '../../../../support/machine/free-port.ts';
import { endProcessesOf } from '../../../../support/machine/left-processes.ts';
import { waitFor } from '../../../../support/machine/temporary-folder.ts';
import { testAuthority, testMachine } from '../../../../support/product/machines.ts';
import { TestControl } from '../../support/test-control.ts';
import { wantedNode } from '../../support/wanted.ts';

const log = pino({ level: 'silent' });
const rows = [loadBalancerRow];
let folder: string;
let authority: CertificateAndKey;
let control: TestControl;
let running: RunningProcess | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lb-role-'));
  authority = await testAuthority();
  control = new TestControl(log);
  await control.start(authority);
});
afterEach(async () => {
  await running?.stop();
  running = undefined;
  await control.stop();
  await endProcessesOf(folder);
  await rm(folder, { recursive: true, force: true });
});

async function settings(): Promise<Record<string, string>> {
  const { id, cert, key, ca } = await testMachine(authority, 'lbhost', 'host-1', log);
  await writeMachineFile(folder, {
    ...{ id, name: 'host-1', role: 'lbhost', endpoint: 'http://127.0.0.1:1', token: 'none' },
    ...{ expiresAt: new Date(Date.now() + 6 * 86_400_000).toISOString(), certificate: cert, key, authority: ca },
  });
  return {
    roles: 'lbhost',
    'internal.machineFolder': folder,
    'lbhost.controlUrls': `wss://127.0.0.1:${control.port}/link`,
    'lbhost.folder': join(folder, 'host'),
    'lbhost.provider': 'loopback',
    'lbhost.publicRange': '127.92.0.0/24',
    'lbhost.healthPort': String(await freePort()),
  };
}

async function start(flags: Readonly<Record<string, string>>): Promise<RunningProcess> {
  return startProcess(readConfig({ flags }, rows), log, { rows });
}

test('it needs no database, connects outwards, and its nodes keep serving when it is stopped', async () => {
  const flags: Record<string, string> = { ...(await settings()), 'watch.port': String(await freePort()) };
  running = await start(flags);
  expect(running.owner).toBeUndefined();
  await waitFor('the connection', () => control.connected === 1);
  const address = '127.92.0.10';
  const node = { ...wantedNode(newUuid(), []), address, managementAddress: address };
  control.set(node);
  await waitFor('the node', () => control.isDone(node));
  const agent = new Agent();
  const health = async () => {
    const url = `http://${address}:${flags['lbhost.healthPort']}/health`;
    return (await (await request(url, { dispatcher: agent })).body.json()) as { node: string; incarnation: string };
  };
  const before = await health();
  expect(before.node).toBe(node.id);
  const watched = async (path: string) =>
    (await request(`http://127.0.0.1:${flags['watch.port']}${path}`, { dispatcher: agent })).body.text();
  expect(await watched('/metrics')).toMatch(
    /^tidegate_lbhost_nodes 1\n(#.*\n)*\n?(#.*\n)*tidegate_lbhost_connected 1$/m,
  );
  expect(JSON.parse(await watched('/health/ready'))).toMatchObject({ ready: true });
  await running.stop();
  expect(await health()).toEqual(before);
  running = await start(flags);
  await waitFor('the connection', () => control.connected === 1);
  control.remove(node.id);
  await waitFor('its end', () => control.gone.has(node.id));
  await agent.close();
}, 60_000);

test('missing settings are reported by name', async () => {
  const flags = await settings();
  for (const missing of ['lbhost.controlUrls', 'lbhost.publicRange', 'internal.machineFolder'])
    await expect(start(Object.fromEntries(Object.entries(flags).filter(([name]) => name !== missing)))).rejects.toThrow(
      missing,
    );
  for (const [name, wrong] of Object.entries({
    'lbhost.controlUrls': 'https://control.test',
    'lbhost.publicRange': '192.0.2.1/24',
    'lbhost.managementRange': '192.0.2.0/31',
    'lbhost.tunnelAddress': 'fd00::1',
    'lbhost.publicInterface': 'eth0; reboot',
    'lbhost.haproxy': '/nowhere/haproxy',
    'lbhost.folder': `/${'x'.repeat(100)}`,
    'lbhost.firstUid': '1000',
    'lbhost.cgroup': 'tidegate',
    'lbhost.limits': 'perhaps',
  }))
    await expect(start({ ...flags, [name]: wrong })).rejects.toThrow(name);
});

test('nodes that the machine can’t limit are reported by readiness and metrics, and refused where limits are required', async () => {
  const flags: Record<string, string> = { ...(await settings()), 'watch.port': String(await freePort()) };
  // A folder that is not a cgroup on any machine.
  flags['lbhost.cgroup'] = join(folder, 'cgroup');
  running = await start(flags);
  const watched = async (path: string) => (await request(`http://127.0.0.1:${flags['watch.port']}${path}`)).body.text();
  const fault = process.getuid?.() === 0 ? 'nodes run without limits of cpu, memory, pids' : 'the host is not root';
  await waitFor('the fault in readiness', async () => (await watched('/health/ready')).includes(fault));
  expect(await watched('/metrics')).toMatch(/^tidegate_lbhost_confined 0$/m);
  await running.stop();
  running = undefined;
  await expect(start({ ...flags, 'lbhost.limits': 'required' })).rejects.toThrow(fault);
}, 180_000);
