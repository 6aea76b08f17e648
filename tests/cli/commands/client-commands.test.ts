import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type TemporaryFolder, temporaryFolder, waitFor } from '../../support/temporary-folder.ts';
import { GraphServer, goodToken, pageOf } from './graph-server.ts';
import { runCommand, startCommand } from './run-command.ts';

let server: GraphServer;
let folder: TemporaryFolder;
let at: string[];
let over = false;

beforeAll(async () => {
  server = await GraphServer.start();
  folder = await temporaryFolder();
  await writeFile(join(folder.path, 'admin.token'), `${goodToken}\n`);
  at = ['--url', server.url, '--data', folder.path];
});

beforeEach(() => {
  server.answers = {};
  server.requests.length = 0;
});

afterAll(async () => {
  over = true;
  await server.stop();
  await folder.remove();
});

const backend = (name: string) => ({
  id: `id-${name}`,
  version: 1,
  name,
  family: 'FIREWALL',
  ordinal: 1,
  driverName: 'linux-nftables',
  site: 'lab',
  host: '192.0.2.1',
  port: 22,
  enabled: true,
  operatingStatus: 'ONLINE',
  hostKeySha256: 'SHA256:abc',
  labels: [{ name: 'rack', value: 'b12' }],
  circuit: { state: 'CLOSED', reason: null },
  queue: { waiting: 2, inFlight: 1, holder: 'relay-1' },
  health: { checkedAt: null, latencyMs: 3, softwareVersion: 'nftables 1.0.6', message: null },
});

const operation = (state: string) => ({
  id: 'op-1',
  name: 'rule.create',
  state,
  createdAt: '2026-01-31T12:00:00.000Z',
  finishedAt: null,
  quietUntil: null,
  stateSource: null,
  settledBy: null,
  requestedBy: { name: 'cmp', kind: 'API_TOKEN' },
  requestId: 'r-1',
  wireCall: 'nft -j -f -',
  backend: { name: 'fw' },
  cmpObject: { namespace: 'default', type: 'tenant', externalId: '42' },
  deviceError: { code: 'NO_REPLY', message: 'the device hung up' },
  evidence: [{ recordedAt: '2026-01-31T12:00:01.000Z', source: 'PROBE', finding: 'ABSENT_SO_FAR', note: null }],
});

