// A misbehaving device. A call that was sent and has no verdict is UNKNOWN, is never repeated, and is settled by a
// probe.
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { readDeviceLog } from '../../../../../lab/device-log.ts';
import { describeWithLab } from '../../../../support/machine/lab.ts';
import { call, identity, type RelayNode, RelaySystem, registerDevice, settle } from '../../support/relay-system.ts';

const tenant = { type: 'tenant', externalId: '42' };

describeWithLab('a misbehaving device', (lab) => {
  let system: RelaySystem;
  let node: RelayNode;
  let number = 10;

  beforeAll(async () => {
    system = await RelaySystem.start();
    node = await system.node({ settings: { deviceExecutionMs: 0, sendWindowMs: 2_000 } });
    await registerDevice(node, lab().firewall, { name: 'fw' });
    await call(node, 'add', element('203.0.113.1'));
  });
  afterEach(() => lab().faults.clear());
  afterAll(() => system.stop());

  function element(address: string, more: Record<string, unknown> = {}) {
    return {
      backend: { name: 'fw' },
      cmpObject: tenant,
      idempotencyKey: `k${address}`,
      set: 'blocked',
      address,
      ...more,
    };
  }
  function fresh(): string {
    number += 1;
    return `198.51.100.${number}`;
  }
  async function timesReceived(text: string): Promise<number> {
    const log = await readDeviceLog(lab().deviceLogPath);
    return log.filter((line) => line.phase === 'received' && line.kind === 'apply' && line.stdin.includes(text)).length;
  }
  const shortCall = { deadlineMs: 1_500 };
  async function relayAdd(address: string, more: Record<string, unknown> = {}) {
    return call(node, 'relayCall', {
      ...{ backend: { name: 'fw' }, cmpObject: tenant, idempotencyKey: `k${address}`, operation: 'setElement.add' },
      arguments: { set: 'blocked', address },
      ...shortCall,
      ...more,
    });
  }

  test('without an answer by the deadline a call is UNKNOWN, keeps the object, and the probe finds the effect', async () => {
    const address = fresh();
    await lab().faults.set({ hang: 'after', matching: address });
    const hung = await relayAdd(address);
    expect(hung).toMatchObject({
      userErrors: [],
      operation: { state: 'UNKNOWN', stateSource: 'DEADLINE', deviceError: { code: 'NO_REPLY' } },
      mapping: { mappingState: 'UNVERIFIED' },
    });
    const next = await call(node, 'remove', { ...element(address), idempotencyKey: `rm${address}` });
    expect(next).toMatchObject({ operation: null, userErrors: [{ code: 'UNSETTLED_PREDECESSOR' }] });
    await lab().faults.clear();
    const again = await relayAdd(address);
    expect(again.operation).toMatchObject({ id: hung.operation?.id, state: 'UNKNOWN' });
    const settled = await settle(node, { id: hung.operation?.id });
    expect(settled).toMatchObject({
      userErrors: [],
      operation: {
        state: 'SUCCEEDED',
        stateSource: 'PROBE',
        changedMappings: [{ mappingState: 'ACTIVE' }],
        deviceError: null,
      },
    });
    expect(await timesReceived(address)).toBe(1);
    const removed = await call(node, 'remove', { ...element(address), idempotencyKey: `rm${address}` });
    expect(removed).toMatchObject({ operation: { state: 'SUCCEEDED' }, mapping: { mappingState: 'DELETED' } });
  });

  test('during the quiet period a missing object proves nothing; after it the call has FAILED', async () => {
    const address = fresh();
    await lab().faults.set({ drop: 'before', matching: address });
    const dropped = await relayAdd(address);
    expect(dropped.operation).toMatchObject({ state: 'UNKNOWN', stateSource: 'CONNECTION' });
    await lab().faults.clear();
    const early = await settle(node, { id: dropped.operation?.id });
    expect(early).toMatchObject({
      operation: { state: 'UNKNOWN', evidence: [{ source: 'PROBE', finding: 'ABSENT_SO_FAR' }] },
    });
    const verdict = { id: dropped.operation?.id, verdict: 'FAILED', note: 'looked' };
    expect(await settle(node, verdict)).toMatchObject({ operation: null, userErrors: [{ code: 'QUIET_PERIOD' }] });
    await node.db.execute("UPDATE operation SET quiet_over = 1 WHERE state = 'UNKNOWN'");
    const late = await settle(node, { id: dropped.operation?.id });
    expect(late.operation).toMatchObject({
      state: 'FAILED',
      stateSource: 'PROBE',
      changedMappings: [{ mappingState: 'DELETED' }],
    });
    expect(await node.db.query('SELECT * FROM operation WHERE claim IS NOT NULL')).toEqual([]);
    expect(await settle(node, verdict)).toMatchObject({ userErrors: [{ code: 'WRONG_STATE' }] });
  });

  test('a connection that ends during a reply is UNKNOWN although the device executed the call', async () => {
    const address = fresh();
    await lab().faults.set({ drop: 'mid-reply', matching: address });
    const cut = await relayAdd(address);
    expect(cut.operation?.state).toBe('UNKNOWN');
    await lab().faults.clear();
    const settled = await settle(node, {
      ...{
        id: cut.operation?.id,
        verdict: 'SUCCEEDED',
        note: 'seen in the ruleset',
        idempotencyKey: 'verdict',
        force: true,
      },
    });
    expect(settled.operation).toMatchObject({ state: 'SUCCEEDED', stateSource: 'OPERATOR' });
    const repeated = await settle(node, {
      ...{
        id: cut.operation?.id,
        verdict: 'SUCCEEDED',
        note: 'seen in the ruleset',
        idempotencyKey: 'verdict',
        force: true,
      },
    });
    expect(repeated).toMatchObject({ userErrors: [], operation: { state: 'SUCCEEDED' } });
    expect(await timesReceived(address)).toBe(1);
  });

  test('a rule is identified by its mark, never by its content', async () => {
    const rule = { backend: { name: 'fw' }, cmpObject: tenant, name: 'marked', action: 'ACCEPT' };
    await lab().faults.set({ drop: 'before', matching: 'marked' });
    const lost = await call(node, 'ruleCreate', { ...rule, idempotencyKey: 'lost' });
    expect(lost.operation?.state).toBe('UNKNOWN');
    await lab().faults.clear();
    const refused = await call(node, 'ruleCreate', { ...rule, idempotencyKey: 'second' });
    expect(refused.userErrors).toMatchObject([{ code: 'UNSETTLED_PREDECESSOR', retry: 'SAME_KEY_AFTER_ACTION' }]);
    const member = identity('MEMBER');
    const notAllowed = await call(node, 'ruleCreate', { ...rule, idempotencyKey: 'second', force: true }, member);
    expect(notAllowed.userErrors).toMatchObject([{ code: 'FORBIDDEN' }]);
    const forced = await call(node, 'ruleCreate', { ...rule, idempotencyKey: 'second', force: true });
    expect(forced).toMatchObject({
      userErrors: [],
      operation: { state: 'SUCCEEDED' },
      mapping: { mappingState: 'ACTIVE' },
    });
    // The unknown call holds the claim again.
    expect(await node.db.query('SELECT id FROM operation WHERE claim IS NOT NULL')).toHaveLength(1);
    // Another rule with that name exists, without the mark of the lost call.
    await node.db.execute("UPDATE operation SET quiet_over = 1 WHERE state = 'UNKNOWN'");
    const settled = await settle(node, { id: lost.operation?.id });
    expect(settled.operation).toMatchObject({ state: 'FAILED', stateSource: 'PROBE' });
    const { data } = await node.run<{ mappings: { nodes: { objectKey: string; mappingState: string }[] } }>(
      identity('VIEWER'),
      '{ mappings(mappingStates: [ACTIVE]) { nodes { objectKey mappingState } } }',
    );
    expect(data.mappings.nodes.filter((each) => each.objectKey === 'marked')).toEqual([
      { objectKey: 'marked', mappingState: 'ACTIVE' },
    ]);
    expect(await node.db.query('SELECT * FROM operation WHERE claim IS NOT NULL')).toEqual([]);
  });

  test('an operator settles a call without a probe', async () => {
    await node.db.execute('UPDATE backend SET allow_init = 1, version = version + 1');
    await lab().faults.set({ drop: 'after', matching: 'unprobed' });
    const lost = await call(node, 'relayCall', {
      ...{ backend: { name: 'fw' }, idempotencyKey: 'unprobed', operation: 'chain.create' },
      arguments: { chain: 'unprobed' },
    });
    expect(lost.operation?.state).toBe('UNKNOWN');
    const id = lost.operation?.id;
    expect(await settle(node, { id })).toMatchObject({
      userErrors: [{ code: 'NO_PROBE', field: ['input', 'verdict'] }],
    });
    const verdict = { id, verdict: 'SUCCEEDED', note: 'nft list chains shows it', force: true };
    expect(await settle(node, verdict, identity('MEMBER'))).toMatchObject({ userErrors: [{ code: 'FORBIDDEN' }] });
    expect(await settle(node, verdict)).toMatchObject({ operation: { state: 'SUCCEEDED', stateSource: 'OPERATOR' } });
  });

  test('a client whose wait ends gets the operation in its current state, and the call continues', async () => {
    const address = fresh();
    await lab().faults.set({ delayBeforeMs: 300, matching: address });
    const early = await call(node, 'add', element(address, { waitMs: 0 }));
    // PENDING if a session had to be opened first.
    expect(['PENDING', 'SENT']).toContain(early.operation?.state);
    expect(early.operation?.stateSource).toBeNull();
    const later = await call(node, 'add', element(address));
    expect(later.operation).toMatchObject({ id: early.operation?.id, state: 'SUCCEEDED' });
    expect(await timesReceived(address)).toBe(1);
  });

  test('calls on one object run one after the other; calls on others run in parallel', async () => {
    const address = fresh();
    await lab().faults.set({ delayBeforeMs: 250, matching: address });
    const keys = ['one', 'two', 'three'];
    const same = await Promise.all(
      keys.map((key) => call(node, 'add', element(address, { idempotencyKey: `${key}${address}` }))),
    );
    expect(same.map((each) => each.operation?.state)).toEqual(['SUCCEEDED', 'SUCCEEDED', 'SUCCEEDED']);
    const log = await readDeviceLog(lab().deviceLogPath);
    const ours = new Set(
      log.filter((line) => line.phase === 'received' && line.stdin.includes(address)).map((line) => line.id),
    );
    const phases = log.filter((line) => ours.has(line.id) && line.phase !== 'fault').map((line) => line.phase);
    expect(phases).toEqual(['received', 'applied', 'received', 'applied', 'received', 'applied']);
  });
});
