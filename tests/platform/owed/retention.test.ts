// Retention of keys, commit marks and leases. The tests of the feed and of the chain cover events and audit entries.
import { beforeAll, expect, test } from '@jest/globals';
import type { Database } from '../../../platform/database/database.ts';
import { platformRetention } from '../../../platform/owed/retention.ts';
import { newUuid } from '../../../platform/values/ids.ts';
import { forFile } from '../../support/jest/shared.ts';
import { deletedRows } from '../../support/product/deleted-rows.ts';
import { testPair } from '../../support/product/signing-keys.ts';
import { TestContext } from '../../support/product/test-context.ts';

const dayMs = 86_400_000;
const ground = forFile(() => TestContext.open());
let db: Database;

beforeAll(async () => {
  ({ db } = ground);
});

function run(endedCalls?: (ids: readonly string[]) => Promise<ReadonlySet<string>>, signal?: AbortSignal) {
  const options = { ...ground, eventMs: 30 * dayMs, auditMs: 30 * dayMs, auditKeys: testPair('audit') };
  return deletedRows(platformRetention(endedCalls === undefined ? options : { ...options, endedCalls }), signal);
}

async function addKey(name: string, callId: string | null, days: number): Promise<void> {
  await db.execute(
    "INSERT INTO idempotency_key (scope, operation, key_hash, request_hash, call_id, expires_at) VALUES ('p', 'o', ?, 'h', ?, NOW(3) + INTERVAL ? DAY)",
    [name, callId, days],
  );
}

async function keys(): Promise<string[]> {
  return (await db.query<{ k: string }>('SELECT key_hash AS k FROM idempotency_key ORDER BY 1')).map((row) => row.k);
}

test("expired keys are deleted, a call's key only once the call has ended, and others stay", async () => {
  const [ended, open] = [newUuid(), newUuid()];
  await addKey('expired', null, -1);
  await addKey('fresh', null, 1);
  await addKey('of-ended', ended, -1);
  await addKey('of-open', open, -1);
  await addKey('of-ended-fresh', ended, 1);
  expect(await run()).toMatchObject({ 'idempotency keys': 1 });
  expect(await keys()).toEqual(['fresh', 'of-ended', 'of-ended-fresh', 'of-open']);
  const asked: string[] = [];
  const endedCalls = async (ids: readonly string[]) => {
    asked.push(...ids);
    return new Set([ended]);
  };
  expect(await run(endedCalls)).toMatchObject({ 'idempotency keys': 1 });
  expect(asked.sort()).toEqual([ended, open].sort());
  expect(await keys()).toEqual(['fresh', 'of-ended-fresh', 'of-open']);
});

test('old settings of an object are deleted, but the newest of an existing object stay, however old', async () => {
  const add = (id: string, number: number, days: number, settings: string | null) =>
    db.execute(
      `INSERT INTO configuration_version (id, subject_type, subject_id, number, root_id, name, object_version, settings, actor_kind, actor_name, at)
        VALUES (UUID(), 'T', ?, ?, ?, 'n', ?, ?, 'user', 'u', NOW(3) - INTERVAL ? DAY)`,
      [id, number, id, number, settings, days],
    );
  const [alive, gone, recent] = [newUuid(), newUuid(), newUuid()];
  for (const number of [1, 2, 3]) await add(alive, number, 50 - number, '{}');
  await add(gone, 1, 50, '{}');
  await add(gone, 2, 40, null);
  await add(recent, 1, 50, '{}');
  await add(recent, 2, 5, null);
  expect(await run()).toMatchObject({ 'versions of settings': 5 });
  const kept = await db.query<{ id: string; number: number }>(
    'SELECT subject_id AS id, number FROM configuration_version ORDER BY subject_id',
  );
  expect(kept).toEqual([
    { id: alive, number: 3 },
    { id: recent, number: 2 },
  ]);
});

test('old commit marks and leases are deleted, in as many batches as necessary', async () => {
  await db.execute(
    'INSERT INTO commit_record (id, timeline, at) SELECT UUID(), 1, NOW(3) - INTERVAL 9 DAY FROM seq_1_to_2500',
  );
  await db.execute(
    'INSERT INTO commit_record (id, timeline, at) SELECT UUID(), 1, NOW(3) - INTERVAL 7 DAY FROM seq_1_to_3',
  );
  await db.execute(
    "INSERT INTO lease (name, token, owner, expires_at) VALUES ('old', 't', 'o', NOW(3) - INTERVAL 2 DAY), ('recent', 't', 'o', NOW(3) - INTERVAL 1 HOUR)",
  );
  expect(await run()).toMatchObject({ 'commit records': 2500, leases: 1 });
  expect(await db.query('SELECT COUNT(*) AS n FROM commit_record')).toEqual([{ n: 3 }]);
  expect(await db.query('SELECT name FROM lease')).toEqual([{ name: 'recent' }]);
});

test('the newest event stays, however old; young events after an old one stay, although their ids look old', async () => {
  const add = (days: number) =>
    db.execute(
      "INSERT INTO status_change (seq, event_id, kind, subject_type, subject_id, subject_version, to_status, at) SELECT next_seq, UUID(), 'k', 'T', UUID(), 1, 'A', NOW(3) - INTERVAL ? DAY FROM status_sequencer",
      [days],
    );
  for (const days of [50, 40, 5, 45, 60]) {
    await add(days);
    await db.execute('UPDATE status_sequencer SET next_seq = next_seq + 1');
  }
  const seqs = async () =>
    (await db.query<{ seq: number }>('SELECT seq FROM status_change ORDER BY seq')).map((row) => row.seq);
  expect(await run()).toMatchObject({ events: 2 });
  expect(await seqs()).toEqual([3, 4, 5]);
  await db.execute('UPDATE status_change SET at = NOW(3) - INTERVAL 50 DAY');
  expect(await run()).toMatchObject({ events: 2 });
  expect(await seqs()).toEqual([5]);
  expect(await db.query('SELECT oldest_seq AS o FROM status_sequencer')).toEqual([{ o: 5 }]);
  expect(await run()).toMatchObject({ events: 0 });
});

test('stops between batches on request', async () => {
  await addKey('late', null, -1);
  expect(await run(undefined, AbortSignal.abort())).toMatchObject({ 'idempotency keys': 0 });
  expect(await keys()).toContain('late');
});
