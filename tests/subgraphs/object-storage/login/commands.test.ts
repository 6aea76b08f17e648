// `tidegate login`, `containers` and `objects` at real clusters, with the commands of the README.
import { randomBytes } from 'node:crypto';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { encodeId } from '../../../../platform/values/ids.ts';
import { ObjectResolver } from '../../../../subgraphs/object-storage/agents/resolver/object-resolver.ts';
import { resolverRole } from '../../../../subgraphs/object-storage/wire/resolve-wire.ts';
import { GraphServer, goodToken, pageOf } from '../../../cli/commands/graph-server.ts';
import { runCommand } from '../../../cli/commands/run-command.ts';
import { patience } from '../../../support/machine/patience.ts';
import { type TemporaryFolder, temporaryFolder, waitFor } from '../../../support/machine/temporary-folder.ts';
import { Federation } from '../../../support/object-storage/federation.ts';
import { testMachine } from '../../../support/product/machines.ts';
import { makeUser } from '../../system/support/system-bench.ts';

const cleanup = new AsyncDisposableStack();
const names = ['north', 'south', 'east'];
let federation: Federation;
let folder: TemporaryFolder;
let graph: GraphServer;
let data: string;

beforeAll(async () => {
  folder = await temporaryFolder();
  cleanup.defer(() => folder.remove());
  data = join(folder.path, 'data');
  federation = await Federation.open(cleanup);
  for (const name of names) await federation.add(name);
  const { db } = federation.clusters.get('north') ?? {};
  if (db === undefined) throw new Error('no north');
  const { log } = federation.graph;
  const resolver = new ObjectResolver({
    ...{ db, log, host: '127.0.0.1', port: 0, name: 'north-1', version: 'test' },
    tls: await testMachine(federation.authority, resolverRole, 'north-1', log),
  });
  await resolver.start();
  cleanup.defer(() => resolver.stop());
  await federation.graph.make('objectOptionCreate', { name: 'standard' });
  await federation.graph.make('objectOptionCreate', { name: 'near', nearestReads: true });
  const shop = await federation.bench.system.firstStart.ensureProject('shop');
  await makeUser(federation.bench, 'olga', { projects: { [shop]: 'OPERATOR' }, password: 'a password that fits' });
  await writeFile(join(folder.path, 'password'), 'a password that fits\n', { mode: 0o600 });
  await writeFile(join(folder.path, 'token'), `${goodToken}\n`, { mode: 0o600 });
  graph = await GraphServer.start();
  cleanup.defer(() => graph.stop());
  graph.answers = {
    objectEndpoints: () =>
      [...federation.clusters.values()].map(({ name, url }) => ({
        __typename: 'ObjectClusterEndpoint',
        id: `C-${name}`,
        name,
        urls: [url],
      })),
  };
  await waitFor('logins to work', async () => {
    const answers = await Promise.all(
      names.map((name) => federation.logIn(name, { username: 'olga', password: 'a password that fits' })),
    );
    return answers.every(({ status }) => status === 200);
  });
}, 240_000 * patience);
afterAll(() => cleanup.disposeAsync(), 60_000 * patience);

const run = (...args: string[]) => runCommand([...args, '--data', data]);
const ok = async (...args: string[]) => {
  const { exitCode, stdout, stderr } = await run(...args);
  expect([args.join(' '), exitCode, stderr]).toEqual([args.join(' '), 0, '']);
  return stdout;
};

