// A cluster's resolver reports the locations of names and objects to its own services, based on the rings in its
// cluster's database. If started before there are any, it registers, reports what it is waiting for, and answers once
// they arrive.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Pool } from 'undici';
import { connectorOf } from '../../../../../platform/graph/connector.ts';
import { ObjectResolver } from '../../../../../subgraphs/object-storage/agents/resolver/object-resolver.ts';
import { serverRole } from '../../../../../subgraphs/object-storage/engine/peers/peer-wire.ts';
import { ServiceStore } from '../../../../../subgraphs/object-storage/engine/store/service-store.ts';
import { resolvePath, resolverRole } from '../../../../../subgraphs/object-storage/wire/resolve-wire.ts';
import { patience } from '../../../../support/machine/patience.ts';
import { waitFor } from '../../../../support/machine/temporary-folder.ts';
import { type FederatedCluster, Federation } from '../../../../support/object-storage/federation.ts';
import { testMachine } from '../../../../support/product/machines.ts';
import { makeUser } from '../../../system/support/system-bench.ts';

const cleanup = new AsyncDisposableStack();
const password = 'a password that fits';
let federation: Federation;
let north: FederatedCluster;
let resolver: ObjectResolver;

beforeAll(async () => {
  federation = await Federation.open(cleanup);
  north = await federation.add('north');
  await federation.add('south');
  const { graph, authority } = federation;
  const tls = await testMachine(authority, resolverRole, 'north-1', graph.log);
  resolver = new ObjectResolver({
    ...{ db: north.db, host: '127.0.0.1', port: 0, tls, name: 'north-1', version: 'test', log: graph.log },
  });
  await resolver.start();
  cleanup.defer(() => resolver.stop());
}, 180_000 * patience);
afterAll(() => cleanup.disposeAsync(), 60_000 * patience);

/** Queries as a machine. Returns status and answer. */
async function asked(query: Record<string, string>, role = serverRole, name = 'north-1') {
  const tls = await testMachine(federation.authority, role, name, federation.graph.log);
  const pool = new Pool(resolver.url ?? '', { connect: connectorOf(tls, resolverRole, 2_000) });
  try {
    const { statusCode, body } = await pool.request({
      ...{ method: 'GET', path: `${resolvePath}?${new URLSearchParams(query)}` },
    });
    // biome-ignore lint/suspicious/noExplicitAny: whatever a test expects
    return { status: statusCode, answer: (await body.json()) as any };
  } catch {
    return { status: 0, answer: undefined };
  } finally {
    await pool.destroy();
  }
}

