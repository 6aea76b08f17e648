// Controllers connected to the control plane over real links. They get the documents that they lack, and their reports
// are shown.
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { CertificateAndKey } from '../../../../../platform/net/certificates.ts';
import { newKeyPair, SigningKeys } from '../../../../../platform/secrets/key-pairs.ts';
import { ClusterLinks } from '../../../../../subgraphs/object-storage/control/controllers/cluster-links.ts';
import { controllerRole } from '../../../../../subgraphs/object-storage/wire/controller-wire.ts';
import type { HistoryDocument } from '../../../../../subgraphs/object-storage/wire/documents/documents.ts';
import { waitFor } from '../../../../support/machine/temporary-folder.ts';
import { type TestMachine, testAuthority, testMachine } from '../../../../support/product/machines.ts';
import { ControlGraph } from '../../support/control-graph.ts';
import { ScriptedController } from '../../support/scripted-controller.ts';

const [first, second] = [newKeyPair(), newKeyPair()];
let graph: ControlGraph;
let authority: CertificateAndKey;
let signingKeys: SigningKeys;
let links: ClusterLinks;
const ends: (() => Promise<void>)[] = [];

beforeEach(async () => {
  authority = await testAuthority();
  graph = await ControlGraph.open();
  signingKeys = new SigningKeys({ active: 'k1', keys: { k1: first.privateText } });
  const tls = await testMachine(authority, 'object-storage', 'control-plane', graph.log);
  links = new ClusterLinks({
    ...{ db: graph.db, wake: graph.wake, log: graph.log, owner: graph.owner },
    place: { host: '127.0.0.1', port: 0, tls, signingKeys },
  });
  await links.start();
});

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
  await links.stop();
  await graph.stop();
});

const machine = (name: string) => testMachine(authority, controllerRole, name, graph.log);

function controller(tls: TestMachine): ScriptedController {
  const made = new ScriptedController(tls, links.port ?? 0, graph.log);
  made.start();
  ends.push(() => made.stop());
  return made;
}

const generation = async () => {
  const [row] = await graph.db.query<{ g: number }>('SELECT generation AS g FROM object_federation');
  return Number(row?.g);
};

test('a controller gets its missing documents in order, and later commits too', async () => {
  await graph.make('objectClusterCreate', { name: 'north' });
  const north = controller(await machine('north'));
  await waitFor('all documents', async () => north.position.number === (await generation()));
  // The keys come first because they verify the others. The clusters come last because the cluster's own key arrived
  // with the connection.
  expect(north.came).toEqual(['keys', 'keys', 'ring/0', 'options', 'clusters']);
  await graph.make('objectOptionCreate', { name: 'usual' });
  await waitFor('the new ones', () => north.documents.has('ring/1'));
  await waitFor('it to have all', async () => north.position.number === (await generation()));
  expect(north.documents.get('options')?.body).toMatchObject({ options: [{ name: 'usual', number: 1 }] });
  // It comes back with its documents, and gets only the missing ones.
  await north.stop();
  await graph.make('objectClusterCreate', { name: 'south' });
  north.came.splice(0);
  const again = new ScriptedController(await machine('north-2'), links.port ?? 0, graph.log);
  Object.assign(again, { keys: north.keys, position: north.position, keyPair: north.keyPair });
  again.start();
  ends.push(() => again.stop());
  await waitFor('the rest', async () => again.position.number === (await generation()));
  expect(again.came).toEqual(['clusters', 'ring/0', 'ring/1']);
  await waitFor('the report that it has all', () => again.wholes > 1);
});

