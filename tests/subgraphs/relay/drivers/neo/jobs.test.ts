// Every operation on a simulated NEO, over TLS. Writes become jobs, and the driver reads the jobs.

import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Neo } from '../../../../../simulators/neo/neo.ts';
import type { JsonObject } from '../../../../../subgraphs/relay/drivers/driver.ts';
import { neo as neoDriver } from '../../../../../subgraphs/relay/drivers/neo/driver.ts';
import { DriverCaller } from '../../support/driver-caller.ts';
import { webEndpoint } from '../../support/endpoints.ts';
import { foreignObjects } from '../../support/foreign-objects.ts';
import { unlike } from '../../support/unlike.ts';

const [first, second] = ['10.224.15.29', '10.224.15.30'] as const;

let neo: Neo;
let driver: DriverCaller;

beforeAll(async () => {
  neo = await Neo.start();
  driver = new DriverCaller(neoDriver, webEndpoint(neo.server));
});
afterAll(async () => {
  await driver.stop();
  await neo.stop();
});
beforeEach(() => {
  neo.jobs.knobs.jobMs = 0;
  neo.jobs.knobs.singleJobAs = 'list';
});

/** A call that is accepted as a job, which then succeeds. */
async function done(name: string, args: JsonObject, operationId?: string): Promise<JsonObject> {
  const accepted = await driver.accepted(name, args, operationId);
  const found = await driver.job(name, args, accepted);
  if (found.finding !== 'SUCCEEDED') throw new Error(JSON.stringify(found));
  return found.result as JsonObject;
}

describe('a VLAN', () => {
  const args = { vlan: 100, name: 'tenant-42', devices: [second, first] };
  const where = { scope: `${first},${second}`, key: '100' };

  test('is accepted as a job with the mark of its call, and runs', async () => {
    neo.jobs.knobs.jobMs = Number.POSITIVE_INFINITY;
    const id = randomUUID();
    expect(driver.objectOf('vlan.create', args)).toEqual({ resource: 'vlan', ...where });
    const accepted = await driver.accepted('vlan.create', args, id);
    expect(accepted).toEqual({ job: expect.stringMatching(/^\d+$/) });
    const status = { job: accepted.job ?? '' };
    expect(await driver.done('job.status', status)).toMatchObject({
      operationId: id,
      progress: 0,
      devices: [first, second],
    });
    expect(await driver.job('vlan.create', args, accepted)).toMatchObject({ finding: 'RUNNING' });
    expect(await driver.look('vlan', where)).toEqual({ finding: 'ABSENT' });
    neo.jobs.knobs.jobMs = 0;
    neo.jobs.knobs.singleJobAs = 'object';
    expect(await driver.job('vlan.create', args, accepted)).toMatchObject({
      finding: 'SUCCEEDED',
      result: { status: 'Completed', progress: 100 },
    });
    expect(neo.applied.carrying(id)).toHaveLength(1);
    const subJobs = (await driver.done('job.list', { parent: accepted.job ?? '' })).jobs as JsonObject[];
    expect(subJobs.map((each) => each.devices)).toEqual([[first], [second]]);
  });

  test('is found in the desired state, and where it is missing', async () => {
    const seen = await driver.look('vlan', where);
    if (seen.finding !== 'PRESENT') throw new Error(JSON.stringify(seen));
    expect(unlike(neoDriver, 'vlan.create', driver.desired('vlan.create', args), seen.values)).toEqual([]);
    neo.switches.get(second)?.vlans.delete(100);
    const drifted = await driver.look('vlan', where);
    expect(drifted).toEqual({ finding: 'PRESENT', values: { vlan: 100, name: 'tenant-42', devices: [first] } });
    expect((await driver.done('vlan.list', { devices: [first] })).vlans).toContainEqual({
      ...{ vlan: 100, name: 'tenant-42', device: first },
      ports: [],
    });
  });

  test('is deleted by its mapping', async () => {
    await done('vlan.create', args);
    const recorded = driver.desired('vlan.create', args);
    const remove = neoDriver.resources?.get('vlan')?.remove?.({ ...where, uuid: null, recorded });
    if (!remove) throw new Error('no deletion');
    await done(remove.operation, remove.arguments);
    expect(await driver.look('vlan', where)).toEqual({ finding: 'ABSENT' });
  });
});

foreignObjects(neoDriver, () => driver, {
  vlan: {
    create: ['vlan.create', { vlan: 300, name: 'tenant-300', devices: [first, second] }],
    async put(what) {
      for (const each of [first, second]) neo.switches.get(each)?.vlans.delete(300);
      for (const each of what === 'another' ? [first, second] : [])
        neo.switches.get(each)?.vlans.set(300, 'management');
    },
    state: async () => [...neo.switches].map(([name, { vlans }]) => [name, new Map(vlans)]),
  },
});

test('a job that fails on a switch has FAILED, and quotes the switch', async () => {
  (neo.switches.get(second) as { reachable: boolean }).reachable = false;
  const args = { vlan: 101, devices: [first, second] };
  const accepted = await driver.accepted('vlan.create', args);
  const found = await driver.job('vlan.create', args, accepted);
  (neo.switches.get(second) as { reachable: boolean }).reachable = true;
  expect(found).toMatchObject({ finding: 'FAILED', code: 'JOB_FAILED' });
  expect((found as { message: string }).message).toMatch(/Completed With Errors: 10\.224\.15\.30: Failed to connect/);
  const subJobs = (await driver.done('job.list', { parent: accepted.job ?? '' })).jobs as JsonObject[];
  expect(subJobs.map((each) => each.status)).toEqual(['Completed', 'Completed With Errors']);
});