test(
  'a resolver registers, and answers where a container and its objects are',
  async () => {
    const own = async () => (await new ServiceStore(north.db).all()).find(({ role }) => role === resolverRole);
    await waitFor('it to be registered', async () => (await own())?.url === resolver.url);
    if (resolver.waitsFor !== undefined) expect((await own())?.message).toContain('rings');
    await federation.graph.make('objectOptionCreate', { name: 'standard' });
    await federation.graph.make('objectOptionCreate', { name: 'single', replicas: 1 });
    await waitFor('the rings to be known', async () => (await own())?.isReady === true);
    const shop = await federation.bench.system.firstStart.ensureProject('shop');
    await makeUser(federation.bench, 'olga', { projects: { [shop]: 'OPERATOR' } });
    let answer = await federation.logIn('north', { username: 'olga', password });
    await waitFor('a login', async () => {
      answer = await federation.logIn('north', { username: 'olga', password });
      return answer.status === 200;
    });
    const { token, projects } = answer.json;
    const account = projects[0].account as string;
    const call = (method: string, path: string, headers = {}) =>
      federation.call('north', method, `/-/${path}`, { token, headers, ...(method === 'PUT' ? { body: 'x' } : {}) });
    // A container whose creation lost its answer does exist.
    await waitFor('a container', async () =>
      [201, 409].includes((await call('PUT', 'create_container/photos?option=single')).status),
    );
    expect((await call('PUT', 'create_object/photos/cat')).status).toBe(201);
    const told = (await call('GET', 'stat_object/photos/cat')).json;
    const byName = await asked({ account, container: 'photos', object: 'cat' });
    expect(byName.status).toBe(200);
    expect(byName.answer.container).toMatchObject({ ring: 0, partition: expect.any(Number) });
    expect(byName.answer.container.clusters.map(({ name }: { name: string }) => name).sort()).toEqual([
      'north',
      'south',
    ]);
    expect(byName.answer.objects).toMatchObject({ ring: told.ring, partition: told.partition, epoch: told.epoch });
    expect(byName.answer.objects.clusters.map(({ name }: { name: string }) => name)).toEqual(told.clusters);
    expect([byName.answer.id, told.id]).toEqual([told.id, `${told.ring}:${told.container.id}/cat`]);
    const byId = await asked({ id: told.id });
    const { bytes, ...named } = byName.answer;
    // Only a replica that has the object knows that its bytes are with its name.
    expect(bytes).toEqual(told.clusters.includes('north') ? null : undefined);
    expect(byId.answer).toEqual({ ...named, container: null });
    expect((await call('PUT', 'create_object/photos/dog', { 'x-tidegate-option': 'standard' })).status).toBe(201);
    const elsewhere = (await call('GET', 'stat_object/photos/dog')).json;
    expect(elsewhere).toMatchObject({ option: 'standard', container: { option: 'single' }, ring: told.ring });
    expect([elsewhere.bytes.ring === told.ring, [...elsewhere.bytes.clusters].sort()]).toEqual([
      false,
      ['north', 'south'],
    ]);
    const shown = (await asked({ account, container: 'photos', object: 'dog' })).answer.bytes;
    if (told.clusters.includes('north'))
      expect([shown.ring, shown.partition]).toEqual([elsewhere.bytes.ring, elsewhere.bytes.partition]);
    expect((await asked({ account, container: 'nothing' })).answer).toMatchObject({
      objects: null,
      reason: expect.any(String),
    });
    expect((await asked({ id: `9:${told.container.id}/cat` })).answer).toMatchObject({
      objects: null,
      reason: expect.stringContaining('no'),
    });

    // Users query it through a server of its cluster.
    const located = await call('GET', 'locate_object/photos/cat');
    expect([located.status, located.json]).toEqual([
      200,
      {
        id: told.id,
        object: {
          ring: told.ring,
          option: 'single',
          partition: told.partition,
          epoch: told.epoch,
          clusters: told.clusters,
        },
        container: expect.objectContaining({ ring: 0, option: null }),
        ...(bytes === undefined ? {} : { bytes }),
      },
    ]);
    const locatedById = await call('GET', `locate_object?id=${encodeURIComponent(told.id)}`);
    expect(locatedById.json).toEqual({ ...located.json, container: null, bytes: undefined });
    const refused = async (path: string) => {
      const { status, json } = await call('GET', path);
      return [status, json.code];
    };
    expect(await refused('locate_object/nothing/cat')).toEqual([404, 'NO_CONTAINER']);
    expect(await refused(`locate_object?id=9:${told.container.id}/cat`)).toEqual([404, 'NO_RING']);
    expect(await refused('locate_object?id=cat')).toEqual([400, 'INVALID_REQUEST']);
    expect(await refused('locate_object/photos')).toEqual([400, 'INVALID_REQUEST']);
    const unresolved = await federation.call('south', 'GET', '/-/locate_object/photos/cat', { token });
    expect([unresolved.status, unresolved.json.code]).toEqual([503, 'NO_RESOLVER']);

    expect((await asked({ account: 'x', container: 'photos' })).status).toBe(400);
    expect((await asked({})).status).toBe(400);
    expect((await asked({ account, container: 'photos' }, serverRole, 'south-1')).status).toBe(403);
    expect((await asked({ account, container: 'photos' }, 'gateway')).status).toBe(0);
    await resolver.drain();
    expect(await own()).toBeUndefined();
  },
  120_000 * patience,
);
