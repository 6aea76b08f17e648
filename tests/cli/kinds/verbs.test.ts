// The verbs that are generated from the registry of kinds, against a server with the real schema, which validates each document.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { GraphServer, goodToken, pageOf } from '../commands/graph-server.ts';
import { runCommand } from '../commands/run-command.ts';

type Page = { first: number; after: string | null; names?: readonly string[] | null; projectId?: string };

let server: GraphServer;
let folder: string;
const inputs: Record<string, unknown>[] = [];

const project = { __typename: 'Project', id: 'P1', name: 'default' };
const at = '2026-01-01T00:00:00.000Z';
const pool = (id: string, name: string) => ({
  ...{ __typename: 'GslbPool', id, name, version: 1, project, description: '', minUp: 1, answerScope: 'ALL' },
  quorum: { downAtLeast: null, upAtLeast: null, leastVoters: null, leastRegions: 1, freshMs: null },
  ...{ failback: { mode: 'IMMEDIATE', delayMs: null }, monitors: [], createdAt: at, updatedAt: at },
  members: (args: Page) => pageOf(members, args),
});
const member = (id: string, name: string) => ({
  ...{ __typename: 'GslbPoolMember', id, name, version: 1, project, description: '', memberType: 'IP' },
  ...{ addresses: ['192.0.2.1'], cname: null, followedLoadBalancer: null, neutronId: null, servicePort: 443 },
  ...{ memberRegion: null, weight: 1, priority: 0, place: null, monitors: [], adminState: 'AUTO', serving: true },
  parameters: { __typename: 'GslbHttpParameters', method: 'GET', path: '/alive', expectedCodes: '200' },
  ...{ adminUntil: null, adminReason: null, verdict: null, verdictAt: null, undecidedAt: null, lastUpAt: null },
  ...{
    operatingStatus: 'ONLINE',
    operatingReason: null,
    createdAt: at,
    updatedAt: at,
    pool: { id: 'G1', name: 'web' },
  },
});
const members = [member('M1', 'east'), member('M2', 'west')];
const pools = [pool('G1', 'web'), pool('G2', 'twice'), pool('G3', 'twice')];
const users = [
  {
    __typename: 'User',
    id: 'U1',
    name: 'alice',
    version: 1,
    admin: false,
    enabled: true,
    createdAt: at,
    updatedAt: at,
  },
];
const known = () => [...pools, ...members, ...users, project];

/** The mutation succeeds, and its input is recorded. */
const done =
  (more: (input: Record<string, unknown>) => object) =>
  ({ input }: { input: Record<string, unknown> }) => {
    inputs.push(input);
    return { commit: { token: 'token' }, userErrors: [], ...more(input) };
  };
const refused =
  (code: string, field: readonly string[], message = 'is wrong') =>
  () => ({
    commit: null,
    userErrors: [{ code, field, message, retry: 'NEVER' }],
  });

beforeAll(async () => {
  [server, folder] = [await GraphServer.start(), await mkdtemp(join(tmpdir(), 'tidegate-kinds-'))];
});
afterAll(async () => {
  await server?.stop();
  await rm(folder, { recursive: true, force: true });
});
beforeEach(() => {
  inputs.length = 0;
  server.requests.length = 0;
  server.answers = {
    node: ({ id }: { id: string }) => known().find((each) => each.id === id) ?? null,
    projects: (args: Page) => pageOf([project], args),
    users: (args: Page) => pageOf(users, args),
    gslbPools: (args: Page) => pageOf(pools, args),
    gslbMonitors: (args: Page) => pageOf([{ __typename: 'GslbMonitor', id: 'N1', name: 'alive', project }], args),
    gslbFlavors: (args: Page) => pageOf([{ __typename: 'GslbFlavor', id: 'F1', name: 'usual' }], args),
    gslbPoolCreate: done(({ name }) => ({ gslbPool: pool('G9', String(name)) })),
    gslbPoolUpdate: done(() => ({ gslbPool: pools[0] })),
    gslbPoolDelete: done(() => ({ deletedId: 'G1' })),
    gslbPoolMemberCreate: done(({ name }) => ({ gslbPoolMember: member('M9', String(name)) })),
    gslbPoolMemberUpdate: done(() => ({ gslbPoolMember: members[1] })),
    gslbPoolMemberDelete: done(() => ({ deletedId: 'M2' })),
    gslbPoolMonitorAttach: done(() => ({ gslbMonitor: null })),
    apiTokenCreate: done(() => ({ apiToken: null, secret: 'tgt_once' })),
    userCreate: done(() => ({ user: users[0] })),
    userUpdate: done(() => ({ user: users[0] })),
    membershipSet: done(() => ({ membership: null })),
    membershipRemove: done(() => ({ project: null })),
  };
});

