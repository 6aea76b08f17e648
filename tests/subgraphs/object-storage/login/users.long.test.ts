// Users of clusters. They log in at any cluster with the control plane's record of them, the token is valid at every
// cluster, and each of the ten calls works as named. With real databases, controllers and servers.
import { createPrivateKey } from 'node:crypto';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { SignJWT } from 'jose';
import { Pool, request } from 'undici';
import { connectorOf } from '../../../../platform/graph/connector.ts';
import { serverRole } from '../../../../subgraphs/object-storage/engine/peers/peer-wire.ts';
import { TokenSigner } from '../../../../subgraphs/object-storage/wire/cluster-tokens.ts';
import { controllerRole } from '../../../../subgraphs/object-storage/wire/controller-wire.ts';
import { patience } from '../../../support/machine/patience.ts';
import { waitFor } from '../../../support/machine/temporary-folder.ts';
import { Federation } from '../../../support/object-storage/federation.ts';
import { testMachine } from '../../../support/product/machines.ts';
import { makeUser } from '../../system/support/system-bench.ts';

const cleanup = new AsyncDisposableStack();
const names = ['north', 'south', 'east'];
const password = 'a password that fits';
let federation: Federation;
let projects: { readonly shop: string; readonly bank: string };

beforeAll(async () => {
  federation = await Federation.open(cleanup);
  for (const name of names) await federation.add(name);
  await federation.graph.make('objectOptionCreate', { name: 'standard' });
  const { firstStart } = federation.bench.system;
  projects = { shop: await firstStart.ensureProject('shop'), bank: await firstStart.ensureProject('bank') };
  const { shop, bank } = projects;
  await makeUser(federation.bench, 'olga', { projects: { [shop]: 'OPERATOR' } });
  await makeUser(federation.bench, 'otto', { projects: { [bank]: 'OPERATOR' } });
  await makeUser(federation.bench, 'vera', { projects: { [shop]: 'VIEWER' } });
  await makeUser(federation.bench, 'both', { projects: { [shop]: 'OPERATOR', [bank]: 'VIEWER' } });
  await makeUser(federation.bench, 'root', { admin: true });
  await waitFor('the public keys of all clusters to be everywhere', async () => {
    const answers = await Promise.all(names.map((name) => federation.logIn(name, { username: 'olga', password })));
    return answers.every(({ status }) => status === 200);
  });
}, 300_000 * patience);
afterAll(() => cleanup.disposeAsync(), 60_000 * patience);

async function tokenOf(username: string, at = 'north'): Promise<string> {
  const { status, json } = await federation.logIn(at, { username, password });
  expect([status, json.code]).toEqual([200, undefined]);
  return json.token;
}

/** Waits until the other clusters accept the token of one cluster. */
async function takenEverywhere(token: string): Promise<void> {
  await waitFor('the token to be taken everywhere', async () => {
    const answers = await Promise.all(
      names.map((name) => federation.call(name, 'GET', '/-/list_container', { token })),
    );
    return answers.every(({ status }) => status === 200);
  });
}

