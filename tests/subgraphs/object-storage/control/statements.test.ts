// Lists with all their links take the same number of SQL statements, however many rows they have.
import { beforeAll, expect, jest, test } from '@jest/globals';
import { encodeCmpObject } from '../../../../platform/pages/cmp-object.ts';
import { firstRing } from '../../../../platform/rings/next-ring.ts';
import { encodeId, newUuid } from '../../../../platform/values/ids.ts';
import { insertCluster } from '../../../../subgraphs/object-storage/control/stores/cluster-store.ts';
import { recordContainer } from '../../../../subgraphs/object-storage/control/stores/container-store.ts';
import { insertOption } from '../../../../subgraphs/object-storage/control/stores/option-store.ts';
import { beginStep, insertChange } from '../../../../subgraphs/object-storage/control/stores/ring-change-store.ts';
import { insertRing } from '../../../../subgraphs/object-storage/control/stores/ring-store.ts';
import type { ControllerState } from '../../../../subgraphs/object-storage/wire/controller-wire.ts';
import { forFile } from '../../../support/jest/shared.ts';
import { patience } from '../../../support/machine/patience.ts';
import { statementsOf } from '../../../support/stores/count-statements.ts';
import { ControlGraph, projectA } from '../support/control-graph.ts';

const rows = 100;
const graph = forFile(() => ControlGraph.open());

const member = (cluster: number) => ({ cluster, weight: 100, zone: `zone-${cluster}` });
const ringOf = (...clusters: number[]) => firstRing({ members: clusters.map(member), replicas: 3 });

/**
 * Creates one object of each kind with this number. The option's ring changes to other clusters, and has a container.
 */
async function fill(number: number): Promise<void> {
  const [clusterId, optionId] = [newUuid(), newUuid()];
  const others = [1, 2, 3].map((step) => (number + step) % rows);
  const state: ControllerState = {
    ...{ position: { history: '', number: 0 }, clockMs: 0, disk: null, ringEnds: [] },
    rings: { 0: 1, [number]: 1 },
    links: others.map((cluster) => ({ cluster, connected: true, behindPartitions: 0, lagMs: null })),
    services: [{ role: 'objectserver', name: 's1', isReady: true, version: 'test', message: null }],
    takeOvers: [{ ring: number, epoch: 2, partitions: 9, left: 3, movedBytes: 0, message: 'it is away' }],
  };
  await graph.db.transaction(async (tx) => {
    await insertCluster(tx, clusterId, number, {
      ...{ name: `c${number}`, zone: `zone-${number}`, weight: 100, site: '', state: 'ACTIVE' },
      ...{ peerUrls: [], controllerUrls: [], s3Urls: [] },
    });
    await tx.execute(
      `INSERT INTO object_controller (id, cluster_id, name, epoch, facts, state, heard_at) VALUES (?, ?, ?, 1, '{"version":"test"}', ?, NOW(3))`,
      [newUuid(), clusterId, `c${number}`, JSON.stringify(state)],
    );
    const option = { name: `o${number}`, replicas: 3, clusterIds: [clusterId], nearestReads: false, isDefault: false };
    await insertOption(tx, optionId, number + 1, option);
    await insertRing(tx, number + 1, 1, ringOf(...others));
    const id = newUuid();
    const recovers = number % 2 === 0 ? null : number;
    await insertChange(tx, { id, number: number + 1, recovers, movedShare: 1, steps: 1 });
    await beginStep(tx, id, { epoch: 2, next: recovers === null ? ringOf(number, ...others.slice(1)) : undefined });
    const container = { id: newUuid(), projectId: projectA, accountId: accountId, name: `n${number}` };
    await recordContainer(
      tx,
      { ...container, optionName: option.name, optionId, createdAt: new Date() },
      { namespace: 'default', type: 'tenant', externalId: String(number) },
    );
  });
}

const accountId = newUuid();

beforeAll(async () => {
  await graph.db.execute('INSERT INTO object_account (id, project_id) VALUES (?, ?)', [accountId, projectA]);
  for (let number = 0; number < rows; number += 1) await fill(number);
  await graph.db.execute(
    `INSERT INTO object_access_key (id, project_id, account_id, access_key_id, name, can_write)
      SELECT CONCAT('01900000-0000-7000-8000-', LPAD(seq, 12, '0')), ?, ?, CONCAT('TG', seq), 'k', 1 FROM seq_1_to_${rows}`,
    [projectA, accountId],
  );
}, 120_000 * patience);