test(
  'a user logs in at one cluster, and uses any of them',
  async () => {
    const before = await run('containers', 'list');
    expect([before.exitCode, before.stderr]).toEqual([1, expect.stringContaining('tidegate login --cluster')]);
    const [password, url] = [join(folder.path, 'password'), federation.clusters.get('north')?.url ?? ''];
    // A busy machine may lose a controller for a moment.
    const wrong = await waitFor('an answer of the control plane', async () => {
      const login = ['login', '--cluster', url, '--user', 'olga', '--password-file', join(folder.path, 'token')];
      const answer = await run(...login);
      return !answer.stderr.includes('UNAVAILABLE') && answer;
    });
    expect([wrong.exitCode, wrong.stderr]).toEqual([
      1,
      expect.stringContaining('BAD_CREDENTIALS: the name or the password is wrong'),
    ]);
    expect(await ok('login', '--cluster', url, '--user', 'olga', '--password-file', password)).toMatch(
      /^olga is logged in until .*, for shop$/m,
    );
    const file = join(data, 'cluster-login.json');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await readFile(file, 'utf8')).not.toContain('password that fits');
    await waitFor('the token to be taken everywhere', async () => {
      const all = await Promise.all(names.map((name) => run('containers', 'list', '--cluster', name)));
      return all.every(({ exitCode }) => exitCode === 0);
    });

    expect(await ok('containers', 'create', 'photos')).toBe('photos is created, with the option standard\n');
    const again = await run('containers', 'create', 'photos', '--cluster', 'south');
    expect([again.exitCode, again.stderr]).toEqual([1, expect.stringContaining('CONTAINER_EXISTS')]);
    const [cat, copy] = [join(folder.path, 'cat.jpg'), join(folder.path, 'copy.jpg')];
    const bytes = randomBytes(3 * 1024 * 1024);
    await writeFile(cat, bytes);
    expect((await run('objects', 'update', 'photos/cat.jpg', cat)).stderr).toContain('NO_OBJECT');
    await ok('objects', 'create', 'photos/cat.jpg', cat, '--content-type', 'image/jpeg', '--metadata', 'who=Tömchen');
    expect((await run('objects', 'create', 'photos/cat.jpg', cat)).stderr).toContain('OBJECT_EXISTS');
    await ok('objects', 'download', 'photos/cat.jpg', copy, '--cluster', 'south');
    expect((await readFile(copy)).equals(bytes)).toBe(true);
    const shown = await ok('objects', 'stat', 'photos/cat.jpg', '--cluster', 'east');
    for (const line of [
      /^Bytes +3145728$/m,
      /^Type +image\/jpeg$/m,
      /^Metadata +who=Tömchen$/m,
      /^Ring +1, epoch 1$/m,
      /^Partition +\d+$/m,
    ])
      expect(shown).toMatch(line);
    for (const name of names) expect(shown).toMatch(new RegExp(`^${name} +\\S+ +(newest|none)$`, 'm'));
    const told = JSON.parse(await ok('objects', 'stat', 'photos/cat.jpg', '--json'));
    expect([told.replicas.length, told.container.name]).toEqual([3, 'photos']);
    expect(shown).toContain(told.id);

    // With another option than that of its container.
    await ok('objects', 'create', 'photos/dog.jpg', cat, '--option', 'near');
    const elsewhere = await ok('objects', 'stat', 'photos/dog.jpg', '--cluster', 'south');
    for (const line of [
      /^Option +near$/m,
      /^Ring +1, epoch 1$/m,
      /^Bytes at +ring 2, epoch 1, partition \d+: \S+ \S+ \S+$/m,
    ])
      expect(elsewhere).toMatch(line);
    await waitFor('north to know where its bytes are', async () =>
      /^Bytes at +ring 2, partition /m.test(await ok('objects', 'locate', 'photos/dog.jpg')),
    );
    expect((await run('objects', 'update', 'photos/dog.jpg', cat, '--option', 'no')).stderr).toContain('no option no');
    await ok('objects', 'delete', 'photos/dog.jpg');

    // One cluster's answer with its age, where the option allows it.
    expect((await run('objects', 'stat', 'photos/cat.jpg', '--nearest')).stderr).toContain('NEAREST_NOT_ALLOWED');
    await ok('containers', 'create', 'near', '--option', 'near');
    await ok('objects', 'create', 'near/cat.jpg', cat);
    const nearby = await waitFor('north to have it', async () => {
      const { exitCode, stdout } = await run('objects', 'stat', 'near/cat.jpg', '--nearest');
      return exitCode === 0 && stdout;
    });
    expect(nearby).toMatch(/^Age +(unknown|at most \d+ ms)$/m);
    expect(nearby).not.toContain('REPLICA');
    await waitFor('south to have it', async () => {
      const { exitCode, stdout } = await run(
        'objects',
        'download',
        'near/cat.jpg',
        copy,
        '--nearest',
        '--cluster',
        'south',
      );
      return exitCode === 0 && / bytes, age (unknown|at most \d+ ms)$/m.test(stdout);
    });
    expect((await readFile(copy)).equals(bytes)).toBe(true);
    expect(JSON.parse(await ok('objects', 'stat', 'near/cat.jpg', '--nearest', '--json'))).toHaveProperty('ageMs');
    await ok('objects', 'delete', 'near/cat.jpg');
    await ok('containers', 'delete', 'near');

    // The resolver of a cluster is queried by name and by ID.
    for (const named of ['photos/cat.jpg', told.id]) {
      const located = await ok('objects', 'locate', named);
      for (const line of [
        ...[new RegExp(`^Id +${told.id}$`, 'm'), /^Option +standard$/m, /^Ring +1, epoch 1$/m],
        ...[
          new RegExp(`^Partition +${told.partition}$`, 'm'),
          new RegExp(`^Clusters +${told.clusters.join(' ')}$`, 'm'),
        ],
      ])
        expect(located).toMatch(line);
    }
    expect((await run('objects', 'locate', 'photos/cat.jpg', '--cluster', 'south')).stderr).toContain('NO_RESOLVER');
    expect((await run('objects', 'locate', 'nothing/cat.jpg')).stderr).toContain('NO_CONTAINER');

    await writeFile(cat, '');
    await ok('objects', 'update', 'photos/cat.jpg', cat, '--cluster', 'east');
    expect(await ok('objects', 'download', 'photos/cat.jpg', '-')).toBe('');
    await ok('objects', 'create', 'photos/a b/ü?.txt', password);
    expect(
      JSON.parse(await ok('objects', 'list', 'photos', '--json')).objects.map(({ name }: { name: string }) => name),
    ).toEqual(['a b/ü?.txt', 'cat.jpg']);
    expect(await ok('objects', 'list', 'photos', '--delimiter', '/', '--limit', '1')).toMatch(/^a b\/ /m);
    expect(await ok('objects', 'download', 'photos/a b/ü?.txt', '-', '--cluster', 'south')).toBe(
      'a password that fits\n',
    );
    expect((await run('containers', 'delete', 'photos')).stderr).toContain('CONTAINER_NOT_EMPTY');
    await ok('objects', 'delete', 'photos/a b/ü?.txt', '--cluster', 'east');
    expect((await run('objects', 'delete', 'photos/a b/ü?.txt')).stderr).toContain('NO_OBJECT');
    await ok('objects', 'delete', 'photos/cat.jpg');
    expect(await ok('containers', 'delete', 'photos', '--cluster', 'east')).toBe('photos is deleted\n');
    expect(JSON.parse(await ok('containers', 'list', '--json'))).toEqual([]);

    const wrongUse = await run('objects', 'stat', 'photos');
    expect([wrongUse.exitCode, wrongUse.stderr]).toEqual([64, expect.stringContaining('CONTAINER/OBJECT')]);
    const unknown = await run('containers', 'list', '--cluster', 'west');
    expect([unknown.exitCode, unknown.stderr]).toEqual([1, expect.stringContaining('north, south, east')]);
    const away = await run('containers', 'list', '--cluster', 'http://127.0.0.1:1');
    expect([away.exitCode, away.stderr]).toEqual([3, expect.stringContaining('--cluster')]);
  },
  120_000 * patience,
);

