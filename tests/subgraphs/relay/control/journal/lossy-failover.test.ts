// A failover that lost the last writes of the old primary. The journal's state of a call may be older than the
// device's. Nothing is sent twice, and no answer of a device is dropped.
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import type { HeldLease } from '../../../../../platform/leases/leases.ts';
import { encodeId } from '../../../../../platform/values/ids.ts';
import { until } from '../../../../support/machine/temporary-folder.ts';
import { LocalContext } from '../../../../support/product/test-context.ts';
import { element, NftDevice } from '../../support/nft-device.ts';
import { call, identity, type RelayNode, RelaySystem } from '../../support/relay-system.ts';

const settings = { crashQuietMs: 60_000 };
const longMs = 100_000;

let system: RelaySystem;
let node: RelayNode;
let other: RelayNode;
let device: NftDevice;
/** Blocks recovery until it is released. */
let rival: LocalContext;
let recovery: HeldLease | undefined;

beforeAll(async () => {
  system = await RelaySystem.start();
  rival = new LocalContext({ connection: system.database.connection }, { wake: system.wake });
  recovery = await rival.leases.acquire('relay/recovery');
  node = await system.node({ settings });
  other = await system.node({ settings });
  device = await NftDevice.start();
});
afterAll(async () => {
  await rival.stop();
  // Unlike in a real failover, the events of lost transactions remain.
  await system.stop({
    except: ['a version of an operation or a mapping has one event', 'an operation is as its last event says'],
  });
  await device.ssh.stop();
});

/** Lifts the consequences of the test's failover. */
afterEach(() => other.db.execute('UPDATE db_timeline SET lifted_at = NOW(3)'));

async function promote(lossy: boolean): Promise<void> {
  await other.db.execute('INSERT INTO db_timeline (epoch, lossy) SELECT MAX(epoch) + 1, ? FROM db_timeline', [lossy]);
}
interface Row {
  readonly id: string;
  readonly state: string;
  readonly claim: string | null;
  readonly objectHash: string;
  readonly errorCode: string | null;
  readonly quietMs: number | null;
}
async function rowOf(name: string): Promise<Row | undefined> {
  const [row] = await other.db.query<Row>(
    `SELECT id, state, claim, object_hash AS objectHash, error_code AS errorCode,
      TIMESTAMPDIFF(MICROSECOND, NOW(3), quiet_until) / 1000 AS quietMs
    FROM operation WHERE object_key = ? OR object_key = ? ORDER BY id LIMIT 1`,
    [name, `blocked/${name}`],
  );
  return row;
}
const rule = (backend: string, name: string, more = {}) => ({
  ...{ backend: { name: backend }, idempotencyKey: `key-${name}`, name, action: 'DROP', waitMs: longMs },
  ...{ cmpObject: { type: 'tenant', externalId: name }, ...more },
});
const told = (name: string) => device.told.filter((stdin) => stdin.includes('"rule"') && stdin.includes(name)).length;
const register = (name: string) =>
  device.register(node, name, { limits: { concurrency: 1, deadlineMs: longMs, queueLimit: 1000 } });

/** A call that waits for the device takes the backend's only slot. */
async function occupy(name: string, address: string): Promise<{ end: Promise<unknown> }> {
  await call(node, 'add', element(name, '10.9.9.9'));
  device.hold();
  const running = call(node, 'add', element(name, address, { waitMs: longMs }));
  await until(() => device.timesTold(address) === 1);
  return { end: running };
}

async function sentIsLost(name: string, address: string, recovered: boolean): Promise<void> {
  await register(name);
  const running = await occupy(name, address);
  const answer = call(node, 'ruleCreate', rule(name, `${name}-rule`));
  await until(async () => (await rowOf(`${name}-rule`))?.state === 'PENDING');
  device.release();
  device.hold();
  await until(() => told(`${name}-rule`) === 1);
  // The state at the new primary: another relay had accepted the call.
  await other.db.execute(
    `UPDATE operation SET state = 'PENDING', version = 1, claim = NULL, sent_at = NULL, owner = ?,
      deadline_at = NOW(3) + INTERVAL 300 SECOND WHERE object_key = ?`,
    [other.owner, `${name}-rule`],
  );
  await promote(true);
  if (recovered) await until(async () => (await rowOf(`${name}-rule`))?.state === 'UNKNOWN');
  device.release();
  await running.end;
  // After recovery the caller gets the state that the row has by then.
  expect(recovered ? ['UNKNOWN', 'SUCCEEDED'] : ['SUCCEEDED']).toContain((await answer).operation?.state);
  await until(async () => (await rowOf(`${name}-rule`))?.state === 'SUCCEEDED');
  expect((await rowOf(`${name}-rule`))?.claim).toBeNull();
  const again = await call(node, 'ruleCreate', rule(name, `${name}-rule`));
  expect(again.operation).toMatchObject({ state: 'SUCCEEDED', changedMappings: [{ mappingState: 'ACTIVE' }] });
  const later = await call(node, 'add', element(name, `${address}9`, { waitMs: longMs }));
  expect(later.operation?.state).toBe('SUCCEEDED');
  expect(told(`${name}-rule`)).toBe(1);
}

