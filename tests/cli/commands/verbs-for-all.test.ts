// The verbs for all kinds of objects (find, why, call, read, gql), drivers, and events wait, against a server with the real schema.
import { lstat, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { exportedKinds } from '../../../cli/apply/export.ts';
import { shortId } from '../../../cli/short-id.ts';
import { encodeId, newUuid } from '../../../platform/values/ids.ts';
import { type TemporaryFolder, temporaryFolder } from '../../support/temporary-folder.ts';
import { GraphServer, goodToken, pageOf } from './graph-server.ts';
import { runCommand } from './run-command.ts';

let server: GraphServer;
let folder: TemporaryFolder;
type Page = { first: number; after: string | null; text?: string | null; subjectId?: string };

const backendId = encodeId('Backend', newUuid());
const operationId = encodeId('RelayOperation', newUuid());
const backend = { __typename: 'Backend', id: backendId, name: 'edge', enabled: true, operatingStatus: 'OFFLINE' };
const operation = {
  ...{ __typename: 'RelayOperation', id: operationId, name: 'rule.create', state: 'FAILED', reason: null },
  ...{
    createdAt: '2026-01-31T12:00:00.000Z',
    finishedAt: '2026-01-31T12:00:01.000Z',
    quietUntil: null,
    stateSource: null,
  },
  ...{
    settledBy: null,
    requestedBy: { name: 'cmp', kind: 'API_TOKEN' },
    wireCall: 'nft add rule',
    backend,
    cmpObject: null,
  },
  ...{ deviceError: { code: 'DEVICE_REFUSED', message: 'no such chain' }, evidence: [] },
};
const change = (to: string, subjectId = operationId, kind = 'relayOperation.state') => ({
  ...{ changedAt: '2026-01-31T12:00:00.000Z', kind, subjectType: 'RelayOperation', subjectId, subjectVersion: 2 },
  ...{ from: 'SENT', to, reason: null, requestId: null },
});
const empty = (args: Page) => pageOf([], { ...args, after: null });
const containing =
  <Node extends { readonly name: string }>(nodes: readonly Node[]) =>
  (args: Page) =>
    pageOf(
      nodes.filter(({ name }) => name.includes(args.text ?? '')),
      { ...args, after: args.after ?? null },
    );

const nothing = { totalCount: 0, counts: [], needs: [], notShown: [] };
const domains = ['alerts', 'database', 'relay', 'loadBalancing', 'gslb', 'objectStorage'];
const wellAttention = Object.fromEntries(domains.map((domain) => [domain, nothing]));

beforeAll(async () => {
  [server, folder] = await Promise.all([GraphServer.start(), temporaryFolder()]);
});
beforeEach(() => {
  server.requests.length = 0;
  const lists = [
    ...[
      'loadBalancers',
      'tlsCertificates',
      'projectSubnets',
      'loadBalancerHosts',
      'gslbs',
      'gslbPools',
      'gslbMonitors',
    ],
    ...['gslbFlavors', 'gslbVantagePoints', 'dnsZones', 'dnsBackends', 'objectClusters', 'objectOptions'],
    ...[
      'alertChannels',
      'alertRules',
      'objectAccessKeys',
      'machines',
      'projects',
      'users',
      'apiTokens',
      'mappings',
      'relayOperations',
      'statusHistory',
    ],
  ];
  server.answers = {
    ...Object.fromEntries(lists.map((list) => [list, empty])),
    alerts: empty,
    attention: () => wellAttention,
    backends: containing([backend, { ...backend, id: encodeId('Backend', newUuid()), name: 'edge-2' }]),
  };
});
afterAll(async () => {
  await server.stop();
  await folder.remove();
});
const env = { TIDEGATE_TOKEN: goodToken };
const run = (...words: string[]) => runCommand([...words, '--url', server.url], { env });

describe('find', () => {
  test('objects of all kinds with the word in their name', async () => {
    server.answers = { ...server.answers, objectClusters: containing([{ id: 'c', name: 'edge-north' }]) };
    const found = await run('find', 'edge');
    expect([found.exitCode, found.stderr]).toEqual([0, '']);
    expect(found.stdout).toMatch(new RegExp(`^edge +backend +OFFLINE +${shortId(backendId)}$`, 'm'));
    expect(found.stdout).toMatch(/^edge-north +cluster +- +c$/m);
    expect(JSON.parse((await run('find', 'edge', '-o', 'json')).stdout)).toHaveLength(3);
  });

  test('what a subgraph does not answer is told, and is no success', async () => {
    server.answers = {
      ...server.answers,
      gslbs: () => {
        throw new Error('Subgraph gslb is not available');
      },
    };
    expect(await run('find', 'edge')).toMatchObject({
      ...{ exitCode: 1, stderr: expect.stringContaining('incomplete: GSLB') },
      stdout: expect.stringContaining('edge-2'),
    });
  });

  test('a machine that needs a person is found, although no list of kinds has it; an unknown domain is no success', async () => {
    const need = {
      ...{ kind: 'NAME_SERVER_ABSENT', severity: 'CRITICAL', subjectType: 'GslbNameServer', subjectId: 'n3' },
      ...{ subjectName: 'ns3', status: 'ABSENT', reason: null, since: null, endsAt: null },
    };
    const gslb = { ...nothing, totalCount: 1, needs: [need] };
    const attention = { ...wellAttention, gslb };
    server.answers = { ...server.answers, attention: () => attention };
    const found = await run('find', 'ns3');
    expect([found.exitCode, found.stdout]).toEqual([
      0,
      expect.stringMatching(/^ns3 +GslbNameServer +absent name server +n3$/m),
    ]);
    server.answers = { ...server.answers, attention: () => ({ ...attention, relay: null }) };
    expect(await run('find', 'ns3')).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('backends') });
  });

  test('nothing found is a failure', async () => {
    expect(await run('find', 'zzz')).toMatchObject({
      exitCode: 1,
      stdout: '',
      stderr: expect.stringContaining("'zzz'"),
    });
    expect(await run('find', ' ')).toMatchObject({ exitCode: 64 });
  });
});

