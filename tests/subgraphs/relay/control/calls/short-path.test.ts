// Calls skip some reads but never rely on outdated data. They use the backend row that the process holds, and the
// mappings that were read while the device worked.
import { AsyncLocalStorage } from 'node:async_hooks';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { Database, type SqlValue, type Transaction } from '../../../../../platform/database/database.ts';
import { Journal } from '../../../../../subgraphs/relay/control/journal/journal.ts';
import { type OperationRow, waitingCall } from '../../../../../subgraphs/relay/control/model/operation.ts';
import { SecretArguments } from '../../../../../subgraphs/relay/control/model/secret-arguments.ts';
import { linuxNftables } from '../../../../../subgraphs/relay/drivers/linux-nftables/driver.ts';
import { element, NftDevice } from '../../support/nft-device.ts';
import { call, type RelayNode, RelaySystem } from '../../support/relay-system.ts';
import { renderContext } from '../../support/render-context.ts';

/**
 * Counts its queries. Inside transactions it counts only those of `countedIn`, because the process also renews its
 * leases, for example.
 */
class CountingDatabase extends Database {
  backendReads = 0;
  readonly #counts = new AsyncLocalStorage<{ inTransactions: number }>();

  async countedIn<Result>(work: () => Promise<Result>): Promise<{ result: Result; inTransactions: number }> {
    const counts = { inTransactions: 0 };
    const result = await this.#counts.run(counts, work);
    return { result, ...counts };
  }

  override query<Row>(sql: string, values?: readonly SqlValue[]): Promise<Row[]> {
    if (sql.includes('FROM backend b WHERE')) this.backendReads += 1;
    return super.query(sql, values);
  }

  override transaction<Result>(
    work: (tx: Transaction) => Promise<Result>,
    options?: { readonly endsWork?: boolean },
  ): Promise<Result> {
    const counts = this.#counts.getStore();
    const counted = <Answer>(answer: Answer): Answer => {
      if (counts !== undefined) counts.inTransactions += 1;
      return answer;
    };
    return super.transaction(
      (tx) =>
        work({
          query: (sql, values) => counted(tx.query(sql, values)),
          execute: (sql, values) => counted(tx.execute(sql, values)),
          afterCommit: (action) => tx.afterCommit(action),
          provenBy: (recordId) => tx.provenBy(recordId),
        }),
      options,
    );
  }
}

let system: RelaySystem;
let node: RelayNode;
let db: CountingDatabase;
let device: NftDevice;
let number = 0;
const cmp = { cmpObject: { type: 'tenant', externalId: '42' } };

beforeAll(async () => {
  system = await RelaySystem.start();
  db = new CountingDatabase({ connection: system.database.connection, connectionLimit: 20 });
  // Only the calls read the database.
  node = await system.node({ db, settings: { tickMs: 600_000 } });
  device = await NftDevice.start();
});
afterAll(async () => {
  await system.stop();
  await device.ssh.stop();
});

let name: string;
beforeEach(async () => {
  number += 1;
  name = `fw-${number}`;
  await device.register(node, name);
  await call(node, 'add', element(name, '10.9.9.9'));
  device.told.length = 0;
});

const setBackend = (sets: string) =>
  db.execute(`UPDATE backend SET ${sets}, version = version + 1 WHERE name = ?`, [name]);

test('a held backend is not read again for a call', async () => {
  db.backendReads = 0;
  expect((await call(node, 'add', element(name, '10.1.0.1'))).operation?.state).toBe('SUCCEEDED');
  expect(db.backendReads).toBe(0);
  // A selector with more than the name needs a lookup.
  const bySite = { ...element(name, '10.1.0.2'), backend: { name, family: 'FIREWALL' } };
  expect((await call(node, 'add', bySite)).operation?.state).toBe('SUCCEEDED');
  expect(db.backendReads).toBe(1);
});

test('a backend disabled by another process is not called', async () => {
  await setBackend("provisioning_status = 'DISABLED'");
  const refused = await call(node, 'add', element(name, '10.1.0.1'));
  expect(refused).toMatchObject({ operation: null, userErrors: [{ code: 'BACKEND_DISABLED' }] });
  expect(device.told).toEqual([]);
  await setBackend("provisioning_status = 'ENABLED'");
  expect((await call(node, 'add', element(name, '10.1.0.1'))).operation?.state).toBe('SUCCEEDED');
});

test('a limit changed by another process applies to the next call', async () => {
  await setBackend('deadline_ms = 7000');
  await call(node, 'add', element(name, '10.1.0.1'));
  const [row] = await db.query(
    'SELECT call_deadline_ms AS ms FROM operation WHERE object_key = ? AND backend_id IN (SELECT id FROM backend WHERE name = ?)',
    ['blocked/10.1.0.1', name],
  );
  expect(row).toEqual({ ms: 7_000 });
});