test(
  'if SENT of a waiting call is lost while the device works, its answer is recorded and it is not sent again',
  () => sentIsLost('undone', '10.1.0.1', false),
  60_000,
);

test('calls that waited before the failover become UNKNOWN, neither sent nor rejected, even if their owner lives', async () => {
  await register('older');
  const running = await occupy('older', '10.2.0.1');
  const waiting = await call(node, 'ruleCreate', rule('older', 'older-rule', { waitMs: 0, deadlineMs: 50_000 }));
  const element2 = await call(node, 'add', element('older', '10.2.0.2', { waitMs: 0 }));
  expect([waiting, element2].map(({ operation }) => operation?.state)).toEqual(['PENDING', 'PENDING']);
  await promote(true);
  device.release();
  await running.end;
  // The queue has skipped them.
  const later = await call(node, 'add', element('older', '10.2.0.3', { waitMs: longMs }));
  expect(later.operation?.state).toBe('SUCCEEDED');
  await update('older', false);
  const disabled = await call(node, 'add', element('older', '10.2.0.4'));
  expect(disabled.userErrors).toMatchObject([{ code: 'BACKEND_DISABLED' }]);
  expect((await rowOf('older-rule'))?.state).toBe('PENDING');
  await update('older', true);
  await recovery?.release();
  await until(async () => (await rowOf('older-rule'))?.state !== 'PENDING');
  await until(async () => (await rowOf('10.2.0.2'))?.state !== 'PENDING');
  const [first, second] = [await rowOf('older-rule'), await rowOf('10.2.0.2')];
  expect(first).toMatchObject({ state: 'UNKNOWN', errorCode: 'WRITES_LOST', claim: first?.objectHash });
  expect(second).toMatchObject({ state: 'UNKNOWN', errorCode: 'WRITES_LOST', claim: second?.objectHash });
  // The quiet time counts from now, because the call may have been sent just before the failover.
  expect(first?.quietMs).toBeGreaterThan(50_000);
  const next = await call(node, 'add', element('older', '10.2.0.2', { idempotencyKey: 'next' }));
  expect(next.userErrors).toMatchObject([{ code: 'UNSETTLED_PREDECESSOR' }]);
  expect([told('older-rule'), device.timesTold('10.2.0.2')]).toEqual([0, 0]);
}, 60_000);

test(
  'the answer is also recorded after recovery made the call UNKNOWN',
  () => sentIsLost('undone-again', '10.1.0.2', true),
  60_000,
);

test("if a call's row is lost while the device works, it is written again with the answer", async () => {
  await register('lost');
  await call(node, 'add', element('lost', '10.3.0.1'));
  device.hold();
  const answer = call(node, 'ruleCreate', rule('lost', 'lost-rule'));
  await until(() => told('lost-rule') === 1);
  const id = (await rowOf('lost-rule'))?.id ?? '';
  await other.db.execute('DELETE FROM operation WHERE id = ?', [id]);
  await other.db.execute('DELETE FROM idempotency_key WHERE call_id = ?', [id]);
  await promote(true);
  device.release();
  expect(await answer).toMatchObject({
    operation: {
      id: encodeId('RelayOperation', id),
      state: 'SUCCEEDED',
      changedMappings: [{ mappingState: 'ACTIVE' }],
    },
    userErrors: [],
  });
  expect(await rowOf('lost-rule')).toMatchObject({ id, state: 'SUCCEEDED', claim: null });
  // Its key is written too.
  const again = await call(node, 'ruleCreate', rule('lost', 'lost-rule'));
  expect(again.operation).toMatchObject({ id: encodeId('RelayOperation', id), state: 'SUCCEEDED' });
  expect(told('lost-rule')).toBe(1);
}, 60_000);