describe('why', () => {
  const node = ({ id }: { id: string }) => [backend, operation].find((each) => each.id === id) ?? null;

  test.each(['edge', shortId(backendId) ?? '', backendId])('a backend, named %s', async (given) => {
    const whole = {
      ...{ ...backend, replayUncertain: false, circuit: { state: 'OPEN', reason: 'refused' }, presented: null },
      ...{
        queue: { waiting: 1, inFlight: 0, holder: null },
        health: { checkedAt: null, message: 'connection refused' },
      },
    };
    server.answers = {
      ...server.answers,
      node: () => whole,
      relayOperations: () => pageOf([operation], { first: 5, after: null }),
      statusHistory: () => pageOf([change('FAILED')], { first: 5, after: null }),
    };
    const { exitCode, stdout, stderr } = await run('why', given);
    expect([exitCode, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^Operating status +OFFLINE$/m);
    expect(stdout).toMatch(/^Circuit +state OPEN, reason refused$/m);
    expect(stdout).toMatch(/^Health +message connection refused$/m);
    expect(stdout).toMatch(/^LAST EVENTS$/m);
    expect(stdout).toMatch(new RegExp(`^${shortId(operationId)} .*rule.create +FAILED`, 'm'));
  });

  test('an operation shows what the device said', async () => {
    server.answers = { ...server.answers, node };
    const { exitCode, stdout } = await run('why', operationId);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^Device error +code DEVICE_REFUSED, message no such chain$/m);
  });

  test('a name of nothing names what is like it; an id of nothing is said to be none', async () => {
    expect(await run('why', 'edg')).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('found were backend edge'),
    });
    server.answers = { ...server.answers, node: () => null };
    expect(await run('why', backendId)).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('there is no Backend'),
    });
  });
});

