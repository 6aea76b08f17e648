// Settling. While a call may still act, only its own mark frees its object. A finding counts only for the state that
// the call had when the probe began.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { describeWithLab } from '../../../../support/machine/lab.ts';
import { waitFor } from '../../../../support/machine/temporary-folder.ts';
import { KeepingDevice } from '../../support/keeping-device.ts';
import { call, identity, type RelayNode, RelaySystem, registerDevice, settle } from '../../support/relay-system.ts';

const settings = { deviceExecutionMs: 600_000, sendWindowMs: 2_000 };

/** Marks the quiet time as over, so that the call can't act any more. */
const quietNow = (node: RelayNode) => node.db.execute("UPDATE operation SET quiet_over = 1 WHERE state = 'UNKNOWN'");
const claims = async (node: RelayNode) =>
  (await node.db.query('SELECT id FROM operation WHERE claim IS NOT NULL')).length;
const element = (backend: string, address: string, key: string) => ({
  ...{ backend: { name: backend }, cmpObject: { type: 'tenant', externalId: '42' }, idempotencyKey: key },
  ...{ set: 'blocked', address },
});

describeWithLab('a real firewall', (lab) => {
  let system: RelaySystem;
  let node: RelayNode;

  beforeAll(async () => {
    system = await RelaySystem.start();
    node = await system.node({ settings });
    await registerDevice(node, lab().firewall, { name: 'fw' });
  });
  afterAll(() => system.stop());

  async function lost(which: 'add' | 'remove', address: string, drop: 'before' | 'late' | 'after', key: string) {
    await lab().faults.set({ drop, matching: address });
    const answer = await call(node, which, element('fw', address, key));
    await lab().faults.clear();
    expect(answer.operation?.state).toBe('UNKNOWN');
    return { id: answer.operation?.id };
  }

  test('an object that was there before proves nothing while the call may still add it again', async () => {
    const address = '198.51.100.1';
    await call(node, 'add', element('fw', address, 'first'));
    const unknown = await lost('add', address, 'before', 'again');
    expect(await settle(node, unknown)).toMatchObject({
      operation: { state: 'UNKNOWN', evidence: [{ source: 'PROBE', finding: 'AS_WANTED_SO_FAR' }] },
    });
    for (const verdict of ['SUCCEEDED', 'FAILED'])
      expect(await settle(node, { ...unknown, verdict, note: 'looked' })).toMatchObject({
        operation: null,
        userErrors: [{ code: 'QUIET_PERIOD', message: expect.stringMatching(/until \d{4}-\d\d-\d\dT/) }],
      });
    const removal = await call(node, 'remove', element('fw', address, 'remove'));
    expect(removal).toMatchObject({ operation: null, userErrors: [{ code: 'UNSETTLED_PREDECESSOR' }] });
    await quietNow(node);
    expect((await settle(node, unknown)).operation).toMatchObject({ state: 'SUCCEEDED', stateSource: 'PROBE' });
    expect(await claims(node)).toBe(0);
  });

  test('an object that the call itself made is recognized by its mark at once', async () => {
    const unknown = await lost('add', '198.51.100.2', 'after', 'marked');
    expect((await settle(node, unknown)).operation).toMatchObject({ state: 'SUCCEEDED', stateSource: 'PROBE' });
  });

  test('a missing object proves nothing while the call may still delete it', async () => {
    const address = '198.51.100.3';
    await call(node, 'add', element('fw', address, 'made'));
    const unknown = await lost('remove', address, 'after', 'removed');
    expect(await settle(node, unknown)).toMatchObject({
      operation: { state: 'UNKNOWN', evidence: [{ finding: 'AS_WANTED_SO_FAR' }] },
    });
    expect(await claims(node)).toBe(1);
    await quietNow(node);
    expect((await settle(node, unknown)).operation).toMatchObject({
      state: 'SUCCEEDED',
      changedMappings: [{ mappingState: 'DELETED' }],
    });
  });

  test('a user who insists may settle it early', async () => {
    const unknown = await lost('remove', '198.51.100.2', 'after', 'insists');
    const verdict = { ...unknown, verdict: 'SUCCEEDED', note: 'the device was restarted', force: true };
    expect((await settle(node, verdict)).operation).toMatchObject({ state: 'SUCCEEDED', stateSource: 'OPERATOR' });
  });
});

