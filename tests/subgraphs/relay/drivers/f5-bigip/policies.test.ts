// ASM policies and their tasks on a simulated BIG-IP, over TLS.

import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { BigIp } from '../../../../../simulators/f5-bigip/bigip.ts';
import type { JsonObject } from '../../../../../subgraphs/relay/drivers/driver.ts';
import { f5BigIp } from '../../../../../subgraphs/relay/drivers/f5-bigip/driver.ts';
import { DriverCaller } from '../../support/driver-caller.ts';
import { webEndpoint } from '../../support/endpoints.ts';
import { unlike } from '../../support/unlike.ts';

const file =
  '<?xml version="1.0"?>\n<policy description="Läden"><enforcement_mode>transparent</enforcement_mode></policy>';

let device: BigIp;
let driver: DriverCaller;

beforeAll(async () => {
  device = await BigIp.start();
  driver = new DriverCaller(f5BigIp, webEndpoint(device.server));
  await driver.done('virtualServer.create', { name: 'vs', address: '203.0.113.1', port: 80, protocol: 'tcp' });
});
afterAll(async () => {
  await driver.stop();
  await device.stop();
});
beforeEach(() => {
  device.asm.tasks.knobs.taskMs = 0;
});

/** The id of an imported policy. */
async function imported(name: string): Promise<string> {
  const args = { name, file };
  const found = await driver.job('asmPolicy.import', args, await driver.accepted('asmPolicy.import', args));
  if (found.finding !== 'SUCCEEDED' || found.uuid === undefined) throw new Error(JSON.stringify(found));
  return found.uuid;
}

test('an import is accepted, runs, and returns the policy with its id', async () => {
  device.asm.tasks.knobs.taskMs = Number.POSITIVE_INFINITY;
  const args = { name: 'shop', file };
  const accepted = await driver.accepted('asmPolicy.import', args);
  expect(accepted).toMatchObject({ type: 'import-policy', fullPath: '/Common/shop' });
  expect(await driver.job('asmPolicy.import', args, accepted)).toEqual({
    finding: 'RUNNING',
    message: 'The task is NEW.',
  });
  const task = { type: 'import-policy', task: accepted.task ?? '' };
  expect(await driver.done('asmTask.get', task)).toMatchObject({ status: 'NEW', policy: null });
  expect(await driver.look('asm-policy', { scope: 'Common', key: 'shop' })).toEqual({ finding: 'ABSENT' });
  device.asm.tasks.knobs.taskMs = 0;
  const ended = await driver.job('asmPolicy.import', args, accepted);
  if (ended.finding !== 'SUCCEEDED') throw new Error(JSON.stringify(ended));
  const seen = await driver.look('asm-policy', { scope: 'Common', key: 'shop', uuid: ended.uuid ?? '' });
  if (seen.finding !== 'PRESENT') throw new Error(JSON.stringify(seen));
  expect(seen).toMatchObject({ uuid: ended.uuid, values: { mode: 'transparent', comment: 'Läden', active: false } });
  expect(unlike(f5BigIp, 'asmPolicy.import', driver.desired('asmPolicy.import', args), seen.values)).toEqual([]);
  expect(await driver.look('asm-policy', { scope: 'Common', key: 'shop' })).toEqual(seen);
  expect(device.applied.entries.filter(({ action }) => action === 'POST asm/tasks/import-policy')).toHaveLength(1);
});

test('an import to a taken name makes a copy, which is reported by name and is not a success', async () => {
  const first = await imported('taken');
  const args = { name: 'taken', file };
  const found = await driver.job('asmPolicy.import', args, await driver.accepted('asmPolicy.import', args));
  expect(found).toMatchObject({
    finding: 'FAILED',
    code: 'COPY_MADE',
    message: expect.stringMatching(/^The device made \/Common\/taken_1 \([\w-]{22}\) instead/),
  });
  expect(device.asm.find('/Common/taken')?.id).toBe(first);
  expect(f5BigIp.operations.get('asmPolicy.import')?.effect).toBe('NON_IDEMPOTENT');
});

test('an import over a policy names it by its reference alone, and makes no copy', async () => {
  const policy = await imported('over');
  const args = { name: 'over', policy, file: file.replace('Läden', 'later') };
  const call = driver.render('asmPolicy.import', args);
  expect(call.kind === 'http' && Object.keys(call.body as JsonObject)).toEqual(['file', 'isBase64', 'policyReference']);
  const found = await driver.job('asmPolicy.import', args, await driver.accepted('asmPolicy.import', args));
  expect(found).toMatchObject({ finding: 'SUCCEEDED', uuid: policy });
  expect(device.asm.find('/Common/over')).toMatchObject({ id: policy, description: 'later' });
  expect(device.asm.find('/Common/over_1')).toBeUndefined();
});