test("a controller's reports are shown, and its cluster is present while one is connected", async () => {
  await graph.make('objectClusterCreate', { name: 'north' });
  await graph.make('objectClusterCreate', { name: 'north-east' });
  const text = `{ objectClusters { nodes { name presence controllers { name presence behindDocuments clockAheadMs version
    rings { number epoch } links { number connected behindPartitions lagMs cluster { name } } services { role name ready } disk { usedBytes } } } } }`;
  type Shown = { objectClusters: { nodes: { name: string; presence: string; controllers: object[] }[] } };
  const shown = async () => (await graph.ask<Shown>(text)).objectClusters.nodes;
  const north = controller(await machine('north-1'));
  await waitFor('its documents', () => north.position.history !== '');
  north.say({
    ...{
      position: { ...north.position, number: 2 },
      clockMs: Date.now() + 3_600_000,
      rings: { 10: 1, 2: 7 },
      disk: { usedBytes: 1e12, totalBytes: 2e12 },
    },
    links: [{ cluster: 1, connected: true, behindPartitions: 3, lagMs: 250 }],
    services: [{ role: 'objectserver', name: 's1', isReady: true, version: 'test', message: null }],
  });
  await waitFor('its report', async () => (await shown())[0]?.presence === 'PRESENT' && (await generation()) === 7);
  await waitFor('its state', async () => JSON.stringify((await shown())[0]?.controllers).includes('"usedBytes"'));
  const [seen, other] = await shown();
  expect(seen?.controllers).toMatchObject([
    {
      ...{
        name: 'north-1',
        presence: 'PRESENT',
        version: 'test',
        disk: { usedBytes: '1000000000000' },
        behindDocuments: 3,
      },
      rings: [
        { number: 2, epoch: 7 },
        { number: 10, epoch: 1 },
      ],
      links: [{ number: 1, connected: true, behindPartitions: 3, lagMs: 250, cluster: { name: 'north-east' } }],
      services: [{ role: 'objectserver', name: 's1', ready: true }],
    },
  ]);
  expect(other).toMatchObject({ presence: 'ABSENT', controllers: [] });
  const ahead = /"clockAheadMs":([\d.]+)/.exec(JSON.stringify(seen))?.[1];
  expect(Math.abs(Number(ahead) - 3_600_000)).toBeLessThan(60_000);
  const [row] = await graph.db.query<{ key: string }>(
    "SELECT public_key AS `key` FROM object_cluster WHERE name = 'north'",
  );
  expect(row?.key).toBe(north.keyPair.publicKey);
  await north.stop();
  await graph.db.execute('UPDATE object_controller SET heard_at = NOW(3) - INTERVAL 1 MINUTE');
  await waitFor('it to be absent', async () => (await shown())[0]?.presence === 'ABSENT');
  const events = await graph.db.query<{ to: string }>(
    "SELECT to_status AS `to` FROM status_change WHERE kind = 'objectCluster.presence' ORDER BY subject_version",
  );
  expect(events.map(({ to }) => to)).toEqual(['PRESENT', 'ABSENT']);
});

test('a machine without a cluster, one of another role and one of a deleted cluster get nothing', async () => {
  await graph.make('objectClusterCreate', { name: 'north' });
  const south = await graph.make('objectClusterCreate', { name: 'south' });
  const strangers = [
    controller(await machine('northwest')),
    controller(await testMachine(authority, 'objectserver', 'north', graph.log)),
  ];
  const leaving = controller(await machine('south'));
  await waitFor('it to have all', async () => leaving.position.number === (await generation()));
  await graph.make('objectClusterDelete', { id: south });
  await waitFor('its connection to end', () => !leaving.connected);
  expect(strangers.map(({ position, came }) => [position.number, came])).toEqual([
    [0, []],
    [0, []],
  ]);
  expect(await graph.db.query('SELECT id FROM object_controller')).toEqual([]);
});

test('a controller of a deleted cluster does not count for a cluster with a shorter name', async () => {
  await graph.make('objectClusterCreate', { name: 'north' });
  const northEast = await graph.make('objectClusterCreate', { name: 'north-east' });
  const keyOfNorth = async () => {
    const text = "SELECT public_key AS `key` FROM object_cluster WHERE live_name = 'north'";
    return (await graph.db.query<{ key: string | null }>(text))[0]?.key;
  };
  const [north, leaving] = [controller(await machine('north')), controller(await machine('north-east-1'))];
  for (const each of [north, leaving])
    await waitFor('it to have all', async () => each.position.number === (await generation()));
  await graph.make('objectClusterDelete', { id: northEast });
  await waitFor('its connection to end', () => !leaving.connected);
  leaving.came.splice(0);
  const other = controller(await machine('north-east'));
  const second = controller(await machine('north-2'));
  await waitFor('a controller of north to have all', async () => second.position.number === (await generation()));
  expect([leaving.came, other.came, await keyOfNorth()]).toEqual([[], [], second.keyPair.publicKey]);
  const clusters = second.documents.get('clusters')?.body;
  expect(clusters).toMatchObject({ clusters: [{ name: 'north', former: ['north-east'] }] });
  // A new cluster with that name has those machines.
  await graph.make('objectClusterCreate', { name: 'north-east' });
  await waitFor('it to have all', async () => other.position.number === (await generation()));
  expect(second.documents.get('clusters')?.body).toMatchObject({
    clusters: [{ name: 'north' }, { name: 'north-east' }],
  });
});

