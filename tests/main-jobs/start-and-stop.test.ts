// `npm start` from an empty folder: the product is ready and healthy, is the same after kill -9, and leaves nothing behind after a stop. This
// file has its own product.
// needs: nftables, iproute2, openssh-server, openssh-client, root
import { randomUUID } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { inNamespace } from '../../lab/exec.ts';
import { namespaces } from '../../lab/switched-network.ts';
import { processTree } from '../bin/support/processes.ts';
import { ask, startProgram, startUp, tokenOf, type UpProcess } from '../bin/support/up-process.ts';
import { labUnavailable } from '../support/machine/lab.ts';
import { isRunning, type TemporaryFolder, temporaryFolder, waitFor } from '../support/machine/temporary-folder.ts';

const describeAsRoot = labUnavailable() === undefined ? describe : describe.skip;

describeAsRoot('npm start', () => {
  let folder: TemporaryFolder;
  let data: string;
  let up: UpProcess;
  let token: string;
  const idempotencyKey = randomUUID();
  const address = '203.0.113.9';
  beforeAll(async () => {
    folder = await temporaryFolder();
    data = join(folder.path, 'data');
    up = await startUp(data);
    token = await tokenOf(data);
  });
  afterAll(async () => {
    up?.child.kill('SIGKILL');
    await up?.ended;
    await folder?.remove();
  });

  async function call(): Promise<{ id: string; state: string }> {
    const query = `mutation ($input: FirewallAddressSetElementAddInput!) {
      done: firewallAddressSetElementAdd(input: $input) { operation { id state } userErrors { code } } }`;
    const cmpObject = { type: 'tenant', externalId: '42' };
    const input = { idempotencyKey, backend: { name: 'lab-firewall' }, cmpObject, set: 'blocked', address };
    type Done = { done: { operation: { id: string; state: string } } };
    return (await ask<Done>(up.url, token, query, { input })).done.operation;
  }

  async function firewall(): Promise<string> {
    const [, name = ''] = /^FIREWALL=(.*)$/m.exec(await readFile(join(data, 'lab.env'), 'utf8')) ?? [];
    return name;
  }

  async function isBlocked(): Promise<boolean> {
    const { stdout } = await inNamespace(await firewall(), 'nft', ['list', 'set', 'inet', 'filter', 'blocked']);
    return stdout.includes(address);
  }

  test('an empty folder is enough: the product is ready, healthy and has metrics, an account and a device', async () => {
    for (const path of ['/health/ready', '/health/live', '/metrics', '/', '/graphiql'])
      expect([path, (await fetch(`${up.url}${path}`)).status]).toEqual([path, 200]);
    const { me } = await ask<{ me: { projects: { project: { name: string } }[] } }>(
      up.url,
      token,
      '{ me { projects { project { name } } } }',
    );
    expect(me.projects.map(({ project }) => project.name)).toEqual(['default']);
    expect((await call()).state).toBe('SUCCEEDED');
    expect(await isBlocked()).toBe(true);
  });

  test('a second start on the same folder is refused, and the first continues', async () => {
    const second = startProgram(['up', '--port', '0', '--data', data]);
    expect((await second.ended).code).toBe(1);
    expect(second.output()).toContain(data);
    expect((await fetch(`${up.url}/health/ready`)).status).toBe(200);
  });

  test('after kill -9, the next start has the same account, journal and device', async () => {
    const before = await call();
    up.child.kill('SIGKILL');
    await up.ended;
    up = await startUp(data);
    expect(await tokenOf(data)).toBe(token);
    expect(await call()).toEqual(before);
    expect(await isBlocked()).toBe(true);
  });

  test('a stop exits with 0 and leaves no process, no network and no socket', async () => {
    const tree = await processTree(up.child.pid ?? -1);
    expect(tree.length).toBeGreaterThan(2);
    const space = await firewall();
    expect(await namespaces()).toContain(space);
    up.child.kill('SIGTERM');
    expect(await up.ended).toEqual({ code: 0, signal: null });
    expect(up.output()).toContain('Stopped.');
    // Killed processes may not have been reaped yet.
    for (const { pid, name } of tree) await waitFor(`${name} (${pid}) to end`, () => !isRunning(pid));
    expect(await namespaces()).not.toContain(space);
    await expect(fetch(up.url)).rejects.toThrow();
    expect((await readdir(join(data, 'run'))).filter((name) => name.endsWith('.sock'))).toEqual([]);
  });
});
