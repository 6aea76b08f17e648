// An answer shows the row of its call without reading it back: it must be the row that is in the database.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createConnection } from 'mariadb';
import {
  Database,
  type QueryOptions,
  type SqlValue,
  type Transaction,
} from '../../../../../platform/database/database.ts';
import { marksFor } from '../../../../../platform/database/sql.ts';
import { Journal } from '../../../../../subgraphs/relay/control/journal/journal.ts';
import { readOperation } from '../../../../../subgraphs/relay/control/journal/operation-store.ts';
import type { OperationRow } from '../../../../../subgraphs/relay/control/model/operation.ts';
import { element, NftDevice } from '../../support/nft-device.ts';
import { call, identity, projectA, type RelayNode, RelaySystem } from '../../support/relay-system.ts';

interface SentText {
  readonly sql: string;
  readonly values: readonly SqlValue[];
}

/** Keeps the texts of its transactions. */
class WatchedDatabase extends Database {
  readonly sent: SentText[] = [];

  override transaction<Result>(
    work: (tx: Transaction) => Promise<Result>,
    options?: { readonly endsWork?: boolean },
  ): Promise<Result> {
    const watched = (tx: Transaction): Transaction => ({
      query: <Row>(sql: string, values: readonly SqlValue[] = [], how?: QueryOptions) => {
        this.sent.push({ sql, values });
        return tx.query<Row>(sql, values, how);
      },
      execute: (sql, values) => tx.execute(sql, values),
      afterCommit: (action) => tx.afterCommit(action),
      provenBy: (recordId, epoch) => tx.provenBy(recordId, epoch),
    });
    return super.transaction((tx) => work(watched(tx)), options);
  }
}

let system: RelaySystem;
let node: RelayNode;
let db: WatchedDatabase;
let device: NftDevice;
const answered: OperationRow[] = [];
const record = Journal.prototype.record;

beforeAll(async () => {
  Journal.prototype.record = async function (...given) {
    const recorded = await record.apply(this, given);
    if (recorded.kind === 'written' && recorded.row !== undefined) answered.push(recorded.row);
    return recorded;
  };
  system = await RelaySystem.start();
  db = new WatchedDatabase({ connection: system.database.connection, connectionLimit: 20 });
  node = await system.node({ db, settings: { tickMs: 600_000 } });
  device = await NftDevice.start();
  await device.register(node, 'fw');
  // From now on there is a session, and calls are sent at once.
  await call(node, 'add', element('fw', '10.9.9.9'));
});
afterAll(async () => {
  Journal.prototype.record = record;
  await system.stop();
  await device.ssh.stop();
});

/** The answered rows of the calls that `work` makes, the rows in the database, and whether one was read back in a transaction. */
async function rowsOf(work: () => Promise<unknown>) {
  answered.length = 0;
  db.sent.length = 0;
  await work();
  const own = [...answered];
  const stored = await Promise.all(own.map(({ id }) => readOperation(db, id)));
  return {
    own,
    stored,
    isReadBack: db.sent.some(({ sql }) => /SELECT id, project_id AS projectId[^;]*FROM operation/.test(sql)),
  };
}

const rule = { name: 'blocked', source: { set: 'blocked' }, action: 'DROP' };
const cmpObject = { type: 'tenant', externalId: '4711' };

test.each([
  ['a call', () => call(node, 'add', element('fw', '10.4.0.1'))],
  ['a call for a CMP object', () => call(node, 'add', element('fw', '10.4.0.2', { cmpObject }))],
  ['a call with a deadline', () => call(node, 'add', element('fw', '10.4.0.4', { deadlineMs: 1_500, waitMs: 20_000 }))],
  [
    'a call of another person',
    () => call(node, 'add', element('fw', '10.4.0.5'), identity('MEMBER', projectA, 'Jörg – 東')),
  ],
  [
    'a call that gets an id',
    () => call(node, 'ruleCreate', { ...rule, backend: { name: 'fw' }, idempotencyKey: 'rule' }),
  ],
  ['a removal', () => call(node, 'remove', { ...element('fw', '10.4.0.2'), idempotencyKey: 'remove' })],
])('%s is answered as it is stored, and is not read back', async (_, work) => {
  const { own, stored, isReadBack } = await rowsOf(work);
  expect(own).toHaveLength(1);
  expect(own[0]?.state).toBe('SUCCEEDED');
  expect(own).toEqual(stored);
  expect(isReadBack).toBe(false);
});

/** The temporary tables that a text makes, which is rolled back. */
async function temporaryTablesOf({ sql, values }: SentText): Promise<number> {
  const connection = await createConnection({ ...system.database.connection, multipleStatements: false });
  try {
    await connection.query('SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED');
    await connection.beginTransaction();
    await withoutItsRows(values, (text, given) => connection.query(text, [...given]));
    const made = async (): Promise<number> => {
      const [row] = (await connection.query("SHOW SESSION STATUS LIKE 'Created_tmp_tables'")) as { Value: string }[];
      return Number(row?.Value);
    };
    const [first, before] = [await made(), await made()];
    await connection.execute(sql.replace(/SET batch_step = \d+; COMMIT;/, ''), [...values]);
    return (await made()) - before - (before - first);
  } finally {
    await connection.rollback();
    await connection.end();
  }
}

/** Deletes the rows of a call that its text inserts. */
async function withoutItsRows(
  values: readonly SqlValue[],
  query: (text: string, given: readonly SqlValue[]) => Promise<unknown>,
): Promise<void> {
  const ids = values.filter((value) => typeof value === 'string' && /^[0-9a-f-]{36}$/.test(value));
  const marks = marksFor(ids);
  await query(`DELETE FROM operation WHERE id IN (${marks})`, ids);
  await query(`DELETE FROM idempotency_key WHERE call_id IN (${marks})`, ids);
  // Older ones are those that the database must have.
  const [commit] = (await query(`SELECT MAX(id) AS id FROM commit_record WHERE id IN (${marks})`, ids)) as {
    id: string;
  }[];
  await query('DELETE FROM commit_record WHERE id = ?', [commit?.id ?? null]);
}

test('an INSERT that reads from its own table makes a temporary one: a call is journaled without', async () => {
  db.sent.length = 0;
  await call(node, 'add', element('fw', '10.4.0.7', { idempotencyKey: 'no temporary tables' }));
  const accepted = db.sent.find(({ sql }) => sql.includes('INSERT INTO operation'));
  expect(await temporaryTablesOf(accepted as SentText)).toBe(0);
});