describe('backends', () => {
  test('list reads every page', async () => {
    const all = Array.from({ length: 250 }, (_, index) => backend(`fw-${index}`));
    server.answers = { backends: (args: { first: number; after: string | null }) => pageOf(all, args) };
    const { exitCode, stdout } = await runCommand(['backends', 'list', ...at]);
    expect(exitCode).toBe(0);
    expect(stdout.split('\n')).toHaveLength(252);
    expect(stdout).toMatch(/^fw-249 +linux-nftables +192\.0\.2\.1:22 +lab +yes +ONLINE +CLOSED +2 +1$/m);
    expect(server.requests).toHaveLength(3);
  });

  test('show finds by name or id; two with the same name must be distinguished', async () => {
    const all = [backend('fw'), { ...backend('fw'), id: 'id-2' }, backend('other')];
    server.answers = {
      backends: (args: { first: number; after: string | null }) => pageOf(all, args),
      backend: ({ id }: { id: string }) => all.find((each) => each.id === id) ?? null,
    };
    const byName = await runCommand(['backends', 'show', 'other', ...at]);
    expect(byName.stdout).toMatch(/^Host key +SHA256:abc$/m);
    expect(byName.stdout).toMatch(/^Labels +rack=b12$/m);
    const byId = await runCommand(['backends', 'show', 'id-2', '--json', ...at]);
    expect(JSON.parse(byId.stdout)).toMatchObject({ id: 'id-2', name: 'fw' });
    const both = await runCommand(['backends', 'show', 'fw', ...at]);
    expect([both.exitCode, both.stderr]).toEqual([1, expect.stringContaining('id-fw, id-2')]);
    const none = await runCommand(['backends', 'show', 'nobody', ...at]);
    expect([none.exitCode, none.stderr]).toEqual([1, "tidegate: there is no backend 'nobody'\n"]);
  });

  test('create sends the secret from its file, and its own key', async () => {
    const keyFile = join(folder.path, 'id_ed25519');
    await writeFile(keyFile, 'PRIVATE\n');
    server.answers = { backendCreate: () => ({ backend: backend('fw'), userErrors: [] }) };
    const args = ['create', 'fw', '--driver', 'linux-nftables', '--host', '192.0.2.1', '--username', 'tidegate'];
    const more = ['--private-key-file', keyFile, '--label', 'rack=b12', '--port', '2222', '--host-key', 'SHA256:abc'];
    const { exitCode } = await runCommand(['backends', ...args, ...more, ...at]);
    expect(exitCode).toBe(0);
    expect(server.requests[0]).toEqual({
      input: {
        idempotencyKey: expect.stringMatching(/^[0-9a-f-]{36}$/),
        name: 'fw',
        driver: 'linux-nftables',
        host: '192.0.2.1',
        port: 2222,
        labels: [{ name: 'rack', value: 'b12' }],
        allowInit: false,
        separateObjects: false,
        hostKeySha256: 'SHA256:abc',
        credentials: { username: 'tidegate', privateKey: 'PRIVATE\n' },
      },
    });
  });

  test('a refusal: exit code 1, with code, message and field', async () => {
    const refusal = { code: 'HAS_MAPPINGS', message: 'has 3 live mappings', field: ['input', 'id'], retry: 'NEVER' };
    server.answers = {
      backends: (args: { first: number; after: string | null }) => pageOf([backend('fw')], args),
      backendDelete: () => ({ backend: null, userErrors: [refusal] }),
      backendHostKeyAccept: () => ({ backend: backend('fw'), userErrors: [] }),
    };
    const refused = await runCommand(['backends', 'delete', 'fw', ...at]);
    expect([refused.exitCode, refused.stderr]).toEqual([1, 'tidegate: HAS_MAPPINGS: has 3 live mappings (NAME)\n']);
    expect((await runCommand(['backends', 'accept-host-key', 'fw', 'SHA256:abc', ...at])).exitCode).toBe(0);
  });

  test('close-circuit closes the circuit of the named backend, and says why it was refused', async () => {
    const refusal = { code: 'FORBIDDEN', message: 'operators only', field: [], retry: 'NEVER' };
    server.answers = {
      backends: (args: { first: number; after: string | null }) => pageOf([backend('fw'), backend('other')], args),
      backendCircuitClose: ({ input }: { input: { id: string } }) =>
        input.id === 'id-fw' ? { backend: backend('fw'), userErrors: [] } : { backend: null, userErrors: [refusal] },
    };
    const { exitCode, stdout } = await runCommand(['backends', 'close-circuit', 'fw', ...at]);
    expect([exitCode, stdout]).toEqual([0, expect.stringMatching(/^Circuit +CLOSED$/m)]);
    expect(server.requests.at(-1)).toEqual({
      input: { idempotencyKey: expect.stringMatching(/^[0-9a-f-]{36}$/), id: 'id-fw' },
    });
    const refused = await runCommand(['backends', 'close-circuit', 'other', ...at]);
    expect([refused.exitCode, refused.stderr]).toEqual([1, 'tidegate: FORBIDDEN: operators only\n']);
    const second = { code: 'NOT_FOUND', message: 'no such backend', field: [] };
    server.answers = {
      ...server.answers,
      backendCircuitClose: () => ({ backend: null, userErrors: [refusal, second] }),
    };
    const twice = await runCommand(['backends', 'close-circuit', 'other', ...at]);
    expect(twice.stderr).toBe('tidegate: FORBIDDEN: operators only\ntidegate: NOT_FOUND: no such backend\n');
  });
});

