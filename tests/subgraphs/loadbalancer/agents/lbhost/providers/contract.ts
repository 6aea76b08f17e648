// The behaviour of every provider, used by the tests of each.
import { type ChildProcess, spawn } from 'node:child_process';
import { afterAll, expect, test } from '@jest/globals';
import type { NodeProvider } from '../../../../../../subgraphs/loadbalancer/agents/lbhost/providers/provider.ts';
import type { WantedNode } from '../../../../../../subgraphs/loadbalancer/wire/wanted-node.ts';
import { isRunning, waitFor } from '../../../../../support/machine/temporary-folder.ts';

interface ProviderCase {
  /** A provider as a new process of the host opens it. */
  readonly open: () => NodeProvider;
  /** Nodes that the provider can create. */
  readonly node: (name: string, index: number) => WantedNode;
  /** A node that it can't create, because the address does not belong to this host. */
  readonly foreign: () => WantedNode;
}

export function providerContract({ open, node, foreign }: ProviderCase): void {
  const children: ChildProcess[] = [];
  afterAll(() => {
    for (const child of children) child.kill('SIGKILL');
  });

  /** Serves at the address from within the place, and returns its process ID once it answers. */
  async function serve(wrapper: readonly string[], address: string, port: number): Promise<number> {
    const program = `require('net').createServer((s) => s.end('here')).listen(${port}, '${address}', () => console.log('up'))`;
    const [command = process.execPath, ...args] = [...wrapper, process.execPath, '-e', program];
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    children.push(child);
    await new Promise((resolve) => child.stdout.once('data', resolve));
    return child.pid ?? -1;
  }

  test('a place has the addresses of its node; creating it again does not disturb its programs', async () => {
    const provider = open();
    const wanted = node('again', 0);
    const { wrapper } = await provider.make(wanted);
    const pid = await serve(wrapper, wanted.address, 18_080);
    await provider.make(wanted);
    await open().make(wanted, pid);
    expect(isRunning(pid)).toBe(true);
    await serve(wrapper, wanted.managementAddress, 18_081);
    process.kill(pid, 'SIGKILL');
    for (const child of children) child.kill('SIGKILL');
    await provider.remove(wanted.name);
  });

  test('many places can be created at once, and are all gone after their removal', async () => {
    const provider = open();
    const before = await provider.list();
    const nodes = Array.from({ length: 8 }, (_, index) => node(`many-${index}`, index));
    await Promise.all(nodes.map((each) => provider.make(each)));
    await Promise.all(nodes.map(({ name }) => provider.remove(name)));
    expect(await provider.list()).toEqual(before);
  });

  test('the removal of a node that does not exist succeeds', async () => {
    await expect(open().remove('never-was')).resolves.toBeUndefined();
  });

  test('an address of another host is refused, and named in the error', async () => {
    const wanted = foreign();
    await expect(open().make(wanted)).rejects.toThrow(wanted.address);
    await open().remove(wanted.name);
    await waitFor('nothing left', async () => !(await open().list()).includes(wanted.name));
  });
}