async function tidegate(...args: readonly string[]) {
  return runCommand([...args, '--url', server.url], {
    env: { TIDEGATE_TOKEN: goodToken, TIDEGATE_SECRET_ALICE: 'correct horse battery' },
  });
}

async function ok(...args: readonly string[]): Promise<string> {
  const run = await tidegate(...args);
  expect({ args, exitCode: run.exitCode, stderr: run.exitCode === 0 ? '' : run.stderr }).toEqual({
    args,
    exitCode: 0,
    stderr: '',
  });
  return run.stdout;
}

const file = async (name: string, text: string) => {
  await writeFile(join(folder, name), text);
  return join(folder, name);
};

describe('create', () => {
  test('sends the options as fields of the input, and prints the id', async () => {
    const made = await ok(
      ...'gslb-pools create web2 --project default --min-up 2 --quorum-least-regions 3'.split(' '),
      '--failback-mode',
      'manual',
    );
    expect(made).toBe('web2 is created: G9\n');
    expect(inputs).toEqual([
      {
        idempotencyKey: expect.any(String),
        ...{ projectId: 'P1', name: 'web2', minUp: 2, quorum: { leastRegions: 3 }, failback: { mode: 'MANUAL' } },
        // The graph's own defaults.
        ...{ answerScope: 'ALL', description: '' },
      },
    ]);
  });

  test('reads its fields from a file, and options take precedence', async () => {
    const from = await file(
      'pool.yaml',
      'minUp: 4\ndescription: from a file\nfailback: {mode: delayed, delayMs: 500}\n',
    );
    await ok('gslb-pools', 'create', 'web2', '--from', from, '--min-up', '5');
    expect(inputs).toMatchObject([
      { minUp: 5, description: 'from a file', failback: { mode: 'DELAYED', delayMs: 500 } },
    ]);
  });

  test('of a part takes the parent, by name', async () => {
    await ok('gslb-members', 'create', 'south', '--pool', 'web', '--address', '192.0.2.3', '--address', '192.0.2.4');
    expect(inputs).toMatchObject([{ poolId: 'G1', name: 'south', addresses: ['192.0.2.3', '192.0.2.4'] }]);
  });

  test('reads secrets from files only, and never prints them', async () => {
    const secret = await file('password', 'correct horse battery\n');
    await ok('users', 'create', 'alice', '--user-password-file', secret);
    expect(inputs).toMatchObject([{ name: 'alice', password: 'correct horse battery' }]);
    server.answers = {
      ...server.answers,
      userCreate: refused('INVALID_INPUT', ['input', 'password'], 'correct horse battery is weak'),
    };
    const { stderr } = await tidegate('users', 'create', 'alice', '--user-password-file', secret);
    expect(stderr).toBe('tidegate: INVALID_INPUT: ••• is weak (--user-password-file)\n');
    const inFile = await file('user.yaml', 'password: correct horse battery\n');
    expect((await tidegate('users', 'create', 'alice', '--from', inFile)).stderr).toContain('written in the file');
    // The author of a file can't choose the caller's files and variables, but options can.
    for (const [source, said] of [
      ['{file: password}', 'password is a file: give it with the option of the field'],
      ['{env: TIDEGATE_TOKEN}', 'the variable TIDEGATE_TOKEN may not be used'],
    ]) {
      const theirs = await file('user.yaml', `password: ${source}\n`);
      expect((await tidegate('users', 'create', 'alice', '--from', theirs)).stderr).toContain(said);
    }
    const bySecret = await file('user.yaml', 'password: {env: TIDEGATE_SECRET_ALICE}\n');
    server.answers = { ...server.answers, userCreate: done(() => ({ user: users[0] })) };
    await ok('users', 'create', 'alice', '--from', bySecret);
    expect(inputs.at(-1)).toMatchObject({ password: 'correct horse battery' });
  });

  test('prints a secret that is shown once, with a warning', async () => {
    const { stdout, stderr, exitCode } = await tidegate(
      ...'tokens create ci --project default --role member'.split(' '),
    );
    expect([exitCode, stdout]).toEqual([0, 'tgt_once\n']);
    expect(stderr).toContain('nobody can show it again');
    // It has no idempotency key, so a repetition would not be noticed.
    expect(inputs).toEqual([{ projectId: 'P1', name: 'ci', role: 'MEMBER' }]);
    const json = await tidegate(...'tokens create ci --project default --role member --json'.split(' '));
    expect([JSON.parse(json.stdout).secret, json.stderr]).toEqual(['tgt_once', expect.stringContaining('nobody')]);
  });

  test('a verb with the same payload but without a secret does not warn', async () => {
    const at = '2026-01-01T00:00:00.000Z';
    const token = {
      __typename: 'ApiToken',
      id: 'T1',
      name: 'ci',
      role: 'MEMBER',
      version: 2,
      project,
      createdAt: at,
      updatedAt: at,
      prefix: 'tgt_1',
      expiresAt: at,
    };
    server.answers = {
      ...server.answers,
      apiTokens: (args: Page) => pageOf([token], args),
      apiTokenRevoke: done(() => ({ apiToken: token, secret: null })),
    };
    const { stdout, stderr, exitCode } = await tidegate('tokens', 'revoke', 'ci', '--project', 'default');
    expect([exitCode, stderr]).toEqual([0, '']);
    expect(stdout).toContain('ci');
  });

  test.each([
    [['tokens', 'create', 'ci', '--role', 'MEMBER'], 'give --project'],
    [['tokens', 'create', 'ci', '--project', 'default'], 'give --role'],
    [['gslb-members', 'create', 'south'], 'give --pool'],
    [
      [
        'gslb-monitors',
        'create',
        'm',
        '--check-type',
        'HTTP',
        '--parameters-http-path',
        '/',
        '--parameters-tcp-send',
        'x',
      ],
      'give exactly one of tcp, udp, http',
    ],
    [['users', 'create', 'alice'], 'give --user-password-file'],
  ])('%j reports what is missing', async (args, message) => {
    const { exitCode, stderr } = await tidegate(...args);
    expect([exitCode, stderr]).toEqual([64, expect.stringContaining(message)]);
    expect(inputs).toEqual([]);
  });

  test('an unknown field of the file is refused with its line', async () => {
    const from = await file('bad.yaml', 'description: x\nminimum: 4\nfailback: {mode: maybe}\n');
    const { exitCode, stderr } = await tidegate('gslb-pools', 'create', 'x', '--from', from);
    expect(exitCode).toBe(1);
    expect(stderr).toContain(`${from}:2: "minimum" is not a field; the fields are description, name`.slice(0, 60));
    expect(stderr).toContain('bad.yaml:3: failback.mode must be one of IMMEDIATE, DELAYED, MANUAL');
    expect(inputs).toEqual([]);
  });
});

