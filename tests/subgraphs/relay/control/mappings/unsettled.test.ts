// Two calls on one object, both with an unknown outcome (the second was forced), and the state of their mapping until
// both are settled.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { element, NftDevice } from '../../support/nft-device.ts';
import { call, type RelayNode, RelaySystem, settle } from '../../support/relay-system.ts';

let system: RelaySystem;
let node: RelayNode;
let device: NftDevice;

beforeAll(async () => {
  system = await RelaySystem.start();
  node = await system.node({ settings: { deviceExecutionMs: 100 } });
  device = await NftDevice.start();
  await device.register(node, 'fw');
});
afterAll(async () => {
  device.release();
  await system.stop();
  await device.ssh.stop();
});

type Which = 'add' | 'remove';

/** A call that the device does not answer in time. */
async function unknown(
  which: Which,
  address: string,
  key: string,
  more: Record<string, unknown> = {},
): Promise<string> {
  const cmpObject = which === 'add' ? { cmpObject: { type: 'tenant', externalId: address } } : {};
  device.hold();
  const input = element('fw', address, { idempotencyKey: `${address}-${key}`, deadlineMs: 300, ...cmpObject, ...more });
  const { operation } = await call(node, which, input);
  device.release();
  expect(operation?.state).toBe('UNKNOWN');
  return operation?.id ?? '';
}
async function end(id: string, verdict: 'SUCCEEDED' | 'FAILED'): Promise<void> {
  const { operation } = await settle(node, { id, verdict, note: 'seen', force: true });
  expect(operation?.state).toBe(verdict);
}
async function mappingOf(address: string): Promise<string | undefined> {
  const rows = await node.db.query<{ state: string }>('SELECT state FROM mapping WHERE object_key = ?', [
    `blocked/${address}`,
  ]);
  expect(rows).toHaveLength(1);
  return rows[0]?.state;
}

test.each([
  { address: '10.1.0.1', first: 'forced', verdicts: ['FAILED', 'FAILED'], states: ['UNVERIFIED', 'DELETED'] },
  { address: '10.1.0.2', first: 'plain', verdicts: ['FAILED', 'FAILED'], states: ['UNVERIFIED', 'DELETED'] },
  { address: '10.1.0.3', first: 'plain', verdicts: ['FAILED', 'SUCCEEDED'], states: ['UNVERIFIED', 'ACTIVE'] },
  { address: '10.1.0.4', first: 'forced', verdicts: ['FAILED', 'SUCCEEDED'], states: ['UNVERIFIED', 'ACTIVE'] },
] as const)('two creations, the $first one settled first: $verdicts', async ({ address, first, verdicts, states }) => {
  const plain = await unknown('add', address, 'plain');
  const forced = await unknown('add', address, 'forced', { force: true });
  const order = first === 'forced' ? [forced, plain] : [plain, forced];
  const seen = [];
  for (const [index, id] of order.entries()) {
    await end(id, verdicts[index] ?? 'FAILED');
    seen.push(await mappingOf(address));
  }
  expect(seen).toEqual(states);
});

test.each(['forced', 'plain'])('two deletions that failed, the %s one settled first', async (first) => {
  const address = first === 'forced' ? '10.2.0.1' : '10.2.0.2';
  await call(node, 'add', element('fw', address, { cmpObject: { type: 'tenant', externalId: address } }));
  const plain = await unknown('remove', address, 'plain');
  const forced = await unknown('remove', address, 'forced', { force: true });
  const seen = [];
  for (const id of first === 'forced' ? [forced, plain] : [plain, forced]) {
    await end(id, 'FAILED');
    seen.push(await mappingOf(address));
  }
  expect(seen).toEqual(['UNVERIFIED', 'ACTIVE']);
});
