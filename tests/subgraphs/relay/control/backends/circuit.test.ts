// Circuits: a failing backend is not called, and a refused login is never retried automatically.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { TcpLine } from '../../../../../simulators/tcp-line.ts';
import { CircuitBreaker, passage } from '../../../../../subgraphs/relay/control/backends/circuit.ts';
import { element, NftDevice } from '../../support/nft-device.ts';
import { call, type RelayNode, RelaySystem } from '../../support/relay-system.ts';

describe('the rule', () => {
  const failure = (code: 'CONNECT_FAILED' | 'AUTH_FAILED' | 'WINDOW_PASSED') =>
    ({ kind: 'NOT_SENT', code, message: 'no' }) as const;

  test('three failed connects in a row open it', () => {
    const breaker = new CircuitBreaker(3);
    expect(breaker.failed(failure('CONNECT_FAILED'), false)).toBeUndefined();
    breaker.succeeded();
    expect(breaker.failed(failure('CONNECT_FAILED'), false)).toBeUndefined();
    expect(breaker.failed(failure('CONNECT_FAILED'), false)).toBeUndefined();
    const opened = { circuitState: 'OPEN', circuitLasting: false } as const;
    const reason = expect.stringMatching(/^CONNECT_FAILED: no \(3 in a row\)/);
    expect(breaker.failed(failure('CONNECT_FAILED'), false)).toMatchObject({ ...opened, circuitReason: reason });
    expect(new CircuitBreaker(3).failed(failure('CONNECT_FAILED'), true)).toMatchObject({
      ...opened,
      circuitReason: expect.stringMatching(/CONNECT_FAILED/),
    });
  });
  test("a refused login opens it at once; the relay's own faults never do", () => {
    expect(new CircuitBreaker(3).failed(failure('AUTH_FAILED'), false)).toEqual({
      ...{ circuitState: 'OPEN', circuitReason: 'AUTH_FAILED: no', circuitLasting: true },
    });
    expect(new CircuitBreaker(1).failed(failure('WINDOW_PASSED'), false)).toBeUndefined();
  });
  test('an open circuit lets one call through after a while, unless only a user can fix the cause', () => {
    const row = (circuitLasting: boolean, circuitAgeMs: number) => ({
      ...({ circuitState: 'OPEN', circuitLasting, circuitAgeMs } as const),
    });
    expect(passage(row(false, 9_999), 10_000)).toBe('HELD');
    expect(passage(row(false, 10_000), 10_000)).toBe('TRY');
    expect(passage(row(true, 1_000_000), 10_000)).toBe('HELD');
    // The clock was set back by an hour.
    expect(passage(row(false, -3_600_000), 10_000)).toBe('TRY');
    expect(passage({ circuitState: 'CLOSED', circuitLasting: false, circuitAgeMs: null }, 10_000)).toBe('PASS');
  });
});