test(
  'the ten calls work at every cluster with the token of one',
  async () => {
    const { json } = await federation.logIn('north', { username: 'olga', password });
    expect(json).toMatchObject({ user: 'olga', projects: [{ name: 'shop', canWrite: true }] });
    expect(json.clusters.map(({ name }: { name: string }) => name).sort()).toEqual([...names].sort());
    const { token } = json;
    await takenEverywhere(token);
    const call = (at: string, method: string, path: string, body?: string, headers = {}) =>
      federation.call(at, method, `/-/${path}`, { token, headers, ...(body === undefined ? {} : { body }) });
    expect((await call('north', 'PUT', 'create_container/photos', '')).json).toMatchObject({
      name: 'photos',
      option: 'standard',
    });
    expect((await call('south', 'PUT', 'create_container/photos', '')).json.code).toBe('CONTAINER_EXISTS');
    expect((await call('east', 'GET', 'list_container')).json.containers).toHaveLength(1);

    expect((await call('south', 'PUT', 'update_object/photos/cat', 'miau')).json).toMatchObject({ code: 'NO_OBJECT' });
    const made = await call('south', 'PUT', 'create_object/photos/cat', 'miau', {
      'x-amz-meta-who': 'tom',
      'content-type': 'text/plain',
    });
    expect([made.status, made.json.sizeBytes]).toEqual([201, 4]);
    const again = await call('east', 'PUT', 'create_object/photos/cat', 'wuff');
    expect([again.status, again.json.code]).toEqual([412, 'OBJECT_EXISTS']);
    expect((await call('east', 'GET', 'download_object/photos/cat')).text).toBe('miau');
    expect((await call('east', 'GET', 'download_object/photos/cat', undefined, { range: 'bytes=1-2' })).text).toBe(
      'ia',
    );
    expect((await call('north', 'PUT', 'update_object/photos/cat', 'purr')).status).toBe(200);
    const stat = await call('north', 'GET', 'stat_object/photos/cat');
    expect(stat.json).toMatchObject({
      sizeBytes: 4,
      ring: 1,
      epoch: 1,
      container: { name: 'photos', option: 'standard' },
    });
    expect([...stat.json.clusters].sort()).toEqual([...names].sort());
    await waitFor('all replicas to have the newest version', async () => {
      const { replicas, version } = (await call('south', 'GET', 'stat_object/photos/cat')).json;
      return replicas.every(
        (each: { version: string; reason: null }) => each.version === version && each.reason === null,
      );
    });
    const big = Buffer.alloc(3 * 1024 * 1024, 'x');
    expect(
      (await federation.call('north', 'PUT', '/-/create_object/photos/a%20b/%C3%BC', { token, body: big })).status,
    ).toBe(201);
    expect((await call('south', 'GET', 'download_object/photos/a%20b/%C3%BC')).text).toHaveLength(big.length);
    const listed = await call('east', 'GET', 'list_object/photos?limit=1');
    expect(listed.json.objects.map(({ name }: { name: string }) => name)).toEqual(['a b/ü']);
    const rest = await call('east', 'GET', `list_object/photos?after=${encodeURIComponent(listed.json.next)}`);
    expect([rest.json.objects.map(({ name }: { name: string }) => name), rest.json.next]).toEqual([['cat'], null]);

    expect((await call('north', 'DELETE', 'delete_container/photos')).json.code).toBe('CONTAINER_NOT_EMPTY');
    expect((await call('north', 'DELETE', 'delete_object/photos/cat')).status).toBe(204);
    expect((await call('south', 'DELETE', 'delete_object/photos/cat')).json.code).toBe('NO_OBJECT');
    expect((await call('south', 'DELETE', 'delete_object/photos/a%20b/%C3%BC')).status).toBe(204);
    expect((await call('east', 'GET', 'download_object/photos/cat')).status).toBe(404);
    expect((await call('east', 'DELETE', 'delete_container/photos')).status).toBe(204);
    expect((await call('east', 'GET', 'list_object/photos')).json.code).toBe('NO_CONTAINER');
    // The same token works with S3.
    expect((await federation.call('east', 'PUT', '/other', { token })).status).toBe(200);
    expect((await federation.call('south', 'GET', '/', { token })).text).toContain('<Name>other</Name>');
  },
  180_000 * patience,
);