describe('operations', () => {
  test('list, show and settle', async () => {
    server.answers = {
      relayOperations: (args: { first: number; after: string | null }) => pageOf([operation('UNKNOWN')], args),
      relayOperation: () => operation('UNKNOWN'),
      relayOperationSettle: () => ({ operation: operation('FAILED'), userErrors: [] }),
    };
    const list = await runCommand(['operations', 'list', '--state', 'unknown', ...at]);
    expect(list.stdout).toMatch(
      /op-1 +2026-01-31T12:00:00.000Z +fw +rule.create +UNKNOWN +tenant\/42 +cmp \(API token\)$/m,
    );
    expect(server.requests.at(-1)).toMatchObject({ states: ['UNKNOWN'], first: 20 });
    const shown = await runCommand(['operations', 'show', 'op-1', ...at]);
    expect(shown.stdout).toMatch(/^Device error +NO_REPLY: the device hung up$/m);
    expect(shown.stdout).toContain('PROBE  ABSENT_SO_FAR');
    expect(shown.stdout).toMatch(/^Requested by +cmp \(API token\)\nRequest +r-1\n/m);
    expect(shown.stdout).toMatch(/^Audit trail +tidegate audit list --subject op-1$/m);
    const settled = await runCommand([
      ...['operations', 'settle', 'op-1', '--verdict', 'failed', '--note', 'looked at it', ...at],
    ]);
    expect(settled.exitCode).toBe(0);
    expect(server.requests.at(-1)).toMatchObject({ input: { id: 'op-1', verdict: 'FAILED', note: 'looked at it' } });
  });

  test('list passes its filters on, and continues after an empty page', async () => {
    const pages = [
      { nodes: [], pageInfo: { hasNextPage: true, endCursor: 'further' } },
      { nodes: [operation('FAILED')], pageInfo: { hasNextPage: false, endCursor: null } },
    ];
    server.answers = { relayOperations: () => pages.shift() };
    const filters = ['--cmp-object', 'tenant/42', '--name', 'rule.create', '--text', 'hung up'];
    const times = ['--created-from', '2026-01-31T00:00:00Z', '--created-before', '2026-02-01T00:00:00Z'];
    const { stdout } = await runCommand(['operations', 'list', ...filters, ...times, ...at]);
    expect(stdout).toMatch(/^op-1 /m);
    expect(server.requests.at(-1)).toMatchObject({
      cmpObject: { type: 'tenant', externalId: '42' },
      ...{ names: ['rule.create'], text: 'hung up', after: 'further' },
      ...{ createdFrom: '2026-01-31T00:00:00.000Z', createdBefore: '2026-02-01T00:00:00.000Z' },
    });
  });

  test('a missing operation', async () => {
    server.answers = { relayOperation: () => null };
    const { exitCode, stderr } = await runCommand(['operations', 'show', 'op-9', ...at]);
    expect([exitCode, stderr]).toEqual([1, "tidegate: there is no operation 'op-9'\n"]);
  });
});

test('audit list says who asked for what, of the entries that are asked for', async () => {
  const entry = (more: object) => ({
    ...{ recordedAt: '2026-01-31T12:00:00.000Z', actor: { name: 'ada', kind: 'USER' }, action: 'backendCreate' },
    ...{ outcome: 'ACCEPTED', code: null, subjectId: 'B1', requestId: 'r1', callerRequestId: null, project: null },
    ...{ details: { name: 'fw-1' }, ...more },
  });
  const refused = {
    actor: { name: 'ci', kind: 'API_TOKEN' },
    action: 'poolDelete',
    outcome: 'REFUSED',
    code: 'IN_USE',
  };
  server.answers = {
    auditEntries: (args: { first: number; after: string | null }) =>
      pageOf([entry({}), entry({ ...refused, details: null, callerRequestId: 'mine' }), entry({ actor: null })], args),
  };
  const { exitCode, stdout } = await runCommand(['audit', 'list', ...at]);
  expect(exitCode).toBe(0);
  expect(
    stdout
      .trimEnd()
      .split('\n')
      .map((line) => line.split(/ {2,}/)),
  ).toEqual([
    ['AT', 'WHO', 'MUTATION', 'OBJECT', 'RESULT', 'REQUEST'],
    ['2026-01-31T12:00:00.000Z', 'ada (user)', 'backendCreate', 'fw-1', 'ACCEPTED', 'r1'],
    ['2026-01-31T12:00:00.000Z', 'ci (API token)', 'poolDelete', 'B1', 'REFUSED IN_USE', 'mine'],
    ['2026-01-31T12:00:00.000Z', 'nobody', 'backendCreate', 'fw-1', 'ACCEPTED', 'r1'],
  ]);
  await runCommand(['audit', 'list', '--actor', 'ada', '--outcome', 'refused', '--limit', '1', ...at]);
  expect(server.requests.at(-1)).toMatchObject({ actorName: 'ada', outcomes: ['REFUSED'], first: 1 });
});

