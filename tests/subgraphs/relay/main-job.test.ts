// The main job on a real firewall: an address set element and a rule for a CMP object, in two journal transactions each.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { readDeviceLog } from '../../../lab/device-log.ts';
import { encodeCmpObject } from '../../../platform/pages/cmp-object.ts';
import { describeWithLab, openSsh } from '../../support/machine/lab.ts';
import { call, identity, type RelayNode, RelaySystem, registerDevice } from './support/relay-system.ts';

const tenant = { type: 'tenant', externalId: '42' };

describeWithLab('a real firewall', (lab) => {
  let system: RelaySystem;
  let node: RelayNode;
  let firewall: string;

  beforeAll(async () => {
    system = await RelaySystem.start();
    node = await system.node();
    firewall = await registerDevice(node, lab().firewall, { name: 'lab-firewall' });
  });
  afterAll(() => system.stop());

  async function ruleset(): Promise<string> {
    const ssh = await openSsh(lab());
    try {
      return (await ssh.exec('nft list ruleset')).stdout;
    } finally {
      ssh.close();
    }
  }

  test('adds an address, creates a rule that uses it, and maps both to the CMP object', async () => {
    const common = { backend: { name: 'lab-firewall' }, cmpObject: tenant };
    const added = await call(node, 'add', { ...common, idempotencyKey: 'a1', set: 'blocked', address: '203.0.113.7' });
    expect(added).toMatchObject({
      userErrors: [],
      operation: { state: 'SUCCEEDED' },
      mapping: { mappingState: 'ACTIVE' },
    });
    expect(added.commit?.token).toBeTruthy();
    const made = await call(node, 'ruleCreate', {
      ...common,
      idempotencyKey: 'r1',
      name: 'tenant-42-blocked',
      source: { set: 'blocked' },
      action: 'DROP',
    });
    expect(made).toMatchObject({
      userErrors: [],
      operation: { state: 'SUCCEEDED' },
      mapping: { mappingState: 'ACTIVE' },
    });
    expect(Number(made.mapping?.uuid)).toBeGreaterThan(0);
    const text = await ruleset();
    expect(text).toContain('203.0.113.7');
    expect(text).toContain('tenant-42-blocked');
    const { data, errors } = await node.run<{ _entities: { mappings: { nodes: { objectKey: string }[] } }[] }>(
      identity('VIEWER'),
      `query ($r: [_Any!]!) { _entities(representations: $r) { ... on CmpObject { mappings { nodes { objectKey resource } } } } }`,
      { r: [{ __typename: 'CmpObject', id: encodeCmpObject({ namespace: 'default', ...tenant }) }] },
    );
    expect(errors).toEqual([]);
    expect(data._entities[0]?.mappings.nodes.map((each) => each.objectKey).sort()).toEqual([
      'blocked/203.0.113.7',
      'tenant-42-blocked',
    ]);
    const events = await node.db.query(
      'SELECT DISTINCT subject_type AS type, cmp_namespace AS namespace, cmp_type AS cmpType, cmp_id AS cmpId FROM status_change WHERE subject_type IN (?, ?) ORDER BY type',
      ['RelayOperation', 'Mapping'],
    );
    const cmpObject = { namespace: 'default', cmpType: 'tenant', cmpId: '42' };
    expect(events).toEqual([
      { type: 'Mapping', ...cmpObject },
      { type: 'RelayOperation', ...cmpObject },
    ]);
  });

  test('the same key again returns the same operation, without a second call', async () => {
    const input = { backend: { id: firewall }, idempotencyKey: 'same', set: 'blocked', address: '203.0.113.8' };
    const calls = await Promise.all(Array.from({ length: 8 }, () => call(node, 'add', input)));
    expect(new Set(calls.map((each) => each.operation?.id)).size).toBe(1);
    expect(calls.every((each) => each.operation?.state === 'SUCCEEDED')).toBe(true);
    const log = await readDeviceLog(lab().deviceLogPath);
    const received = log.filter((line) => line.phase === 'received' && line.stdin.includes('203.0.113.8'));
    expect(received).toHaveLength(1);
    const other = await call(node, 'add', { ...input, address: '203.0.113.9' });
    expect(other.userErrors).toMatchObject([{ code: 'KEY_CONFLICT', field: ['input', 'idempotencyKey'] }]);
  });

  test('a call on a free slot costs two commits', async () => {
    await call(node, 'add', {
      backend: { id: firewall },
      idempotencyKey: 'warm',
      set: 'blocked',
      address: '203.0.113.20',
    });
    const journal = async () => {
      const [row] = await node.db.query<{ n: number }>('SELECT COUNT(*) AS n FROM commit_record');
      return row?.n ?? 0;
    };
    const before = await journal();
    const added = await call(node, 'add', {
      ...{ backend: { id: firewall }, idempotencyKey: 'two', set: 'blocked', address: '203.0.113.21' },
    });
    expect(added.operation).toMatchObject({ state: 'SUCCEEDED', version: 2 });
    expect((await journal()) - before).toBe(2);
  });

  test('a rule is deleted by its mapping, and the mapping ends', async () => {
    const made = await call(node, 'ruleCreate', {
      ...{ backend: { id: firewall }, cmpObject: tenant, idempotencyKey: 'r2', name: 'to-go', action: 'ACCEPT' },
    });
    const gone = await call(node, 'delete', { idempotencyKey: 'd2', mappingId: made.mapping?.id });
    expect(gone).toMatchObject({
      operation: { state: 'SUCCEEDED' },
      mapping: { id: made.mapping?.id, mappingState: 'DELETED' },
    });
    expect(await ruleset()).not.toContain('to-go');
  });

  test('a call refused by the device is FAILED with its message, and the claim is free again', async () => {
    const input = { backend: { id: firewall }, idempotencyKey: 'no-set', set: 'no-such-set', address: '203.0.113.7' };
    const refused = await call(node, 'add', input);
    expect(refused).toMatchObject({
      userErrors: [],
      operation: { state: 'FAILED', stateSource: 'REPLY' },
      mapping: null,
    });
    expect(refused.operation?.deviceError?.message).toMatch(/No such file/);
    expect(await node.db.query('SELECT * FROM operation WHERE claim IS NOT NULL')).toEqual([]);
  });

  test('a dry run is checked by the device and changes nothing', async () => {
    const input = {
      backend: { id: firewall },
      idempotencyKey: 'dry',
      set: 'blocked',
      address: '203.0.113.99',
      dryRun: true,
    };
    const [before] = await node.db.query<{ n: number }>('SELECT COUNT(*) AS n FROM operation');
    const dry = await call(node, 'add', input);
    expect(dry).toMatchObject({ operation: null, deviceCheck: { code: 'OK' }, userErrors: [], commit: null });
    expect(dry.wireCall).toContain('203.0.113.99');
    expect(await ruleset()).not.toContain('203.0.113.99');
    expect(await node.db.query('SELECT COUNT(*) AS n FROM operation')).toEqual([before]);
    const bad = await call(node, 'add', { ...input, set: 'no-such-set' });
    expect(bad.deviceCheck?.message).toMatch(/No such file/);
  });

  test('reads are answered and not journaled', async () => {
    const { data } = await node.run<{ relayRead: { result: { elements: unknown[] }; userErrors: unknown[] } }>(
      identity('MEMBER'),
      'query ($input: RelayReadInput!) { relayRead(input: $input) { result userErrors { code } deviceError { message } } }',
      { input: { backend: { id: firewall }, operation: 'setElement.list', arguments: { set: 'blocked' } } },
    );
    expect(data.relayRead.userErrors).toEqual([]);
    expect(JSON.stringify(data.relayRead.result)).toContain('203.0.113.7');
  });
});
