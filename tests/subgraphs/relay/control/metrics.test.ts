// The relay's metrics: how calls end, how long they take, and which problems need an operator.
import { afterAll, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { SlowLog } from '../../../../platform/log/slow-log.ts';
import { TcpLine } from '../../../../simulators/tcp-line.ts';
import { element, NftDevice } from '../support/nft-device.ts';
import { call, settle } from '../support/relay-system.ts';
import { startRelay } from '../support/start-relay.ts';

const registry = new Registry();
const driver = 'linux-nftables';
const operation = 'setElement.add';
const lines: object[] = [];
const log = pino({}, { write: (text) => void lines.push(JSON.parse(text)) });
const slow = new SlowLog({ log, slowMs: 0.001 });
let line: TcpLine;

const { node, device } = await startRelay({ node: { registry, slow }, device: () => NftDevice.start() });
line = await TcpLine.lay({ host: device.ssh.host, port: device.ssh.port });
await device.register(node, 'near');
await device.register(node, 'far', { host: line.host, port: line.port });
afterAll(async () => {
  await line.stop();
});

/** The value with exactly these labels; undefined when there is none. */
async function value(name: string, labels: Record<string, string>): Promise<number | undefined> {
  const found = await registry.getSingleMetric(name)?.get();
  const values = (found?.values ?? []) as { value: number; labels: object; metricName?: string }[];
  const wanted = JSON.stringify(Object.entries(labels).sort());
  return values.find((each) => JSON.stringify(Object.entries(each.labels).sort()) === wanted)?.value;
}
const calls = (outcome: string) => value('tidegate_relay_calls_total', { driver, operation, outcome });
const took = () => value('tidegate_relay_call_seconds', { driver, operation });
const unended = (state: string) => value('tidegate_relay_operations', { state });
const backends = (status: string) => value('tidegate_relay_backends', { driver, status });
const circuits = (state: string) => value('tidegate_relay_circuits', { driver, state });

test('calls by outcome, with their latency', async () => {
  expect(await unended('UNKNOWN')).toBe(0);
  const { operation: ended } = await call(node, 'add', element('near', '10.0.0.1'));
  expect(ended?.state).toBe('SUCCEEDED');
  const [, callId] = Buffer.from(ended?.id ?? '', 'base64')
    .toString()
    .split(':');
  expect(lines).toMatchObject([{ slow: 'relay call', driver, operation, outcome: 'SUCCEEDED', callId }]);
  expect(JSON.stringify(lines)).not.toContain('10.0.0.1');
  expect([await calls('SUCCEEDED'), await calls('UNKNOWN')]).toEqual([1, undefined]);
  const text = await registry.metrics();
  expect(text).toContain(`tidegate_relay_call_seconds_count{driver="${driver}",operation="${operation}"} 1`);
  expect(await took()).toBeDefined();
});

test('an unknown outcome is counted, and shown until it is settled', async () => {
  device.hold();
  const input = { backend: { name: 'near' }, operation, arguments: { set: 'blocked', address: '10.0.0.2' } };
  const hung = await call(node, 'relayCall', { ...input, idempotencyKey: 'hung', deadlineMs: 300 });
  device.release();
  expect(hung.operation?.state).toBe('UNKNOWN');
  expect([await calls('UNKNOWN'), await unended('UNKNOWN')]).toEqual([1, 1]);
  const settled = (by: string) =>
    value('tidegate_relay_settlements_total', { driver, operation, outcome: 'FAILED', by });
  expect(await settled('operator')).toBeUndefined();
  const given = { id: hung.operation?.id, verdict: 'FAILED', note: 'seen', force: true };
  expect((await settle(node, { ...given, idempotencyKey: 's' })).userErrors).toEqual([]);
  expect((await settle(node, { ...given, idempotencyKey: 's' })).userErrors).toEqual([]);
  expect([await settled('operator'), await unended('UNKNOWN')]).toEqual([1, 0]);
  expect([await unended('PENDING'), await unended('SENT'), await unended('ACCEPTED')]).toEqual([0, 0, 0]);
});

test('an unreachable backend has rejected calls without a latency, an open circuit, and state OFFLINE', async () => {
  expect([await circuits('CLOSED'), await circuits('OPEN')]).toEqual([2, 0]);
  const sent = (await registry.metrics()).match(/^tidegate_relay_call_seconds_count.*$/m)?.[0];
  await line.cut();
  for (const address of ['10.0.0.1', '10.0.0.2', '10.0.0.3'])
    expect((await call(node, 'add', element('far', address))).operation?.state).toBe('REJECTED');
  expect(await calls('REJECTED')).toBe(3);
  expect((await registry.metrics()).match(/^tidegate_relay_call_seconds_count.*$/m)?.[0]).toBe(sent);
  expect([await circuits('CLOSED'), await circuits('OPEN')]).toEqual([1, 1]);
  await node.db.execute("UPDATE backend SET operating_status = 'OFFLINE' WHERE name = 'far'");
  expect([await backends('OFFLINE'), await backends('ONLINE')]).toEqual([1, 0]);
});

test('disabled and deleted backends are not counted', async () => {
  await node.db.execute("UPDATE backend SET provisioning_status = 'DISABLED' WHERE name = 'far'");
  expect([await backends('OFFLINE'), await circuits('OPEN')]).toEqual([0, 0]);
});