describe('audit verify', () => {
  const verification = { intact: true, checked: 7, unsealed: 1, firstBrokenPosition: null, reason: null, cuts: [] };

  test('continues where a round ended; a broken trail is exit code 1', async () => {
    let rounds = 0;
    server.answers = {
      auditVerification: () => {
        rounds += 1;
        return { ...verification, checked: rounds === 1 ? 100_000 : 7 };
      },
    };
    const whole = await runCommand(['audit', 'verify', ...at]);
    expect([whole.exitCode, whole.stdout]).toEqual([0, '100007 entries checked, 1 not sealed yet\n']);
    expect(server.requests[1]).toEqual({ limit: 100_000, from: expect.any(String) });
    server.answers = {
      auditVerification: () => ({ ...verification, intact: false, firstBrokenPosition: '5', reason: 'hash differs' }),
    };
    const broken = await runCommand(['audit', 'verify', '--json', ...at]);
    expect([broken.exitCode, broken.stderr]).toEqual([1, 'tidegate: the audit trail is broken at 5: hash differs\n']);
    expect(JSON.parse(broken.stdout)).toMatchObject({ intact: false });
  });
});

describe('credentials and connection', () => {
  const tokens = { accessTokenExpiresAt: '2099-01-01T00:00:00.000Z', refreshToken: 'refresh', userErrors: [] };

  test('a token from the environment, from a file, by a login', async () => {
    server.answers = {
      backends: (args: { first: number; after: string | null }) => pageOf([], args),
      login: () => ({ ...tokens, accessToken: goodToken }),
    };
    const url = ['--url', server.url];
    const environment = await runCommand(['backends', 'list', ...url], { env: { TIDEGATE_TOKEN: goodToken } });
    const file = await runCommand(['backends', 'list', ...url, '--token-file', join(folder.path, 'admin.token')]);
    const login = ['--user', 'admin', '--password-file', join(folder.path, 'admin.token')];
    const user = await runCommand(['backends', 'list', ...login], { env: { TIDEGATE_URL: server.url } });
    expect([environment.exitCode, file.exitCode, user.exitCode]).toEqual([0, 0, 0]);
  });

  test.each([
    ['near its end', goodToken, 0],
    ['refused', 'stale', 86_400_000],
  ])("a login's access token is renewed when it is %s", async (_, accessToken, lifeMs) => {
    const used: string[] = [];
    const accessTokenExpiresAt = new Date(Date.now() + lifeMs).toISOString();
    server.answers = {
      backends: (args: { first: number; after: string | null }) => pageOf([], args),
      login: () => ({ ...tokens, accessToken, accessTokenExpiresAt }),
      sessionRefresh: ({ input }: { input: { refreshToken: string } }) => {
        used.push(input.refreshToken);
        return { ...tokens, accessToken: goodToken };
      },
    };
    const login = ['--user', 'admin', '--password-file', join(folder.path, 'admin.token')];
    const { exitCode } = await runCommand(['backends', 'list', ...login], { env: { TIDEGATE_URL: server.url } });
    expect([exitCode, used]).toEqual([0, ['refresh']]);
  });

  test('no token, and a rejected one', async () => {
    const none = await runCommand(['backends', 'list', '--url', server.url, '--data', '/nowhere']);
    expect([none.exitCode, none.stderr]).toEqual([1, expect.stringContaining('no token: give --token-file')]);
    const bad = await runCommand(['backends', 'list', '--url', server.url], { env: { TIDEGATE_TOKEN: 'secret-x' } });
    expect([bad.exitCode, bad.stderr]).toEqual([1, 'tidegate: UNAUTHENTICATED: log in\n']);
  });

  test('an unreachable server: exit code 3', async () => {
    const gone = await GraphServer.start();
    await gone.stop();
    const url = ['--url', 'http://127.0.0.1:9/graphql'];
    const list = await runCommand(['backends', 'list', ...url], { env: { TIDEGATE_TOKEN: 'x' } });
    expect([list.exitCode, list.stderr]).toEqual([3, expect.stringContaining("127.0.0.1:9 can't be reached")]);
    const follow = await runCommand(['events', 'follow', ...url], { env: { TIDEGATE_TOKEN: 'x' } });
    expect([follow.exitCode, follow.stderr]).toEqual([3, expect.stringContaining("can't be reached")]);
  });

  test('colours only on a terminal, and not with NO_COLOR', async () => {
    server.answers = { backends: (args: { first: number; after: string | null }) => pageOf([backend('fw')], args) };
    const escapeCode = String.fromCharCode(27);
    const list = (options: { isTTY: boolean; env?: Record<string, string> }) =>
      runCommand(['backends', 'list', ...at], options);
    expect((await list({ isTTY: true })).stdout).toContain(`${escapeCode}[32mONLINE`);
    expect((await list({ isTTY: false })).stdout).not.toContain(escapeCode);
    expect((await list({ isTTY: true, env: { NO_COLOR: '1' } })).stdout).not.toContain(escapeCode);
  });
});

