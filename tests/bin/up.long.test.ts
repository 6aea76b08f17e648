// `tidegate up` as a whole: the lab's firewall over restarts, and the refusals. The purpose of a start is tested in tests/main-jobs.
// needs: nftables, iproute2, iputils-ping, openssh-server, openssh-client, root
import { mkdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { inNamespace } from '../../lab/exec.ts';
import { labUnavailable } from '../support/machine/lab.ts';
import { temporaryFolder, waitFor } from '../support/machine/temporary-folder.ts';
import { ask, startProgram, startUp, tokenOf, type UpProcess } from './support/up-process.ts';

interface RelayAnswer {
  readonly operation: { readonly id: string; readonly state: string } | null;
  readonly mapping: { readonly id: string } | null;
}

const payload = 'operation { id state } mapping { id } userErrors { code field }';
const createRule = `mutation ($input: FirewallRuleCreateInput!) { answer: firewallRuleCreate(input: $input) { ${payload} } }`;
const forTenant42 = { backend: { name: 'lab-firewall' }, cmpObject: { type: 'tenant', externalId: '42' } };

const describeAsRoot = labUnavailable() === undefined ? describe : describe.skip;

describeAsRoot('with the lab', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let data: string;
  let up: UpProcess;
  let lab: Record<string, string>;

  beforeAll(async () => {
    folder = await temporaryFolder();
    data = join(folder.path, 'data');
    up = await startUp(data);
    lab = Object.fromEntries(
      (await readFile(join(data, 'lab.env'), 'utf8'))
        .trim()
        .split('\n')
        .map((line) => line.split('=') as [string, string]),
    );
  });

  afterAll(async () => {
    up?.child.kill('SIGTERM');
    await up?.ended;
    await folder?.remove();
  });

  test('the firewall is checked: it becomes ONLINE with its version', async () => {
    const token = await tokenOf(data);
    const query = '{ backends { nodes { name operatingStatus health { softwareVersion } } } }';
    type Node = { operatingStatus: string; health: { softwareVersion: string | null } };
    const online = await waitFor('the firewall to be ONLINE', async () => {
      const [node] = (await ask<{ backends: { nodes: Node[] } }>(up.url, token, query)).backends.nodes;
      return node?.operatingStatus === 'ONLINE' && node;
    });
    expect(online).toMatchObject({ health: { softwareVersion: expect.stringContaining('nftables') } });
  });

  test('npm start connects only to the lab, and to no other address', async () => {
    const token = await tokenOf(data);
    const query =
      'mutation ($input: BackendCreateInput!) { backendCreate(input: $input) { userErrors { code message field } } }';
    const credentials = { username: 'u', password: 'p' };
    for (const host of ['127.0.0.1', '169.254.169.254', '192.0.2.1', '2001:db8::1']) {
      const input = { name: 'elsewhere', driver: 'linux-nftables', host, credentials };
      expect(await ask(up.url, token, query, { input })).toMatchObject({
        backendCreate: { userErrors: [{ code: 'EGRESS_DENIED', field: ['input', 'host'] }] },
      });
    }
  });

  test('a used port is refused before anything is started', async () => {
    const port = new URL(up.url).port;
    const second = startProgram(['up', '--port', port, '--data', join(folder.path, 'other')]);
    expect((await second.ended).code).toBe(1);
    expect(second.output()).toContain(`port ${port}`);
    await expect(stat(join(folder.path, 'other'))).rejects.toThrow();
  });

  test('the firewall keeps its rules over SIGTERM and kill -9, and mappings find them with their new handles', async () => {
    const rules = async () => {
      const listed = await inNamespace(lab.FIREWALL ?? '', 'nft', ['--stateless', 'list', 'ruleset']);
      expect(listed.exitCode).toBe(0);
      return listed.stdout;
    };
    const token = await tokenOf(data);
    const send = async (idempotencyKey: string, name: string) => {
      const input = { ...forTenant42, idempotencyKey, name, source: { address: '203.0.113.10' }, action: 'DROP' };
      return (await ask<{ answer: RelayAnswer }>(up.url, token, createRule, { input })).answer;
    };
    const before = await send('keeps-1', 'kept-over-restarts');
    expect(before.operation?.state).toBe('SUCCEEDED');
    const first = await rules();
    expect(first).toContain('kept-over-restarts');
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      up.child.kill(signal);
      await up.ended;
      up = await startUp(data);
      expect(await rules()).toBe(first);
      // The same call again finds its rule on the device.
      expect((await send('keeps-1', 'kept-over-restarts')).operation?.id).toBe(before.operation?.id);
      const verified = await ask<{ answer: { mapping: { lastVerification: unknown } } }>(
        up.url,
        token,
        'mutation ($input: MappingVerifyInput!) { answer: mappingVerify(input: $input) { mapping { lastVerification { result } } } }',
        { input: { id: before.mapping?.id } },
      );
      expect(verified.answer.mapping.lastVerification).toEqual({ result: 'MATCHES' });
    }
  }, 300_000);
});

describe('without the lab', () => {
  test('everything else works, the settings are printed without secrets, and faults are listed', async () => {
    const folder = await temporaryFolder();
    try {
      const up = await startUp(join(folder.path, 'data'), ['--no-lab']);
      const { me } = await ask<{ me: { projects: { project: { name: string } }[] } }>(
        up.url,
        await tokenOf(join(folder.path, 'data')),
        '{ me { projects { project { name } } } }',
      );
      expect(me.projects[0]?.project.name).toBe('default');
      up.child.kill('SIGINT');
      expect((await up.ended).code).toBe(0);

      const printed = startProgram(['up', '--print-config', '--data', folder.path]);
      expect((await printed.ended).code).toBe(0);
      expect(printed.output()).toContain('listen.port: 4000');
      const wrong = startProgram([
        'up',
        '--port',
        '99999',
        '--log-level',
        'loud',
        '--data',
        join(folder.path, 'wrong'),
      ]);
      expect((await wrong.ended).code).toBe(1);
      expect(wrong.output()).toMatch(/99999[\s\S]*loud/);
    } finally {
      await folder.remove();
    }
  });

  test('a folder with other files is refused', async () => {
    const folder = await temporaryFolder();
    try {
      await mkdir(join(folder.path, 'photos'));
      const refused = startProgram(['up', '--port', '0', '--no-lab', '--data', folder.path]);
      expect((await refused.ended).code).toBe(1);
      expect(refused.output()).toContain(folder.path);
    } finally {
      await rm(folder.path, { recursive: true, force: true });
    }
  });
});