test('a permission given by another process applies to the next call', async () => {
  const init = {
    ...{ backend: { name }, operation: 'chain.create', arguments: { chain: 'new' } },
    idempotencyKey: `init-${name}`,
  };
  expect((await call(node, 'relayCall', init)).userErrors).toMatchObject([{ code: 'INIT_NOT_ALLOWED' }]);
  await setBackend('allow_init = 1');
  expect((await call(node, 'relayCall', init)).operation?.state).toBe('SUCCEEDED');
});

/** A call that the device is working on. The test writes its verdict. */
async function onTheWire(address: string, mutation: 'add' | 'remove' = 'add') {
  device.told.length = 0;
  device.hold();
  const input = element(name, address, { ...cmp, idempotencyKey: `wire-${name}-${address}` });
  const answered = call(node, mutation, input);
  await device.receives(address);
  const [row] = await db.query<OperationRow>(
    "SELECT *, project_id AS projectId, backend_id AS backendId, cmp_namespace AS cmpNamespace, cmp_type AS cmpType, cmp_id AS cmpId, cmp_role AS cmpRole, object_key AS objectKey, object_hash AS objectHash FROM operation WHERE state = 'SENT'",
  );
  if (row === undefined) throw new Error('no operation is SENT');
  const operation = linuxNftables.operations.get(row.name);
  if (operation === undefined) throw new Error(`there is no operation ${row.name}`);
  const rendering = renderContext(linuxNftables);
  const rendered = {
    operation,
    args: JSON.parse(row.arguments),
    wire: { kind: 'exec', command: '' },
    rendering,
  } as const;
  const accepted = waitingCall(row, rendered, new SecretArguments(node.sealer));
  const journal = new Journal({ db, wake: system.wake, commits: node.commits, owner: node.owner });
  const record = async (foreseen: Awaited<ReturnType<Journal['foresee']>>) => {
    const verdict = { state: 'SUCCEEDED', settledBy: 'reply' } as const;
    const counted = await db.countedIn(() => journal.record(accepted, row, verdict, foreseen));
    device.release();
    await answered;
    return { kind: counted.result.kind, roundTrips: counted.inTransactions };
  };
  const mapping = async () => {
    const [found] = await db.query<{ state: string; version: number; toldVersion: number; toldState: string }>(
      `SELECT m.state, m.version, e.subject_version AS toldVersion, e.to_status AS toldState FROM mapping m
      JOIN status_change e ON e.subject_id = m.id WHERE m.backend_id = ? AND m.object_hash = ? ORDER BY e.id DESC LIMIT 1`,
      [row.backendId, row.objectHash],
    );
    return found;
  };
  return { foreseen: await journal.foresee(accepted), record, mapping };
}

test('a verdict with the expected mappings takes one round trip', async () => {
  const made = await onTheWire('10.2.0.1');
  expect(await made.record(made.foreseen)).toEqual({ kind: 'written', roundTrips: 1 });
  expect(await made.mapping()).toEqual({ state: 'ACTIVE', version: 1, toldState: 'ACTIVE', toldVersion: 1 });
});

test('an existing mapping is read even if the call creates the object', async () => {
  await call(node, 'add', element(name, '10.2.0.4', cmp));
  const again = await onTheWire('10.2.0.4');
  expect(again.foreseen?.rows).toEqual([]);
  expect(await again.record(again.foreseen)).toMatchObject({ kind: 'written', roundTrips: 3 });
  expect(await again.mapping()).toEqual({ state: 'ACTIVE', version: 2, toldState: 'ACTIVE', toldVersion: 2 });
});

test('a mapping that changed since it was read ahead is read again', async () => {
  await call(node, 'add', element(name, '10.2.0.2', cmp));
  const again = await onTheWire('10.2.0.2', 'remove');
  expect(again.foreseen?.rows).toHaveLength(1);
  await db.execute(
    "UPDATE mapping SET state = 'UNVERIFIED', version = version + 1 WHERE object_key = 'blocked/10.2.0.2'",
  );
  expect(await again.record(again.foreseen)).toMatchObject({ kind: 'written', roundTrips: 3 });
  expect(await again.mapping()).toEqual({ state: 'DELETED', version: 3, toldState: 'DELETED', toldVersion: 3 });
});

test('an object on a backend deleted since then becomes an orphan', async () => {
  const late = await onTheWire('10.2.0.3');
  await setBackend("provisioning_status = 'DELETED', live_name = NULL");
  expect(await late.record(late.foreseen)).toMatchObject({ kind: 'written', roundTrips: 3 });
  expect(await late.mapping()).toMatchObject({ state: 'ORPHAN', toldState: 'ORPHAN' });
});