test(
  'users see only their own projects, by their rights; with several projects the call names one',
  async () => {
    const [olga, vera, otto, both] = [
      await tokenOf('olga'),
      await tokenOf('vera'),
      await tokenOf('otto', 'south'),
      await tokenOf('both'),
    ];
    for (const token of [olga, vera, otto]) await takenEverywhere(token);
    const call = (token: string, method: string, path: string, headers = {}) =>
      federation.call('north', method, `/-/${path}`, { token, headers, ...(method === 'PUT' ? { body: 'x' } : {}) });
    expect((await call(olga, 'PUT', 'create_container/mine')).status).toBe(201);
    expect((await call(olga, 'PUT', 'create_object/mine/one')).status).toBe(201);
    // A user who may only read.
    expect((await call(vera, 'GET', 'download_object/mine/one')).text).toBe('x');
    for (const [method, path] of [
      ['PUT', 'create_container/more'],
      ['PUT', 'create_object/mine/two'],
      ['PUT', 'update_object/mine/one'],
      ['DELETE', 'delete_object/mine/one'],
      ['DELETE', 'delete_container/mine'],
    ] as const)
      expect([path, (await call(vera, method, path)).json.code]).toEqual([path, 'NOT_ALLOWED']);
    // A user of another project.
    for (const [method, path] of [
      ['GET', 'download_object/mine/one'],
      ['GET', 'stat_object/mine/one'],
      ['PUT', 'update_object/mine/one'],
      ['PUT', 'create_object/mine/two'],
      ['DELETE', 'delete_object/mine/one'],
      ['GET', 'list_object/mine'],
      ['DELETE', 'delete_container/mine'],
    ] as const)
      expect([path, (await call(otto, method, path)).json.code]).toEqual([path, 'NO_CONTAINER']);
    const account = (await federation.logIn('north', { username: 'olga', password })).json.projects[0].account;
    for (const named of ['shop', projects.shop, account])
      expect((await call(otto, 'GET', 'list_container', { 'x-tidegate-project': named })).json.code).toBe(
        'NOT_ALLOWED',
      );
    // A user with several projects.
    expect((await call(both, 'GET', 'list_container')).json).toMatchObject({
      code: 'NOT_ALLOWED',
      message: expect.stringContaining('bank, shop'),
    });
    expect((await call(both, 'GET', 'list_object/mine?project=shop')).status).toBe(200);
    expect((await call(both, 'GET', 'list_object/mine', { 'x-tidegate-project': projects.shop })).status).toBe(200);
    expect((await call(both, 'PUT', 'create_container/bank-own', { 'x-tidegate-project': 'bank' })).json.code).toBe(
      'NOT_ALLOWED',
    );
    expect(
      (await federation.call('north', 'GET', '/mine', { token: both, headers: { 'x-tidegate-project': 'shop' } }))
        .status,
    ).toBe(200);
    // A token for one project, by its name, and none for a project of other users.
    const narrowed = await federation.logIn('north', { username: 'both', password, project: 'shop' });
    expect(narrowed.json.projects.map(({ name }: { name: string }) => name)).toEqual(['shop']);
    expect((await federation.logIn('north', { username: 'otto', password, project: 'shop' })).json.code).toBe(
      'NO_PROJECT',
    );
    const root = await federation.logIn('east', { username: 'root', password, project: 'shop' });
    expect(root.json.projects).toMatchObject([{ name: 'shop', canWrite: true }]);
  },
  120_000 * patience,
);

test(
  'a wrong password, an unknown name and a wrong token are refused like at the control plane, recorded there, and limited',
  async () => {
    const wrong = await federation.logIn('north', { username: 'vera', password: 'wrong secret' });
    const unknown = await federation.logIn('north', { username: 'nobody', password: 'wrong secret' });
    expect([wrong.status, wrong.json.code, wrong.json.message]).toEqual([
      401,
      'BAD_CREDENTIALS',
      'the name or the password is wrong',
    ]);
    expect([unknown.status, unknown.json.message]).toEqual([wrong.status, wrong.json.message]);
    expect((await federation.logIn('north', { token: 'tg_wrong' })).status).toBe(401);
    const [entry] = await federation.bench.db.query<{ code: string; details: string }>(
      "SELECT code, details FROM audit_entry WHERE action = 'login' AND details LIKE '%nobody%' ORDER BY id DESC LIMIT 1",
    );
    expect(entry).toMatchObject({ code: 'BAD_CREDENTIALS', details: expect.stringContaining('controller north-1') });
    const all = JSON.stringify(await federation.bench.db.query('SELECT * FROM audit_entry'));
    expect(all).not.toContain('wrong secret');
    // Ten a minute for each name, at whichever cluster.
    const codes: number[] = [];
    for (let attempt = 0; attempt < 12; attempt += 1)
      codes.push(
        (await federation.logIn(names[attempt % 3] ?? '', { username: 'guessed', password: `${attempt}` })).status,
      );
    expect(codes.filter((code) => code === 429).length).toBe(2);
    const limited = await federation.logIn('east', { username: 'guessed', password });
    expect([limited.status, limited.json.code, Number(limited.headers.get('retry-after')) > 0]).toEqual([
      429,
      'RATE_LIMITED',
      true,
    ]);
    // An API token is also a login, with its own rights.
    const { secret } = await federation.bench.system.firstStart.issueToken({
      projectId: projects.shop,
      name: 'ci',
      role: 'OPERATOR',
    });
    expect((await federation.logIn('south', { token: secret })).json).toMatchObject({
      user: 'ci',
      projects: [{ name: 'shop', canWrite: true }],
    });
  },
  120_000 * patience,
);