test('a job that NEO has forgotten is neither done nor failed', async () => {
  const args = { vlan: 102, devices: [first] };
  const accepted = await driver.accepted('vlan.create', args);
  neo.jobs.purge();
  expect(await driver.job('vlan.create', args, accepted)).toMatchObject({ finding: 'UNREADABLE' });
  expect(await driver.call('job.status', { job: accepted.job ?? '' })).toMatchObject({
    state: 'FAILED',
    code: 'NOT_FOUND',
  });
});

describe('a port', () => {
  const where = { scope: first, key: '1/3' };
  const settings: readonly JsonObject[] = [
    { mode: 'access', vlan: 200 },
    { mode: 'trunk', allowedVlans: [203, 201] },
    { mode: 'hybrid', vlan: 201, allowedVlans: [202, 203] },
    { mode: 'hybrid', vlan: 200, allowedVlans: [201] },
    { mode: 'access', vlan: 203 },
  ];

  test('carries only the given VLANs', async () => {
    for (const vlan of [200, 201, 202, 203]) await done('vlan.create', { vlan, devices: [first] });
    for (const setting of settings) {
      const args = { device: first, port: 'Eth1/3', ...setting };
      expect(driver.objectOf('port.setVlans', args)).toEqual({ resource: 'port', ...where });
      await done('port.setVlans', args);
      const seen = await driver.look('port', where);
      if (seen.finding !== 'PRESENT') throw new Error(JSON.stringify(seen));
      expect(unlike(neoDriver, 'port.setVlans', driver.desired('port.setVlans', args), seen.values)).toEqual([]);
    }
  });

  test('is switched off and on, and reset', async () => {
    await done('port.setEnabled', { device: first, port: '1/3', enabled: false });
    expect(await driver.look('port', where)).toMatchObject({ finding: 'PRESENT', values: { enabled: false } });
    await done('port.setEnabled', { device: first, port: '1/3', enabled: true });
    const remove = neoDriver.resources?.get('port')?.remove?.({ ...where, uuid: null });
    await done(remove?.operation ?? '', remove?.arguments ?? {});
    expect(await driver.look('port', where)).toEqual({
      finding: 'PRESENT',
      values: { device: first, port: '1/3', mode: 'access', vlan: 1, enabled: true },
    });
  });

  test('that does not exist is absent', async () => {
    expect(await driver.look('port', { scope: first, key: '1/99' })).toEqual({ finding: 'ABSENT' });
    const args = { device: first, port: '1/99', mode: 'access', vlan: 200 };
    const found = await driver.job('port.setVlans', args, await driver.accepted('port.setVlans', args));
    expect(found).toMatchObject({ finding: 'FAILED', message: expect.stringContaining('% Invalid interface') });
  });
});

test('templates are listed, read and run', async () => {
  const { templates } = await driver.done('template.list', {});
  expect(templates).toContainEqual(expect.objectContaining({ title: 'Set-MTU' }));
  const shown = await driver.done('template.get', { template: 'Set-MTU' });
  expect(shown.content).toContain('<mtu>');
  expect(await driver.call('template.get', { template: 'Nope' })).toMatchObject({ state: 'FAILED', code: 'NOT_FOUND' });
  const mtu = { template: 'Set-MTU', device: first, ports: ['1/1', 'Eth1/2'], arguments: { mtu: 9216 } };
  await done('port.provision', mtu);
  expect([...(neo.switches.get(first)?.ports.values() ?? [])].map((port) => port.mtu)).toEqual([
    9216, 9216, 1500, 1500,
  ]);
  await done('template.run', { template: 'Save-Configuration', devices: [first, second] });
  expect(await driver.call('template.run', { template: 'Nope', devices: [first] })).toMatchObject({ state: 'FAILED' });
});

test('lists switches, ports and jobs', async () => {
  const systems = (await driver.done('system.list', {})).systems as JsonObject[];
  expect(systems.map(({ device, name }) => [device, name])).toEqual([
    [first, 'switch29'],
    [second, 'switch30'],
  ]);
  expect((await driver.done('system.list', { device: second })).systems).toHaveLength(1);
  const ports = (await driver.done('port.list', { devices: [first] })).ports as JsonObject[];
  expect(ports).toHaveLength(4);
  expect(ports[0]).toMatchObject({ device: first, port: '1/1', mode: 'access', operational: 'UP' });
  const own = await driver.accepted('port.setEnabled', { device: second, port: '1/1', enabled: true });
  const jobs = async (args: JsonObject) => (await driver.done('job.list', args)).jobs as JsonObject[];
  expect((await jobs({ device: second })).map(({ job }) => job)).toContain(own.job);
  expect((await jobs({ device: first })).map(({ job }) => job)).not.toContain(own.job);
  expect((await jobs({})).every(({ job }) => !String(job).includes('.'))).toBe(true);
});

test('reports its version', async () => {
  expect(await driver.health()).toEqual({ softwareVersion: 'NEO 2.7.20', serial: null });
});
