// Rows of other projects do not change a caller's counts. Any project may use the same CMP object and the same object
// names.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { encodeCmpObject } from '../../../../../platform/pages/cmp-object.ts';
import { newUuid } from '../../../../../platform/values/ids.ts';
import { objectHash } from '../../../../../subgraphs/relay/control/model/backend-object.ts';
import { identity, projectA, projectB, type RelayNode, RelaySystem } from '../../support/relay-system.ts';

const object = { resource: 'vlan', scope: '', key: '7' };
let system: RelaySystem;
let node: RelayNode;

async function map(projectId: string, count: number): Promise<void> {
  await node.db.execute(
    `INSERT INTO mapping (id, project_id, namespace, cmp_type, cmp_id, backend_id, resource, scope, object_key, object_hash, state)
      SELECT UUID(), ?, 'default', 'tenant', '42', ?, ?, ?, ?, ?, 'ACTIVE' FROM seq_1_to_${count}`,
    [projectId, newUuid(), object.resource, object.scope, object.key, objectHash(object)],
  );
}

beforeAll(async () => {
  system = await RelaySystem.start();
  node = await system.node();
  await map(projectA, 2);
  await map(projectB, 10_001);
});
afterAll(async () => {
  // No backend has these objects.
  await node.db.execute('DELETE FROM mapping');
  await system.stop();
});

const id = encodeCmpObject({ namespace: 'default', type: 'tenant', externalId: '42' });
const lists = {
  'mappings of a CMP object': `_entities(representations: [{ __typename: "CmpObject", id: ${JSON.stringify(id)} }]) {
    ... on CmpObject { mappings { totalCount nodes { id } } } }`,
  'mappings by CMP object': 'mappings(cmpObject: { type: "tenant", externalId: "42" }) { totalCount nodes { id } }',
  'mappings by backend object': 'mappings(resource: "vlan", scope: "", objectKey: "7") { totalCount nodes { id } }',
};

test.each(Object.entries(lists))('%s', async (_, list) => {
  const shown = async (who: Parameters<RelayNode['run']>[0]) => {
    const { data, errors } = await node.run(who, `{ ${list} }`);
    expect(errors).toEqual([]);
    return JSON.stringify(data);
  };
  const mine = await shown(identity('VIEWER', projectA));
  expect(mine).toContain('"totalCount":2,');
  expect(mine.match(/"id"/g)).toHaveLength(2);
  expect(await shown(identity('VIEWER', projectB))).toContain('"totalCount":null,');
});