describe('update', () => {
  test('sends the given fields, and null for those that are unset', async () => {
    expect(await ok(...'gslb-pools update web --rename www --unset quorum-fresh-ms'.split(' '))).toBe(
      'web is changed\n',
    );
    expect(inputs).toEqual([
      { idempotencyKey: expect.any(String), id: 'G1', name: 'www', quorum: { leastRegions: 1, freshMs: null } },
    ]);
  });

  test('keeps unnamed values of an object that is sent as a whole', async () => {
    pools[0] = { ...pool('G1', 'web'), quorum: { ...pool('', '').quorum, leastRegions: 3 } };
    await ok(...'gslb-pools update web --quorum-least-voters 5'.split(' '));
    expect(inputs).toMatchObject([{ quorum: { leastRegions: 3, leastVoters: 5 } }]);
    inputs.length = 0;
    await ok(...'gslb-members update web/west --parameters-http-body hello'.split(' '));
    expect(inputs).toMatchObject([
      { id: 'M2', parameters: { http: { method: 'GET', path: '/alive', body: 'hello' } } },
    ]);
  });

  test('accepts one field of an object that needs several, if the current object has the others', async () => {
    await ok(...'gslb-pools update web --failback-delay-ms 500'.split(' '));
    const from = await file('failback.yaml', 'failback: {delayMs: 700}\n');
    await ok('gslb-pools', 'update', 'web', '--from', from);
    expect(inputs).toMatchObject([
      { id: 'G1', failback: { mode: 'IMMEDIATE', delayMs: 500 } },
      { id: 'G1', failback: { mode: 'IMMEDIATE', delayMs: 700 } },
    ]);
  });

  test('refuses an object that is invalid after the merge', async () => {
    const both = ['--parameters-http-path', '/a', '--parameters-https-path', '/b'];
    const { exitCode, stderr } = await tidegate('gslb-members', 'update', 'web/west', ...both);
    expect([exitCode, stderr, inputs]).toEqual([64, expect.stringContaining('parameters: give exactly one of'), []]);
  });

  test('booleans are words, so that false differs from an omitted option', async () => {
    await ok('users', 'update', 'alice', '--admin', 'false');
    expect(inputs).toMatchObject([{ id: 'U1', admin: false }]);
  });

  test.each([
    [['gslb-pools', 'update', 'web'], 'nothing to change was given'],
    [['gslb-pools', 'update', 'web', '--unset', 'colour'], "--unset: 'colour' is no field; give one of"],
    [
      ['gslb-pools', 'update', 'web', '--min-up', '2', '--unset', 'min-up'],
      'give --min-up or --unset min-up, not both',
    ],
  ])('%j is wrong use', async (args, message) => {
    const { exitCode, stderr } = await tidegate(...args);
    expect([exitCode, stderr]).toEqual([64, expect.stringContaining(message)]);
  });
});