describe('call and read', () => {
  const payload = (state: string) => ({
    ...{ operation: { ...operation, state }, mapping: null, deviceCheck: null, wireCall: 'nft add rule' },
    ...{ commit: null, userErrors: [] },
  });

  test('a call, with arguments from the line, a file or nothing, for a CMP object', async () => {
    await writeFile(join(folder.path, 'arguments.json'), '{"set": "blocked"}');
    server.answers = {
      ...server.answers,
      relayCall: () => ({
        ...payload('SUCCEEDED'),
        operation: { ...operation, state: 'SUCCEEDED', deviceError: null },
      }),
    };
    for (const [given, expected] of [
      [['--arguments', '{"set": "blocked"}'], { set: 'blocked' }],
      [['--arguments', join(folder.path, 'arguments.json')], { set: 'blocked' }],
      [[], {}],
    ] as const) {
      server.requests.length = 0;
      const done = await run('call', 'edge', 'setElement.add', ...given, '--cmp-object', 'tenant/42');
      expect([done.exitCode, done.stderr]).toEqual([0, '']);
      expect(done.stdout).toMatch(/^State +SUCCEEDED$/m);
      expect(server.requests).toMatchObject([
        {
          input: {
            ...{ backend: { name: 'edge' }, operation: 'setElement.add', arguments: expected, dryRun: false },
            cmpObject: { namespace: 'default', type: 'tenant', externalId: '42' },
          },
        },
      ]);
    }
    server.requests.length = 0;
    await run('call', shortId(backendId) ?? '', 'setElement.add', '--idempotency-key', 'k');
    expect(server.requests).toMatchObject([{ input: { backend: { id: backendId }, idempotencyKey: 'k' } }]);
  });

  test.each([
    ['FAILED', 'the call is FAILED: DEVICE_REFUSED: no such chain'],
    ['UNKNOWN', 'tidegate operations settle'],
  ])('a call that is %s is no success', async (state, message) => {
    server.answers = { ...server.answers, relayCall: () => payload(state) };
    expect(await run('call', 'edge', 'rule.create')).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining(message),
    });
  });

  test('--wait reads the call until it has ended', async () => {
    let looks = 0;
    server.answers = {
      ...server.answers,
      relayCall: () => payload('SENT'),
      relayOperation: () => {
        looks += 1;
        return { ...operation, state: looks < 2 ? 'ACCEPTED' : 'SUCCEEDED', deviceError: null };
      },
    };
    const done = await run('call', 'edge', 'rule.create', '--wait', '20');
    expect([done.exitCode, looks, done.stdout]).toEqual([0, 2, expect.stringMatching(/^State +SUCCEEDED$/m)]);
  });

  test('--check-only prints what would be sent, and fails if the device would refuse it', async () => {
    const checked = { ...payload('SENT'), operation: null };
    server.answers = { ...server.answers, relayCall: () => checked };
    expect((await run('call', 'edge', 'rule.create', '--check-only')).stdout).toBe('Wire call  nft add rule\n');
    expect(server.requests).toMatchObject([{ input: { dryRun: true } }]);
    server.answers = {
      ...server.answers,
      relayCall: () => ({ ...checked, deviceCheck: { code: 'X', message: 'no' } }),
    };
    expect(await run('call', 'edge', 'rule.create', '--check-only')).toMatchObject({ exitCode: 1 });
  });

  test('a read prints its result', async () => {
    server.answers = {
      ...server.answers,
      relayRead: () => ({ result: { rules: 3 }, wireCall: '', deviceError: null, userErrors: [] }),
    };
    expect(JSON.parse((await run('read', 'edge', 'rules.list')).stdout)).toEqual({ rules: 3 });
    server.answers = {
      ...server.answers,
      relayRead: () => ({ result: null, wireCall: '', deviceError: { code: 'X', message: 'no' }, userErrors: [] }),
    };
    expect(await run('read', 'edge', 'rules.list')).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('X: no'),
    });
  });

  test.each([
    ['{"a":', 64, '--arguments must be a JSON object'],
    ['/nowhere/arguments', 1, "/nowhere/arguments can't be read"],
  ])('arguments %s are refused', async (given, exitCode, message) => {
    expect(await run('read', 'edge', 'x', '--arguments', given)).toMatchObject({
      exitCode,
      stderr: expect.stringContaining(message),
    });
  });
});

