// Controllers at the centre, over real links: they get what they lack, and what they say is shown.
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { CertificateAndKey } from '../../../../platform/net/certificates.ts';
import { newKeyPair, SigningKeys } from '../../../../platform/secrets/key-pairs.ts';
import { ClusterLinks } from '../../../../subgraphs/object-storage/centre/cluster-links.ts';
import { controllerRole } from '../../../../subgraphs/object-storage/wire/controller-wire.ts';
import { type TestMachine, testAuthority, testMachine } from '../../../support/machines.ts';
import { waitFor } from '../../../support/temporary-folder.ts';
import { CentreGraph } from '../support/centre-graph.ts';
import { ScriptedController } from '../support/scripted-controller.ts';

const [first, second] = [newKeyPair(), newKeyPair()];
let graph: CentreGraph;
let authority: CertificateAndKey;
let signingKeys: SigningKeys;
let links: ClusterLinks;
const ends: (() => Promise<void>)[] = [];

beforeEach(async () => {
  authority = await testAuthority();
  graph = await CentreGraph.open();
  signingKeys = new SigningKeys({ active: 'k1', keys: { k1: first.privateText } });
  const tls = await testMachine(authority, 'object-storage', 'centre', graph.log);
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

test('a controller gets what it lacks in order, and what is committed later', async () => {
  await graph.make('objectClusterCreate', { name: 'north' });
  const north = controller(await machine('north'));
  await waitFor('all documents', async () => north.position === (await generation()));
  // The keys first, by which it verifies the others; the clusters last, for its own key came with it.
  expect(north.came).toEqual(['keys', 'keys', 'ring/0', 'options', 'clusters']);
  await graph.make('objectOptionCreate', { name: 'usual' });
  await waitFor('the new ones', () => north.documents.has('ring/1'));
  await waitFor('it to have all', async () => north.position === (await generation()));
  expect(north.documents.get('options')?.body).toMatchObject({ options: [{ name: 'usual', number: 1 }] });
  // It comes back with what it has, and is sent only what it lacks.
  await north.stop();
  await graph.make('objectClusterCreate', { name: 'south' });
  north.came.splice(0);
  const again = new ScriptedController(await machine('north-2'), links.port ?? 0, graph.log);
  Object.assign(again, { keys: north.keys, position: north.position, keyPair: north.keyPair });
  again.start();
  ends.push(() => again.stop());
  await waitFor('the rest', async () => again.position === (await generation()));
  expect(again.came).toEqual(['clusters', 'ring/0', 'ring/1']);
  await waitFor('to hear that it has all', () => again.wholes > 1);
});

test('what a controller says is shown, and its cluster is present while one is heard', async () => {
  await graph.make('objectClusterCreate', { name: 'north' });
  await graph.make('objectClusterCreate', { name: 'north-east' });
  const text = `{ objectClusters { nodes { name isPresent controllers { name isPresent behindDocuments clockAheadMs version
    rings { number epoch } links { number isConnected behindPartitions lagMs cluster { name } } services { role name isReady } disk { usedBytes } } } } }`;
  type Shown = { objectClusters: { nodes: { name: string; isPresent: boolean; controllers: object[] }[] } };
  const shown = async () => (await graph.ask<Shown>(text)).objectClusters.nodes;
  const north = controller(await machine('north-1'));
  await waitFor('it to be connected', () => north.connected);
  north.say({
    ...{
      position: 2,
      clockMs: Date.now() + 3_600_000,
      rings: { 10: 1, 2: 7 },
      disk: { usedBytes: 1e12, totalBytes: 2e12 },
    },
    links: [{ cluster: 1, connected: true, behindPartitions: 3, lagMs: 250 }],
    services: [{ role: 'objectserver', name: 's1', isReady: true, version: 'test', message: null }],
  });
  await waitFor('its report', async () => (await shown())[0]?.isPresent === true && (await generation()) === 7);
  await waitFor('its state', async () => JSON.stringify((await shown())[0]?.controllers).includes('"usedBytes"'));
  const [seen, other] = await shown();
  expect(seen?.controllers).toMatchObject([
    {
      ...{ name: 'north-1', isPresent: true, version: 'test', disk: { usedBytes: 1e12 }, behindDocuments: 3 },
      rings: [
        { number: 2, epoch: 7 },
        { number: 10, epoch: 1 },
      ],
      links: [{ number: 1, isConnected: true, behindPartitions: 3, lagMs: 250, cluster: { name: 'north-east' } }],
      services: [{ role: 'objectserver', name: 's1', isReady: true }],
    },
  ]);
  expect(other).toMatchObject({ isPresent: false, controllers: [] });
  const ahead = /"clockAheadMs":([\d.]+)/.exec(JSON.stringify(seen))?.[1];
  expect(Math.abs(Number(ahead) - 3_600_000)).toBeLessThan(60_000);
  const [row] = await graph.db.query<{ key: string }>(
    "SELECT public_key AS `key` FROM object_cluster WHERE name = 'north'",
  );
  expect(row?.key).toBe(north.keyPair.publicKey);
  await north.stop();
  await graph.db.execute('UPDATE object_controller SET heard_at = NOW(3) - INTERVAL 1 MINUTE');
  await waitFor('it to be absent', async () => (await shown())[0]?.isPresent === false);
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
  await waitFor('it to have all', async () => leaving.position === (await generation()));
  await graph.make('objectClusterDelete', { id: south });
  await waitFor('its connection to end', () => !leaving.connected);
  expect(strangers.map(({ position, came }) => [position, came])).toEqual([
    [0, []],
    [0, []],
  ]);
  expect(await graph.db.query('SELECT id FROM object_controller')).toEqual([]);
});

test('the centre changes its key: whoever knows the former one is told of it first', async () => {
  await graph.make('objectClusterCreate', { name: 'north' });
  const north = controller(await machine('north'));
  await waitFor('all documents', async () => north.position === (await generation()));
  await north.stop();
  signingKeys.replace({ active: 'k2', keys: { k1: first.privateText, k2: second.privateText } });
  await graph.make('objectClusterCreate', { name: 'south' });
  await waitFor('the keys to be told', async () => {
    const [row] = await graph.db.query<{ body: string }>("SELECT body FROM object_document WHERE name = 'keys'");
    return row?.body.includes('"k2":') === true;
  });
  const again = new ScriptedController(await machine('north-2'), links.port ?? 0, graph.log);
  Object.assign(again, { keys: north.keys, position: north.position, documents: north.documents });
  again.start();
  ends.push(() => again.stop());
  await waitFor('the rest', async () => again.position === (await generation()));
  expect([again.came[0], again.keys?.ids()]).toEqual(['keys', ['k1', 'k2']]);
  // A process that has not got the new file yet takes nothing back.
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

test('a database that was restored from an older state tells all anew, later than anything before', async () => {
  await graph.make('objectClusterCreate', { name: 'north' });
  const north = controller(await machine('north'));
  await waitFor('all documents', async () => north.position === (await generation()));
  await north.stop();
  const again = new ScriptedController(await machine('north-2'), links.port ?? 0, graph.log);
  Object.assign(again, { keys: north.keys, position: 100 });
  again.start();
  ends.push(() => again.stop());
  await waitFor('all of them', () => again.documents.size === 4);
  expect([...again.documents.values()].map(({ generation: g }) => g).sort()).toEqual([101, 102, 103, 105]);
});