describe('an object is referred to', () => {
  test.each(['web', 'G1'])('by name or id: %s', async (name) => {
    expect(await ok('gslb-pools', 'delete', name)).toBe(`${name} is deleted\n`);
    expect(inputs).toMatchObject([{ id: 'G1' }]);
    // One request is enough to find it.
    expect(server.requests).toHaveLength(2);
  });

  test.each([['web/west'], ['M2'], ['west', '--pool', 'web'], ['west', '--pool', 'G1']])(
    'a part: %j',
    async (...args) => {
      await ok('gslb-members', 'delete', ...args);
      expect(inputs).toMatchObject([{ id: 'M2' }]);
    },
  );

  test.each([
    [['gslb-pools', 'show', 'nothing'], "there is no GSLB pool 'nothing'"],
    [['gslb-pools', 'show', 'twice'], "several GSLB pools have the name 'twice'; use one of these ids: G2, G3"],
    [['gslb-members', 'show', 'west'], "there is no GSLB member 'west': name it as POOL/NAME, or by its id"],
    [['gslb-members', 'show', 'north', '--pool', 'web'], "there is no GSLB member 'north' in 'web'"],
    // Of another kind.
    [['gslb-pools', 'show', 'U1'], "there is no GSLB pool 'U1'"],
  ])('%j', async (args, message) => {
    const { exitCode, stderr } = await tidegate(...args);
    expect([exitCode, stderr]).toEqual([1, `tidegate: ${message}\n`]);
  });

  test('in an option', async () => {
    await ok(...'gslb-monitors attach alive --target-pool web'.split(' '));
    expect(inputs).toMatchObject([{ monitorId: 'N1', target: { poolId: 'G1' } }]);
    const { exitCode, stderr } = await tidegate(
      ...'gslb-monitors attach alive --target-pool web --target-member web/west'.split(' '),
    );
    expect([exitCode, stderr]).toEqual([64, expect.stringContaining('give exactly one of')]);
  });
});

test('a membership is identified by its user and project', async () => {
  expect(await ok(...'memberships set alice --project default --role viewer'.split(' '))).toBe('alice is set\n');
  expect(await ok(...'memberships remove alice --project default'.split(' '))).toBe('alice is removed\n');
  expect(inputs).toEqual([
    { idempotencyKey: expect.any(String), projectId: 'P1', userId: 'U1', role: 'VIEWER' },
    { idempotencyKey: expect.any(String), projectId: 'P1', userId: 'U1' },
  ]);
});

test('a refusal names the option, or the field of the file', async () => {
  const answer = (field: readonly string[]) => {
    server.answers = { ...server.answers, gslbPoolUpdate: refused('INVALID_INPUT', ['input', ...field]) };
  };
  answer(['quorum', 'leastRegions']);
  const given = async (...args: readonly string[]) => (await tidegate('gslb-pools', 'update', 'web', ...args)).stderr;
  expect(await given('--quorum-least-regions', '7')).toBe(
    'tidegate: INVALID_INPUT: is wrong (--quorum-least-regions)\n',
  );
  answer(['failback']);
  expect(await given('--failback-mode', 'MANUAL', '--failback-delay-ms', '5')).toContain(
    '(--failback-mode, --failback-delay-ms)',
  );
  answer(['id']);
  expect(await given('--min-up', '1')).toContain('(NAME)');
  answer(['name']);
  expect(await given('--rename', 'x')).toContain('(--rename)');
  answer(['minUp']);
  const from = await file('update.yaml', 'minUp: 2000\n');
  expect(await given('--from', from)).toContain(`(minUp in ${from})`);
});

test('list prints a table, and filters narrow it', async () => {
  expect(await ok('gslb-pools', 'list')).toMatch(
    /^NAME +MIN UP +ANSWER SCOPE +FAILBACK +ID\nweb +1 +ALL +mode=IMMEDIATE +G1\n/,
  );
  expect(JSON.parse(await ok('gslb-pools', 'list', '--text', 'w', '--json'))).toMatchObject([
    { id: 'G1', minUp: 1 },
    {},
    {},
  ]);
  expect(server.requests.at(-1)).toMatchObject({ text: 'w' });
  expect(await ok('gslb-members', 'list', '--pool', 'web')).toMatch(/^east +IP +192\.0\.2\.1 .*\nwest /m);
});

test('show prints the fields, with the names of linked objects', async () => {
  const shown = await ok('gslb-members', 'show', 'web/west');
  expect(shown).toMatch(/^Pool +web$/m);
  expect(shown).toMatch(/^Parameters +method=GET path=\/alive expected-codes=200$/m);
  const json = JSON.parse(await ok('gslb-members', 'show', 'web/west', '--json'));
  expect(json.parameters).toMatchObject({ __typename: 'GslbHttpParameters', path: '/alive' });
});
