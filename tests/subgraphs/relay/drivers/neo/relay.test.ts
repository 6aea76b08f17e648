// From the graph to NEO's switches and back. A call is accepted, settled by reading its job, mapped, checked and
// deleted.

import { describe, expect, test } from '@jest/globals';
import { Neo } from '../../../../../simulators/neo/neo.ts';
import { until, waitFor } from '../../../../support/machine/temporary-folder.ts';
import {
  type CallShape,
  call,
  type OperationShape,
  operationFields,
  registerDevice,
  settle,
  verify,
} from '../../support/relay-system.ts';
import { startRelay } from '../../support/start-relay.ts';

const settings = { firstJobLookMs: 5, jobLookMs: 20 };
const { system, node, device: neo } = await startRelay({ node: { settings }, device: () => Neo.start() });
neo.jobs.knobs.jobMs = Number.POSITIVE_INFINITY;
await registerDevice(node, neo.server, {
  name: 'fabric',
  driver: 'neo',
  credentials: { username: 'admin', password: 'secret' },
});

const devices = ['10.224.15.29', '10.224.15.30'];
const on = { backend: { name: 'fabric' }, cmpObject: { type: 'tenant', externalId: '42' } };

const typedCall = (mutation: string, input: object) => node.mutate(mutation, { ...on, ...input });

/** Does not wait for the job, so the call has the state that it has once the device has answered. */
async function typed(mutation: string, input: object): Promise<CallShape> {
  return answered(await typedCall(mutation, { waitMs: 0, ...input }));
}

async function answered(made: CallShape): Promise<CallShape> {
  const text = `query ($id: ID!) { relayOperation(id: $id) { ${operationFields} } }`;
  let { operation } = made;
  await waitFor('the end of the call', async () => {
    if (operation?.state !== 'PENDING' && operation?.state !== 'SENT') return true;
    const { id } = operation;
    operation = (await node.ask<{ relayOperation: OperationShape }>(text, { id })).relayOperation;
    return false;
  });
  return { ...made, operation };
}

const settled = async ({ operation }: CallShape, key: string) =>
  (await settle(node, { idempotencyKey: key, id: operation?.id })).operation;

test('a VLAN is accepted, created, mapped, found, and deleted again', async () => {
  const made = await typed('switchControllerVlanCreate', {
    idempotencyKey: 'v1',
    vlan: 42,
    name: 'tenant-42',
    devices,
  });
  expect(made.userErrors).toEqual([]);
  expect(made.operation).toMatchObject({ state: 'ACCEPTED', result: { job: '35' }, changedMappings: [] });
  expect(await settled(made, 's1')).toMatchObject({ state: 'ACCEPTED', evidence: [{ finding: 'RUNNING' }] });
  const verdict = { id: made.operation?.id, verdict: 'FAILED', note: 'nothing to be seen' };
  expect(await settle(node, verdict)).toMatchObject({ operation: null, userErrors: [{ code: 'QUIET_PERIOD' }] });
  neo.jobs.knobs.jobMs = 0;
  const done = await settled(made, 's2');
  expect(done).toMatchObject({
    state: 'SUCCEEDED',
    stateSource: 'PROBE',
    changedMappings: [{ mappingState: 'ACTIVE' }],
  });
  expect(neo.switches.get(devices[1] ?? '')?.vlans.get(42)).toBe('tenant-42');
  const mapping = done?.changedMappings[0]?.id;
  expect(await verify(node, mapping)).toEqual(['MATCHES']);
  neo.switches.get(devices[0] ?? '')?.vlans.delete(42);
  expect(await verify(node, mapping)).toEqual(['DRIFTED', 'devices']);
  neo.switches.get(devices[0] ?? '')?.vlans.set(42, 'tenant-42');
  const removed = await answered(await call(node, 'delete', { idempotencyKey: 'd1', mappingId: mapping, waitMs: 0 }));
  expect(removed.operation).toMatchObject({ state: 'ACCEPTED', changedMappings: [] });
  expect(await settled(removed, 's3')).toMatchObject({
    state: 'SUCCEEDED',
    changedMappings: [{ mappingState: 'DELETED' }],
  });
  expect(neo.applied.entries).toHaveLength(2);
});

