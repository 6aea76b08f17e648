// From the graph to a BIG-IP and back: typed calls, lost answers settled by probes, tasks, and mappings.

import { expect, test } from '@jest/globals';
import { BigIp } from '../../../../../simulators/f5-bigip/bigip.ts';
import { f5BigIp } from '../../../../../subgraphs/relay/drivers/f5-bigip/driver.ts';
import { DriverCaller } from '../../support/driver-caller.ts';
import { webEndpoint } from '../../support/endpoints.ts';
import { GraphCalls, lostCall, mappedLife, refusedCall } from '../../support/mapped-life.ts';
import { type CallShape, registerDevice } from '../../support/relay-system.ts';
import { startRelay } from '../../support/start-relay.ts';

const { node, device } = await startRelay({ device: () => BigIp.start() });
device.asm.tasks.knobs.taskMs = 0;
await registerDevice(node, device.server, { name: 'waf', driver: 'f5-bigip' });

const calls = new GraphCalls(node, 'waf', { type: 'service', externalId: '7' });

test('a pool and its member through their lives, by mappings', async () => {
  await mappedLife(calls, {
    make: ['wafPoolCreate', { name: 'web', scope: 'Common', monitor: 'http' }],
    mapping: { objectKey: 'web' },
    made() {
      const of = { pool: 'web', address: '10.0.0.1', port: 80, ratio: 2 };
      return mappedLife(calls, {
        ...{ make: ['wafPoolMemberAdd', of], mapping: { objectKey: '10.0.0.1:80' }, result: of },
      });
    },
    gone: () => expect(device.config.list('ltm/pool')).toEqual([]),
  });
});

test('an inconclusive answer is UNKNOWN, never sent again, and settled by the mark', async () => {
  device.plan('TIMEOUT_AFTER_APPLYING');
  await lostCall(calls, ['wafPoolCreate', { name: 'slow' }], 'PRESENT');
  device.plan('TIMEOUT_BEFORE_APPLYING');
  await lostCall(calls, ['wafPoolCreate', { name: 'lost' }], 'ABSENT');
  expect(device.applied.entries.filter(({ text }) => text.includes('"lost"'))).toHaveLength(0);
});

test('a policy is imported by a task, and mapped with its id', async () => {
  const shop = { name: 'shop', file: '<policy><enforcement_mode>blocking</enforcement_mode></policy>' };
  const made = await calls.make('asmPolicy.import', shop);
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
    const changed = await calls.make('wafModeSet', { policy, mode });
    expect(changed.operation).toMatchObject({ state: 'SUCCEEDED', result: { mode: enforcementMode } });
    expect(device.asm.find('/Common/shop')).toMatchObject({ enforcementMode });
  }
  const off = await calls.make('wafModeSet', { policy, mode: 'OFF' });
  expect(off.userErrors).toMatchObject([{ code: 'NOT_SUPPORTED' }]);
  const removed = await calls.remove({ mapping: done?.changedMappings[0] as CallShape['mapping'] });
  expect(removed.operation).toMatchObject({ state: 'SUCCEEDED', changedMappings: [{ mappingState: 'DELETED' }] });
});

test('a policy that still shows its changes does not prove that an apply with a lost answer was not done', async () => {
  const made = await calls.make('asmPolicy.import', { name: 'lags', file: '<policy></policy>' });
  const policy = (made.operation?.result as { policy?: string } | undefined)?.policy;
  device.asm.knobs.modifiedLagMs = 60_000;
  device.plan('TIMEOUT_AFTER_APPLYING');
  const applied = await calls.make('asmPolicy.apply', { policy, name: 'lags' });
  expect(applied.operation?.state).toBe('UNKNOWN');
  expect(await calls.settled(applied)).toMatchObject({ state: 'UNKNOWN', evidence: [{ finding: 'ABSENT_SO_FAR' }] });
  expect(device.asm.find('/Common/lags')).toMatchObject({ active: true, isModified: true });
  const taken = device.requests.filter((each) => each === 'POST /mgmt/tm/asm/tasks/apply-policy');
  expect(taken).toHaveLength(1);
});

test('an import that became a copy is FAILED, and maps nothing', async () => {
  const args = { name: 'twice', file: '<policy></policy>' };
  const other = new DriverCaller(f5BigIp, webEndpoint(device.server));
  await other.accepted('asmPolicy.import', args);
  await other.stop();
  await refusedCall(calls, ['asmPolicy.import', args], { code: 'COPY_MADE' });
  expect(device.asm.find('/Common/twice_1')).toBeDefined();
});

test('one login serves all calls, and its token is deleted at the end', async () => {
  expect(device.tokens.live).toBeLessThanOrEqual(2);
  await node.stop();
  expect(device.tokens.live).toBe(0);
});
