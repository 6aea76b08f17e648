// `tidegate mappings`: its requests and output, against the graph's schema; then on a real system with the lab's firewall.
// needs: iproute2, nftables, root

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { runProgram } from '../../../../embedded/run-program.ts';
import { describeWithLab } from '../../../support/lab.ts';
import { type RunningSystem, runningSystem } from '../../../support/running-system.ts';
import { type TemporaryFolder, temporaryFolder, waitFor } from '../../../support/temporary-folder.ts';
import { GraphServer, goodToken, pageOf } from '../graph-server.ts';
import { runCommand } from '../run-command.ts';

const env = { TIDEGATE_TOKEN: goodToken };
let folder: TemporaryFolder;
beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(() => folder.remove());

const mapping = (id: string, more: object = {}) => ({
  id,
  mappingState: 'ACTIVE',
  mappingRole: '',
  resource: 'rule',
  scope: 'inet filter forward',
  objectKey: `key-${id}`,
  uuid: null,
  shared: false,
  wantedSettings: [{ name: 'action', value: 'ACCEPT' }],
  createdAt: '2026-01-31T12:00:00.000Z',
  updatedAt: '2026-01-31T12:00:00.000Z',
  backend: { id: 'id-fw', name: 'fw' },
  cmpObject: { namespace: 'default', type: 'tenant', externalId: '42' },
  lastVerification: null,
  ...more,
});
const verified = (result: string, differences: object[] = []) => ({
  lastVerification: { verifiedAt: '2026-01-31T13:00:00.000Z', result, differences },
});
type Page = { first: number; after: string | null };

