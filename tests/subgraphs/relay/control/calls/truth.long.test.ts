// Answers about a call are true. Whatever is lost while the call is journaled, read or recorded, it does not stay SENT,
// and no answer after its acceptance claims that nothing was done.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createConnection } from 'mariadb';
import {
  Database,
  type QueryOptions,
  type SqlValue,
  type Transaction,
} from '../../../../../platform/database/database.ts';
import { encodeId } from '../../../../../platform/values/ids.ts';
import { backendLease } from '../../../../../subgraphs/relay/control/holding/backend-manager.ts';
import type { Driver } from '../../../../../subgraphs/relay/drivers/driver.ts';
import { drivers } from '../../../../../subgraphs/relay/drivers/registry.ts';
import { until, waitFor } from '../../../../support/machine/temporary-folder.ts';
import { CutProxy } from '../../support/cut-proxy.ts';
import { element, NftDevice } from '../../support/nft-device.ts';
import { call, identity, mutations, type RelayNode, RelaySystem } from '../../support/relay-system.ts';

const settings = { recoveryGraceMs: 200, sendWindowMs: 1_000, crashQuietMs: 500, deviceExecutionMs: 100 };

/**
 * Drops the recording of device answers while `forgets`. Leases are renewed and unanswered calls are recovered, because
 * the process lives.
 */
class ForgetfulDatabase extends Database {
  forgets = false;

  override transaction<Result>(
    work: (tx: Transaction) => Promise<Result>,
    options?: { readonly endsWork?: boolean },
  ): Promise<Result> {
    const remember = (values: readonly SqlValue[] | undefined) => {
      if (this.forgets && values?.includes('reply') === true) throw new Error('forgotten');
    };
    return super.transaction(
      (tx) =>
        work({
          query: async (sql, values, queryOptions) => {
            remember(values);
            return tx.query(sql, values, queryOptions);
          },
          execute: async (sql, values) => {
            remember(values);
            return tx.execute(sql, values);
          },
          afterCommit: (action) => tx.afterCommit(action),
          provenBy: (recordId) => tx.provenBy(recordId),
        }),
      options,
    );
  }
}

/** Counts repeated requests that have found their operation and now wait for its end. */
class WatchedDatabase extends Database {
  repetitions = 0;
  #keyRead = false;