test(
  'a cluster is found by its name in the graph, with an API token',
  async () => {
    const other = join(folder.path, 'other');
    const shop = await federation.bench.system.firstStart.ensureProject('shop');
    const { secret } = await federation.bench.system.firstStart.issueToken({
      projectId: shop,
      name: 'ci',
      role: 'OPERATOR',
    });
    const asked = (cluster: string, env: Record<string, string>) =>
      runCommand(['login', '--cluster', cluster, '--data', other, '--url', graph.url, '--json'], { env });
    // The graph of this test knows another token than the clusters' control plane does.
    const refused = await asked('north', { TIDEGATE_TOKEN: goodToken });
    expect([refused.exitCode, refused.stderr]).toEqual([1, expect.stringContaining('BAD_CREDENTIALS')]);
    const unknown = await asked('west', { TIDEGATE_TOKEN: goodToken });
    expect([unknown.exitCode, unknown.stderr]).toEqual([1, expect.stringContaining("there is no cluster 'west'")]);
    const done = await asked(federation.clusters.get('south')?.url ?? '', { TIDEGATE_TOKEN: secret });
    expect([done.exitCode, done.stderr]).toEqual([0, '']);
    expect(JSON.parse(done.stdout)).toMatchObject({ user: 'ci', projects: [{ name: 'shop', canWrite: true }] });
    expect(done.stdout).not.toContain('eyJ');
    // From then on the name works without the graph.
    const named = await runCommand(
      ['login', '--cluster', 'east', '--data', other, '--url', 'http://127.0.0.1:1/graphql'],
      { env: { TIDEGATE_TOKEN: secret } },
    );
    expect([named.exitCode, named.stderr]).toEqual([0, '']);
  },
  60_000 * patience,
);

