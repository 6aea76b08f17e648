// Policies are identified by their numbers. A policy created by name is found again, moved and deleted by number, and
// another policy with the same number is distinguished.

import { expect, test } from '@jest/globals';
import { fortios } from '../../../../../subgraphs/relay/drivers/fortios/driver.ts';
import { RelayedGate, useRelayedGates } from './support/relayed-gate.ts';

useRelayedGates();

const settings = {
  sourceInterfaces: ['any'],
  destinationInterfaces: ['any'],
  sourceAddresses: ['all'],
  destinationAddresses: ['all'],
  services: ['HTTPS'],
  schedule: 'always',
  action: 'ACCEPT',
};

async function withPolicies(...names: readonly string[]): Promise<RelayedGate> {
  const relayed = await RelayedGate.start();
  for (const name of names) await relayed.done('policy.create', { name, ...settings });
  return relayed;
}

async function order(relayed: RelayedGate): Promise<readonly unknown[]> {
  const { policies } = await relayed.done('policy.list');
  return (policies as readonly { name: string }[]).map(({ name }) => name);
}

/** Like an administrator on the device itself. */
function byHand(relayed: RelayedGate, method: 'PUT' | 'DELETE', id: number, body: object = {}) {
  const path = `/api/v2/cmdb/firewall/policy/${id}?vdom=root`;
  return relayed.send({ kind: 'http', method, path, body: { ...body } });
}

test('a policy moves before and after another', async () => {
  const relayed = await withPolicies('a', 'b', 'c');
  expect(await relayed.done('policy.move', { name: 'c', policyId: 3, before: 1 })).toEqual({
    ...{ vdom: 'root', name: 'c', policyId: 3, before: 1 },
  });
  expect(await order(relayed)).toEqual(['c', 'a', 'b']);
  await relayed.done('policy.move', { name: 'c', policyId: 3, after: 1 });
  expect(await order(relayed)).toEqual(['a', 'c', 'b']);
  expect(await relayed.probe('policy.move', { name: 'c', policyId: 3, after: 1 })).toEqual({ finding: 'PRESENT' });
  expect(await relayed.probe('policy.move', { name: 'c', policyId: 3, before: 1 })).toEqual({ finding: 'ABSENT' });
  expect(await relayed.refused('policy.move', { name: 'c', policyId: 3, after: 77 })).toBe('FAILED NOT_FOUND');
});

test('a policy renamed on the device is found by its number', async () => {
  const relayed = await withPolicies('a', 'b');
  await byHand(relayed, 'PUT', 2, { name: 'renamed' });
  expect(await relayed.look('policy', { key: 'b', uuid: '2' })).toMatchObject({
    ...{ finding: 'PRESENT', uuid: '2', values: { name: 'renamed', policyId: 2 } },
  });
  expect(await relayed.look('policy', { key: 'b' })).toEqual({ finding: 'ABSENT' });
});

test('a policy created again on the device is found by its name, with its new number', async () => {
  const relayed = await withPolicies('a', 'b');
  await byHand(relayed, 'DELETE', 1);
  await relayed.done('policy.create', { name: 'a', ...settings });
  expect(await relayed.look('policy', { key: 'a', uuid: '1' })).toMatchObject({ finding: 'PRESENT', uuid: '3' });
});

test('a deletion without a verdict is settled by number and name', async () => {
  const relayed = await withPolicies('a', 'b');
  const args = { name: 'b', policyId: 2 };
  expect(await relayed.probe('policy.delete', args)).toEqual({ finding: 'PRESENT', uuid: '2' });
  await byHand(relayed, 'DELETE', 2);
  expect(await relayed.probe('policy.delete', args)).toEqual({ finding: 'ABSENT' });
  // The device assigns the number to the next policy.
  await relayed.done('policy.create', { name: 'another', ...settings });
  expect(await relayed.probe('policy.delete', args)).toMatchObject({ finding: 'UNREADABLE' });
});

test.each(['policy.delete', 'policy.update', 'policy.move'])(
  '%s does nothing to a policy that has since got the number of another',
  async (operation) => {
    const relayed = await withPolicies('keep', 'tenant-a');
    await byHand(relayed, 'DELETE', 2);
    await relayed.done('policy.create', { name: 'somebody-else', ...settings });
    const more = { 'policy.update': { nat: true }, 'policy.move': { before: 1 } }[operation] ?? {};
    const before = await relayed.done('policy.list');
    expect(await relayed.refused(operation, { name: 'tenant-a', policyId: 2, ...more })).toBe('FAILED OTHER_OBJECT');
    expect(await relayed.done('policy.list')).toEqual(before);
    await byHand(relayed, 'DELETE', 2);
    expect(await relayed.refused(operation, { name: 'tenant-a', policyId: 2, ...more })).toBe('FAILED NOT_FOUND');
  },
);

test('a policy that a user made with the same name and number is not the one that a call made', async () => {
  const relayed = await withPolicies('tenant-a');
  await byHand(relayed, 'PUT', 1, { comments: 'made by hand' });
  const args = { name: 'tenant-a', policyId: 1 };
  expect(await relayed.refused('policy.delete', { ...args, marked: true })).toBe('FAILED OTHER_OBJECT');
  await relayed.done('policy.delete', args);
});

test('a mapping is deleted by its number', async () => {
  const relayed = await withPolicies('a');
  const call = fortios.resources?.get('policy')?.remove?.({ scope: 'root', key: 'a', uuid: '1' });
  await relayed.done(call?.operation ?? '', call?.arguments);
  expect(await order(relayed)).toEqual([]);
});
