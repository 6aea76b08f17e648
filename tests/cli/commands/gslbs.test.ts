// `tidegate gslbs`, against a server with the real schema.
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { GraphServer, goodToken, pageOf } from './graph-server.ts';
import { runCommand } from './run-command.ts';

let server: GraphServer;
const env = { TIDEGATE_TOKEN: goodToken };
type Page = { first: number; after: string | null };

beforeAll(async () => {
  server = await GraphServer.start();
});
beforeEach(() => {
  server.requests.length = 0;
});
afterAll(() => server.stop());
const run = (...args: string[]) => runCommand(['gslbs', ...args, '--url', server.url], { env });

const at = '2026-01-31T12:00:00.000Z';
const vote = (vantagePointName: string, verdict: string | null) => ({
  ...{ vantagePointName, region: vantagePointName, verdict, verdictAt: at, latencyMs: verdict === 'UP' ? 12 : null },
  ...{ message: verdict === 'DOWN' ? 'connection refused' : null, monitor: { name: 'web' } },
});
const member = (name: string, verdict: string) => ({
  ...{ __typename: 'GslbPoolMember', id: `M-${name}`, name, memberType: 'IP', addresses: ['192.0.2.1'], cname: null },
  ...{ memberRegion: 'eu', weight: 1, priority: 0, adminState: 'AUTO', adminUntil: null, adminReason: null },
  ...{ verdict, verdictAt: at, undecidedAt: null, serving: verdict === 'UP', operatingReason: null },
  ...{ operatingStatus: verdict === 'UP' ? 'ONLINE' : 'OFFLINE', votes: [vote('eu', verdict), vote('ap', null)] },
});
const gslb = {
  ...{
    __typename: 'Gslb',
    id: 'G1',
    fqdn: 'shop.gslb.test',
    description: '',
    zoneName: 'gslb.test',
    applianceId: null,
  },
  ...{ policy: 'GEO', ttlSeconds: 30, degradedTtlSeconds: 5, noneUp: 'ALL', provisioningStatus: 'ACTIVE' },
  ...{ provisioningReason: null, operatingStatus: 'UNKNOWN', operatingReason: null, frozenAt: null, frozenUntil: null },
  ...{ frozenReason: null, generation: 3, createdAt: at, flavor: { name: 'usual' }, project: { name: 'default' } },
  cmpObject: { namespace: 'default', type: 'tenant', externalId: '42' },
  pools: [{ id: 'P1', name: 'web', minUp: 1 }],
};
const here = (members: readonly ReturnType<typeof member>[], pools: readonly object[] = gslb.pools) => ({
  gslbs: (args: Page & { names?: readonly string[] }) =>
    pageOf(args.names === undefined || args.names.includes(gslb.fqdn) ? [{ ...gslb, pools }] : [], {
      ...args,
      after: null,
    }),
  node: ({ id }: { id: string }) =>
    id === 'G1'
      ? gslb
      : id.startsWith('P')
        ? { __typename: 'GslbPool', members: (args: Page) => pageOf(members, args) }
        : null,
});
const done = (field: string, value: unknown) => ({ [field]: value, userErrors: [], commit: null });

test('list shows what is frozen, and what has no verdict yet', async () => {
  server.answers = {
    gslbs: (args: Page) => pageOf([gslb, { ...gslb, fqdn: '*.test', operatingStatus: 'OFFLINE', frozenAt: at }], args),
  };
  const { exitCode, stdout, stderr } = await run('list');
  expect([exitCode, stderr]).toEqual([0, '']);
  expect(stdout).toMatch(/^shop\.gslb\.test +GEO +ACTIVE +UNKNOWN +web$/m);
  expect(stdout).toMatch(/^\*\.test +GEO +ACTIVE +OFFLINE +web +FROZEN$/m);
});

test('show has all members, more than a page of them, and the vote of each vantage point', async () => {
  const many = Array.from({ length: 120 }, (_, index) => member(`m${index}`, index === 119 ? 'DOWN' : 'UP'));
  server.answers = here(many);
  for (const name of ['shop.gslb.test', 'Shop.gslb.test.', 'G1']) {
    const { exitCode, stdout, stderr } = await run('show', name);
    expect([name, exitCode, stderr]).toEqual([name, 0, '']);
    expect(stdout).toMatch(/^For +tenant\/42$/m);
    expect(stdout).toMatch(/^Operating +UNKNOWN$/m);
    expect(stdout).toMatch(/^web\/m119 +192\.0\.2\.1 +eu +AUTO +DOWN +OFFLINE$/m);
    expect(stdout).toMatch(/^web\/m0 +web +eu +UP +2026-01-31T12:00:00.000Z +12 ms$/m);
    expect(stdout).toMatch(/^web\/m119 +web +eu +DOWN +2026-01-31T12:00:00.000Z +- +connection refused$/m);
    expect(stdout).toMatch(/^web\/m119 +web +ap +- +2026/m);
  }
  const json = JSON.parse((await run('show', 'G1', '--json')).stdout) as { pools: { members: unknown[] }[] };
  expect(json.pools[0]?.members).toHaveLength(120);
  const none = await run('show', 'other.gslb.test');
  expect([none.exitCode, none.stderr]).toEqual([
    1,
    "tidegate: there is no GSLB 'other.gslb.test'; 'shop.gslb.test' is near\n",
  ]);
});

