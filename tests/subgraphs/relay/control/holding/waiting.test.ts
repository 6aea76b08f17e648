// Waiting calls: which calls they delay, in which order they are sent, and that they are sent only while the backend
// may be called.
import { expect, jest, test } from '@jest/globals';
import { Database, type SqlValue } from '../../../../../platform/database/database.ts';
import { processLeaseName } from '../../../../../platform/leases/process-lease.ts';
import { newUuid } from '../../../../../platform/values/ids.ts';
import type { Driver, DriverOperation } from '../../../../../subgraphs/relay/drivers/driver.ts';
import { drivers } from '../../../../../subgraphs/relay/drivers/registry.ts';
import { until } from '../../../../support/machine/temporary-folder.ts';
import { LocalContext } from '../../../../support/product/test-context.ts';
import { element, NftDevice } from '../../support/nft-device.ts';
import { type CallShape, call, identity, RelaySystem } from '../../support/relay-system.ts';
import { startRelay } from '../../support/start-relay.ts';

/** Long enough that no call times out, and none misses its send window because this process was slow. */
const longMs = 110_000;
const inTime = { sendWindowMs: longMs };
/** More than the queue reads at once. */
const many = 130;

const { system, node, device } = await startRelay({ node: { settings: inTime }, device: () => NftDevice.start() });

const stateOf = async ({ operation }: CallShape) => {
  const text = 'query ($id: ID!) { relayOperation(id: $id) { state deviceError { code } } }';
  const { data } = await node.run<{ relayOperation: { state: string; deviceError: { code: string } | null } }>(
    identity('VIEWER'),
    text,
    { id: operation?.id },
  );
  return data.relayOperation;
};

/** The final states of the calls. */
async function endsOf(calls: readonly CallShape[]): Promise<string[]> {
  const ends: string[] = [];
  for (const each of calls)
    await until(async () => {
      const { state } = await stateOf(each);
      return state !== 'PENDING' && state !== 'SENT' && ends.push(state) > 0;
    });
  return ends;
}

test('calls that wait for one object delay no call on another', async () => {
  await device.register(node, 'crowded', { limits: { concurrency: 4, deadlineMs: longMs, queueLimit: 1000 } });
  await call(node, 'add', element('crowded', '10.1.0.9'));
  device.hold();
  const first = call(node, 'add', element('crowded', '10.1.0.1', { waitMs: longMs }));
  await until(() => device.timesTold('10.1.0.1') === 1);
  const waiting = await Promise.all(
    Array.from({ length: many }, () =>
      call(node, 'add', element('crowded', '10.1.0.1', { idempotencyKey: newUuid(), waitMs: 0 })),
    ),
  );
  expect(waiting.map(({ operation }) => operation?.state)).toEqual(waiting.map(() => 'PENDING'));

  const other = call(node, 'add', element('crowded', '10.1.0.2', { waitMs: longMs }));
  await until(() => device.timesTold('10.1.0.2') === 1);
  expect(device.timesTold('10.1.0.1')).toBe(1);
  device.release();
  expect((await first).operation?.state).toBe('SUCCEEDED');
  expect((await other).operation?.state).toBe('SUCCEEDED');
  expect(await endsOf(waiting)).toEqual(waiting.map(() => 'SUCCEEDED'));
  expect(device.timesTold('10.1.0.1')).toBe(many + 1);
});

test("calls on one object are sent in the database's order, whatever a relay's clock says", async () => {
  await device.register(node, 'ordered', { limits: { deadlineMs: longMs } });
  await call(node, 'add', element('ordered', '10.2.0.9'));
  device.hold();
  const first = call(node, 'add', element('ordered', '10.2.0.1', { waitMs: longMs }));
  await until(() => device.timesTold('10.2.0.1') === 1);
  device.told.length = 0;
  const later = (which: 'add' | 'remove') =>
    call(node, which, element('ordered', '10.2.0.1', { idempotencyKey: newUuid(), waitMs: 0 }));
  const one = await later('remove');
  const now = Date.now;
  const clock = jest.spyOn(Date, 'now').mockImplementation(() => now() - 2_000);
  const two = await later('add').finally(() => clock.mockRestore());
  expect([one.operation?.state, two.operation?.state]).toEqual(['PENDING', 'PENDING']);
  device.release();
  expect((await first).operation?.state).toBe('SUCCEEDED');
  expect(await endsOf([one, two])).toEqual(['SUCCEEDED', 'SUCCEEDED']);
  expect(device.told.map((stdin) => /delete|add/.exec(stdin)?.[0])).toEqual(['delete', 'add']);
});

test('a call that waits for a slot is not sent after its backend was disabled', async () => {
  const id = await device.register(node, 'disabled', { limits: { concurrency: 1, deadlineMs: longMs } });
  await call(node, 'add', element('disabled', '10.3.0.9'));
  device.hold();
  const first = call(node, 'add', element('disabled', '10.3.0.1', { waitMs: longMs }));
  await until(() => device.timesTold('10.3.0.1') === 1);
  // Long enough for the call to be next in line for the slot.
  const second = await call(node, 'add', element('disabled', '10.3.0.2', { waitMs: 500 }));
  expect(second.operation?.state).toBe('PENDING');
  const disable =
    'mutation ($input: BackendUpdateInput!) { backendUpdate(input: $input) { backend { id } userErrors { code } } }';
  const { data } = await node.run(identity('OPERATOR'), disable, { input: { id, enabled: false } });
  expect(data).toMatchObject({ backendUpdate: { userErrors: [] } });
  device.release();
  expect((await first).operation?.state).toBe('SUCCEEDED');
  await until(async () => (await stateOf(second)).state !== 'PENDING');
  expect(await stateOf(second)).toMatchObject({ state: 'REJECTED', deviceError: { code: 'BACKEND_DISABLED' } });
  expect(device.timesTold('10.3.0.2')).toBe(0);
});

