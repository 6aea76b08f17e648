// The device `balancers` without root. Its hosts are processes on the loopback interface.
// needs: system, haproxy, keepalived, curl, pdns-server, pdns-backend-sqlite3, nginx-light, bind9-dnsutils, hey, procps, nftables, iproute2, openssl
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, test } from '@jest/globals';
import { isRoot, LabSystem } from '../bin/support/lab-system.ts';
import { ask } from '../bin/support/up-process.ts';
import { endProcessesOf } from '../support/machine/left-processes.ts';
import { waitFor } from '../support/machine/temporary-folder.ts';
import { addressesOf, createBalancer, hasBalancerPrograms, isOfNode, programsOf, serving } from './balancers-system.ts';

const run = promisify(execFile);
const describeHere = hasBalancerPrograms ? describe : describe.skip;
const stranger = ['setpriv', '--reuid', '65534', '--regid', '65534', '--clear-groups', '--no-new-privs'];

async function deleteBalancer(system: LabSystem): Promise<void> {
  const { loadBalancers: page } = await system.ask<{ loadBalancers: { nodes: { id: string }[] } }>(
    '{ loadBalancers { nodes { id } } }',
  );
  const query =
    'mutation ($input: LoadBalancerDeleteInput!) { done: loadBalancerDelete(input: $input) { userErrors { message } } }';
  const deleted = await system.ask(query, { input: { id: page.nodes[0]?.id } });
  expect(deleted).toEqual({ done: { userErrors: [] } });
}

async function logIn({ data, up }: LabSystem): Promise<string> {
  const password = (await readFile(join(data, 'admin.password'), 'utf8')).trim();
  const query = 'mutation ($input: LoginInput!) { login(input: $input) { accessToken } }';
  const input = { name: 'admin', password };
  return (await ask<{ login: { accessToken: string } }>(up.url, undefined, query, { input })).login.accessToken;
}

/** The names of hosts, or of machines that are not revoked, as an administrator sees them. */
async function known({ up }: LabSystem, token: string, kind: 'loadBalancerHosts' | 'machines'): Promise<string[]> {
  const query = `{ ${kind} { nodes { name ${kind === 'machines' ? 'machineState' : ''} } } }`;
  const page = await ask<Record<string, { nodes: { name: string; machineState?: string }[] }>>(up.url, token, query);
  return (page[kind]?.nodes ?? []).filter(({ machineState }) => machineState !== 'REVOKED').map(({ name }) => name);
}

describeHere('without root', () => {
  let system: LabSystem | undefined;
  afterAll(async () => {
    await system?.stop();
    if (system !== undefined) await endProcessesOf(system.data);
  });

  test('the device is on the loopback: the addresses from its DNS server answer', async () => {
    const lab = await LabSystem.start(['--lab', 'balancers'], isRoot ? stranger : []);
    system = lab;
    await createBalancer(lab, 8000);
    await serving(lab);
    const { DNS, DNS_PORT } = await addressesOf(lab.data);
    const question = [`@${DNS}`, '-p', `${DNS_PORT}`, '+short', 'web.default.lb.lab.test'];
    const addresses = await waitFor('its addresses', async () => {
      const found = (await run('dig', question)).stdout.trim().split('\n');
      return found.length === 2 && found;
    });
    for (const address of addresses) {
      expect(address).toMatch(/^127\.79\./);
      expect(await (await fetch(`http://${address}:8000/`)).text()).toMatch(/^web\d\n$/);
    }
    await waitFor('its figures among the metrics', async () => {
      const text = await (await fetch(`${lab.up.url}/metrics`)).text();
      return /^tidegate_load_balancer_listener_requests_total\{load_balancer="web",.*port="8000"\} [1-9]/m.test(text);
    });
    expect(await lab.refusal('unplug', 'host1')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('root'),
    });
    await lab.told('kill', 'host1');
    await lab.told('plug', 'host1');
    await serving(lab);
    const { stdout: keeper } = await run('pgrep', ['-f', `lab-server-process.ts ${lab.data}`]);
    process.kill(Number(keeper), 'SIGKILL');
    await lab.end('SIGKILL');
    await waitFor('all to end, also the nodes', async () => (await programsOf(lab)).length === 0);
    await lab.restart('SIGKILL', ['--lab', 'neo']);
    expect((await programsOf(lab)).filter(isOfNode)).toEqual([]);
    await lab.lab('add', 'balancers');
    await serving(lab);
    expect(await lab.refusal('remove', 'balancers')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('delete the load balancers first'),
    });
    await deleteBalancer(lab);
    await waitFor('its removal', () =>
      lab.lab('remove', 'balancers').then(
        () => true,
        () => false,
      ),
    );
    expect((await programsOf(lab)).filter(isOfNode)).toEqual([]);
    const admin = await logIn(lab);
    await waitFor(
      'its hosts to leave the graph',
      async () => (await known(lab, admin, 'loadBalancerHosts')).length === 0,
    );
    expect(await known(lab, admin, 'machines')).toEqual([]);
    await lab.lab('add', 'balancers');
    await createBalancer(lab, 8000);
    await serving(lab);
    await lab.end('SIGTERM');
    expect(await programsOf(lab)).toEqual([]);
  }, 360_000);
});
