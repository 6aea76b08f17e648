// `tidegate up` as a whole: the main job on the lab's real firewall, the state found by a second start, and the refusals.
// needs: nftables, iproute2, iputils-ping, openssh-server, openssh-client, root
import { mkdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import { inNamespace } from '../../lab/exec.ts';
import { labUnavailable } from '../support/lab.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { ask, startProgram, startUp, tokenOf, type UpProcess } from './support/up-process.ts';

interface RelayAnswer {
  readonly operation: { readonly id: string; readonly state: string } | null;
  readonly mapping: {
    readonly id: string;
    readonly mappingState: string;
    readonly objectKey: string;
    readonly uuid: string | null;
  } | null;
  readonly commit: { readonly token: string; readonly replication: { readonly state: string } } | null;
  readonly userErrors: readonly { readonly code: string; readonly field: readonly string[] }[];
}

const payload =
  'operation { id state } mapping { id mappingState objectKey uuid } commit { token replication { state } } userErrors { code field }';
const addElement = `mutation ($input: FirewallAddressSetElementAddInput!) { answer: firewallAddressSetElementAdd(input: $input) { ${payload} } }`;
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
    up?.child.kill('SIGKILL');
    await up?.ended;
    await folder?.remove();
  });

  const reaches = async (): Promise<boolean> =>
    (await inNamespace(lab.CLIENT ?? '', 'ping', ['-c', '1', '-W', '1', lab.SERVER_ADDRESS ?? ''])).exitCode === 0;

  test('the main job: two mutations, a rule that drops packets, a stream that reports it, and what tenant/42 became', async () => {
    const password = (await readFile(join(data, 'admin.password'), 'utf8')).trim();
    const { login } = await ask<{ login: { accessToken: string } }>(
      up.url,
      undefined,
      'mutation ($input: LoginInput!) { login(input: $input) { accessToken userErrors { code } } }',
      { input: { name: 'admin', password } },
    );
    const client = createClient({
      url: `${up.url.replace('http', 'ws')}/graphql`,
      webSocketImpl: WebSocket,
      connectionParams: { authorization: `Bearer ${login.accessToken}` },
    });
    const seen: { kind: string; to: string; subject: { name?: string; state?: string } | null }[] = [];
    const stream = client.iterate<{ statusChanges: { change: (typeof seen)[number] | null } }>({
      query:
        'subscription { statusChanges { cursor change { kind to subject { ... on RelayOperation { name state } } } } }',
    });
    // The first item is the checkpoint after which nothing is missing.
    expect((await stream.next()).value.data.statusChanges.change).toBeNull();
    expect(await reaches()).toBe(true);

    const element = { ...forTenant42, idempotencyKey: 'job-1', set: 'blocked', address: lab.CLIENT_ADDRESS };
    const rule = {
      ...forTenant42,
      idempotencyKey: 'job-2',
      name: 'drop-blocked',
      source: { set: 'blocked' },
      action: 'DROP',
    };
    const added = (await ask<{ answer: RelayAnswer }>(up.url, login.accessToken, addElement, { input: element }))
      .answer;
    const made = (await ask<{ answer: RelayAnswer }>(up.url, login.accessToken, createRule, { input: rule })).answer;
    for (const answer of [added, made]) {
      expect(answer.userErrors).toEqual([]);
      expect(answer.operation?.state).toBe('SUCCEEDED');
      expect(answer.mapping?.mappingState).toBe('ACTIVE');
      expect(answer.commit?.replication.state).toBe('NOT_REPLICATED');
    }
    const ruleset = await inNamespace(lab.FIREWALL ?? '', 'nft', ['list', 'ruleset']);
    expect(ruleset.stdout).toContain('ip saddr @blocked drop');
    expect(ruleset.stdout).toContain(`elements = { ${lab.CLIENT_ADDRESS}`);
    expect(await reaches()).toBe(false);

    while (seen.filter((change) => change.kind === 'relayOperation.state' && change.to === 'SUCCEEDED').length < 2) {
      const item = await stream.next();
      if (item.value.data.statusChanges.change !== null) seen.push(item.value.data.statusChanges.change);
    }
    expect(seen.map((change) => change.subject?.name)).toEqual(
      expect.arrayContaining(['setElement.add', 'rule.create']),
    );
    await stream.return?.();
    await client.dispose();

    const again = (await ask<{ answer: RelayAnswer }>(up.url, login.accessToken, createRule, { input: rule })).answer;
    expect(again.operation?.id).toBe(made.operation?.id);
    expect(
      (await inNamespace(lab.FIREWALL ?? '', 'nft', ['list', 'ruleset'])).stdout.match(/drop-blocked/g),
    ).toHaveLength(1);

    const { cmpObject } = await ask<{
      cmpObject: { mappings: { nodes: { resource: string; backend: { name: string; project: { name: string } } }[] } };
    }>(
      up.url,
      login.accessToken,
      '{ cmpObject(type: "tenant", externalId: "42") { mappings { nodes { resource backend { name project { name } } } } } }',
    );
    expect(cmpObject.mappings.nodes.map((mapping) => mapping.resource).sort()).toEqual(['address-set-element', 'rule']);
    expect(cmpObject.mappings.nodes[0]?.backend).toEqual({ name: 'lab-firewall', project: { name: 'default' } });
  });

  test('the firewall is checked: it becomes ONLINE with its version', async () => {
    const token = await tokenOf(data);
    const query = '{ backends { nodes { name operatingStatus health { softwareVersion } } } }';
    let nodes: { operatingStatus: string; health: { softwareVersion: string | null } }[] = [];
    for (let tries = 0; tries < 100 && nodes[0]?.operatingStatus !== 'ONLINE'; tries += 1) {
      nodes = (await ask<{ backends: { nodes: typeof nodes } }>(up.url, token, query)).backends.nodes;
      await new Promise((done) => setTimeout(done, 200));
    }
    expect(nodes[0]).toMatchObject({
      operatingStatus: 'ONLINE',
      health: { softwareVersion: expect.stringContaining('nftables') },
    });
  });

  test('no other address is connected to: npm start reaches only the lab', async () => {
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

  test('a second instance on the same folder is refused, and the first continues', async () => {
    const second = startProgram(['up', '--port', '0', '--data', data]);
    expect((await second.ended).code).toBe(1);
    expect(second.output()).toContain(data);
    expect((await fetch(`${up.url}/health/ready`)).status).toBe(200);
  });

  test('a used port is refused before anything is started', async () => {
    const port = new URL(up.url).port;
    const second = startProgram(['up', '--port', port, '--data', join(folder.path, 'other')]);
    expect((await second.ended).code).toBe(1);
    expect(second.output()).toContain(`port ${port}`);
    await expect(stat(join(folder.path, 'other'))).rejects.toThrow();
  });

  test('killed with -9, the next start takes over: same accounts, same journal, same key returns the same operation', async () => {
    const token = await tokenOf(data);
    const input = { ...forTenant42, idempotencyKey: 'before-the-kill', set: 'blocked', address: '203.0.113.9' };
    const before = (await ask<{ answer: RelayAnswer }>(up.url, token, addElement, { input })).answer;
    up.child.kill('SIGKILL');
    await up.ended;
    up = await startUp(data);
    const after = (await ask<{ answer: RelayAnswer }>(up.url, token, addElement, { input })).answer;
    expect(after.operation?.id).toBe(before.operation?.id);
    expect(after.operation?.state).toBe('SUCCEEDED');
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

  test('SIGTERM drains and ends with 0; nothing is left', async () => {
    up.child.kill('SIGTERM');
    expect(await up.ended).toEqual({ code: 0, signal: null });
    expect(up.output()).toContain('Stopped.');
    expect((await inNamespace(lab.FIREWALL ?? '', 'true', []).catch(() => ({ exitCode: 1 }))).exitCode).not.toBe(0);
  });
});

describe('without the lab', () => {
  test('everything else works; the settings are printed without secrets; faults are listed', async () => {
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