test(
  'a drained controller accepts no logins, and names another address',
  async () => {
    const { graph } = federation;
    const { objectClusters } = await graph.ask<{ objectClusters: { nodes: { id: string; name: string }[] } }>(
      '{ objectClusters { nodes { id name } } }',
    );
    const id = objectClusters.nodes.find(({ name }) => name === 'north')?.id;
    const tell = async (verb: 'Drain' | 'Undrain') => {
      const { told } = await graph.ask<{ told: { userErrors: { code: string }[] } }>(
        `mutation ($input: ObjectService${verb}Input!) { told: objectService${verb}(input: $input) { userErrors { code } } }`,
        { input: { clusterId: id, role: 'objectcontroller', name: 'north-1' } },
      );
      expect(told.userErrors).toEqual([]);
    };
    const endpoints = async () =>
      (await graph.ask<{ objectEndpoints: { name: string }[] }>('{ objectEndpoints { name } }')).objectEndpoints.map(
        ({ name }) => name,
      );
    const logIn = (cluster: string) => federation.logIn(cluster, { username: 'olga', password });
    const { token } = (await logIn('north')).json;
    expect(await endpoints()).toContain('north');
    await tell('Drain');
    await waitFor('the login to be refused', async () => (await logIn('north')).status === 503);
    const refused = await logIn('north');
    expect([refused.json.code, refused.json.message]).toEqual([
      'DRAINED',
      expect.stringContaining(`south (${federation.clusters.get('south')?.url})`),
    ]);
    expect(refused.json.message).not.toContain('north');
    await waitFor('it not to be listed', async () => !(await endpoints()).includes('north'));
    // Others accept logins, and existing tokens still work here.
    expect((await logIn('south')).status).toBe(200);
    expect((await federation.call('north', 'GET', '/-/list_container?project=shop', { token })).status).toBe(200);
    await tell('Undrain');
    await waitFor('logins', async () => (await logIn('north')).status === 200);
    await waitFor('it to be listed', async () => (await endpoints()).includes('north'));
  },
  120_000 * patience,
);

