// An answer shows the row of its call without reading it back, so it must equal the row in the database.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import {
  Database,
  type QueryOptions,
  type SqlValue,
  type Transaction,
} from '../../../../../platform/database/database.ts';
import { Journal } from '../../../../../subgraphs/relay/control/journal/journal.ts';
import { readOperation } from '../../../../../subgraphs/relay/control/journal/operation-store.ts';
import type { OperationRow } from '../../../../../subgraphs/relay/control/model/operation.ts';
import { element, NftDevice } from '../../support/nft-device.ts';
import { call, identity, projectA, type RelayNode, RelaySystem } from '../../support/relay-system.ts';

/** Records the SQL of its transactions. */
class WatchedDatabase extends Database {
  readonly texts: string[] = [];

  override transaction<Result>(
    work: (tx: Transaction) => Promise<Result>,
    options?: { readonly endsWork?: boolean },
  ): Promise<Result> {
    const watched = (tx: Transaction): Transaction => ({
      query: <Row>(sql: string, values?: readonly SqlValue[], how?: QueryOptions) => {
        this.texts.push(sql);
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

/**
 * Returns the answered rows of the calls that `work` makes, the rows in the database, and whether a transaction read
 * one back.
 */
async function rowsOf(work: () => Promise<unknown>) {
  answered.length = 0;
  db.texts.length = 0;
  await work();
  const own = [...answered];
  const stored = await Promise.all(own.map(({ id }) => readOperation(db, id)));
  return {
    own,
    stored,
    isReadBack: db.texts.some((text) => /SELECT id, project_id AS projectId[^;]*FROM operation/.test(text)),
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
