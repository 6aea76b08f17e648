// Errors and lost answers of a simulated FortiGate.
import { expect, test } from '@jest/globals';
import { RelayedGate, useRelayedGates } from './support/relayed-gate.ts';

useRelayedGates();

test.each([
  [-360, 'UNKNOWN UNREADABLE_REPLY'],
  [-361, 'UNKNOWN UNREADABLE_REPLY'],
  [-3, 'FAILED NOT_FOUND'],
  [-4, 'FAILED DEVICE_REFUSED'],
  [-5, 'FAILED ALREADY_EXISTS'],
  [-15, 'FAILED ALREADY_EXISTS'],
  [-23, 'FAILED IN_USE'],
  [-37, 'FAILED DEVICE_REFUSED'],
  [-651, 'FAILED DEVICE_REFUSED'],
  [-9999, 'FAILED DEVICE_REFUSED'],
])('device error %i is %s', async (failCode, outcome) => {
  for (const version of ['6.2.3', '7.4.5']) {
    const relayed = await RelayedGate.start({ version, failCode });
    relayed.gate.device.faults.plan('FAIL');
    const called = await relayed.call('address.create', { name: 'web', address: '192.0.2.80' });
    expect('code' in called && `${called.state} ${called.code}`).toBe(outcome);
    expect('message' in called && called.message).toContain(String(failCode));
    expect(relayed.gate.log.entries).toHaveLength(0);
  }
});

test.each([
  ['DROP_BEFORE_APPLYING', 'CONNECTION_LOST', { finding: 'ABSENT' }],
  ['DROP_AFTER_APPLYING', 'CONNECTION_LOST', { finding: 'PRESENT' }],
  ['SILENT_AFTER_APPLYING', 'NO_REPLY', { finding: 'PRESENT' }],
] as const)('%s leaves no verdict, and the mark shows what happened', async (fault, code, finding) => {
  const relayed = await RelayedGate.start({}, { deadlineMs: 2_000 });
  await relayed.done('address.list');
  relayed.gate.device.faults.plan(fault);
  const id = '2f1c9b1e-6f0e-4f43-9a52-3f1f2a6a7c11';
  const called = await relayed.call('address.create', { name: 'web', address: '192.0.2.80' }, id);
  expect(called).toMatchObject({ state: 'NO_REPLY', failure: { kind: 'NO_VERDICT', code } });
  const operationId = finding.finding === 'PRESENT' ? { operationId: id } : {};
  expect(await relayed.look('address', { key: 'web' })).toMatchObject({ ...finding, ...operationId });
  expect(relayed.gate.log.carrying(id)).toHaveLength(finding.finding === 'PRESENT' ? 1 : 0);
});

test('a truncated reply gives no verdict', async () => {
  const relayed = await RelayedGate.start();
  await relayed.done('address.create', { name: 'web', address: '192.0.2.80' });
  const cut = { status: 200, body: '{"status":"success"}', cutAfterBytes: 9 };
  relayed.gate.answerInstead = ({ method }) => (method === 'DELETE' ? cut : undefined);
  expect(await relayed.refused('address.delete', { name: 'web' })).toBe('NO_VERDICT CONNECTION_LOST');
});