describe('gql', () => {
  const text = 'query One { projects(first: 1) { nodes { name } } } query Two($id: ID!) { project(id: $id) { name } }';

  test('a file is sent as it is, and the answer is printed as it is', async () => {
    const file = join(folder.path, 'two.graphql');
    await writeFile(file, 'query Two($id: ID!) { project(id: $id) { name } }');
    server.answers = { ...server.answers, project: ({ id }: { id: string }) => ({ name: `of ${id}` }) };
    const done = await run('gql', file, '--variables', '{"id": "P"}');
    expect([done.exitCode, JSON.parse(done.stdout)]).toEqual([0, { data: { project: { name: 'of P' } } }]);
    expect((await run('gql', file, '--variables', '[1]')).exitCode).toBe(64);
  });

  test('variables are in a file, too', async () => {
    const [file, variables] = [join(folder.path, 'two.graphql'), join(folder.path, 'vars.json')];
    await writeFile(file, 'query Two($id: ID!) { project(id: $id) { name } }');
    await writeFile(variables, '{\n  "id": "Q"\n}\n');
    server.answers = { ...server.answers, project: ({ id }: { id: string }) => ({ name: `of ${id}` }) };
    const done = await run('gql', file, '--variables', `@${variables}`);
    expect([done.exitCode, JSON.parse(done.stdout)]).toEqual([0, { data: { project: { name: 'of Q' } } }]);
    const explained = await run('explain', file, '--variables', '@/nowhere/vars.json');
    expect(explained).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('there is no such file') });
  });

  test.each([
    ['nothing of that name', undefined, 1, "vars.json can't be read: there is no such file"],
    ['half an object', '{"id": ', 1, 'vars.json is not JSON: variables are a JSON object'],
    ['a list', '[1]', 1, 'vars.json has no JSON object'],
    ['nothing', '', 1, 'vars.json is not JSON'],
  ])('a file of variables with %s is refused before anything is sent', async (_, content, exitCode, message) => {
    const [file, variables] = [join(folder.path, 'one.graphql'), join(folder.path, 'vars.json')];
    await writeFile(file, '{ projects(first: 1) { nodes { name } } }');
    await rm(variables, { force: true });
    if (content !== undefined) await writeFile(variables, content);
    server.requests.length = 0;
    const done = await run('gql', file, '--variables', `@${variables}`);
    expect(done).toMatchObject({ exitCode, stdout: '', stderr: expect.stringContaining(message) });
    expect(server.requests).toEqual([]);
  });

  test('standard input has the operation or its variables, not both', async () => {
    const done = await run('gql', '-', '--variables', '@-');
    expect(done).toMatchObject({ exitCode: 64, stderr: expect.stringContaining('standard input has either') });
  });

  test('errors are printed with what there is, and are no success', async () => {
    const file = join(folder.path, 'wrong.graphql');
    await writeFile(file, '{ nothing }');
    const done = await run('gql', file);
    expect([done.exitCode, done.stderr, JSON.parse(done.stdout)]).toMatchObject([1, '', { errors: [{}] }]);
    await writeFile(file, ' ');
    expect(await run('gql', file)).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('no operation') });
  });

  test('standard input is a file, too', async () => {
    const { runTidegate } = await import('../../../cli/program.ts');
    const written: string[] = [];
    const stdout = { write: (part: string) => written.push(part) > 0 } as never;
    const exitCode = await runTidegate({
      ...{ args: ['gql', '-', '--url', server.url], env, stdout, stderr: stdout, signal: new AbortController().signal },
      stdin: () => Readable.from([Buffer.from('{ projects { nodes '), Buffer.from('{ name } } }')]),
    });
    expect([exitCode, JSON.parse(written.join(''))]).toEqual([0, { data: { projects: { nodes: [] } } }]);
    expect(text).toContain('One');
  });
});

