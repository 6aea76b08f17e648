// A device gives a deleted object's ID to a new object. The old mapping must not stand for the new object.
import { afterAll, expect, test } from '@jest/globals';
import { FortiGate } from '../../../../../simulators/fortios/fortigate.ts';
import { SshDevice } from '../../../../../simulators/ssh-device.ts';
import { fortios } from '../../../../../subgraphs/relay/drivers/fortios/driver.ts';
import { DriverCaller } from '../../support/driver-caller.ts';
import { webEndpoint } from '../../support/endpoints.ts';
import { call, registerDevice, settle, verify } from '../../support/relay-system.ts';
import { startRelay } from '../../support/start-relay.ts';

const { node, device: gate } = await startRelay({ device: () => FortiGate.start() });
await registerDevice(node, gate.https, {
  ...{ name: 'edge', driver: 'fortios', credentials: { username: 'admin', password: 'secret' } },
});
/** An administrator on the device itself, who bypasses the relay. */
const administrator = new DriverCaller(fortios, webEndpoint(gate.https));
afterAll(() => administrator.stop());
let keys = 0;

const settings = {
  ...{ sourceInterfaces: ['any'], destinationInterfaces: ['any'], sourceAddresses: ['all'] },
  ...{ destinationAddresses: ['all'], services: ['ALL'], schedule: 'always', action: 'DENY' },
};
const key = () => {
  keys += 1;
  return `key-${keys}`;
};
const create = (name: string) =>
  call(node, 'relayCall', {
    ...{ backend: { name: 'edge' }, idempotencyKey: key(), cmpObject: { type: 'tenant', externalId: name } },
    ...{ operation: 'policy.create', arguments: { name, ...settings } },
  });
const remove = (mappingId: string | undefined, more: object = {}) =>
  call(node, 'delete', { mappingId, idempotencyKey: key(), ...more });
const names = () => gate.device.cmdb.list('root', policies()).map(([, entry]) => entry.name);
const policies = () => gate.device.tables.get('firewall/policy') as never;

const result = async (id: string | undefined) => (await verify(node, id))[0];
const stateOf = async (id: string) => {
  const uuid = await node.db.query<{ state: string; reason: string | null }>(
    `SELECT m.state, e.reason FROM mapping m JOIN status_change e ON e.subject_id = m.id AND e.subject_version = m.version
    WHERE m.object_key = ?`,
    [id],
  );
  return uuid[0];
};

test('the older mapping becomes UNVERIFIED, and its deletion must be forced and deletes nothing', async () => {
  const older = await create('tenant-a');
  expect(older.mapping).toMatchObject({ mappingState: 'ACTIVE', uuid: '1' });
  await administrator.done('policy.delete', { name: 'tenant-a', policyId: 1 });
  const newer = await create('tenant-b');
  expect(newer.mapping).toMatchObject({ mappingState: 'ACTIVE', uuid: '1' });

  expect(await stateOf('tenant-a')).toEqual({
    state: 'UNVERIFIED',
    reason: 'the device gave its id 1 to policy root tenant-b',
  });
  expect(await stateOf('tenant-b')).toMatchObject({ state: 'ACTIVE' });

  // The mapping is not verified yet, so the relay asks the device.
  const first = await remove(older.mapping?.id);
  expect(first.operation).toMatchObject({ state: 'FAILED', deviceError: { code: 'OTHER_OBJECT' } });
  expect(await result(older.mapping?.id)).toBe('DRIFTED');
  for (const more of [{}, { dryRun: true }])
    expect(await remove(older.mapping?.id, more)).toMatchObject({
      operation: null,
      userErrors: [{ code: 'VERIFY_FIRST', field: ['input', 'mappingId'] }],
    });
  const forced = await remove(older.mapping?.id, { force: true });
  expect(forced.operation).toMatchObject({ state: 'FAILED', deviceError: { code: 'OTHER_OBJECT' } });
  expect(names()).toEqual(['tenant-b']);
  const [entry] = await node.db.query<{ details: string }>(
    "SELECT details FROM audit_entry WHERE action = 'mappingObjectDelete' AND outcome = 'ACCEPTED' ORDER BY id DESC LIMIT 1",
  );
  expect(JSON.parse(entry?.details ?? '{}')).toMatchObject({ force: true });

  expect(await result(newer.mapping?.id)).toBe('MATCHES');
  expect((await remove(newer.mapping?.id)).operation).toMatchObject({ state: 'SUCCEEDED' });
  expect(names()).toEqual([]);
});