test('history has every vote; one that did not count, with the reason', async () => {
  const ballot = (vantagePointName: string, verdict: string | null, count: string) => ({
    ...{ vantagePointName, region: 'r', verdict, ageMs: 10, count, latencyMs: null, message: null },
  });
  const flip = {
    ...{
      id: 'F1',
      changedAt: at,
      member: { name: 'eu', pool: { name: 'web' } },
      region: null,
      verdictBefore: 'UP',
      verdictAfter: 'DOWN',
    },
    ...{ reason: '2 of 3 say so', late: false },
    ballots: [ballot('eu', 'DOWN', 'COUNTED'), ballot('us', 'DOWN', 'COUNTED'), ballot('ap', 'UP', 'ABSENT')],
  };
  server.answers = {
    ...here([member('eu', 'DOWN')]),
    gslbHistory: (args: Page) => pageOf([flip, { ...flip, member: null, late: true, region: 'us' }], args),
  };
  const { stdout, stderr } = await run('history', 'shop.gslb.test');
  expect(stderr).toBe('');
  expect(stdout).toMatch(/^2026\S+ +web\/eu +UP → DOWN +all +eu DOWN, us DOWN, ap ABSENT +2 of 3 say so$/m);
  expect(stdout).toMatch(/^2026\S+ +- +UP → DOWN \(late\) +us /m);
  expect(server.requests.at(-1)).toMatchObject({ gslbId: 'G1' });
  await run('history', 'shop.gslb.test', 'web/eu', '--limit', '5');
  expect(server.requests.at(-1)).toMatchObject({ memberId: 'M-eu', first: 5 });
  server.answers = { ...here([]), gslbHistory: (args: Page) => pageOf([], args) };
  expect((await run('history', 'shop.gslb.test')).stdout).toBe('no verdict has changed yet\n');
});

test('force says what was asked of a member; one of two with a name is named with its pool', async () => {
  server.answers = {
    ...here([member('eu', 'UP')]),
    gslbPoolMemberAdminStateSet: ({ input }: { input: { state: string; until: string | null } }) =>
      done('gslbPoolMember', { ...member('eu', 'UP'), adminState: input.state, adminUntil: input.until }),
  };
  const until = '2026-02-01T00:00:00.000Z';
  const told = await run('force', 'shop.gslb.test', 'eu', '--state', 'down', '--until', until, '--reason', 'repair');
  expect([told.stderr, told.stdout]).toEqual(['', `eu is FORCED_DOWN until ${until}\n`]);
  expect(server.requests.at(-1)).toMatchObject({
    input: { id: 'M-eu', state: 'FORCED_DOWN', until, reason: 'repair' },
  });
  expect((await run('force', 'G1', 'web/eu', '--state', 'auto')).stdout).toBe('web/eu is AUTO\n');
  const none = await run('force', 'G1', 'us', '--state', 'up');
  expect([none.exitCode, none.stderr]).toEqual([1, expect.stringContaining("no member 'us' in the pools of shop")]);
  const unknown = await run('force', 'G1', 'eu', '--state', 'sideways');
  expect([unknown.exitCode, unknown.stderr]).toEqual([64, expect.stringContaining('UP, DOWN, DRAIN, AUTO')]);
  const twoPools = [...gslb.pools, { id: 'P2', name: 'spare', minUp: 1 }];
  server.answers = here([member('eu', 'UP')], twoPools);
  const both = await run('force', 'shop.gslb.test', 'eu', '--state', 'up');
  expect([both.exitCode, both.stderr]).toEqual([1, expect.stringContaining('name one of web/eu, spare/eu')]);
});

test('freeze keeps the answer, and releases it', async () => {
  server.answers = {
    ...here([]),
    gslbFreeze: ({ input }: { input: { until: string | null } }) =>
      done('gslb', { ...gslb, frozenAt: at, frozenUntil: input.until }),
    gslbUnfreeze: () => done('gslb', gslb),
  };
  const frozen = await run('freeze', 'shop.gslb.test', '--until', at, '--reason', 'maintenance');
  expect([frozen.stderr, frozen.stdout]).toEqual(['', `the answer of shop.gslb.test is frozen until ${at}\n`]);
  expect(server.requests.at(-1)).toMatchObject({ input: { id: 'G1', reason: 'maintenance' } });
  expect((await run('freeze', 'G1', '--release')).stdout).toBe('shop.gslb.test follows its members again\n');
  expect(server.requests.at(-1)).toMatchObject({ input: { id: 'G1' } });
  const both = await run('freeze', 'G1', '--release', '--until', at);
  expect([both.exitCode, both.stderr]).toEqual([64, expect.stringContaining('--release takes no --until')]);
});