test('a job that fails leaves no mapping', async () => {
  const port = { device: devices[0], port: '1/1', mode: 'ACCESS', vlan: 4_000 };
  const made = await typed('switchControllerPortVlanSet', { idempotencyKey: 'p1', ...port });
  expect(made.operation?.state).toBe('ACCEPTED');
  expect(await settled(made, 's4')).toMatchObject({
    state: 'FAILED',
    deviceError: { code: 'JOB_FAILED', message: expect.stringContaining('% VLAN 4000 does not exist') },
    changedMappings: [],
  });
});

test('a lost answer is UNKNOWN, never sent again, and settled by the job with its mark', async () => {
  neo.faults.plan('DROP_AFTER_APPLYING');
  const made = await typed('switchControllerVlanCreate', { idempotencyKey: 'v2', vlan: 43, devices });
  expect(made.operation).toMatchObject({ state: 'UNKNOWN', changedMappings: [{ mappingState: 'UNVERIFIED' }] });
  expect(await settled(made, 's5')).toMatchObject({
    state: 'SUCCEEDED',
    changedMappings: [{ mappingState: 'ACTIVE' }],
  });
  expect(neo.applied.entries.filter(({ text }) => text.includes('vlan 43'))).toHaveLength(1);
});

describe('a caller who waits', () => {
  const jobReads = () => neo.requests.filter((request) => /^GET \S*\/jobs\/\d+$/.test(request)).length;
  async function looks(number: number): Promise<void> {
    const before = jobReads();
    await until(() => jobReads() >= before + number);
  }
  const wait = { waitMs: 120_000 };

  test("gets the end of the device's job, also when the key is repeated; only the end is written", async () => {
    neo.jobs.knobs.jobMs = Number.POSITIVE_INFINITY;
    const input = { ...wait, idempotencyKey: 'w1', vlan: 50, devices };
    const first = typedCall('switchControllerVlanCreate', input);
    await looks(3);
    const again = typedCall('switchControllerVlanCreate', input);
    await looks(3);
    neo.jobs.knobs.jobMs = 0;
    const [made, repeated] = await Promise.all([first, again]);
    expect(made).toMatchObject({
      operation: { state: 'SUCCEEDED', stateSource: 'PROBE', evidence: [{ source: 'PROBE', finding: 'SUCCEEDED' }] },
      mapping: { mappingState: 'ACTIVE' },
      userErrors: [],
    });
    expect(repeated.operation).toEqual(made.operation);
    expect(neo.applied.entries.filter(({ text }) => text.includes('vlan 50'))).toHaveLength(1);
  });

  test('gets the error of a job that failed', async () => {
    const port = { device: devices[0], port: '1/1', mode: 'ACCESS', vlan: 4_001 };
    const made = await typedCall('switchControllerPortVlanSet', { ...wait, idempotencyKey: 'w2', ...port });
    expect(made.operation).toMatchObject({ state: 'FAILED', deviceError: { code: 'JOB_FAILED' } });
  });

  test('is answered at once when the relay shuts down, and polling stops', async () => {
    neo.jobs.knobs.jobMs = Number.POSITIVE_INFINITY;
    const other = await system.node({ settings });
    const input = { ...on, ...wait, idempotencyKey: 'w3', vlan: 51, devices };
    const waiting = other.mutate('switchControllerVlanCreate', input);
    await looks(2);
    await other.relay.drain();
    expect((await waiting).operation?.state).toBe('ACCEPTED');
    await other.stop();
    // Without the relay that waited, nothing reads the job.
    const reads = jobReads();
    neo.jobs.knobs.jobMs = 0;
    const done = await waiting;
    expect(jobReads()).toBe(reads);
    expect(await settled(done, 's6')).toMatchObject({ state: 'SUCCEEDED' });
  });
});