describe('on devices', () => {
  let system: RelaySystem;
  let node: RelayNode;

  beforeAll(async () => {
    system = await RelaySystem.start();
    node = await system.node();
  });
  afterAll(() => system.stop());

  async function circuit(name: string): Promise<{ state: string; reason: string | null; lasting: boolean }> {
    interface Circuits {
      backends: { nodes: { name: string; circuit: { state: string; reason: string; lasting: boolean } }[] };
    }
    const { backends } = await node.ask<Circuits>('{ backends { nodes { name circuit { state reason lasting } } } }');
    return (
      backends.nodes.find((each) => each.name === name)?.circuit ?? { state: 'none', reason: null, lasting: false }
    );
  }
  async function events(kind: string, id: string): Promise<string[]> {
    const rows = await node.db.query<{ toStatus: string }>(
      'SELECT to_status AS toStatus FROM status_change WHERE kind = ? AND subject_id = ? ORDER BY id',
      [kind, id],
    );
    return rows.map((row) => row.toStatus);
  }
  /** Long enough for the next call to try an open circuit that is not lasting. */
  const passAnHour = (name: string) =>
    node.db.execute('UPDATE backend SET circuit_since = circuit_since - INTERVAL 1 HOUR WHERE name = ?', [name]);
  const idOf = async (name: string) =>
    (await node.db.query<{ id: string }>('SELECT id FROM backend WHERE name = ?', [name]))[0]?.id ?? '';

  test('an unreachable device: REJECTED, then refused, then tried, then used again', async () => {
    const device = await NftDevice.start();
    const line = await TcpLine.lay({ host: device.ssh.host, port: device.ssh.port });
    try {
      await device.register(node, 'far', { host: line.host, port: line.port });
      await line.cut();
      for (const address of ['10.0.0.1', '10.0.0.2', '10.0.0.3']) {
        const failed = await call(node, 'add', element('far', address));
        expect(failed).toMatchObject({ userErrors: [], operation: { state: 'REJECTED' } });
        expect(failed.operation?.deviceError?.code).toBe('CONNECT_FAILED');
      }
      expect(await circuit('far')).toMatchObject({
        ...{ state: 'OPEN', lasting: false, reason: expect.stringMatching(/3 in a row/) },
      });
      const held = await call(node, 'add', element('far', '10.0.0.4'));
      expect(held.userErrors).toMatchObject([{ code: 'CIRCUIT_OPEN', field: ['input', 'backend'], retry: 'SAME_KEY' }]);
      await line.restore();
      await passAnHour('far');
      const again = await Promise.all(
        ['10.0.0.1', '10.0.0.2', '10.0.0.3'].map((address) => call(node, 'add', element('far', address))),
      );
      for (const each of again) expect(each).toMatchObject({ userErrors: [], operation: { state: 'SUCCEEDED' } });
      expect(await circuit('far')).toMatchObject({ state: 'CLOSED' });
      expect(await events('backend.circuit', await idOf('far'))).toEqual(['OPEN', 'HALF_OPEN', 'CLOSED']);
      expect(device.timesTold('10.0.0.1')).toBe(1);
    } finally {
      await line.stop();
      await device.ssh.stop();
    }
  });

  test('a wrong password is tried only once; new credentials close the circuit', async () => {
    const device = await NftDevice.start();
    try {
      const id = await device.register(node, 'locked', { credentials: { username: 'netops', password: 'wrong' } });
      const refused = await call(node, 'add', element('locked', '10.0.0.1'));
      expect(refused.operation).toMatchObject({ state: 'REJECTED', deviceError: { code: 'AUTH_FAILED' } });
      await passAnHour('locked');
      const held = await call(node, 'add', element('locked', '10.0.0.1'));
      expect(held.userErrors).toMatchObject([{ code: 'CIRCUIT_OPEN' }]);
      expect(await circuit('locked')).toMatchObject({ state: 'OPEN', lasting: true });
      expect(JSON.stringify([refused, held])).not.toContain('wrong"');
      expect(device.ssh.attempts.filter((method) => method === 'password')).toHaveLength(1);
      const login = { credentials: { username: 'netops', password: 'secret' } };
      const fields = 'backend { circuit { state } } userErrors { code }';
      expect(await node.mutate('backendUpdate', { id, ...login }, fields)).toMatchObject({
        ...{ backend: { circuit: { state: 'CLOSED' } } },
      });
      const works = await call(node, 'add', element('locked', '10.0.0.1'));
      expect(works).toMatchObject({ userErrors: [], operation: { state: 'SUCCEEDED' } });
    } finally {
      await device.ssh.stop();
    }
  });

  test('a host key other than the pinned one: nothing is sent until it is accepted', async () => {
    const device = await NftDevice.start();
    try {
      const hostKeySha256 = `SHA256:${'A'.repeat(43)}`;
      const id = await device.register(node, 'imposter', { hostKeySha256 });
      const refused = await call(node, 'add', element('imposter', '10.0.0.1'));
      expect(refused.operation).toMatchObject({ state: 'REJECTED', deviceError: { code: 'HOST_KEY_MISMATCH' } });
      expect(device.ssh.attempts).toEqual([]);
      expect(await circuit('imposter')).toMatchObject({ state: 'OPEN' });
      const { hostKeySha256: own } = device.ssh;
      const credentials = { username: 'netops', password: 'secret' };
      await node.mutate('backendHostKeyAccept', { id, hostKeySha256: own, credentials }, 'userErrors { code }');
      const works = await call(node, 'add', element('imposter', '10.0.0.1'));
      expect(works).toMatchObject({ userErrors: [], operation: { state: 'SUCCEEDED' } });
    } finally {
      await device.ssh.stop();
    }
  });

  test("without an accepted host key no call is made; a device's refusal opens no circuit", async () => {
    const device = await NftDevice.start({
      onExec: (execution) => execution.reply('', { exitCode: 1, stderr: 'Error: no room' }),
    });
    try {
      await device.register(node, 'new', { hostKeySha256: null });
      const unknown = await call(node, 'add', element('new', '10.0.0.1'));
      expect(unknown.userErrors).toMatchObject([{ code: 'HOST_KEY_UNKNOWN', retry: 'SAME_KEY_AFTER_ACTION' }]);
      expect(device.ssh.connections).toBe(0);
      await device.register(node, 'full');
      for (let number = 1; number <= 5; number += 1) {
        const refused = await call(node, 'add', element('full', `10.0.1.${number}`));
        expect(refused.operation).toMatchObject({
          state: 'FAILED',
          deviceError: { message: expect.stringMatching(/no room/) },
        });
      }
      expect(await circuit('full')).toMatchObject({ state: 'CLOSED' });
    } finally {
      await device.ssh.stop();
    }
  });

  test('an operator closes a circuit', async () => {
    const device = await NftDevice.start();
    try {
      const id = await device.register(node, 'closed-by-hand');
      await node.db.execute(
        "UPDATE backend SET circuit_state = 'OPEN', circuit_reason = 'AUTH_FAILED: x', circuit_lasting = true, circuit_since = NOW(3) WHERE name = 'closed-by-hand'",
      );
      const held = await call(node, 'add', element('closed-by-hand', '10.0.0.1'));
      expect(held.userErrors).toMatchObject([{ code: 'CIRCUIT_OPEN' }]);
      await node.mutate('backendCircuitClose', { id }, 'userErrors { code }');
      const works = await call(node, 'add', element('closed-by-hand', '10.0.0.1'));
      expect(works.operation?.state).toBe('SUCCEEDED');
    } finally {
      await device.ssh.stop();
    }
  });
});