test('a failed task reports the reason; a forgotten one proves nothing', async () => {
  const args = { name: 'broken', file: 'no policy at all' };
  const accepted = await driver.accepted('asmPolicy.import', args);
  expect(await driver.job('asmPolicy.import', args, accepted)).toEqual({
    finding: 'FAILED',
    code: 'TASK_FAILED',
    message: 'The policy file is malformed or of an unknown format.',
  });
  const gone = { ...accepted, task: 'AAAAAAAAAAAAAAAAAAAAAA' };
  expect(await driver.job('asmPolicy.import', args, gone)).toMatchObject({ finding: 'UNREADABLE' });
});

test("a policy's mode is changed and the policy applied, each by a separate call", async () => {
  const policy = await imported('site');
  const args = { policy, name: 'site' };
  expect(await driver.done('asmPolicy.setMode', { ...args, mode: 'blocking' })).toMatchObject({
    mode: 'blocking',
    modified: true,
  });
  expect(await driver.probe('asmPolicy.apply', args, randomUUID())).toEqual({ finding: 'ABSENT' });
  const accepted = await driver.accepted('asmPolicy.apply', args);
  expect(await driver.job('asmPolicy.apply', args, accepted)).toMatchObject({ finding: 'SUCCEEDED' });
  expect(await driver.done('asmPolicy.get', { policy })).toMatchObject({ active: true, modified: false });
  expect(await driver.probe('asmPolicy.apply', args, randomUUID())).toEqual({ finding: 'PRESENT' });
});

test('the effect of a call with a lost answer is visible', async () => {
  const policy = await imported('seen');
  const mode = { policy, mode: 'blocking' };
  const servers = { policy, virtualServers: ['/Common/vs'] };
  expect(await driver.probe('asmPolicy.setMode', mode, randomUUID())).toEqual({ finding: 'ABSENT' });
  expect(await driver.probe('asmPolicy.setVirtualServers', servers, randomUUID())).toEqual({ finding: 'ABSENT' });
  device.plan('TIMEOUT_AFTER_APPLYING');
  expect(await driver.call('asmPolicy.setMode', mode)).toMatchObject({ state: 'UNKNOWN' });
  expect(await driver.probe('asmPolicy.setMode', mode, randomUUID())).toEqual({ finding: 'PRESENT' });
  expect(await driver.done('asmPolicy.setVirtualServers', servers)).toMatchObject({ virtualServers: ['/Common/vs'] });
  expect(await driver.probe('asmPolicy.setVirtualServers', servers, randomUUID())).toEqual({ finding: 'PRESENT' });
});

test('the caller of an import task is not visible, but its absence is', async () => {
  const args = { name: 'dark', file };
  expect(await driver.probe('asmPolicy.import', args, randomUUID())).toEqual({ finding: 'ABSENT' });
  device.plan('TIMEOUT_AFTER_APPLYING');
  expect(await driver.call('asmPolicy.import', args)).toMatchObject({ state: 'UNKNOWN' });
  expect(await driver.probe('asmPolicy.import', args, randomUUID())).toMatchObject({
    finding: 'UNREADABLE',
    message: expect.stringMatching(/\((NEW|STARTED|COMPLETED)\)/),
  });
});

test('policies are listed and deleted', async () => {
  const policy = await imported('old-shop');
  const listed = (await driver.done('asmPolicy.list', { name: 'old-' })).policies as JsonObject[];
  expect(listed).toMatchObject([{ policy, name: 'old-shop', partition: 'Common' }]);
  const remove = f5BigIp.resources?.get('asm-policy')?.remove?.({ scope: 'Common', key: 'old-shop', uuid: policy });
  if (!remove) throw new Error('no deletion');
  await driver.done(remove.operation, remove.arguments);
  expect(await driver.call(remove.operation, remove.arguments)).toMatchObject({ state: 'FAILED', absent: true });
  expect(await driver.look('asm-policy', { scope: 'Common', key: 'old-shop', uuid: policy })).toEqual({
    finding: 'ABSENT',
  });
});

test('a policy whose name contains the searched name does not match', async () => {
  await imported('twin-long');
  expect(await driver.look('asm-policy', { scope: 'Common', key: 'twin' })).toEqual({ finding: 'ABSENT' });
});