test('a cluster keeps its name once a controller has connected, because its machines are named after it', async () => {
  const north = await graph.make('objectClusterCreate', { name: 'north' });
  await graph.make('objectClusterUpdate', { id: north, name: 'northern' });
  const connected = controller(await machine('northern-1'));
  await waitFor('it to have all', async () => connected.position.number === (await generation()));
  const { told } = await graph.mutate('objectClusterUpdate', { id: north, name: 'south' });
  expect(told).toMatchObject([
    { code: 'WRONG_STATE', field: ['input', 'name'], message: expect.stringContaining('named after it') },
  ]);
  // Setting its current name is not a change.
  expect((await graph.mutate('objectClusterUpdate', { id: north, name: 'northern', weight: 7 })).faults).toEqual([]);
});

test('when the control plane changes its key, controllers that know the former one get the new one first', async () => {
  await graph.make('objectClusterCreate', { name: 'north' });
  const north = controller(await machine('north'));
  await waitFor('all documents', async () => north.position.number === (await generation()));
  await north.stop();
  signingKeys.replace({ active: 'k2', keys: { k1: first.privateText, k2: second.privateText } });
  await graph.make('objectClusterCreate', { name: 'south' });
  await waitFor('the keys to be sent', async () => {
    const [row] = await graph.db.query<{ body: string }>("SELECT body FROM object_document WHERE name = 'keys'");
    return row?.body.includes('"k2":') === true;
  });
  const again = new ScriptedController(await machine('north-2'), links.port ?? 0, graph.log);
  Object.assign(again, { keys: north.keys, position: north.position, documents: north.documents });
  again.start();
  ends.push(() => again.stop());
  await waitFor('the rest', async () => again.position.number === (await generation()));
  expect([again.came[0], again.keys?.ids()]).toEqual(['keys', ['k1', 'k2']]);
  // A process that does not have the new file yet reverts nothing.
  const before = await generation();
  const other = new ClusterLinks({
    ...{ db: graph.db, wake: graph.wake, log: graph.log, owner: graph.owner },
    place: {
      ...{ host: '127.0.0.1', port: 0, tls: await testMachine(authority, 'object-storage', 'other', graph.log) },
      signingKeys: new SigningKeys({ active: 'k1', keys: { k1: first.privateText } }),
    },
  });
  await other.start();
  await other.stop();
  expect(await generation()).toBe(before);
});

test('a database that was set back unnoticed sends all documents again, with later generations than before', async () => {
  await graph.make('objectClusterCreate', { name: 'north' });
  const north = controller(await machine('north'));
  await waitFor('all documents', async () => north.position.number === (await generation()));
  await north.stop();
  const again = new ScriptedController(await machine('north-2'), links.port ?? 0, graph.log);
  Object.assign(again, { keys: north.keys, position: { ...north.position, number: 100 } });
  again.start();
  ends.push(() => again.stop());
  await waitFor('all of them', async () => again.position.number === (await generation()));
  expect([...again.documents.keys()].sort()).toEqual([...north.documents.keys(), 'history'].sort());
  for (const document of again.documents.values()) expect(document.generation).toBeGreaterThan(100);
  expect(again.documents.get('history')).toMatchObject({ body: { voidUpTo: 100 } });
});

test('after a new history of the database every controller gets all documents, and the last of them voids the older ones', async () => {
  await graph.make('objectClusterCreate', { name: 'north' });
  const north = controller(await machine('north'));
  await waitFor('all documents', async () => north.position.number === (await generation()));
  const before = { ...north.position };
  north.came.splice(0);
  await graph.db.execute('INSERT INTO db_timeline (epoch, lossy) SELECT MAX(epoch) + 1, 1 FROM db_timeline');
  await waitFor('the new history', async () => {
    const isThere = north.position.number === (await generation());
    return isThere && north.position.history !== before.history;
  });
  // More than the earlier history can have issued since the backup, because each generation stands for one document.
  expect(north.position.number).toBeGreaterThan(before.number + 1_000_000);
  expect(new Set(north.came)).toEqual(new Set(north.documents.keys()));
  const { body } = north.documents.get('history') ?? {};
  const kept = [...north.documents.values()].filter(({ kind }) => kind !== 'history');
  for (const { generation: told } of kept) expect(told).toBeGreaterThan((body as HistoryDocument).voidUpTo);
  // A controller that connects later with a position of the earlier history gets the same, without another round for
  // all.
  const whole = await generation();
  const late = new ScriptedController(await machine('north-2'), links.port ?? 0, graph.log);
  Object.assign(late, { keys: north.keys, position: before, keyPair: north.keyPair });
  late.start();
  ends.push(() => late.stop());
  await waitFor('all of them', () => late.position.number === whole);
  expect(new Set(late.came)).toEqual(new Set(north.documents.keys()));
});