describe('events', () => {
  const change = (version: number) => ({
    changedAt: '2026-01-31T12:00:00.000Z',
    kind: 'relayOperation.state',
    subjectType: 'RelayOperation',
    subjectId: 'op-1',
    subjectVersion: version,
    from: version === 1 ? null : 'SENT',
    to: 'SUCCEEDED',
    reason: null,
    requestId: 'r1',
  });

  /** A stream of all changes after the cursor, which waits at its end. */
  async function* stream({ after }: { after: string | null }, upTo: () => number) {
    yield { statusChanges: { cursor: after ?? '0', kind: 'CHECKPOINT', change: null } };
    for (let version = Number(after ?? '0') + 1; ; version += 1) {
      while (version > upTo()) {
        if (over) return;
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      yield { statusChanges: { cursor: String(version), kind: 'CREATED', change: change(version) } };
    }
  }

  test('prints the newest and ends', async () => {
    server.answers = {
      statusHistory: (args: { first: number; after: string | null }) => pageOf([change(2), change(1)], args),
    };
    const { exitCode, stdout } = await runCommand(['events', 'list', '--kind', 'relayOperation.state', ...at]);
    expect(exitCode).toBe(0);
    expect(stdout.split('\n')[0]).toBe('2026-01-31T12:00:00.000Z  relayOperation.state  op-1  SENT → SUCCEEDED');
    expect(server.requests[0]).toMatchObject({ kinds: ['relayOperation.state'], first: 20 });
  });

  test('follow continues after the last cursor when the connection is lost: no gap, no duplicate', async () => {
    let newest = 3;
    server.answers = { statusChanges: (args: { after: string | null }) => stream(args, () => newest) };
    const run = startCommand(['events', 'follow', '--json', ...at]);
    const seen = () =>
      run
        .stdout()
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as { cursor: string; subjectVersion: number });
    await waitFor('three', () => seen().length === 3);
    server.dropConnections();
    newest = 5;
    await waitFor('five', () => seen().length === 5);
    expect(seen().map((each) => each.subjectVersion)).toEqual([1, 2, 3, 4, 5]);
    expect(server.requests.map((each) => each.after)).toEqual([null, '3']);
    run.interrupt();
    expect(await run.exitCode).toBe(0);
    expect(run.stderr()).toContain('connection lost');
    expect(run.stderr()).toContain('continue with --after 5');
  });

  test('--after begins there; an expired cursor ends it with its code', async () => {
    server.answers = { statusChanges: (args: { after: string | null }) => stream(args, () => 9) };
    const run = startCommand(['events', 'follow', '--after', '7', ...at]);
    await waitFor('two', () => run.stdout().split('\n').length === 3);
    run.interrupt();
    expect(await run.exitCode).toBe(0);
    server.answers = {
      statusChanges: () => {
        throw Object.assign(new Error('too old'), { extensions: { code: 'CURSOR_EXPIRED' } });
      },
    };
    const expired = await runCommand(['events', 'follow', '--after', '1', ...at]);
    expect([expired.exitCode, expired.stderr]).toEqual([1, expect.stringContaining('CURSOR_EXPIRED: too old')]);
  });

  test('follow with a refused token: exit code 1, and no second try', async () => {
    const { exitCode, stderr } = await runCommand(['events', 'follow', '--url', server.url], {
      env: { TIDEGATE_TOKEN: 'bad' },
    });
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining('refused')]);
  });
});
