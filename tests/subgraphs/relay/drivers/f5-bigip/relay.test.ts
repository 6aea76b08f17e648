// From the graph to a BIG-IP and back: typed calls, lost answers settled by looking, tasks, and mappings.

import { expect, test } from '@jest/globals';
import { BigIp } from '../../../../../simulators/f5-bigip/bigip.ts';
import { f5BigIp } from '../../../../../subgraphs/relay/drivers/f5-bigip/driver.ts';
import { DriverCaller } from '../../support/driver-caller.ts';
import { webEndpoint } from '../../support/endpoints.ts';
import { type CallShape, call, registerDevice, settle } from '../../support/relay-system.ts';
import { startRelay } from '../../support/start-relay.ts';

const { node, device } = await startRelay({ device: () => BigIp.start() });
device.asm.tasks.knobs.taskMs = 0;
await registerDevice(node, device.server, { name: 'waf', driver: 'f5-bigip' });

const on = { backend: { name: 'waf' }, cmpObject: { type: 'service', externalId: '7' } };

const typed = (mutation: string, input: object) => node.mutate(mutation, { ...on, ...input });
const settled = async ({ operation }: CallShape, key: string) =>
  (await settle(node, { idempotencyKey: key, id: operation?.id })).operation;

test('a pool and its member are created, mapped and deleted by their mappings', async () => {
  const pool = await typed('wafPoolCreate', { idempotencyKey: 'p1', name: 'web', scope: 'Common', monitor: 'http' });
  expect(pool).toMatchObject({
    operation: { state: 'SUCCEEDED' },
    mapping: { mappingState: 'ACTIVE', objectKey: 'web' },
  });
  const of = { pool: 'web', address: '10.0.0.1', port: 80, ratio: 2 };
  const member = await typed('wafPoolMemberAdd', { idempotencyKey: 'm1', ...of });
  expect(member.operation?.result).toMatchObject(of);
  expect(member).toMatchObject({ operation: { state: 'SUCCEEDED' }, mapping: { objectKey: '10.0.0.1:80' } });
  for (const [key, made] of [
    ['d1', member],
    ['d2', pool],
  ] as const) {
    const removed = await call(node, 'delete', { idempotencyKey: key, mappingId: made.mapping?.id });
    expect(removed).toMatchObject({ operation: { state: 'SUCCEEDED' }, mapping: { mappingState: 'DELETED' } });
  }
  expect(device.config.list('ltm/pool')).toEqual([]);
});

test('an inconclusive answer is UNKNOWN, never sent again, and settled by the mark', async () => {
  device.plan('TIMEOUT_AFTER_APPLYING');
  const made = await typed('wafPoolCreate', { idempotencyKey: 'p2', name: 'slow' });
  expect(made.operation).toMatchObject({ state: 'UNKNOWN', changedMappings: [{ mappingState: 'UNVERIFIED' }] });
  expect(await settled(made, 's1')).toMatchObject({
    state: 'SUCCEEDED',
    changedMappings: [{ mappingState: 'ACTIVE' }],
  });
  device.plan('TIMEOUT_BEFORE_APPLYING');
  const lost = await typed('wafPoolCreate', { idempotencyKey: 'p3', name: 'lost' });
  expect(lost.operation?.state).toBe('UNKNOWN');
  // It may still take effect until the call's quiet time is over.
  expect(await settled(lost, 's2')).toMatchObject({ state: 'UNKNOWN', evidence: [{ finding: 'ABSENT_SO_FAR' }] });
  expect(device.applied.entries.filter(({ text }) => text.includes('"lost"'))).toHaveLength(0);
});

test('a policy is imported by a task, and mapped with its id', async () => {
  const made = await call(node, 'relayCall', {
    ...{ ...on, idempotencyKey: 'i1', operation: 'asmPolicy.import' },
    arguments: { name: 'shop', file: '<policy><enforcement_mode>blocking</enforcement_mode></policy>' },
  });
  expect(made.userErrors).toEqual([]);
  const done = made.operation;
  expect(done).toMatchObject({
    state: 'SUCCEEDED',
    stateSource: 'PROBE',
    changedMappings: [{ mappingState: 'ACTIVE' }],
  });
  const policy = (done?.result as { policy?: string } | undefined)?.policy;
  for (const [mode, enforcementMode] of [
    ['BLOCKING', 'blocking'],
    ['DETECTION', 'transparent'],
  ] as const) {
    const changed = await typed('wafModeSet', { idempotencyKey: mode, policy, mode });
    expect(changed.operation).toMatchObject({ state: 'SUCCEEDED', result: { mode: enforcementMode } });
    expect(device.asm.find('/Common/shop')).toMatchObject({ enforcementMode });
  }
  const off = await typed('wafModeSet', { idempotencyKey: 'w2', policy, mode: 'OFF' });
  expect(off.userErrors).toMatchObject([{ code: 'NOT_SUPPORTED' }]);
  const removed = await call(node, 'delete', { idempotencyKey: 'd3', mappingId: done?.changedMappings[0]?.id });
  expect(removed.operation).toMatchObject({ state: 'SUCCEEDED', changedMappings: [{ mappingState: 'DELETED' }] });
});

test('an application whose answer is lost is not taken as not done while the policy still shows its changes', async () => {
  const made = await call(node, 'relayCall', {
    ...{ ...on, idempotencyKey: 'i2', operation: 'asmPolicy.import' },
    arguments: { name: 'lags', file: '<policy></policy>' },
  });
  const policy = (made.operation?.result as { policy?: string } | undefined)?.policy;
  device.asm.knobs.modifiedLagMs = 60_000;
  device.plan('TIMEOUT_AFTER_APPLYING');
  const applied = await call(node, 'relayCall', {
    ...{ ...on, idempotencyKey: 'a2', operation: 'asmPolicy.apply' },
    arguments: { policy, name: 'lags' },
  });
  expect(applied.operation?.state).toBe('UNKNOWN');
  expect(await settled(applied, 's3')).toMatchObject({ state: 'UNKNOWN', evidence: [{ finding: 'ABSENT_SO_FAR' }] });
  expect(device.asm.find('/Common/lags')).toMatchObject({ active: true, isModified: true });
  const taken = device.requests.filter((each) => each === 'POST /mgmt/tm/asm/tasks/apply-policy');
  expect(taken).toHaveLength(1);
});

test('an import that became a copy is FAILED, and maps nothing', async () => {
  const args = { name: 'twice', file: '<policy></policy>' };
  const other = new DriverCaller(f5BigIp, webEndpoint(device.server));
  await other.accepted('asmPolicy.import', args);
  await other.stop();
  const made = await call(node, 'relayCall', {
    ...{ ...on, idempotencyKey: 'i3', operation: 'asmPolicy.import' },
    arguments: args,
  });
  expect(made).toMatchObject({ userErrors: [], operation: { state: 'FAILED', deviceError: { code: 'COPY_MADE' } } });
  expect(made.operation?.changedMappings).toEqual([]);
  expect(device.asm.find('/Common/twice_1')).toBeDefined();
});

test('one login serves all calls, and its token is deleted at the end', async () => {
  expect(device.tokens.live).toBeLessThanOrEqual(2);
  await node.stop();
  expect(device.tokens.live).toBe(0);
});
