// Relay processes are killed at every moment of a call, and two relays run at once. Nothing is sent twice, and every
// call ends.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readDeviceLog } from '../../../../../lab/device-log.ts';
import { processLeaseName } from '../../../../../platform/leases/process-lease.ts';
import { decodeUuid, encodeId } from '../../../../../platform/values/ids.ts';
import { backendLease } from '../../../../../subgraphs/relay/control/holding/backend-manager.ts';
import { moveOf } from '../../../../../subgraphs/relay/control/journal/recovery.ts';
import { describeWithLab } from '../../../../support/machine/lab.ts';
import { until, waitFor } from '../../../../support/machine/temporary-folder.ts';
import { type Moment, runRelayProcess } from '../../support/relay-process.ts';
import { call, type RelayNode, RelaySystem, registerDevice, settle } from '../../support/relay-system.ts';

const settings = { recoveryGraceMs: 200, crashQuietMs: 500, holderIdleMs: 60_000, deviceExecutionMs: 100 };

describe('recovery', () => {
  const times = { crashQuietMs: 120_000 };
  test('an unsent call is REJECTED, unless a failover may have lost its SENT state', () => {
    const trusted = { state: 'PENDING', predatesLoss: false } as const;
    expect(moveOf(trusted, true, times)).toMatchObject({ to: 'REJECTED', error: { code: 'OWNER_LOST' } });
    expect(moveOf(trusted, false, times)).toMatchObject({ to: 'REJECTED', error: { code: 'QUEUE_TIMEOUT' } });
    for (const ownerDead of [true, false])
      expect(moveOf({ ...trusted, predatesLoss: true }, ownerDead, times)).toMatchObject({ to: 'UNKNOWN' });
  });
  test('a sent call of a dead owner is UNKNOWN, and quiet only long after its deadline', () => {
    expect(moveOf({ state: 'SENT', predatesLoss: false }, true, times)).toMatchObject({
      to: 'UNKNOWN',
      quietAfterDeadlineMs: 120_000,
    });
  });
});