  override async query<Row>(sql: string, values?: readonly SqlValue[], options?: QueryOptions): Promise<Row[]> {
    const rows = await super.query<Row>(sql, values, options);
    if (sql.includes('FROM idempotency_key')) this.#keyRead = true;
    else if (this.#keyRead && sql.includes('FROM operation WHERE id = ?')) this.repetitions += 1;
    return rows;
  }
}

let system: RelaySystem;
let watched: WatchedDatabase;
let proxy: CutProxy;
/** Reaches its database through the proxy, and does not run the recovery. */
let node: RelayNode;
let other: RelayNode;
let device: NftDevice;

beforeAll(async () => {
  system = await RelaySystem.start();
  proxy = await CutProxy.start(system.database.connection.socketPath);
  // The first node, which runs the recovery.
  other = await system.node({ settings });
  device = await NftDevice.start();
  await recovers(other);
  watched = new WatchedDatabase({
    connection: { ...system.database.connection, socketPath: proxy.path },
    connectionLimit: 20,
  });
  node = await system.node({ db: watched, settings });
});
afterAll(async () => {
  proxy.back();
  try {
    await system.stop();
  } finally {
    await device.ssh.stop();
    await proxy.stop();
  }
});

interface Row {
  readonly id: string;
  readonly state: string;
  readonly errorCode: string | null;
  readonly claim: string | null;
}

const rowsOf = (address: string) =>
  other.db.query<Row>(
    'SELECT id, state, error_code AS errorCode, claim FROM operation WHERE object_key = ? ORDER BY id',
    [`blocked/${address}`],
  );
const inState = (address: string, state: string) =>
  waitFor(`${address} to be ${state}`, async () => {
    const row = (await rowsOf(address)).at(-1);
    return row?.state === state && row;
  });
/** Makes the node run the recovery: the first one that looks while a call acts does. */
async function recovers(recovering: RelayNode): Promise<void> {
  const name = 'acting';
  await device.register(recovering, name);
  await waitFor('the recovery', async () => {
    const input = element(name, '10.9.9.8', { idempotencyKey: `acts-${performance.now()}` });
    await recovering.run(identity('OPERATOR'), mutations.add, { input });
    return (await recovering.db.query("SELECT 1 FROM lease WHERE name = 'relay/recovery'")).length > 0;
  });
}
/** Makes the node hold the backend and a session, so that the next call is journaled as SENT at once. */
async function warm(name: string): Promise<void> {
  await waitFor(`a session with ${name}`, async () => {
    const idempotencyKey = `warm-${performance.now()}`;
    const { operation } = await call(node, 'add', element(name, '10.9.9.9', { idempotencyKey }));
    return operation?.state === 'SUCCEEDED' && operation.version === 2;
  });
}

test('an INSERT that was given up can no longer commit: the call is not SENT, and its key is free', async () => {
  await device.register(node, 'late', { limits: { deadlineMs: 8_000 } });
  await warm('late');
  const root = await createConnection({ ...system.database.rootConnection });
  try {
    // The batch waits inside the server for the lock on the lease's row.
    await root.query('START TRANSACTION');
    const [backend] = await root.query<{ id: string }[]>("SELECT id FROM backend WHERE name = 'late'");
    await root.query('SELECT * FROM lease WHERE name = ? FOR UPDATE', [backendLease(backend?.id ?? '')]);
    const running = call(node, 'add', element('late', '10.1.0.1', { deadlineMs: 5_000 }));
    const waits = `SELECT 1 FROM information_schema.processlist WHERE db = '${system.database.name}'
      AND info LIKE '%INSERT INTO operation%' AND id <> CONNECTION_ID()`;
    await until(async () => (await root.query<unknown[]>(waits)).length > 0);
    await proxy.lose({ silently: true });
    proxy.back();
    // The call was settled as not done, made again, and waited for the key until its deadline.
    expect(await running).toMatchObject({ operation: null, userErrors: [{ code: 'IN_PROGRESS', retry: 'SAME_KEY' }] });
    await root.query('ROLLBACK');
    await until(async () => (await root.query<unknown[]>(waits)).length === 0);
  } finally {
    await root.end();
  }
  expect(await rowsOf('10.1.0.1')).toEqual([]);
  // The server ends the transaction of the lost connection after a while, and the transaction holds the key until then.
  const repeat = () => call(node, 'add', element('late', '10.1.0.1', { deadlineMs: 5_000 }));
  let again = await repeat();
  while (again.userErrors[0]?.code === 'IN_PROGRESS') again = await repeat();
  expect(again.operation?.state).toBe('SUCCEEDED');
  expect(device.timesTold('10.1.0.1')).toBe(1);
}, 60_000);

test('when the database is lost after a call was accepted, the answer has its ID and does not claim that nothing was done', async () => {
  await device.register(node, 'lost', { limits: { deadlineMs: 60_000 } });
  await warm('lost');
  device.hold();
  const ask = (address: string) =>
    node.run<{ call: unknown }>(identity('OPERATOR'), mutations.add, {
      input: element('lost', address, { waitMs: 8_000 }),
    });
  const sent = ask('10.1.0.2');
  await device.receives('10.1.0.2');
  const waiting = call(other, 'add', element('lost', '10.1.0.2', { idempotencyKey: 'second', waitMs: 0 }));
  expect((await waiting).operation?.state).toBe('PENDING');
  watched.repetitions = 0;
  const same = ask('10.1.0.2');
  await until(() => watched.repetitions > 0);
  try {
    await proxy.lose();
    const [row] = await rowsOf('10.1.0.2');
    const outcome = { operationId: encodeId('RelayOperation', row?.id ?? '') };
    for (const answer of [await sent, await same])
      expect(answer.errors[0]?.extensions).toMatchObject({ code: 'OUTCOME_NOT_READ', outcome });
  } finally {
    proxy.back();
    device.release();
  }
  expect(await inState('10.1.0.2', 'SUCCEEDED')).toBeDefined();
}, 60_000);

test('when a driver fails to read an answer, the call is UNKNOWN and the process survives', async () => {
  const [[name, nftables] = ['', undefined]] = [...drivers].filter(([each]) => each === 'linux-nftables');
  if (nftables === undefined) throw new Error('there is no such driver');
  const add = nftables.operations.get('setElement.add');
  if (add === undefined) throw new Error('there is no such operation');
  const failing = { ...add, interpret: () => assertNever() } as typeof add;
  const failingDriver: Driver = { ...nftables, operations: new Map([...nftables.operations, [add.name, failing]]) };
  const third = await system.node({ settings, drivers: new Map([...drivers, [name, failingDriver]]) });
  await device.register(third, 'failing');
  const answer = await call(third, 'add', element('failing', '10.1.0.3'));
  expect(answer.operation).toMatchObject({
    state: 'UNKNOWN',
    deviceError: { code: 'UNREADABLE_REPLY', message: expect.stringMatching(/failed to read the answer/) },
  });
  await third.stop();
}, 60_000);

function assertNever(): never {
  throw new Error('not an answer');
}

test('when a living owner records no outcome, the call becomes UNKNOWN in time, and the late verdict is accepted', async () => {
  const db = new ForgetfulDatabase({ connection: system.database.connection, connectionLimit: 20 });
  const forgetful = await system.node({ db, settings });
  await device.register(forgetful, 'forgetful');
  await call(forgetful, 'add', element('forgetful', '10.1.0.4'));
  db.forgets = true;
  const answer = await forgetful.run(identity('OPERATOR'), mutations.add, {
    input: element('forgetful', '10.1.0.5', { deadlineMs: 2_000 }),
  });
  expect(answer.errors[0]?.extensions).toMatchObject({
    code: 'OUTCOME_NOT_RECORDED',
    outcome: { state: 'SUCCEEDED' },
  });
  expect(await inState('10.1.0.5', 'UNKNOWN')).toMatchObject({ errorCode: 'NOT_RECORDED' });
  db.forgets = false;
  expect(await inState('10.1.0.5', 'SUCCEEDED')).toMatchObject({ claim: null });
  await forgetful.stop();
}, 60_000);

test('a call that recovery fails to move delays no other', async () => {
  const db = new ForgetfulDatabase({ connection: system.database.connection, connectionLimit: 20 });
  const forgetful = await system.node({ db, settings });
  await device.register(forgetful, 'poisoned');
  await call(forgetful, 'add', element('poisoned', '10.1.0.6'));
  const root = await createConnection({ ...system.database.rootConnection });
  try {
    await root.query(`CREATE TRIGGER poison BEFORE UPDATE ON operation FOR EACH ROW
      IF OLD.object_key = 'blocked/10.1.0.7' THEN SIGNAL SQLSTATE '45001' SET MESSAGE_TEXT = 'poisoned'; END IF`);
    db.forgets = true;
    for (const address of ['10.1.0.7', '10.1.0.8'])
      await forgetful.run(identity('OPERATOR'), mutations.add, {
        input: element('poisoned', address, { deadlineMs: 2_000 }),
      });
    expect(await inState('10.1.0.8', 'UNKNOWN')).toBeDefined();
    expect((await rowsOf('10.1.0.7'))[0]?.state).toBe('SENT');
    await root.query('DROP TRIGGER poison');
    db.forgets = false;
    expect(await inState('10.1.0.7', 'SUCCEEDED')).toBeDefined();
    expect(await inState('10.1.0.8', 'SUCCEEDED')).toBeDefined();
  } finally {
    await root.end();
  }
  await forgetful.stop();
}, 60_000);

test("a driver that can no longer derive a call's settings does not keep recovery from ending the call", async () => {
  const alone = await RelaySystem.start();
  try {
    const [[name, nftables] = ['', undefined]] = [...drivers].filter(([each]) => each === 'linux-nftables');
    const add = nftables?.operations.get('setElement.add');
    if (nftables === undefined || add === undefined) throw new Error('there is no such operation');
    let isLost = false;
    const desired: typeof add.desired = (args) => (isLost ? assertNever() : (add.desired?.(args) ?? {}));
    const operations = new Map([...nftables.operations, [add.name, { ...add, desired }]]);
    const recovering = await alone.node({
      settings,
      drivers: new Map([...drivers, [name, { ...nftables, operations }]]),
    });
    await recovers(recovering);
    isLost = true;
    const db = new ForgetfulDatabase({ connection: alone.database.connection, connectionLimit: 20 });
    const forgetful = await alone.node({ db, settings });
    await device.register(forgetful, 'unsaid');
    await call(forgetful, 'add', element('unsaid', '10.1.0.9'));
    db.forgets = true;
    const cmpObject = { type: 'tenant', externalId: 'unsaid' };
    await forgetful.run(identity('OPERATOR'), mutations.add, {
      input: element('unsaid', '10.1.0.10', { deadlineMs: 1_000, cmpObject }),
    });
    const state = () =>
      recovering.db.query("SELECT state FROM operation WHERE object_key = 'blocked/10.1.0.10' AND state = 'UNKNOWN'");
    await until(async () => (await state()).length > 0);
    expect(await recovering.db.query("SELECT state FROM mapping WHERE object_key = 'blocked/10.1.0.10'")).toEqual([
      { state: 'UNVERIFIED' },
    ]);
  } finally {
    await alone.stop();
  }
}, 60_000);