test(
  'tokens from outside the federation are refused everywhere',
  async () => {
    const good = (await federation.logIn('north', { username: 'olga', password })).json;
    const account = good.projects[0].account as string;
    await takenEverywhere(good.token);
    const [north, south] = [federation.clusters.get('north'), federation.clusters.get('south')];
    if (north === undefined || south === undefined) throw new Error('no cluster');
    const claims = { userId: '01900000-0000-7000-8000-0000000000aa', name: 'mallory', accounts: { [account]: true } };
    const signer = (privateKey: string, nowMs?: () => number) =>
      new TokenSigner({ privateKey, lifetimeMinutes: 60, nowMs });
    const now = Math.floor(Date.now() / 1000);
    const made = (header: object, payload: object, privateKey = north.key.privateKey) =>
      new SignJWT({
        name: 'mallory',
        acc: { [account]: 'w' },
        jti: 'x',
        iat: now,
        exp: now + 60,
        sub: claims.userId,
        iss: `cluster:${north.number}`,
        aud: 'tidegate-object-storage',
        ...payload,
      })
        .setProtectedHeader({ alg: 'ES256', typ: 'tidegate-objects+jwt', ...header })
        .sign(createPrivateKey(privateKey));
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const [head = '', body = '', signature = ''] = good.token.split('.');
    // The same call made by hand is accepted. So the calls below are refused because of the one difference.
    expect((await federation.call('south', 'GET', '/-/list_container', { token: await made({}, {}) })).status).toBe(
      200,
    );
    const refused: Record<string, string> = {
      "signed by this cluster's key for another's number": (
        await signer(south.key.privateKey).sign(north.number, claims)
      ).token,
      'an unknown cluster': (await signer(north.key.privateKey).sign(999, claims)).token,
      expired: (await signer(north.key.privateKey, () => Date.now() - 3_700_000).sign(north.number, claims)).token,
      'from the future': (await signer(north.key.privateKey, () => Date.now() + 180_000).sign(north.number, claims))
        .token,
      'valid for longer than any': await made({}, { exp: now + 2 * 86_400 }),
      'without an end': await made({}, { exp: undefined }),
      'of another purpose': await made({}, { aud: 'tidegate' }),
      'of another type': await made({ typ: 'JWT' }, {}),
      'no algorithm': `${part({ alg: 'none', typ: 'tidegate-objects+jwt' })}.${body}.`,
      'no signature': `${head}.${body}.`,
      "another token's signature": `${head}.${part({ ...JSON.parse(Buffer.from(body, 'base64url').toString()), name: 'mallory' })}.${signature}`,
      'an issuer in another form': await made({}, { iss: `cluster:0${north.number}` }),
      'no token': 'x',
      'too long': 'x'.repeat(9_000),
    };
    for (const [what, token] of Object.entries(refused))
      for (const [path, status] of [
        ['/-/list_container', 401],
        ['/', 403],
      ] as const) {
        const answer = await federation.call('south', 'GET', path, { headers: { authorization: `Bearer ${token}` } });
        expect([what, path, answer.status]).toEqual([what, path, status]);
      }
  },
  60_000 * patience,
);

test(
  "a disabled user can't log in, and keeps a token for its lifetime at most; reduced rights apply from the next token",
  async () => {
    const { bench } = federation;
    await makeUser(bench, 'short', { projects: { [projects.shop]: 'OPERATOR' } });
    const token = await tokenOf('short');
    await takenEverywhere(token);
    await bench.db.execute(
      "UPDATE membership m JOIN user u ON u.id = m.user_id SET m.role = 'MEMBER' WHERE u.name = 'short'",
    );
    const less = await federation.logIn('south', { username: 'short', password });
    expect(less.json.projects).toMatchObject([{ name: 'shop', canWrite: false }]);
    await bench.db.execute("UPDATE user SET disabled = 1, version = version + 1 WHERE name = 'short'");
    for (const name of names) expect((await federation.logIn(name, { username: 'short', password })).status).toBe(401);
    expect((await federation.call('east', 'GET', '/-/list_container', { token })).status).toBe(200);
    const { exp, iat } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
    expect(exp - iat).toBe(3_600);
  },
  60_000 * patience,
);

test(
  'a malformed, oversized or slow login causes no harm',
  async () => {
    const url = federation.clusters.get('north')?.url ?? '';
    const post = (body: string | Buffer) => federation.call('north', 'POST', '/-/login', { body });
    expect((await post('{')).json.code).toBe('INVALID_REQUEST');
    expect((await post('{"username":"olga"}')).json.code).toBe('INVALID_REQUEST');
    expect((await post(JSON.stringify({ username: 'olga', password, more: 1 }))).json.code).toBe('INVALID_REQUEST');
    expect((await post(Buffer.alloc(1024 * 1024, ' '))).status).toBe(413);
    const chunked = await request(`${url}/-/login`, {
      method: 'POST',
      body: Readable.from(Array.from({ length: 64 }, () => Buffer.alloc(1024, ' '))),
    }).then(
      ({ statusCode }) => statusCode,
      () => 0,
    );
    expect([413, 0]).toContain(chunked);
    expect((await federation.call('north', 'GET', '/-/login')).status).toBe(405);
    expect((await federation.call('north', 'GET', '/-/no_call')).json.code).toBe('NO_SUCH_CALL');
    expect((await federation.call('north', 'GET', '/-/constructor')).json.code).toBe('NO_SUCH_CALL');
    expect((await federation.call('north', 'GET', '/-/')).json.code).toBe('NO_SUCH_CALL');
    const token = await tokenOf('olga');
    expect((await federation.call('north', 'GET', '/-/stat_object/UPPER/x', { token })).json.code).toBe(
      'INVALID_BUCKET_NAME',
    );
    expect((await federation.call('north', 'GET', '/-/stat_object/photos', { token })).json.code).toBe(
      'INVALID_REQUEST',
    );
    expect((await federation.call('north', 'GET', '/-/list_object/photos?limit=1001', { token })).json.code).toBe(
      'INVALID_REQUEST',
    );
    expect((await federation.call('north', 'GET', '/-/stat_object/photos/%ff', { token })).json.code).toBe(
      'INVALID_URI',
    );
  },
  60_000 * patience,
);