describe('a slow probe', () => {
  let system: RelaySystem;
  let node: RelayNode;
  let device: KeepingDevice;
  let unknown: { readonly id: string | undefined };

  beforeAll(async () => {
    system = await RelaySystem.start();
    node = await system.node({ settings });
    device = await KeepingDevice.start();
    await device.register(node, 'keeper');
  });
  afterAll(async () => {
    await system.stop();
    await device.ssh.stop();
  });

  /** Loses a call, and returns the function that makes its late change. */
  async function lose(address: string): Promise<() => void> {
    device.dropChanges();
    const { operation } = await call(node, 'add', element('keeper', address, address));
    expect(operation?.state).toBe('UNKNOWN');
    unknown = { id: operation?.id };
    return device.takeChanges();
  }
  const untilLooks = (count: number) => waitFor(`${count} looks`, () => device.looks >= count);

  test('an absence seen before the quiet period ended does not count, whenever it is written', async () => {
    const arrive = await lose('10.0.0.1');
    const release = device.holdLooks();
    const looks = device.looks;
    const settling = settle(node, unknown);
    await untilLooks(looks + 1);
    arrive();
    await quietNow(node);
    release();
    expect((await settling).operation).toMatchObject({ state: 'UNKNOWN', evidence: [{ finding: 'ABSENT_SO_FAR' }] });
    expect((await settle(node, unknown)).operation).toMatchObject({ state: 'SUCCEEDED' });
  });

  test("neither the database's clock nor a failover ends a quiet time: only the relay's own count does", async () => {
    await lose('10.0.0.5');
    // As if the clock had jumped two hours, or on a server whose clock is ahead.
    await node.db.execute(
      `UPDATE operation SET created_at = created_at - INTERVAL 2 HOUR, sent_at = sent_at - INTERVAL 2 HOUR,
        quiet_until = quiet_until - INTERVAL 2 HOUR WHERE state = 'UNKNOWN'`,
    );
    await node.db.execute('INSERT INTO db_timeline (epoch) SELECT MAX(epoch) + 1 FROM db_timeline');
    expect((await settle(node, unknown)).operation).toMatchObject({
      state: 'UNKNOWN',
      evidence: [{ finding: 'ABSENT_SO_FAR' }],
    });
    const verdict = { ...unknown, verdict: 'FAILED', note: 'looked' };
    expect((await settle(node, verdict)).userErrors).toMatchObject([{ code: 'QUIET_PERIOD' }]);
    await quietNow(node);
    expect((await settle(node, unknown)).operation?.state).toBe('FAILED');
  });

  test('a finding for an earlier version is not written, and the object is probed again', async () => {
    const arrive = await lose('10.0.0.2');
    await quietNow(node);
    const release = device.holdLooks();
    const looks = device.looks;
    const settling = settle(node, unknown);
    await untilLooks(looks + 1);
    arrive();
    await node.db.execute("UPDATE operation SET version = version + 1 WHERE state = 'UNKNOWN'");
    release();
    expect((await settling).operation).toMatchObject({ state: 'SUCCEEDED', stateSource: 'PROBE' });
    expect(device.looks).toBe(looks + 2);
  });

  test('a finding about an unknown outcome does not settle a job that the device has confirmed in between', async () => {
    await lose('10.0.0.3');
    await quietNow(node);
    const release = device.holdLooks();
    const looks = device.looks;
    const settling = settle(node, unknown);
    await untilLooks(looks + 1);
    await node.db.execute(
      "UPDATE operation SET state = 'ACCEPTED', version = version + 1, result = '{}' WHERE state = 'UNKNOWN'",
    );
    release();
    // This driver has no jobs.
    expect(await settling).toMatchObject({ operation: null, userErrors: [{ code: 'NO_PROBE' }] });
    expect(await claims(node)).toBe(1);
    const verdict = { ...unknown, verdict: 'FAILED', note: 'no such job', force: true };
    expect((await settle(node, verdict)).operation?.state).toBe('FAILED');
  });

  test('the newest finding is the evidence, however many probes came before', async () => {
    const arrive = await lose('10.0.0.6');
    await settle(node, unknown);
    await node.db.execute(
      `INSERT INTO operation_evidence (operation_id, source, finding)
      SELECT operation_id, 'probe', 'UNREADABLE' FROM operation_evidence, seq_1_to_99
      WHERE id = (SELECT MAX(id) FROM operation_evidence)`,
    );
    const newest = async (more: object = {}) => {
      const { operation } = await settle(node, { ...unknown, ...more });
      expect(operation?.evidence).toHaveLength(100);
      return operation?.evidence.slice(-2).map(({ finding }) => finding);
    };
    expect(await newest()).toEqual(['UNREADABLE', 'ABSENT_SO_FAR']);
    arrive();
    expect(await newest()).toEqual(['UNREADABLE', 'AS_WANTED_SO_FAR']);
    const verdict = { verdict: 'SUCCEEDED', note: 'the device shows it', force: true };
    expect(await newest(verdict)).toEqual(['UNREADABLE', 'SUCCEEDED']);
  });

  test('an object that changes with each probe is refused, with the advice to retry', async () => {
    await lose('10.0.0.4');
    await quietNow(node);
    const looks = device.looks;
    const stop = new AbortController();
    const changing = (async () => {
      while (!stop.signal.aborted) {
        const release = device.holdLooks();
        const seen = device.looks;
        await waitFor('a look', () => device.looks !== seen || stop.signal.aborted);
        await node.db.execute("UPDATE operation SET version = version + 1 WHERE state = 'UNKNOWN'");
        release();
      }
    })();
    const answer = await settle(node, unknown);
    stop.abort();
    await changing;
    expect(answer).toMatchObject({ operation: null, userErrors: [{ code: 'IN_PROGRESS' }] });
    expect(device.looks).toBe(looks + 3);
    expect((await settle(node, unknown)).operation?.state).toBe('FAILED');
  });
});