describe('export', () => {
  test('the help names the kinds', async () => {
    const { stdout } = await run('export', '--help');
    for (const kind of exportedKinds) expect(stdout).toMatch(new RegExp(`[ ,.]${kind}[,.]`));
  });

  test('replaces its file through a link, with the permissions of the file', async () => {
    const [kept, link] = [join(folder.path, 'kept.yaml'), join(folder.path, 'link.yaml')];
    await writeFile(kept, 'kind: Gslb\n', { mode: 0o640 });
    await symlink('kept.yaml', link);
    const done = await run('export', '--kind', 'Project', '-f', link);
    expect([done.exitCode, done.stderr]).toEqual([0, '']);
    expect(await readFile(kept, 'utf8')).toBe('');
    expect([(await lstat(link)).isSymbolicLink(), (await stat(kept)).mode & 0o777]).toEqual([true, 0o640]);
    expect((await readdir(folder.path)).filter((name) => name.includes('partial'))).toEqual([]);
    expect(done.stdout).toBe(`0 objects are in ${link}\n`);
    const at = '2026-01-01T00:00:00.000Z';
    const project = { id: 'P1', name: 'one', description: '', version: 1, createdAt: at, updatedAt: at };
    server.answers = { ...server.answers, projects: containing([project]) };
    const one = await run('export', '--kind', 'Project', '-f', link);
    expect([one.stdout, one.stderr]).toEqual([`1 object is in ${link}\n`, '']);
    const full = await run('export', '--kind', 'Project', '-f', folder.path);
    expect(full).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("can't be written: EISDIR") });
  });
});

describe('export --name', () => {
  const at = '2026-01-01T00:00:00.000Z';
  const rest = { description: '', version: 1, createdAt: at, updatedAt: at };
  const projectId = encodeId('Project', newUuid());
  const project = { __typename: 'Project', id: projectId, name: 'default', ...rest };
  const pool = (id: string, name: string) => ({
    ...{ __typename: 'GslbPool', id, name, ...rest, project, minUp: 1, answerScope: 'ALL', monitors: [] },
    quorum: { downAtLeast: null, upAtLeast: null, leastVoters: null, leastRegions: 1, freshMs: null },
    failback: { mode: 'IMMEDIATE', delayMs: null },
  });
  const poolId = encodeId('GslbPool', newUuid());
  const pools = [pool(poolId, 'web'), pool('G2', 'spare'), pool('G3', 'mail')];
  type Named = Page & { names?: readonly string[] | null };
  const asked = <Node extends { readonly name: string }>(nodes: readonly Node[]) => {
    return (args: Named) => (args.text == null ? pageOf(nodes, args) : containing(nodes)(args));
  };
  beforeEach(() => {
    server.answers = {
      ...server.answers,
      projects: asked([project]),
      gslbPools: asked(pools),
      node: ({ id }: { id: string }) => pools.find((each) => each.id === id) ?? null,
    };
  });
  const names = (text: string) => [...text.matchAll(/^name: (.+)$/gm)].map(([, name]) => name);

  test('writes only the objects that are named, and asks for no others', async () => {
    const { exitCode, stdout } = await run('export', '--kind', 'GslbPool', '--name', 'web', '--name', 'mail');
    expect([exitCode, names(stdout)]).toEqual([0, ['web', 'mail']]);
    expect(server.requests.filter((each) => 'names' in each).at(-1)).toMatchObject({ names: ['web', 'mail'] });
  });

  test('takes a long or a short id', async () => {
    for (const id of [poolId, shortId(poolId) ?? '']) {
      const { exitCode, stdout } = await run('export', '--kind', 'GslbPool', '--name', id);
      expect([exitCode, names(stdout)]).toEqual([0, ['web']]);
    }
  });

  test('a name that no object has is refused with the nearest, and no file is written', async () => {
    const path = join(folder.path, 'none.yaml');
    const refused = await run('export', '--kind', 'GslbPool', '--name', 'web', '--name', 'sparr', '-f', path);
    expect([refused.exitCode, refused.stderr]).toEqual([
      1,
      "tidegate: there is no GSLB pool 'sparr'; 'spare' is near\n",
    ]);
    await expect(stat(path)).rejects.toMatchObject({ code: 'ENOENT' });
    const far = await run('export', '--kind', 'GslbPool', '--name', 'nothing-like-it');
    expect(far.stderr).toBe("tidegate: there is no GSLB pool 'nothing-like-it'\n");
  });
});