test(
  'for a CMP object the control plane creates the container, and signs URLs',
  async () => {
    const third = join(folder.path, 'third');
    const shop = await federation.bench.system.firstStart.ensureProject('shop');
    const { secret } = await federation.bench.system.firstStart.issueToken({
      ...{ projectId: shop, name: 'cmp', role: 'OPERATOR' },
    });
    const around = ['--data', third, '--url', graph.url];
    const north = federation.clusters.get('north')?.url ?? '';
    const entered = await runCommand(['login', '--cluster', north, ...around], { env: { TIDEGATE_TOKEN: secret } });
    expect([entered.exitCode, entered.stderr]).toEqual([0, '']);
    const at = '2026-01-31T12:00:00.000Z';
    const made = { __typename: 'ObjectContainer', id: 'X1', name: 'photos', createdAt: at };
    const option = { __typename: 'ObjectOption', id: 'O1', name: 'standard' };
    const done = (value: object) => ({ ...value, userErrors: [], commit: null });
    const urlAnswer = (method: string) => () =>
      done({ objectUrl: { url: `https://s3.example/${method}`, method, clusterName: 'south', expiresAt: at } });
    graph.answers = {
      ...graph.answers,
      objectContainerCreate: () => done({ objectContainer: { ...made, option, cmpObject: null } }),
      objectOptions: (args: { first: number; after: string | null }) => pageOf([option], args),
      objectContainers: ({ names }: { names: readonly string[] }) =>
        pageOf(names.includes(made.name) ? [made] : [], { first: 1, after: null }),
      projects: (args: { first: number; after: string | null }) => pageOf([{ id: 'P1', name: 'shop' }], args),
      objectUploadUrlCreate: urlAnswer('PUT'),
      objectDownloadUrlCreate: urlAnswer('GET'),
    };
    graph.requests.length = 0;
    const inputs = () => graph.requests.flatMap(({ input }) => (input === undefined ? [] : [input]));
    const typed = (...args: string[]) => runCommand([...args, ...around], { env: { TIDEGATE_TOKEN: goodToken } });
    const created = await typed('containers', 'create', 'photos', '--cmp', 'tenant/42', '--option', 'standard');
    expect([created.stderr, created.stdout]).toEqual([
      '',
      'photos is created, with the option standard, for tenant/42\n',
    ]);
    expect(inputs()).toEqual([
      {
        ...{ idempotencyKey: expect.any(String), name: 'photos', projectId: encodeId('Project', shop) },
        ...{ optionId: 'O1', cmpObject: { namespace: 'default', type: 'tenant', externalId: '42' } },
      },
    ]);
    const twice = await typed('containers', 'create', 'photos', '--cmp', 'tenant/42', '--cluster', 'south');
    expect([twice.exitCode, twice.stderr]).toEqual([64, expect.stringContaining('leave out --cluster')]);
    const other = await typed('containers', 'create', 'photos', '--cmp', 'tenant/42', '--project', 'mine');
    expect([other.exitCode, other.stderr]).toEqual([64, expect.stringContaining('the login is for shop')]);

    graph.requests.length = 0;
    const download = await typed('objects', 'url', 'photos/a/cat.jpg');
    expect([download.stderr, download.stdout]).toEqual(['', 'https://s3.example/GET\n']);
    const upload = await typed(
      ...['objects', 'url', 'photos/cat.jpg', '--upload', '--seconds', '60', '--cluster', 'south'],
      ...['--project', 'shop'],
    );
    expect([upload.stderr, upload.stdout]).toEqual(['', 'https://s3.example/PUT\n']);
    expect(inputs()).toMatchObject([
      { containerId: 'X1', name: 'a/cat.jpg' },
      { containerId: 'X1', name: 'cat.jpg', clusterId: 'C-south', validMs: 60_000 },
    ]);
    expect((await typed('objects', 'url', 'photo/cat.jpg')).stderr).toContain("there is no container 'photo'");
    expect((await typed('objects', 'url', 'photos')).exitCode).toBe(64);
  },
  60_000 * patience,
);