describe('a backend that got another address', () => {
  let system: RelaySystem;
  let node: RelayNode;
  let one: KeepingDevice;
  let two: KeepingDevice;

  beforeAll(async () => {
    system = await RelaySystem.start();
    node = await system.node({ settings });
    [one, two] = await Promise.all([KeepingDevice.start(), KeepingDevice.start()]);
  });
  afterAll(async () => {
    await system.stop();
    await Promise.all([one.ssh.stop(), two.ssh.stop()]);
  });

  const update = `mutation ($input: BackendUpdateInput!) {
    backendUpdate(input: $input) { userErrors { code message } }
  }`;
  async function move(id: string, to: KeepingDevice): Promise<void> {
    const { host, port, hostKeySha256 } = to.ssh;
    const credentials = { username: 'netops', password: 'secret' };
    const input = { id, host, port, hostKeySha256, credentials };
    expect((await node.run(identity('OPERATOR'), update, { input })).data).toMatchObject({
      backendUpdate: { userErrors: [] },
    });
  }
  async function lose(backend: string, address: string) {
    one.dropChanges();
    const { operation } = await call(node, 'add', element(backend, address, `${backend}-${address}`));
    expect(operation?.state).toBe('UNKNOWN');
    return { unknown: { id: operation?.id }, arrive: one.takeChanges() };
  }

  test('is not probed for a call that went to the old one; a user may settle it, or set the address back', async () => {
    const id = await one.register(node, 'moved');
    const { unknown, arrive } = await lose('moved', '10.1.0.1');
    const other = await lose('moved', '10.1.0.2');
    await quietNow(node);
    await move(id, two);
    const { host, port } = one.ssh;
    const refusal = {
      code: 'BACKEND_MOVED',
      message: expect.stringContaining(`sent to ${host}:${port}, but the backend is now at ${host}:${two.ssh.port}`),
    };
    expect(await settle(node, unknown)).toMatchObject({ operation: null, userErrors: [refusal] });
    expect(two.looks).toBe(0);
    const verdict = { ...other.unknown, verdict: 'FAILED', note: 'looked at the old device' };
    expect((await settle(node, verdict)).operation).toMatchObject({ state: 'FAILED', stateSource: 'OPERATOR' });
    arrive();
    await move(id, one);
    expect((await settle(node, unknown)).operation).toMatchObject({ state: 'SUCCEEDED', stateSource: 'PROBE' });
  });

  test('a call that waited shows the address to which it was finally sent', async () => {
    const id = await one.register(node, 'waiting', { limits: { concurrency: 1 } });
    const running = call(node, 'add', element('waiting', '10.2.0.1', 'first'));
    const waiting = call(node, 'add', element('waiting', '10.2.0.2', 'second'));
    await move(id, two);
    for (const [address, { operation }] of [
      ['10.2.0.1', await running],
      ['10.2.0.2', await waiting],
      ['10.2.0.3', await call(node, 'add', element('waiting', '10.2.0.3', 'third'))],
    ] as const) {
      const { data } = await node.run<{ relayOperation: { sentTo: string } }>(
        identity('VIEWER'),
        'query ($id: ID!) { relayOperation(id: $id) { sentTo } }',
        { id: operation?.id },
      );
      const reached = [one, two].find(({ elements }) => elements.has(address));
      expect(data.relayOperation.sentTo).toBe(`${reached?.ssh.host}:${reached?.ssh.port}`);
    }
    expect([...two.elements]).toContain('10.2.0.3');
  });
});