describe('requests to the graph', () => {
  let server: GraphServer;
  beforeAll(async () => {
    server = await GraphServer.start();
  });
  beforeEach(() => {
    server.answers = {};
    server.requests.length = 0;
  });
  afterAll(() => server.stop());
  const run = (...args: string[]) => runCommand(['mappings', ...args, '--url', server.url], { env });
  const backends = (args: Page) => pageOf([{ id: 'id-fw', name: 'fw' }], args);

  test('list sends the filters, and reads page by page up to its limit', async () => {
    const all = Array.from({ length: 250 }, (_, index) => mapping(`m${index}`));
    server.answers = { backends, mappings: (args: Page) => pageOf(all, args) };
    const filters = ['--backend', 'fw', '--state', 'active', '--verification', 'DRIFTED', '--verification', 'missing'];
    const { exitCode, stdout } = await run('list', ...filters, '--updated-from', '2026-01-31', '--limit', '150');
    expect(exitCode).toBe(0);
    expect(stdout.trim().split('\n')).toHaveLength(151);
    expect(stdout).toMatch(/^m149 +tenant\/42 +fw +rule +inet filter forward +key-m149 +ACTIVE +- +2026/m);
    expect(server.requests.slice(1)).toEqual([
      {
        ...{ backendId: 'id-fw', states: ['ACTIVE'], verification: ['DRIFTED', 'MISSING'] },
        ...{ updatedFrom: '2026-01-31T00:00:00.000Z', first: 100, after: null },
      },
      expect.objectContaining({ first: 50, after: '100' }),
    ]);
  });

  test('list of one CMP object; the other filters apply to it too', async () => {
    const all = [
      mapping('drifted', { ...verified('DRIFTED'), mappingRole: 'front' }),
      mapping('elsewhere', { ...verified('DRIFTED'), backend: { id: 'id-2', name: 'other' } }),
      mapping('old', { ...verified('DRIFTED'), updatedAt: '2025-01-01T00:00:00.000Z' }),
      mapping('fine', verified('MATCHES')),
    ];
    server.answers = { backends, cmpObject: () => ({ mappings: (args: Page) => pageOf(all, args) }) };
    const object = ['--cmp-object', 'east:tenant/a/42'];
    const filters = ['--backend', 'fw', '--verification', 'DRIFTED', '--updated-from', '2026-01-01'];
    const { stdout } = await run('list', ...object, ...filters, '--json');
    expect((JSON.parse(stdout) as { id: string }[]).map(({ id }) => id)).toEqual(['drifted']);
    expect(server.requests.at(-1)).toMatchObject({ namespace: 'east', type: 'tenant', externalId: 'a/42' });
    expect((await run('list', ...object, '--limit', '2')).stdout).toContain('tenant/42 (front)');
    server.answers = { cmpObject: () => null };
    expect((await run('list', ...object)).stdout.trim()).toMatch(/^ID/);
  });

  test('verify of a backend: four at once, differences are shown, and the exit code reflects them', async () => {
    const all = Array.from({ length: 12 }, (_, index) => mapping(`m${index}`));
    let [under, most] = [0, 0];
    const four = Promise.withResolvers<void>();
    const difference = { path: 'source.address', wanted: '192.0.2.0/24', found: null };
    server.answers = {
      backends,
      mappings: (args: Page) => pageOf(all, args),
      mappingVerify: async ({ input }: { input: { id: string } }) => {
        under += 1;
        most = Math.max(most, under);
        // The first four are answered when all of them have come, and after a while in which a fifth could come.
        if (under === 4) setTimeout(four.resolve, 20);
        await four.promise;
        under -= 1;
        const { id } = input;
        if (id === 'm3') return { mapping: mapping(id, verified('DRIFTED', [difference])), userErrors: [] };
        if (id === 'm5') return { mapping: mapping(id, verified('MISSING')), userErrors: [] };
        if (id === 'm7')
          return { mapping: null, userErrors: [{ code: 'OBJECT_BUSY', message: 'a call is under way', field: [] }] };
        return { mapping: mapping(id, verified('MATCHES')), userErrors: [] };
      },
    };
    const { exitCode, stdout, stderr } = await run('verify', '--backend', 'fw');
    expect([exitCode, stderr]).toEqual([1, 'tidegate: 3 of 12 objects do not match\n']);
    expect(most).toBe(4);
    expect(server.requests[1]).toMatchObject({ backendId: 'id-fw', states: ['ACTIVE', 'UNVERIFIED'] });
    expect(stdout.split('\n')).toEqual([
      'DRIFTED  fw rule inet filter forward key-m3  tenant/42  m3',
      '  source.address: wanted 192.0.2.0/24, found none',
      'MISSING  fw rule inet filter forward key-m5  tenant/42  m5',
      'NOT_SEEN  fw rule inet filter forward key-m7  tenant/42  m7',
      '  OBJECT_BUSY: a call is under way',
      '9 MATCHES, 1 DRIFTED, 1 MISSING, 1 NOT_SEEN',
      '',
    ]);
    const json = await run('verify', '--backend', 'fw', '--json');
    expect(JSON.parse(json.stdout)).toMatchObject({
      ...{ MATCHES: 9, DRIFTED: 1, MISSING: 1, NOT_SEEN: 1 },
      mappings: [{ id: 'm3', result: 'DRIFTED' }, { id: 'm5' }, { id: 'm7', why: 'OBJECT_BUSY: a call is under way' }],
    });
  });

  test('verify of all matching mappings, and of one', async () => {
    server.answers = {
      backends,
      mappings: (args: Page) => pageOf([mapping('m1')], args),
      mappingVerify: () => ({ mapping: mapping('m1', verified('MATCHES')), userErrors: [] }),
    };
    const all = await run('verify', '--backend', 'fw');
    expect([all.exitCode, all.stdout]).toEqual([0, '1 MATCHES, 0 DRIFTED, 0 MISSING\n']);
    const one = await run('verify', 'm1');
    expect([one.exitCode, one.stdout]).toEqual([0, expect.stringMatching(/^Found +MATCHES$/m)]);
    server.answers = { mappingVerify: () => ({ mapping: mapping('m1', verified('MISSING')), userErrors: [] }) };
    const missing = await run('verify', 'm1');
    expect([missing.exitCode, missing.stderr]).toEqual([1, 'tidegate: the backend object is MISSING\n']);
  });

  test('a server that goes away during a verification: exit code 3, and no figures', async () => {
    server.answers = {
      backends,
      mappings: (args: Page) => pageOf([mapping('m1'), mapping('m2')], args),
      mappingVerify: () => server.dropConnections(),
    };
    const { exitCode, stdout } = await run('verify', '--backend', 'fw');
    expect([exitCode, stdout]).toEqual([3, '']);
  });

  test('adopt and forget', async () => {
    server.answers = {
      backends,
      mappingAdopt: () => ({ mapping: mapping('m1'), userErrors: [] }),
      mappingForget: () => ({ mapping: mapping('m1', { mappingState: 'DELETED' }), userErrors: [] }),
    };
    const where = ['--backend', 'fw', '--resource', 'rule', '--scope', 'inet filter forward', '--key', 'web'];
    const adopted = await run('adopt', '--cmp', 'tenant/42', ...where, '--uuid', '7', '--shared', '--role', 'x');
    expect(adopted.stdout).toMatch(/^Wanted +action=ACCEPT$/m);
    expect(server.requests.at(-1)).toEqual({
      input: {
        idempotencyKey: expect.stringMatching(/^[0-9a-f-]{36}$/),
        backend: { id: 'id-fw' },
        cmpObject: { namespace: 'default', type: 'tenant', externalId: '42', mappingRole: 'x' },
        ...{ resource: 'rule', scope: 'inet filter forward', objectKey: 'web', uuid: '7', shared: true },
      },
    });
    expect((await run('forget', 'm1')).stdout).toContain('the object is still on the backend');
  });

  test.each([
    [['list', '--cmp', '42'], 'is not TYPE/ID'],
    [['list', '--verification', 'BROKEN'], '--verification must be one of MATCHES, DRIFTED, MISSING'],
    [['list', '--state', 'GONE'], '--state must be one of ACTIVE'],
    [['list', '--updated-from', 'yesterday'], 'is not a time'],
    [['verify'], 'give a mapping, --backend or --cmp'],
    [['adopt', '--backend', 'fw', '--resource', 'rule', '--key', 'k'], 'give --cmp TYPE/ID'],
    [['export', 'all'], 'too many arguments'],
  ])('%j is wrong use: exit code 64', async (args, message) => {
    const { exitCode, stderr } = await run(...args);
    expect([exitCode, stderr]).toEqual([64, expect.stringContaining(message)]);
  });
});

