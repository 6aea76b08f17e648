// Options that choose their clusters by measured disk speed and size.
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { CertificateAndKey } from '../../../../../platform/net/certificates.ts';
import { newKeyPair, SigningKeys } from '../../../../../platform/secrets/key-pairs.ts';
import { ClusterLinks } from '../../../../../subgraphs/object-storage/control/controllers/cluster-links.ts';
import {
  chosenBy,
  type MeasuredCluster,
} from '../../../../../subgraphs/object-storage/control/options/option-presets.ts';
import { controllerRole } from '../../../../../subgraphs/object-storage/wire/controller-wire.ts';
import { waitFor } from '../../../../support/machine/temporary-folder.ts';
import { testAuthority, testMachine } from '../../../../support/product/machines.ts';
import { ControlGraph } from '../../support/control-graph.ts';
import { ScriptedController } from '../../support/scripted-controller.ts';

let graph: ControlGraph;
let authority: CertificateAndKey;
let links: ClusterLinks;
const ends: (() => Promise<void>)[] = [];

beforeEach(async () => {
  authority = await testAuthority();
  graph = await ControlGraph.open();
  links = new ClusterLinks({
    ...{ db: graph.db, wake: graph.wake, log: graph.log, owner: graph.owner },
    place: {
      ...{
        host: '127.0.0.1',
        port: 0,
        tls: await testMachine(authority, 'object-storage', 'control-plane', graph.log),
      },
      signingKeys: new SigningKeys({ active: 'k1', keys: { k1: newKeyPair().privateText } }),
    },
  });
  await links.start();
});
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
  await links.stop();
  await graph.stop();
});

const disk = (capacityBytes: number, big: number, small: number) => ({
  ...{ atMs: 1, capacityBytes, bigWrite: big, bigRead: big, smallWrite: small, smallRead: small },
});

test('one preset chooses the faster half, and the other the larger half', () => {
  const clusters: readonly MeasuredCluster[] = [
    { id: 'a', measured: disk(100, 10, 90) },
    { id: 'b', measured: disk(400, 20, 80) },
    { id: 'c', measured: disk(400, 90, 10) },
    { id: 'd', measured: disk(200, 80, 20) },
    { id: 'e', measured: disk(300, 5, 5) },
  ];
  expect(chosenBy('OPTIMIZE_BIG', clusters, 2)).toEqual(['c', 'd', 'b']);
  expect(chosenBy('OPTIMIZE_SMALL', clusters, 2)).toEqual(['a', 'b', 'd']);
  expect(chosenBy('ECONOMY_BIG', clusters, 2)).toEqual(['c', 'b', 'e']);
  expect(chosenBy('ECONOMY_SMALL', clusters, 2)).toEqual(['b', 'c', 'e']);
  // Never fewer than the number of replicas.
  expect(chosenBy('OPTIMIZE_BIG', clusters, 4)).toHaveLength(4);
  // Fast writing alone is not enough.
  const slowReader = { id: 's', measured: { ...disk(1, 1_000, 1), bigRead: 1 } };
  expect(chosenBy('OPTIMIZE_BIG', [slowReader, { id: 'm', measured: disk(1, 10, 1) }], 1)).toEqual(['m']);
});

test('the control plane chooses among measured clusters, and reports the unmeasured ones', async () => {
  const capacities = { north: 300, south: 100, east: 200 };
  const controllers: ScriptedController[] = [];
  for (const name of Object.keys(capacities)) {
    await graph.make('objectClusterCreate', { name });
    const tls = await testMachine(authority, controllerRole, name, graph.log);
    const controller = new ScriptedController(tls, links.port ?? 0, graph.log);
    controller.start();
    controllers.push(controller);
    ends.push(() => controller.stop());
  }
  const create = (preset: string, more: object = {}) =>
    graph.ask<{ made: { objectOption: object | null; userErrors: readonly { code: string; message: string }[] } }>(
      `mutation ($input: ObjectOptionCreateInput!) {
        made: objectOptionCreate(input: $input) { objectOption { clusters { name } } userErrors { code message } }
      }`,
      { input: { name: preset.toLowerCase(), preset, replicas: 1, ...more } },
    );
  const refused = (await create('ECONOMY_BIG')).made;
  expect(refused.userErrors).toMatchObject([
    { code: 'WRONG_STATE', message: expect.stringContaining('north, south, east') },
  ]);
  for (const [at, capacity] of Object.values(capacities).entries())
    controllers[at]?.say({ measured: disk(capacity, 10, 10) });
  await waitFor('all to have reported it', async () => {
    const { objectClusters } = await graph.ask<{
      objectClusters: { nodes: readonly { controllers: readonly { measured: object | null }[] }[] };
    }>('{ objectClusters { nodes { controllers { measured { capacityBytes bigReadBytesPerSecond } } } } }', {});
    return objectClusters.nodes.every(({ controllers: [first] }) => first?.measured != null);
  });
  expect((await create('ECONOMY_BIG')).made).toMatchObject({
    objectOption: { clusters: [{ name: 'north' }, { name: 'east' }] },
    userErrors: [],
  });
  const both = (await create('OPTIMIZE_BIG', { clusterIds: ['x'] })).made;
  expect(both.objectOption).toBeNull();
});
