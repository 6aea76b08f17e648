// Retention of the journal. Old final calls are deleted with their evidence, but the calls of live mappings stay.
import { expect, test } from '@jest/globals';
import { decodeUuid, encodeId } from '../../../../../platform/values/ids.ts';
import { endedCalls, relayRetention } from '../../../../../subgraphs/relay/control/journal/retention.ts';
import { deletedRows } from '../../../../support/product/deleted-rows.ts';
import { element, NftDevice } from '../../support/nft-device.ts';
import { call } from '../../support/relay-system.ts';
import { startRelay } from '../../support/start-relay.ts';

const { node } = await startRelay({
  device: () => NftDevice.start(),
  backend: 'fw', // The test set the states of some calls directly, and deleted events.
  stop: { except: ['an operation is as its last event says', 'a mapping is as its last event says'] },
});

test('old final calls are deleted, others are not', async () => {
  const cmpObject = { type: 'tenant', externalId: '1' };
  await call(node, 'add', element('fw', '10.0.0.1', { cmpObject }));
  await call(node, 'add', element('fw', '10.0.0.2'));
  await call(node, 'add', element('fw', '10.0.0.3'));
  await call(node, 'add', element('fw', '10.0.0.4'));
  await node.db.execute(
    "UPDATE operation SET state = 'UNKNOWN', finished_at = NULL WHERE object_key = 'blocked/10.0.0.3'",
  );
  await node.db.execute(
    "UPDATE operation SET created_at = NOW(3) - INTERVAL 2 DAY, finished_at = NOW(3) - INTERVAL 2 DAY WHERE object_key <> 'blocked/10.0.0.4'",
  );
  await node.db.execute("UPDATE operation SET finished_at = NULL WHERE state = 'UNKNOWN'");
  await node.db.execute(
    "INSERT INTO operation_evidence (operation_id, source, finding) SELECT id, 'probe', 'X' FROM operation",
  );
  expect(await deletedRows(relayRetention(node.db, 86_400_000))).toMatchObject({ 'operations (SUCCEEDED)': 1 });
  const left = await node.db.query<{ id: string; objectKey: string }>(
    'SELECT id, object_key AS objectKey FROM operation ORDER BY id',
  );
  expect(left.map((row) => row.objectKey)).toEqual(['blocked/10.0.0.1', 'blocked/10.0.0.3', 'blocked/10.0.0.4']);
  expect(await node.db.query('SELECT COUNT(*) AS n FROM operation_evidence')).toEqual([{ n: 3 }]);
  const ids = left.map((row) => row.id);
  const ended = await endedCalls(node.db, [...ids, 'gone']);
  expect([...ended]).toEqual([ids[0], ids[2], 'gone']);
});

test('a deleted mapping is kept until the last of its events is gone, whichever call made it', async () => {
  const made: string[] = [];
  for (const address of ['10.1.0.1', '10.1.0.2', '10.1.0.3']) {
    const cmpObject = { type: 'tenant', externalId: address };
    const { operation } = await call(node, 'add', element('fw', address, { cmpObject }));
    made.push(decodeUuid('Mapping', operation?.changedMappings[0]?.id ?? '') ?? '');
  }
  const [live = '', adopted = '', recent = ''] = made;
  for (const id of [adopted, recent])
    await call(node, 'delete', { idempotencyKey: `delete-${id}`, mappingId: encodeId('Mapping', id) });
  // As if the object had been adopted.
  await node.db.execute('UPDATE mapping SET operation_id = NULL WHERE id = ?', [adopted]);
  await node.db.execute('UPDATE mapping SET updated_at = NOW(3) - INTERVAL 2 DAY WHERE id <> ?', [recent]);
  const left = async () =>
    (await node.db.query<{ id: string }>('SELECT id FROM mapping WHERE id IN (?, ?, ?) ORDER BY id', made)).map(
      ({ id }) => id,
    );
  const purge = async () => (await deletedRows(relayRetention(node.db, 86_400_000)))['deleted mappings'];
  await purge();
  expect(await left()).toEqual(made);
  await node.db.execute("DELETE FROM status_change WHERE subject_type = 'Mapping'");
  expect(await purge()).toBe(1);
  expect(await left()).toEqual([live, recent]);
});

test('a deleted backend goes after its calls, its mappings and its events', async () => {
  const deleted = async () => {
    const rows = await deletedRows(relayRetention(node.db, 86_400_000));
    return rows['deleted backends'];
  };
  await node.db.execute('UPDATE backend SET deleted_at = NOW(3) - INTERVAL 2 DAY, live_name = NULL');
  await node.db.execute('DELETE FROM status_change');
  expect(await deleted()).toBe(0);
  await node.db.execute('DELETE FROM mapping');
  expect(await deleted()).toBe(0);
  await node.db.execute('DELETE FROM operation');
  expect(await deleted()).toBe(1);
  for (const table of ['backend', 'backend_identity', 'backend_credential'])
    expect([table, await node.db.query(`SELECT COUNT(*) AS n FROM ${table}`)]).toEqual([table, [{ n: 0 }]]);
});
