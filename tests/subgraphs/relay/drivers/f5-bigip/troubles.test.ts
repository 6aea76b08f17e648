// The meaning of answers that are not a plain success. Certain refusals fail, and everything else after a write is
// UNKNOWN.

import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { BigIp } from '../../../../../simulators/f5-bigip/bigip.ts';
import type { Trouble } from '../../../../../simulators/f5-bigip/troubles.ts';
import type { DeviceAnswer } from '../../../../../simulators/support/tls-server.ts';
import { f5BigIp } from '../../../../../subgraphs/relay/drivers/f5-bigip/driver.ts';
import { DriverCaller } from '../../support/driver-caller.ts';
import { webEndpoint } from '../../support/endpoints.ts';

let device: BigIp;
let driver: DriverCaller;

beforeEach(async () => {
  device = await BigIp.start();
  driver = new DriverCaller(f5BigIp, webEndpoint(device.server));
});
afterEach(async () => {
  await driver.stop();
  await device.stop();
});

describe('troubles reported by users', () => {
  const cases: readonly [Trouble, string, number][] = [
    ['BUSY', 'FAILED DEVICE_BUSY', 0],
    ['RESTARTING', 'FAILED DEVICE_BUSY', 0],
    ['RESTARTING_HTML', 'UNKNOWN UNREADABLE_REPLY', 0],
    ['MCPD_LOST', 'UNKNOWN UNREADABLE_REPLY', 0],
    ['TIMEOUT_BEFORE_APPLYING', 'UNKNOWN UNREADABLE_REPLY', 0],
    ['TIMEOUT_AFTER_APPLYING', 'UNKNOWN UNREADABLE_REPLY', 1],
    ['BOGUS_NOT_FOUND', 'UNKNOWN UNREADABLE_REPLY', 1],
    // The transport logs in again, and the call is executed once.
    ['TOKEN_LOST', 'SUCCEEDED', 1],
  ];

  test.each(cases)('%s: a creation is %s, and was executed %d times', async (trouble, verdict, times) => {
    device.plan(trouble);
    const id = randomUUID();
    const called = await driver.call('pool.create', { name: 'web' }, id);
    expect([called.state, 'code' in called ? called.code : ''].join(' ').trim()).toBe(verdict);
    expect(device.applied.carrying(id)).toHaveLength(times);
    expect(await driver.look('pool', { scope: 'Common', key: 'web' })).toMatchObject(
      times === 1 ? { finding: 'PRESENT', operationId: id } : { finding: 'ABSENT' },
    );
  });

  test.each(['BUSY', 'RESTARTING', 'RESTARTING_HTML', 'MCPD_LOST'] as const)(
    '%s: a read fails, and nothing is reported as absent',
    async (trouble) => {
      device.plan(trouble, trouble, trouble);
      expect(await driver.call('pool.get', { name: 'web' })).toMatchObject({ state: 'FAILED' });
      expect(await driver.look('pool', { scope: 'Common', key: 'web' })).toMatchObject({ finding: 'UNREADABLE' });
      expect(await driver.health()).toBeUndefined();
    },
  );

  test.each(['RESTARTING', 'MCPD_LOST'] as const)(
    '%s: a deletion does not report its object as gone',
    async (trouble) => {
      device.plan(trouble);
      const called = await driver.call('pool.delete', { name: 'web' });
      expect(called).not.toHaveProperty('absent');
    },
  );
});

describe('unreadable answers', () => {
  const odd: readonly [string, DeviceAnswer][] = [
    ['HTML', { status: 200, body: '<html><title>Welcome</title></html>' }],
    ['a redirect', { status: 302, headers: { location: '/tmui/login.jsp' } }],
    ['50 MB', { status: 200, body: `{"kind":"${'x'.repeat(50 * 1024 * 1024)}"}` }],
    ['a truncated answer', { status: 200, body: '{"kind":"tm:ltm:pool:poolstate"}', cutAfterBytes: 5 }],
  ];

  test.each(odd)('%s: a creation is neither done nor failed, a read fails', async (_what, answer) => {
    device.answersInstead.push(answer);
    const made = await driver.call('pool.create', { name: 'web' });
    if (made.state === 'NO_REPLY') expect(made.failure.kind).toBe('NO_VERDICT');
    else expect(made.state).toBe('UNKNOWN');
    device.answersInstead.push(answer);
    const read = await driver.call('pool.get', { name: 'web' });
    if (read.state === 'NO_REPLY') expect(read.failure.kind).toBe('NO_VERDICT');
    else expect(read.state).toBe('FAILED');
    expect(await driver.call('pool.get', { name: 'web' })).toMatchObject({ state: 'SUCCEEDED' });
  });
});