describeWithLab('on a real system', (lab) => {
  let system: RunningSystem;
  let at: string[];
  const run = (...args: string[]) =>
    runCommand([...args, '--url', system.url], { env: { TIDEGATE_TOKEN: system.token } });

  beforeAll(async () => {
    system = await runningSystem();
    const { host, port, username, privateKeyPath, hostKeySha256 } = lab().firewall;
    at = ['--host', host, '--port', String(port), '--username', username, '--private-key-file', privateKeyPath];
    const made = await run(
      'backends',
      'create',
      'fw',
      '--driver',
      'linux-nftables',
      ...at,
      '--host-key',
      hostKeySha256,
    );
    expect(made.stderr).toBe('');
  });
  afterAll(() => system?.stop(), 60_000);

  const nft = (script: string) =>
    runProgram('ip', ['netns', 'exec', lab().firewall.namespace, 'nft', '-f', '-'], { input: script });

  test('an existing object is adopted, found drifted and missing, exported and forgotten', async () => {
    await nft('add element inet filter blocked { 10.8.0.1, 10.8.0.2 }');
    const adopt = (address: string) =>
      run(
        ...['mappings', 'adopt', '--backend', 'fw', '--cmp', `tenant/${address}`, '--json'],
        ...['--resource', 'address-set-element', '--scope', 'inet filter', '--key', `blocked/${address}`],
      );
    const ids = [await adopt('10.8.0.1'), await adopt('10.8.0.2')].map(
      ({ stdout }) => (JSON.parse(stdout) as { id: string }).id,
    );
    const nobody = await adopt('10.8.0.9');
    expect([nobody.exitCode, nobody.stderr]).toEqual([1, expect.stringContaining('NOT_FOUND')]);

    const matching = await run('mappings', 'verify', '--backend', 'fw');
    expect([matching.exitCode, matching.stdout]).toEqual([0, '2 MATCHES, 0 DRIFTED, 0 MISSING\n']);
    await nft('delete element inet filter blocked { 10.8.0.2 }');
    const drifted = await run('mappings', 'verify', '--backend', 'fw');
    expect([drifted.exitCode, drifted.stdout]).toEqual([1, expect.stringContaining('1 MATCHES, 0 DRIFTED, 1 MISSING')]);
    const listed = await run('mappings', 'list', '--verification', 'missing');
    expect(listed.stdout).toContain('tenant/10.8.0.2');
    expect(listed.stdout).not.toContain('tenant/10.8.0.1 ');

    const file = join(folder.path, 'real.ndjson');
    await run('mappings', 'export', '--file', file);
    const lines = (await readFile(file, 'utf8'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { id?: string; after?: string });
    expect(new Set(lines.flatMap(({ id }) => id ?? []))).toEqual(new Set(ids));
    expect((await run('mappings', 'forget', ids[1] ?? '')).exitCode).toBe(0);
    await waitFor('the end of it to be told', async () => {
      const since = await run('mappings', 'export', '--after', lines.at(-1)?.after ?? '');
      return since.stdout.split('\n').some((line) => line.includes(ids[1] ?? '') && line.includes('"DELETED"'));
    });
  });
});