const cluster = 'id name clusterState presence site updatedAt';
const ring = `id version number epoch updatedAt option { name } change { id state } clusters { number cluster { ${cluster} } }`;
const containers = `containers(first: 5) { nodes { name version option { name } project { id } cmpObject { id } } pageInfo { hasNextPage endCursor } }`;
const lists: Readonly<Record<string, string>> = {
  objectClusters: `${cluster} controllers { name machine { id } rings { ring { id } } links { cluster { name } } services { name ready } }`,
  objectOptions: `name default ending clusters { ${cluster} } ring { ${ring} } ${containers}`,
  objectRings: ring,
  objectRingChanges: `state reason progressPercent ring { ${ring} } recoveredCluster { ${cluster} } gaining { left cluster { ${cluster} } }`,
  objectAccessKeys: 'name updatedAt project { id } account { id version updatedAt project { id } }',
};

interface Read {
  readonly nodes: readonly Record<string, unknown>[];
  readonly statements: number;
}

async function read(list: string, first: number): Promise<Read> {
  const query = jest.spyOn(graph.db, 'query');
  try {
    const answer = await graph.ask<Record<string, Pick<Read, 'nodes'>>>(
      `{ ${list}(first: ${first}) { nodes { ${lists[list]} } pageInfo { endCursor } } }`,
    );
    // The event stream also reads during this time.
    const statements = query.mock.calls.filter(([sql]) => String(sql).includes('object_')).length;
    return { nodes: answer[list]?.nodes ?? [], statements };
  } finally {
    query.mockRestore();
  }
}

test.each(Object.keys(lists))('%s', async (list) => {
  const [few, many] = [await read(list, 10), await read(list, rows)];
  expect([few.nodes.length, many.nodes.length]).toEqual([10, rows]);
  expect(many.statements).toBe(few.statements);
  expect(many.statements).toBeLessThanOrEqual(12);
});

test('the links of rows lead to the right objects', async () => {
  const options = (await read('objectOptions', 3)).nodes;
  expect(options[2]).toMatchObject({
    ...{ name: 'o2', clusters: [{ name: 'c2', presence: 'ABSENT' }] },
    ring: {
      number: 3,
      option: { name: 'o2' },
      change: { state: 'RUNNING' },
      clusters: [{}, {}, { cluster: { name: 'c5' } }],
    },
    containers: {
      nodes: [{ name: 'n2', option: { name: 'o2' }, project: { id: encodeId('Project', projectA) } }],
      pageInfo: { hasNextPage: false },
    },
  });
  const [newest, before] = (await read('objectRingChanges', 2)).nodes;
  expect(newest).toMatchObject({ recoveredCluster: { name: 'c99' }, gaining: [{ cluster: { name: 'c99' } }] });
  expect(before).toMatchObject({
    recoveredCluster: null,
    ring: { number: 99 },
    gaining: [{ cluster: { name: 'c98' } }],
  });
});

test('containers of many CMP objects are read together, and each object has its own', async () => {
  interface Found {
    readonly objectContainers: { readonly nodes: readonly { readonly name: string }[]; readonly totalCount: number };
  }
  const text = `query ($some: [_Any!]!) { _entities(representations: $some) { ... on CmpObject {
    objectContainers(first: 2) { totalCount nodes { name project { id } cmpObject { id } } pageInfo { hasNextPage } } } } }`;
  const cost = async (count: number) => {
    const some = Array.from({ length: count }, (_, at) => ({
      __typename: 'CmpObject',
      id: encodeCmpObject({ namespace: 'default', type: 'tenant', externalId: String(at) }),
    }));
    return statementsOf(() => graph.ask<{ _entities: Found[] }>(text, { some }));
  };
  const [[ofFew], [ofMany, { _entities: found }]] = [await cost(4), await cost(40)];
  expect(ofMany.length).toBeLessThanOrEqual(ofFew.length + 2);
  for (const [at, { objectContainers }] of found.entries())
    expect(objectContainers).toMatchObject({ totalCount: 1, nodes: [{ name: `n${at}` }] });
});