describeWithLab('relay processes', (lab) => {
  let system: RelaySystem;
  let node: RelayNode;

  beforeAll(async () => {
    system = await RelaySystem.start();
    node = await system.node({ settings });
    for (const name of ['fw', 'pending', 'sent', 'first-byte', 'reply', 'never', 'handed', 'pair'])
      await registerDevice(node, lab().firewall, { name, limits: { deadlineMs: 60_000 } });
    await registerDevice(node, lab().firewall, { name: 'behind', limits: { deadlineMs: 1_500 } });
  });
  afterAll(() => system.stop());

  async function timesReceived(text: string): Promise<number> {
    const log = await readDeviceLog(lab().deviceLogPath);
    return log.filter((line) => line.phase === 'received' && line.kind === 'apply' && line.stdin.includes(text)).length;
  }
  async function timesApplied(text: string): Promise<number> {
    const log = await readDeviceLog(lab().deviceLogPath);
    const ids = new Set(
      log.filter((line) => line.phase === 'received' && line.stdin.includes(text)).map(({ id }) => id),
    );
    return log.filter((line) => line.phase === 'applied' && ids.has(line.id)).length;
  }
  async function journalOf(backend: string): Promise<{ id: string; state: string; errorCode: string | null }[]> {
    return node.db.query(
      `SELECT o.id, o.state, o.error_code AS errorCode FROM operation o JOIN backend b ON b.id = o.backend_id
      WHERE b.name = ? ORDER BY o.id`,
      [backend],
    );
  }
  async function backendIdOf(name: string): Promise<string> {
    const [row] = await node.db.query<{ id: string }>('SELECT id FROM backend WHERE name = ?', [name]);
    return row?.id ?? '';
  }
  /** Simulates elapsed time: the process's lease ends, then the deadline of the call that it had sent. */
  async function passTime(backend: string): Promise<void> {
    const [dead] = await node.db.query<{ owner: string }>(
      'SELECT o.owner FROM operation o JOIN backend b ON b.id = o.backend_id WHERE b.name = ?',
      [backend],
    );
    await endLeaseIn(0, processLeaseName('relay', dead?.owner ?? ''));
    await node.db.execute(
      `UPDATE operation SET deadline_at = NOW(3) - INTERVAL 1 SECOND
      WHERE state = 'SENT' AND backend_id = (SELECT id FROM backend WHERE name = ?)`,
      [backend],
    );
  }
  async function endLeaseIn(ms: number, name: string): Promise<void> {
    const ending = 'UPDATE lease SET expires_at = NOW(3) + INTERVAL ? MICROSECOND WHERE name = ?';
    expect((await node.db.execute(ending, [ms * 1_000, name])).affectedRows).toBe(1);
  }
  async function ended(backend: string): Promise<void> {
    await until(async () => (await journalOf(backend)).every(({ state }) => state !== 'PENDING' && state !== 'SENT'));
  }
  const input = (backend: string, address: string) => ({
    ...{
      backend: { name: backend },
      cmpObject: { type: 'tenant', externalId: backend },
      idempotencyKey: `k-${backend}`,
    },
    ...{ operation: 'setElement.add', arguments: { set: 'blocked', address } },
  });

  const deaths: readonly { moment: Moment; address: string; state: string; sent: number }[] = [
    { moment: 'pending', address: '192.0.2.1', state: 'REJECTED', sent: 0 },
    { moment: 'sent', address: '192.0.2.2', state: 'UNKNOWN', sent: 0 },
    { moment: 'first-byte', address: '192.0.2.3', state: 'UNKNOWN', sent: 1 },
    { moment: 'reply', address: '192.0.2.4', state: 'UNKNOWN', sent: 1 },
    { moment: 'never', address: '192.0.2.5', state: 'SUCCEEDED', sent: 1 },
  ];
  test.each(deaths)(
    'killed when its call is at "$moment": $state, and the same key never makes a second call',
    async (death) => {
      const { moment, address, state, sent } = death;
      await lab().faults.set({ hang: 'after', matching: '192.0.2.3' });
      const plan = { database: system.database, moment, input: input(moment, address) };
      const end = await runRelayProcess(plan, async () => (await timesApplied(address)) > 0);
      expect(end.signal).toBe(moment === 'never' ? null : 'SIGKILL');
      if (moment !== 'never') {
        // The process's lease ends first, so its call is recovered before another takes over the backend.
        const lease = backendLease(await backendIdOf(moment));
        await endLeaseIn(60_000, lease);
        await passTime(moment);
        await ended(moment);
        await endLeaseIn(0, lease);
      }
      expect(await journalOf(moment)).toMatchObject([{ state }]);
      expect(await timesReceived(address)).toBe(sent);
      const again = await call(node, 'relayCall', input(moment, address));
      const journal = await journalOf(moment);
      if (state === 'REJECTED') {
        // The call was never sent, so the key is free and the same request makes a new call.
        expect(again.operation?.state).toBe('SUCCEEDED');
        expect(journal.map((row) => row.state)).toEqual(['REJECTED', 'SUCCEEDED']);
        expect(await timesReceived(address)).toBe(1);
        return;
      }
      expect(decodeUuid('RelayOperation', again.operation?.id ?? '')).toBe(journal[0]?.id);
      expect(again.operation?.state).toBe(state);
      expect(await timesReceived(address)).toBe(sent);
      if (state !== 'UNKNOWN') return;
      await node.db.execute("UPDATE operation SET quiet_over = 1 WHERE state = 'UNKNOWN'");
      const settled = await settle(node, { id: again.operation?.id });
      expect(settled.operation).toMatchObject({ state: sent === 1 ? 'SUCCEEDED' : 'FAILED', stateSource: 'PROBE' });
      expect(await node.db.query('SELECT * FROM operation WHERE claim IS NOT NULL')).toEqual([]);
    },
  );

  test('when the clock is set back by an hour after a call was sent, the call ends on time and can be settled', async () => {
    const address = '192.0.2.7';
    const plan = { database: system.database, moment: 'sent', input: input('behind', address) } as const;
    await runRelayProcess(plan);
    const ahead = (columns: readonly string[], state: string) => {
      const sets = columns.map((column) => `${column} = ${column} + INTERVAL 1 HOUR`);
      return node.db.execute(`UPDATE operation SET ${sets.join(', ')} WHERE state = ?`, [state]);
    };
    expect((await ahead(['created_at', 'sent_at', 'deadline_at'], 'SENT')).affectedRows).toBe(1);
    await ended('behind');
    const [{ id = '' } = {}] = await journalOf('behind');
    const isQuiet = async () =>
      (await node.db.query('SELECT 1 FROM operation WHERE id = ? AND quiet_over = 1 AND quiet_until <= NOW(3)', [id]))
        .length > 0;
    await waitFor('the end of the quiet period', isQuiet);
    const settled = await settle(node, { id: encodeId('RelayOperation', id) });
    expect(settled.operation).toMatchObject({ state: 'FAILED', stateSource: 'PROBE' });
  });

  test('while the lease of a dead process lasts, the relay that takes over the backend sends its PENDING call', async () => {
    const address = '192.0.2.6';
    const plan = { database: system.database, moment: 'pending', input: input('handed', address) } as const;
    expect((await runRelayProcess(plan)).signal).toBe('SIGKILL');
    const [dead] = await node.db.query<{ owner: string }>("SELECT owner FROM operation WHERE state = 'PENDING'");
    await endLeaseIn(60_000, processLeaseName('relay', dead?.owner ?? ''));
    await endLeaseIn(0, backendLease(await backendIdOf('handed')));
    expect((await call(node, 'relayCall', input('handed', address))).operation?.state).toBe('SUCCEEDED');
    expect(await timesReceived(address)).toBe(1);
    expect(await journalOf('handed')).toMatchObject([{ state: 'SUCCEEDED' }]);
  });

  test('one of two relays holds the backend, and executes calls that reach the other, once and in order', async () => {
    const [holder, other] = [await system.node({ settings }), await system.node({ settings })];
    await lab().faults.clear();
    const first = await call(holder, 'relayCall', { ...input('pair', '192.0.2.100'), idempotencyKey: 'first' });
    expect(first.operation?.state).toBe('SUCCEEDED');
    const addresses = Array.from({ length: 20 }, (_, index) => `192.0.2.${101 + index}`);
    const answers = await Promise.all(
      addresses.map((address, index) =>
        call(index % 2 === 0 ? other : holder, 'relayCall', { ...input('pair', address), idempotencyKey: address }),
      ),
    );
    expect(answers.map((each) => each.operation?.state)).toEqual(addresses.map(() => 'SUCCEEDED'));
    for (const address of addresses) expect(await timesReceived(address)).toBe(1);
    const owners = await node.db.query<{ owner: string }>(
      "SELECT DISTINCT owner FROM operation WHERE backend_id = (SELECT id FROM backend WHERE name = 'pair')",
    );
    expect(owners).toEqual([{ owner: holder.owner }]);
    // The same key sent to both at once makes one call.
    const same = { ...input('pair', '192.0.2.200'), idempotencyKey: 'both' };
    const both = await Promise.all([call(holder, 'relayCall', same), call(other, 'relayCall', same)]);
    expect(both[0].operation?.id).toBe(both[1].operation?.id);
    expect(await timesReceived('192.0.2.200')).toBe(1);
  });

  test('a draining relay finishes its calls and hands over the backend', async () => {
    const [going, staying] = [await system.node({ settings }), await system.node({ settings })];
    await lab().faults.set({ delayBeforeMs: 300, matching: '192.0.2.210' });
    const warm = await call(going, 'relayCall', { ...input('fw', '192.0.2.209'), idempotencyKey: 'warm' });
    expect(warm.operation?.state).toBe('SUCCEEDED');
    const last = call(going, 'relayCall', { ...input('fw', '192.0.2.210'), idempotencyKey: 'last' });
    await until(async () => (await timesReceived('192.0.2.210')) > 0);
    const drained = going.relay.drain();
    const refused = await call(going, 'relayCall', { ...input('fw', '192.0.2.211'), idempotencyKey: 'late' });
    expect(refused.userErrors).toMatchObject([{ code: 'UNAVAILABLE', retry: 'SAME_KEY' }]);
    await drained;
    expect((await last).operation?.state).toBe('SUCCEEDED');
    const next = await call(staying, 'relayCall', { ...input('fw', '192.0.2.211'), idempotencyKey: 'late' });
    expect(next.operation?.state).toBe('SUCCEEDED');
  });
});