test(
  "a controller's endpoint answers only the servers of its cluster and the controllers of others",
  async () => {
    const north = federation.clusters.get('north');
    const { log } = federation.graph;
    const asked = async (role: string, name: string, path: string, method: 'GET' | 'POST' = 'POST') => {
      const tls = await testMachine(federation.authority, role, name, log);
      const pool = new Pool(`https://127.0.0.1:${north?.controllerPort}`, {
        connect: connectorOf(tls, controllerRole, 2_000),
      });
      try {
        const question = JSON.stringify({ credentials: { name: 'olga', password }, address: '127.0.0.1' });
        const { statusCode, body } = await pool.request({
          method,
          path,
          ...(method === 'POST' ? { body: question } : {}),
        });
        await body.text();
        return statusCode;
      } catch {
        return 0;
      } finally {
        await pool.destroy();
      }
    };
    expect(await asked(serverRole, 'north-2', '/-/login')).toBe(200);
    expect(await asked(serverRole, 'south-1', '/-/login')).toBe(403);
    expect(await asked(serverRole, 'west-1', '/-/login')).toBe(403);
    expect(await asked(controllerRole, 'north-2', '/-/login')).toBe(403);
    expect(await asked(controllerRole, 'south-1', '/-/documents?after=0', 'GET')).toBe(200);
    expect(await asked(controllerRole, 'west-1', '/-/documents?after=0', 'GET')).toBe(403);
    expect(await asked(serverRole, 'south-1', '/-/documents?after=0', 'GET')).toBe(403);
    expect(await asked(controllerRole, 'south-1', '/-/documents?after=-1', 'GET')).toBe(400);
    expect(await asked('gateway', 'north-1', '/-/login')).toBe(0);
  },
  60_000 * patience,
);

test(
  'while the control plane is away a login reports it, and tokens continue to work; a closed account ends them',
  async () => {
    const token = await tokenOf('otto', 'south');
    await takenEverywhere(token);
    await federation.closeControlPlane();
    const refused = await federation.logIn('north', { username: 'otto', password });
    expect([refused.status, refused.json.code, refused.headers.has('retry-after')]).toEqual([503, 'UNAVAILABLE', true]);
    expect((await federation.call('north', 'PUT', '/-/create_container/still', { token, body: '' })).status).toBe(201);
    await federation.openControlPlane();
    await waitFor(
      'logins to work again',
      async () => (await federation.logIn('north', { username: 'otto', password })).status === 200,
    );
    const [row] = await federation.graph.db.query<{ body: string; name: string }>(
      "SELECT name, body FROM object_document WHERE name LIKE 'account/%' AND body LIKE '%bank%'",
    );
    await federation.graph.db.transaction(async (tx) => {
      await tx.execute('UPDATE object_federation SET generation = generation + 1 WHERE id = 1');
      await tx.execute(
        'UPDATE object_document SET body = ?, generation = (SELECT generation FROM object_federation WHERE id = 1) WHERE name = ?',
        [(row?.body ?? '').replace('ACTIVE', 'CLOSED'), row?.name ?? ''],
      );
    });
    await waitFor('the account to be closed everywhere', async () => {
      const answers = await Promise.all(
        names.map((name) => federation.call(name, 'GET', '/-/list_container', { token })),
      );
      return answers.every(({ json }) => json.code === 'NOT_ALLOWED');
    });
  },
  120_000 * patience,
);