describe('drivers', () => {
  const schema = {
    properties: { set: { type: 'string', description: 'The set.' }, action: { enum: ['DROP', 'ACCEPT'] } },
    required: ['set'],
  };
  const one = (name: string) => ({
    ...{
      name,
      summary: 'Adds it.',
      category: 'USER',
      effect: 'IDEMPOTENT',
      argumentsSchema: schema,
      example: { set: 'x' },
    },
    checks: null,
  });
  beforeEach(() => {
    const driver = {
      ...{ name: 'linux-nftables', family: 'FIREWALL', summary: 'nftables', credentialFields: ['username'] },
      ...{ optionsSchema: {}, typedMutations: [], operations: [one('setElement.add'), one('rule.create')] },
    };
    server.answers = { ...server.answers, relayDrivers: () => [driver] };
  });

  test('are listed, and shown with the arguments of their operations', async () => {
    expect((await run('drivers', 'list')).stdout).toMatch(/^linux-nftables +FIREWALL +2 +nftables$/m);
    expect((await run('drivers', 'show', 'linux-nftables')).stdout).toMatch(
      /^rule.create +IDEMPOTENT +set \[action\] +Adds it.$/m,
    );
    const operationText = (await run('drivers', 'show', 'linux-nftables', '--operation', 'rule.create')).stdout;
    expect(operationText).toMatch(/^Example +\{"set":"x"\}$/m);
    expect(operationText).toMatch(/^set +yes +string +The set.$/m);
    expect(operationText).toMatch(/^action +no +DROP \| ACCEPT$/m);
  });

  test('a name that is nearly one is told', async () => {
    expect(await run('drivers', 'show', 'linux-nftable')).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining("'linux-nftables' is near"),
    });
    expect(await run('drivers', 'show', 'linux-nftables', '--operation', 'rule.crate')).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining("'rule.create' is near"),
    });
  });
});

describe('events wait', () => {
  /** Then it is silent until its reader leaves. */
  const stream = (...changes: object[]) => {
    const left = Promise.withResolvers<void>();
    const rest = changes.map((each) => ({ statusChanges: { cursor: '2', kind: 'CREATED', change: each } }));
    return {
      [Symbol.asyncIterator]() {
        return this;
      },
      async next() {
        const value = rest.shift();
        if (value === undefined) await left.promise;
        return value === undefined ? { done: true, value } : { done: false, value };
      },
      async return() {
        left.resolve();
        return { done: true, value: undefined };
      },
    };
  };
  const wait = (...more: string[]) =>
    run('events', 'wait', '--subject', shortId(operationId) ?? '', '--to', 'succeeded', ...more);
  beforeEach(() => {
    server.answers = { ...server.answers, statusCursor: () => '1', node: () => null };
  });

  test('ends at once if that is the last state', async () => {
    server.answers = {
      ...server.answers,
      statusHistory: () => pageOf([change('SUCCEEDED'), change('SENT')], { first: 9, after: null }),
    };
    expect(await wait()).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('SUCCEEDED') });
    expect(server.requests).toContainEqual(expect.objectContaining({ subjectId: operationId }));
  });

  test('an earlier state does not count; the next change does', async () => {
    server.answers = {
      ...server.answers,
      statusHistory: () => pageOf([change('SENT'), change('SUCCEEDED')], { first: 9, after: null }),
      statusChanges: () => stream(change('UNKNOWN'), { ...change('SUCCEEDED'), reason: 'the new one' }),
    };
    expect(await wait()).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('the new one') });
    // From where it began to look.
    expect(server.requests).toContainEqual(expect.objectContaining({ after: '1' }));
  });

  test('--only-new looks at no earlier change; exit code 4 at the timeout', async () => {
    server.answers = {
      ...server.answers,
      statusHistory: () => pageOf([change('SUCCEEDED')], { first: 9, after: null }),
      statusChanges: () => stream(change('UNKNOWN')),
    };
    expect(await wait('--only-new', '--timeout', '1')).toMatchObject({
      ...{ exitCode: 4, stderr: 'tidegate: not within 1 s: no change to SUCCEEDED\n' },
    });
  });
});