test('when a driver fails to render a waiting call, that call ends and the others are sent', async () => {
  const driver = failingToRender('10.4.0.2');
  const faulty = await system.node({ drivers: driver.all, settings: inTime });
  await device.register(faulty, 'faulty', { limits: { concurrency: 1, deadlineMs: longMs } });
  await call(faulty, 'add', element('faulty', '10.4.0.9'));
  device.hold();
  const first = call(faulty, 'add', element('faulty', '10.4.0.1', { waitMs: longMs }));
  await until(() => device.timesTold('10.4.0.1') === 1);
  // This call is rendered at once and waits for the slot. Those behind it wait to be rendered.
  const ahead = await call(faulty, 'add', element('faulty', '10.4.0.4', { waitMs: 0 }));
  const second = await call(faulty, 'add', element('faulty', '10.4.0.2', { waitMs: 0 }));
  const third = call(faulty, 'add', element('faulty', '10.4.0.3', { waitMs: longMs }));
  expect([ahead, second].map(({ operation }) => operation?.state)).toEqual(['PENDING', 'PENDING']);
  driver.fails();
  device.release();
  expect((await first).operation?.state).toBe('SUCCEEDED');
  expect((await third).operation?.state).toBe('SUCCEEDED');
  expect(await stateOf(second)).toMatchObject({ state: 'REJECTED', deviceError: { code: 'NOT_RENDERED' } });
  expect(device.timesTold('10.4.0.2')).toBe(0);
  await faulty.stop();
});

/** An nftables driver that can't render a call with `address` once it `fails`. */
function failingToRender(address: string) {
  const nftables = drivers.get('linux-nftables');
  const add = nftables?.operations.get('setElement.add');
  if (nftables === undefined || add === undefined) throw new Error('there is no such operation');
  let fails = false;
  const render: DriverOperation['render'] = (args, context) => {
    if (fails && args.address === address) throw new Error('not a call');
    return add.render(args, context);
  };
  const operations = new Map([...nftables.operations, [add.name, { ...add, render }]]);
  const driver: Driver = { ...nftables, operations };
  return {
    all: new Map([...drivers, [nftables.name, driver]]),
    fails() {
      fails = true;
    },
  };
}

test('a call that has waited too long is not sent, whichever part of the relay notices first', async () => {
  const alone = await RelaySystem.start();
  // Otherwise recovery would notice it as well.
  const rival = new LocalContext({ connection: alone.database.connection }, { wake: alone.wake });
  await rival.leases.acquire('relay/recovery');
  const hasty = await alone.node({ settings: { ...inTime, queueTimeoutMs: 3_000 } });
  try {
    await device.register(hasty, 'late', { limits: { concurrency: 1, deadlineMs: longMs } });
    await call(hasty, 'add', element('late', '10.5.0.9'));
    device.hold();
    const first = call(hasty, 'add', element('late', '10.5.0.1', { waitMs: longMs }));
    await until(() => device.timesTold('10.5.0.1') === 1);
    const second = call(hasty, 'add', element('late', '10.5.0.2', { waitMs: longMs }));
    await until(
      async () =>
        (await hasty.db.query("SELECT 1 FROM operation WHERE state = 'PENDING' AND deadline_at <= NOW(3)")).length > 0,
    );
    device.release();
    expect((await first).operation?.state).toBe('SUCCEEDED');
    expect((await second).operation).toMatchObject({ state: 'REJECTED', deviceError: { code: 'QUEUE_TIMEOUT' } });
    expect(device.timesTold('10.5.0.2')).toBe(0);
  } finally {
    await rival.stop();
    await alone.stop();
  }
});

/** Counts how often recovery has looked for dead processes. */
class LookedAtDatabase extends Database {
  looks = 0;

  override query<Row>(sql: string, values?: readonly SqlValue[]): Promise<Row[]> {
    if (sql.includes('DISTINCT owner')) this.looks += 1;
    return super.query(sql, values);
  }
}

test('a process that got no CPU until its own lease ended still sends its waiting calls', async () => {
  const alone = await RelaySystem.start();
  const db = new LookedAtDatabase({ connection: alone.database.connection, connectionLimit: 20 });
  const starved = await alone.node({ db, settings: inTime });
  try {
    await device.register(starved, 'starved', { limits: { concurrency: 1, deadlineMs: longMs } });
    await call(starved, 'add', element('starved', '10.6.0.9'));
    device.hold();
    const first = call(starved, 'add', element('starved', '10.6.0.1', { waitMs: longMs }));
    await until(() => device.timesTold('10.6.0.1') === 1);
    const second = call(starved, 'add', element('starved', '10.6.0.2', { waitMs: longMs }));
    await until(async () => (await db.query("SELECT 1 FROM operation WHERE state = 'PENDING'")).length > 0);
    const before = db.looks;
    await until(async () => {
      const end = 'UPDATE lease SET expires_at = NOW(3) - INTERVAL 1 SECOND WHERE name = ?';
      await db.execute(end, [processLeaseName('relay', starved.owner)]);
      return db.looks > before + 2;
    });
    device.release();
    expect((await first).operation?.state).toBe('SUCCEEDED');
    expect((await second).operation?.state).toBe('SUCCEEDED');
  } finally {
    await alone.stop();
  }
});