test('a mapping that is MISSING is deleted only by force, which ends it', async () => {
  const made = await create('tenant-c');
  await administrator.done('policy.delete', { name: 'tenant-c', policyId: Number(made.mapping?.uuid) });
  expect(await result(made.mapping?.id)).toBe('MISSING');
  expect(await remove(made.mapping?.id)).toMatchObject({ userErrors: [{ code: 'VERIFY_FIRST' }] });
  const forced = await remove(made.mapping?.id, { force: true });
  expect(forced.operation).toMatchObject({ state: 'FAILED', deviceError: { code: 'NOT_FOUND' } });
  expect(await stateOf('tenant-c')).toMatchObject({ state: 'DELETED' });
});

test('a mapping that was in doubt only because of another ID is ACTIVE again once it is verified', async () => {
  const made = await create('tenant-d');
  await node.db.execute("UPDATE mapping SET state = 'UNVERIFIED', version = version WHERE object_key = 'tenant-d'");
  await verify(node, made.mapping?.id);
  expect(await stateOf('tenant-d')).toMatchObject({ state: 'ACTIVE' });
});

test('a reused rule handle in another chain of the same table also raises a doubt, but not in another table', async () => {
  // The kernel numbers the rules of a table across all chains, and starts over after a reboot.
  let handle = 0;
  const firewall = await SshDevice.start({
    onExec: async (execution) => {
      if (execution.command.startsWith('nft -j list tables')) return execution.reply('{"nftables": []}\n');
      execution.reply((await execution.stdin()).replaceAll('"rule":{', `"rule":{"handle":${handle},`));
    },
  });
  try {
    await registerDevice(node, firewall, { name: 'nft' });
    const rule = (name: string, chain: string, table = 'filter') =>
      call(node, 'relayCall', {
        ...{ backend: { name: 'nft' }, idempotencyKey: key(), cmpObject: { type: 'tenant', externalId: name } },
        ...{ operation: 'rule.create', arguments: { name, table, chain, action: 'drop' } },
      });
    handle = 7;
    expect((await rule('older', 'forward')).mapping).toMatchObject({ mappingState: 'ACTIVE', uuid: '7' });
    expect((await rule('elsewhere', 'forward', 'filter_two')).mapping).toMatchObject({
      mappingState: 'ACTIVE',
      uuid: '7',
    });
    expect(await stateOf('older')).toMatchObject({ state: 'ACTIVE' });
    expect((await rule('newer', 'input')).mapping).toMatchObject({ mappingState: 'ACTIVE', uuid: '7' });
    expect(await stateOf('older')).toEqual({
      state: 'UNVERIFIED',
      reason: 'the device gave its id 7 to rule inet filter input newer',
    });
    expect(await stateOf('elsewhere')).toMatchObject({ state: 'ACTIVE' });
  } finally {
    await firewall.stop();
  }
});

test('an object whose creation a user confirmed gets its ID from a verification, and can then be deleted', async () => {
  gate.device.faults.plan('DROP_AFTER_APPLYING');
  const made = await create('tenant-lost');
  expect(made.operation?.state).toBe('UNKNOWN');
  const verdict = { id: made.operation?.id, idempotencyKey: key(), verdict: 'SUCCEEDED', note: 'seen', force: true };
  expect((await settle(node, verdict)).operation?.state).toBe('SUCCEEDED');
  const refused = await remove(made.mapping?.id);
  expect(refused.userErrors).toMatchObject([
    { code: 'WRONG_STATE', message: expect.stringContaining('verify the mapping') },
  ]);
  const seen = await node.mutate(
    'mappingVerify',
    { id: made.mapping?.id },
    'mapping { uuid lastVerification { result } }',
  );
  expect(seen.mapping).toMatchObject({
    ...{ uuid: expect.stringMatching(/^[1-9]\d*$/), lastVerification: { result: 'MATCHES' } },
  });
  expect((await remove(made.mapping?.id)).operation?.state).toBe('SUCCEEDED');
  expect(names()).not.toContain('tenant-lost');
});
