// Mappings of backend objects to CMP objects: one owner unless shared, many objects per CMP object.
import { expect, test } from '@jest/globals';
import { element, NftDevice } from '../../support/nft-device.ts';
import { call, identity } from '../../support/relay-system.ts';
import { startRelay } from '../../support/start-relay.ts';

const cmp = (externalId: string) => ({ cmpObject: { type: 'tenant', externalId } });
let number = 0;
const add = (address: string, more: Record<string, unknown> = {}) => {
  number += 1;
  return call(node, 'add', element('fw', address, { idempotencyKey: `k${number}`, ...more }));
};
const remove = (address: string, more: Record<string, unknown> = {}) => {
  number += 1;
  return call(node, 'remove', element('fw', address, { idempotencyKey: `k${number}`, ...more }));
};

const { node, device } = await startRelay({ device: () => NftDevice.start(), backend: 'fw' });

async function states(key: string): Promise<string[]> {
  const { data } = await node.run<{
    mappings: { nodes: { objectKey: string; mappingState: string; cmpObject: { id: string } }[] };
  }>(identity('VIEWER'), '{ mappings(first: 100) { nodes { objectKey mappingState } } }');
  return data.mappings.nodes.filter((each) => each.objectKey === key).map((each) => each.mappingState);
}

test('adding an existing element for the same object keeps one mapping', async () => {
  const first = await add('10.0.0.1', cmp('a'));
  const second = await add('10.0.0.1', cmp('a'));
  expect(second.mapping?.id).toBe(first.mapping?.id);
  expect(await states('blocked/10.0.0.1')).toEqual(['ACTIVE']);
});

test('an element of another CMP object is refused before anything is sent', async () => {
  const told = device.told.length;
  for (const refused of [await add('10.0.0.1', cmp('b')), await remove('10.0.0.1', cmp('b'))])
    expect(refused).toMatchObject({
      operation: null,
      userErrors: [{ code: 'ALREADY_MAPPED', field: ['input', 'cmpObject'] }],
    });
  expect(await add('10.0.0.1', { ...cmp('b'), shared: true })).toMatchObject({
    userErrors: [{ code: 'ALREADY_MAPPED' }],
  });
  expect(device.told.length).toBe(told);
});

test('a removed object may belong to another CMP object next', async () => {
  expect(await remove('10.0.0.1', cmp('a'))).toMatchObject({ mapping: { mappingState: 'DELETED' } });
  expect(await add('10.0.0.1', cmp('b'))).toMatchObject({ mapping: { mappingState: 'ACTIVE' } });
  expect(await states('blocked/10.0.0.1')).toEqual(['ACTIVE', 'DELETED']);
});

test('a shared object has several owners, and none of them can remove it alone', async () => {
  await add('10.0.0.2', { ...cmp('a'), shared: true });
  await add('10.0.0.2', { ...cmp('b'), shared: true });
  expect(await states('blocked/10.0.0.2')).toEqual(['ACTIVE', 'ACTIVE']);
  expect(await add('10.0.0.2', cmp('c'))).toMatchObject({ userErrors: [{ code: 'ALREADY_MAPPED' }] });
  expect(await remove('10.0.0.2', cmp('a'))).toMatchObject({ userErrors: [{ code: 'ALREADY_MAPPED' }] });
  // A call without an owner removes the object itself, for all of them.
  expect(await remove('10.0.0.2')).toMatchObject({ operation: { state: 'SUCCEEDED' } });
  expect(await states('blocked/10.0.0.2')).toEqual(['DELETED', 'DELETED']);
});

test('a call without a CMP object maps nothing', async () => {
  expect(await add('10.0.0.3')).toMatchObject({ operation: { state: 'SUCCEEDED' }, mapping: null });
});

test("an object that can't be created twice is refused while it is mapped", async () => {
  const rule = { backend: { name: 'fw' }, name: 'once', action: 'DROP', ...cmp('a') };
  const made = await call(node, 'ruleCreate', { ...rule, idempotencyKey: 'rule-1' });
  expect(made.operation?.state).toBe('SUCCEEDED');
  const again = await call(node, 'ruleCreate', { ...rule, idempotencyKey: 'rule-2' });
  expect(again.userErrors).toMatchObject([{ code: 'ALREADY_MAPPED' }]);
  const gone = await call(node, 'delete', { idempotencyKey: 'rule-3', mappingId: made.mapping?.id });
  expect(gone).toMatchObject({ operation: { state: 'SUCCEEDED' }, mapping: { mappingState: 'DELETED' } });
  const twice = await call(node, 'delete', { idempotencyKey: 'rule-4', mappingId: made.mapping?.id });
  expect(twice.userErrors).toMatchObject([{ code: 'WRONG_STATE', field: ['input', 'mappingId'] }]);
  // Both calls show the mapping: the call that created it and the one that ended it.
  for (const id of [made.operation?.id, gone.operation?.id]) {
    const { data } = await node.run<{ relayOperation: { changedMappings: { id: string }[] } }>(
      identity('VIEWER'),
      'query ($id: ID!) { relayOperation(id: $id) { changedMappings { id } } }',
      { id },
    );
    expect(data.relayOperation.changedMappings).toEqual([{ id: made.mapping?.id }]);
  }
});

test('of two concurrent calls for two CMP objects, one becomes the owner and one is never sent', async () => {
  const [a, b] = await Promise.all([add('10.0.0.9', cmp('a')), add('10.0.0.9', cmp('b'))]);
  const ended = [a, b].map((each) => each.operation?.state ?? each.userErrors[0]?.code);
  expect(ended.filter((state) => state === 'SUCCEEDED')).toHaveLength(1);
  expect(ended.some((state) => state === 'REJECTED' || state === 'ALREADY_MAPPED')).toBe(true);
  expect(device.timesTold('10.0.0.9')).toBe(1);
});