test('explain shows each step with who was left out and why, and what each name server answers', async () => {
  const answer = (...data: string[]) => ({
    outcome: data.length === 0 ? 'SERVFAIL' : 'RECORDS',
    scopeBits: 24,
    records: data.map((each) => ({ type: 'A', data: each, ttlSeconds: 5 })),
  });
  const explained = (name: string, reason: string | null = null) => ({ id: `M-${name}`, member: { name }, reason });
  const silent = { address: '192.0.2.54', message: 'no answer within 2 s', answered: null, latencyMs: null, behind: 1 };
  const explanation = {
    ...{ gslb, askedAt: null, generation: 7, clientRegion: 'eu', clientCountry: null, clientContinent: 'EU' },
    ...{ flip: { changedAt: at, reason: '2 of 3 say so' }, answer: answer('192.0.2.1') },
    steps: [
      { step: 'UP', kept: [explained('eu'), explained('us')], left: [explained('ap', 'it is down')] },
      { step: 'GEO', kept: [explained('eu')], left: [{ id: 'M-gone', member: null, reason: 'another region' }] },
    ],
    servers: [
      {
        ...{ name: 'ns1', address: '192.0.2.53', heardAt: at, planned: null, answered: answer('192.0.2.1') },
        ...{ behind: 0, message: null, latencyMs: 3 },
      },
      { name: 'ns2', heardAt: null, planned: null, ...silent },
    ],
  };
  server.answers = { gslbExplain: () => explanation };
  const asked = ['explain', 'shop.gslb.test', '--client', '192.0.2.0/24', '--record', 'a'];
  const { exitCode, stdout, stderr } = await run(...asked);
  expect([exitCode, stderr]).toEqual([0, '']);
  expect(server.requests.at(-1)).toMatchObject({ name: 'shop.gslb.test', client: '192.0.2.0/24', type: 'A' });
  for (const line of [
    ...[/^Because of +2026-01-31T12:00:00.000Z 2 of 3 say so$/m, /^Client in +eu, EU$/m, /^Answer +192\.0\.2\.1$/m],
    ...[/^TTL +5 s$/m, /^Scope +\/24$/m, /^UP +eu us +ap \(it is down\)$/m, /^GEO +eu +M-gone \(another region\)$/m],
    ...[/^ns1 +192\.0\.2\.53 +192\.0\.2\.1 +0 +3 ms$/m, /^ns2 +192\.0\.2\.54 +no answer within 2 s +1 +-$/m],
  ])
    expect(stdout).toMatch(line);
  server.answers = { gslbExplain: () => ({ ...explanation, answer: answer(), servers: [], askedAt: at, flip: null }) };
  const past = await run('explain', 'shop.gslb.test', '--at', at);
  expect([past.stdout, past.stderr]).toEqual([expect.stringMatching(/^Answer +SERVFAIL$/m), '']);
  expect(server.requests.at(-1)).toMatchObject({ at });
  server.answers = { ...here([]), gslbExplain: () => null };
  const unkept = await run('explain', 'shop.gslb.test', '--at', at);
  expect([unkept.exitCode, unkept.stderr]).toEqual([1, expect.stringContaining("no answer to 'shop.gslb.test'")]);
  const none = await run('explain', 'other.gslb.test');
  expect([none.exitCode, none.stderr]).toEqual([1, expect.stringContaining("there is no GSLB 'other.gslb.test'")]);
});

test.each([
  [['--cmp', 'east:tenant/a/42']],
  [['--cmp-object-namespace', 'east', '--cmp-object-type', 'tenant', '--cmp-object-external-id', 'a/42']],
])('create takes its CMP object as %j', async (words) => {
  const refusal = { code: 'ALREADY_EXISTS', message: 'there is one', field: ['input', 'cmpObject'] };
  server.answers = { gslbCreate: () => ({ gslb: null, userErrors: [refusal] }) };
  const { stderr } = await run('create', 'new.gslb.test', ...words);
  expect(server.requests.at(-1)).toMatchObject({
    input: { fqdn: 'new.gslb.test', cmpObject: { namespace: 'east', type: 'tenant', externalId: 'a/42' } },
  });
  expect(stderr).toContain(
    `ALREADY_EXISTS: there is one (${words.filter((each) => each.startsWith('--')).join(', ')})`,
  );
});
