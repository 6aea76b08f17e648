// For the tests of the device `balancers`: a load balancer on its hosts, and the product's state of it.
// needs: bind9-dnsutils
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from '@jest/globals';
import type { LabSystem } from '../bin/support/lab-system.ts';
import { waitFor } from '../support/machine/temporary-folder.ts';

const run = promisify(execFile);
const programs = ['haproxy', 'nginx', 'pdns_server', 'keepalived', 'nft'].map((name) => `/usr/sbin/${name}`);
/** Whether the programs of the device are installed. */
export const hasBalancerPrograms = programs.every(existsSync) && existsSync('/usr/bin/dig');

export const cmpObject = { type: 'tenant', externalId: '42' };

interface Balancer {
  readonly operatingStatus: string;
  readonly nodes: readonly { readonly name: string; readonly nodeState: string; readonly address: string }[];
}

export async function addressesOf(data: string): Promise<Readonly<Record<string, string>>> {
  const text = await readFile(join(data, 'balancers.env'), 'utf8');
  return Object.fromEntries(text.split('\n').map((line) => line.split('=')));
}

export async function createBalancer(system: LabSystem, port: number): Promise<void> {
  const { WEB1, WEB2, WEB3, WEB_PORT } = await addressesOf(system.data);
  const members = [WEB1, WEB2, WEB3].map((host, index) => ({ name: `m${index}`, host, port: Number(WEB_PORT) }));
  const pools = [{ name: 'web', memberProtocol: 'HTTP', members, healthMonitor: { monitorType: 'HTTP', path: '/' } }];
  const listeners = [{ name: 'http', protocol: 'HTTP', port, defaultPool: 'web' }];
  const input = { name: 'web', minNodes: 2, maxNodes: 4, pools, listeners, cmpObject };
  const query =
    'mutation ($input: LoadBalancerCreateInput!) { done: loadBalancerCreate(input: $input) { userErrors { message } } }';
  expect(await system.ask(query, { input })).toEqual({ done: { userErrors: [] } });
}

export async function readBalancer(system: LabSystem): Promise<Balancer> {
  const query = '{ loadBalancers { nodes { operatingStatus nodes { name nodeState address } } } }';
  const { loadBalancers: page } = await system.ask<{ loadBalancers: { nodes: [Balancer] } }>(query);
  return page.nodes[0];
}

/** The names of running programs that were started with a path in the data folder. */
export async function programsOf({ data }: LabSystem): Promise<readonly string[]> {
  const { stdout } = await run('pgrep', ['-lf', data]).catch(() => ({ stdout: '' }));
  return stdout.split('\n').flatMap((line) => line.split(' ')[1] ?? []);
}

export const isOfNode = (name: string) => name === 'haproxy' || name === 'keepalived';

export async function serving(system: LabSystem): Promise<void> {
  await waitFor('two nodes to serve', async () => {
    const { nodes, operatingStatus } = await readBalancer(system);
    return (
      nodes.length === 2 && nodes.every(({ nodeState }) => nodeState === 'SERVING') && operatingStatus === 'ONLINE'
    );
  });
}
