// Lost and malformed answers of NEO, ended sessions, and finding a call by its mark.

import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Neo } from '../../../../../simulators/neo/neo.ts';
import type { DeviceAnswer } from '../../../../../simulators/support/tls-server.ts';
import { neo as neoDriver } from '../../../../../subgraphs/relay/drivers/neo/driver.ts';
import { DriverCaller } from '../../support/driver-caller.ts';
import { webEndpoint } from '../../support/endpoints.ts';

const args = { vlan: 100, devices: ['10.224.15.29'] };
let neo: Neo;
let driver: DriverCaller;

beforeEach(async () => {
  neo = await Neo.start();
  neo.jobs.knobs.jobMs = 0;
  driver = new DriverCaller(neoDriver, webEndpoint(neo.server), { deadlineMs: 2_000 });
});
afterEach(async () => {
  await driver.stop();
  await neo.stop();
});

describe('unreadable answers', () => {
  const odd: readonly [string, DeviceAnswer][] = [
    ['HTML', { status: 200, body: '<html><title>NEO</title></html>' }],
    ['too slow', { status: 408, body: '' }],
    ['50 MB', { status: 200, body: `["${'x'.repeat(50 * 1024 * 1024)}"]` }],
    ['a truncated answer', { status: 202, body: '"a longer text"', cutAfterBytes: 3 }],
  ];

  test.each(odd)('%s: a write is neither accepted nor failed; its job is found by its mark', async (_what, answer) => {
    neo.answersInstead.push(answer);
    expect(await driver.refused('vlan.create', args)).toMatch(/^(FAILED DEVICE_BUSY|NOT_SENT CONNECT_FAILED)$/);
    expect(neo.applied.entries).toEqual([]);
    neo.writesInstead.push(answer);
    const id = randomUUID();
    const called = await driver.call('vlan.create', args, id);
    if (called.state === 'NO_REPLY') expect(called.failure.kind).toBe('NO_VERDICT');
    else expect(called.state).toBe('UNKNOWN');
    expect(neo.applied.carrying(id)).toHaveLength(1);
    expect(await driver.probe('vlan.create', args, id)).toEqual({ finding: 'PRESENT', own: true });
    neo.answersInstead.push(answer);
    const listed = await driver.call('vlan.list', { devices: args.devices });
    expect(['FAILED', 'NO_REPLY']).toContain(listed.state);
  });
});

test.each(['location', 'json', 'page'] as const)(
  'a job that is named in its %s is accepted, and read',
  async (place) => {
    neo.jobs.knobs.namedIn = place;
    const id = randomUUID();
    const accepted = await driver.accepted('vlan.create', args, id);
    expect(accepted).toEqual({ job: '35' });
    expect(await driver.job('vlan.create', args, accepted)).toMatchObject({
      finding: 'SUCCEEDED',
      result: { operationId: id },
    });
  },
);

test('a job number that NEO reused after a restore settles nothing', async () => {
  const accepted = await driver.accepted('vlan.create', args);
  expect(await driver.job('vlan.create', args, accepted, randomUUID())).toMatchObject({
    finding: 'UNREADABLE',
    message: expect.stringContaining('another job'),
  });
  expect(await driver.job('vlan.create', args, accepted)).toMatchObject({ finding: 'SUCCEEDED' });
});

describe('after an answer that never arrived', () => {
  test('a job that was not accepted is absent', async () => {
    neo.faults.plan('DROP_BEFORE_APPLYING');
    const id = randomUUID();
    expect(await driver.call('vlan.create', args, id)).toMatchObject({ failure: { kind: 'NO_VERDICT' } });
    expect(await driver.probe('vlan.create', args, id)).toEqual({ finding: 'ABSENT' });
  });

  test('a job that was accepted is present once it has ended', async () => {
    neo.faults.plan('DROP_AFTER_APPLYING');
    neo.jobs.knobs.jobMs = Number.POSITIVE_INFINITY;
    const id = randomUUID();
    expect(await driver.call('vlan.create', args, id)).toMatchObject({ failure: { kind: 'NO_VERDICT' } });
    expect(await driver.probe('vlan.create', args, id)).toMatchObject({
      finding: 'UNREADABLE',
      message: expect.stringMatching(/^NEO made it job \d+, which is (Pending|Running)\.$/),
    });
    neo.jobs.knobs.jobMs = 0;
    expect(await driver.probe('vlan.create', args, id)).toEqual({ finding: 'PRESENT', own: true });
    expect(await driver.probe('vlan.create', args, randomUUID())).toEqual({ finding: 'ABSENT' });
  });

  test('a deletion that became a job has left nothing', async () => {
    await driver.accepted('vlan.create', args);
    neo.faults.plan('SILENT_AFTER_APPLYING');
    const id = randomUUID();
    expect(await driver.call('vlan.delete', args, id)).toMatchObject({ failure: { code: 'NO_REPLY' } });
    expect(await driver.probe('vlan.delete', args, id)).toEqual({ finding: 'ABSENT', own: true });
    expect(await driver.probe('vlan.delete', args, randomUUID())).toEqual({ finding: 'PRESENT' });
  });

  test('a partly failed job is left to a user', async () => {
    neo.faults.plan('DROP_AFTER_APPLYING');
    const id = randomUUID();
    await driver.call('port.setVlans', { device: '10.224.15.29', port: '1/1', mode: 'access', vlan: 999 }, id);
    const given = { device: '10.224.15.29', port: '1/1', mode: 'access', vlan: 999 };
    expect(await driver.probe('port.setVlans', given, id)).toMatchObject({
      finding: 'UNREADABLE',
      message: expect.stringContaining('% VLAN 999 does not exist'),
    });
  });
});

describe('sessions', () => {
  test('one session serves many calls', async () => {
    await Promise.all(Array.from({ length: 8 }, () => driver.done('system.list', {})));
    expect(neo.sessions.logins).toBe(1);
  });

  test.each(['UNAUTHORIZED', 'REDIRECT'] as const)(
    'a session that ended (%s) is replaced, and the call runs once',
    async (refusal) => {
      neo.sessions.knobs.refusal = refusal;
      await driver.done('system.list', {});
      neo.sessions.endAll();
      const id = randomUUID();
      await driver.accepted('vlan.create', args, id);
      expect(neo.sessions.logins).toBe(2);
      expect(neo.applied.carrying(id)).toHaveLength(1);
    },
  );

  test('a wrong password is refused once, and its text is never shown', async () => {
    const other = new DriverCaller(neoDriver, webEndpoint(neo.server, { password: 'wrong-and-secret' }));
    const called = await other.call('system.list', {});
    await other.stop();
    expect(called).toMatchObject({ state: 'NO_REPLY', failure: { kind: 'NOT_SENT', code: 'AUTH_FAILED' } });
    expect(JSON.stringify(called)).not.toContain('wrong-and-secret');
    expect(neo.requests).toEqual(['POST /neo/login']);
  });

  test.each([
    ['no cookie', { headers: {}, body: '{"application":{}}' }],
    ['the login page', { headers: { 'set-cookie': 'session=a' }, body: '<html></html>' }],
    ['another cookie', { headers: { 'set-cookie': 'other=a' }, body: '{"application":{}}' }],
  ])('a login answered with %s fails before anything is sent', async (_what, reply) => {
    const opened = await neoDriver.https?.open(
      async () => ({ kind: 'http', status: 200, truncated: false, ...reply }),
      { username: 'u', password: 'p' },
      { transport: 'https', options: {}, softwareVersion: null },
    );
    expect(opened).toMatchObject({ ok: false, code: 'PROTOCOL_FAILED' });
  });
});