test('if the row of a call that had waited is lost, it is written again with the answer, and audited with its identity', async () => {
  await register('gone');
  const running = await occupy('gone', '10.4.0.1');
  const answer = call(node, 'ruleCreate', rule('gone', 'gone-rule'));
  await until(async () => (await rowOf('gone-rule'))?.state === 'PENDING');
  device.release();
  device.hold();
  await until(() => told('gone-rule') === 1);
  const id = (await rowOf('gone-rule'))?.id ?? '';
  const audited = () =>
    other.db.query<{ readonly details: string }>(
      `SELECT actor_kind AS kind, actor_id AS id, actor_name AS name, action, outcome, details FROM audit_entry
      WHERE subject_id = ?`,
      [id],
    );
  const [before] = await audited();
  await other.db.execute('DELETE FROM operation WHERE id = ?', [id]);
  await other.db.execute('DELETE FROM audit_entry WHERE subject_id = ?', [id]);
  await promote(true);
  device.release();
  await running.end;
  expect(await answer).toMatchObject({
    operation: {
      id: encodeId('RelayOperation', id),
      state: 'SUCCEEDED',
      changedMappings: [{ mappingState: 'ACTIVE' }],
    },
    userErrors: [],
  });
  expect(await rowOf('gone-rule')).toMatchObject({ id, state: 'SUCCEEDED', claim: null });
  const { details: _asked, ...who } = before ?? {};
  const [entry, ...more] = await audited();
  expect(entry).toMatchObject({ ...who, kind: 'user' });
  expect(JSON.parse(entry?.details ?? '')).toMatchObject({ name: 'gone-rule' });
  expect(more).toEqual([]);
  expect(told('gone-rule')).toBe(1);
}, 60_000);

test('right after a failover the key of a non-idempotent call may be lost, so nothing is sent', async () => {
  await register('unaware');
  await call(node, 'add', element('unaware', '10.5.0.1'));
  await promote(true);
  const answer = await call(node, 'ruleCreate', rule('unaware', 'unaware-rule'));
  expect(answer).toMatchObject({ operation: null, userErrors: [{ code: 'REPLAY_UNCERTAIN' }] });
  expect(told('unaware-rule')).toBe(0);
  // An idempotent call is made at once.
  expect((await call(node, 'add', element('unaware', '10.5.0.2'))).operation?.state).toBe('SUCCEEDED');
}, 60_000);

test('a call is not rendered from a backend version that a failover lost, even if the number is used again', async () => {
  await register('again');
  await call(node, 'add', element('again', '10.6.0.1'));
  // The state in the next timeline: an unseen change with a version number that this relay has already seen.
  await other.db.execute('UPDATE backend SET deadline_ms = 7000 WHERE name = ?', ['again']);
  await promote(true);
  const { operation } = await call(node, 'add', element('again', '10.6.0.2'));
  expect(operation?.state).toBe('SUCCEEDED');
  const [sent] = await other.db.query('SELECT call_deadline_ms AS ms FROM operation WHERE object_key = ?', [
    'blocked/10.6.0.2',
  ]);
  expect(sent).toEqual({ ms: 7_000 });
  // Also a lower version than the one already seen.
  await other.db.execute('UPDATE backend SET deadline_ms = 6000, version = version - 1 WHERE name = ?', ['again']);
  await promote(true);
  await call(node, 'add', element('again', '10.6.0.3'));
  const [next] = await other.db.query('SELECT call_deadline_ms AS ms FROM operation WHERE object_key = ?', [
    'blocked/10.6.0.3',
  ]);
  expect(next).toEqual({ ms: 6_000 });
}, 60_000);

async function update(name: string, enabled: boolean): Promise<void> {
  const [row] = await other.db.query<{ id: string }>('SELECT id FROM backend WHERE name = ?', [name]);
  const text = 'mutation ($input: BackendUpdateInput!) { backendUpdate(input: $input) { userErrors { code } } }';
  const { data } = await node.run(identity('OPERATOR'), text, {
    input: { id: encodeId('Backend', row?.id ?? ''), enabled },
  });
  expect(data).toMatchObject({ backendUpdate: { userErrors: [] } });
}
