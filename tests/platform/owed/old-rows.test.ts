// Rows that are deleted a time after something happened to them: the rules of all subgraphs against the real tables, and how a run deletes.
import { readFile } from 'node:fs/promises';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { restedNames } from '../../../dns/ownership/retention.ts';
import type { Database } from '../../../platform/database/database.ts';
import { countOldRows, deleteOldRows } from '../../../platform/owed/old-rows.ts';
import { platformRetention } from '../../../platform/owed/retention.ts';
import type { OldRows } from '../../../platform/owed/retention-step.ts';
import { newUuid } from '../../../platform/values/ids.ts';
import { retentionSteps as gslbRetention } from '../../../subgraphs/gslb/control/retention.ts';
import { retentionSteps as balancerRetention } from '../../../subgraphs/loadbalancer/control/retention.ts';
import { scalingRetention } from '../../../subgraphs/loadbalancer/control/scaling/retention.ts';
import { objectRetention } from '../../../subgraphs/object-storage/control/retention.ts';
import { relayRetention } from '../../../subgraphs/relay/control/journal/retention.ts';
import { sessionRetention } from '../../../subgraphs/system/control/access/session-retention.ts';
import { alertRetention } from '../../../subgraphs/system/control/alerts/retention.ts';
import { forFile } from '../../support/jest/shared.ts';
import { testPair } from '../../support/product/signing-keys.ts';
import { TestContext } from '../../support/product/test-context.ts';

const dayMs = 86_400_000;
const ground = forFile(() => TestContext.open());
let db: Database;

beforeAll(() => {
  ({ db } = ground);
});

function allSteps() {
  return [
    ...[...balancerRetention(db), ...scalingRetention(db, { changedMs: dayMs }), ...gslbRetention(db, 90)],
    ...[...relayRetention(db, 30 * dayMs), ...objectRetention(ground), ...restedNames(db)],
    ...[...alertRetention(db), sessionRetention(db)],
    ...platformRetention({ ...ground, eventMs: dayMs, auditMs: dayMs, auditKeys: testPair('audit') }),
  ];
}

describe('every kind of rows', () => {
  test('has a name of its own', () => {
    const names = allSteps().map(({ name }) => name);
    expect(names).toEqual([...new Set(names)]);
  });

  test('is found in the order of an index', async () => {
    const rows = await db.query<{ table: string; columns: string }>(
      `SELECT table_name AS 'table', GROUP_CONCAT(column_name ORDER BY seq_in_index) AS columns FROM information_schema.statistics
        WHERE table_schema = DATABASE() GROUP BY table_name, index_name`,
    );
    const without = allSteps().flatMap(({ oldRows }) => {
      if (oldRows === undefined) return [];
      const { name, table, given = {}, column } = oldRows;
      const wanted = [...Object.keys(given), column].join();
      const isIndexed = rows.some((row) => row.table === table && `${row.columns},`.startsWith(`${wanted},`));
      return isIndexed ? [] : [`${name}: no index of ${table} begins with ${wanted}`];
    });
    expect(without).toEqual([]);
  });

  test('can be counted and deleted: its conditions fit the tables', async () => {
    for (const { run, overdue, oldRows } of allSteps()) {
      expect(await run(new AbortController().signal)).toEqual({ rows: 0, more: false });
      if (oldRows !== undefined) expect(await overdue?.()).toBe(0);
    }
  });

  test('of each table is in docs/growth.md: with what it grows, and when it shrinks', async () => {
    const page = await readFile(new URL('../../../docs/growth.md', import.meta.url), 'utf8');
    const told = [...page.matchAll(/^\| `(\w+)` \| ([^|]+) \| ([^|]+) \|$/gm)].map(([, table = '', , ends = '']) => ({
      table,
      isKept: ends.trim().startsWith('kept:'),
    }));
    const tables = await db.query<{ name: string }>(
      `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name NOT LIKE '\\_%' ORDER BY 1`,
    );
    expect(told.map(({ table }) => table).sort()).toEqual(tables.map(({ name }) => name));
    const ofRules = new Set(allSteps().flatMap((step) => step.tables));
    expect(told.filter(({ table, isKept }) => isKept === ofRules.has(table)).map(({ table }) => table)).toEqual([]);
  });
});

describe('a run', () => {
  const marks: OldRows = { name: 'marks', table: 'commit_record', column: 'at', keptMs: dayMs };
  const add = (count: number, days: number) =>
    db.execute(
      `INSERT INTO commit_record (id, timeline, at) SELECT UUID(), 1, NOW(3) - INTERVAL ? DAY FROM seq_1_to_${count}`,
      [days],
    );

  test('stops at its bound, says that rows are left, and the next deletes them', async () => {
    await add(100_500, 9);
    await add(7, 0);
    expect(await deleteOldRows(db, marks)).toEqual({ rows: 100_000, more: true });
    expect(await countOldRows(db, marks)).toBe(500);
    expect(await deleteOldRows(db, marks, AbortSignal.abort())).toEqual({ rows: 0, more: true });
    expect(await deleteOldRows(db, marks)).toEqual({ rows: 500, more: false });
    expect(await db.query('SELECT COUNT(*) AS n FROM commit_record')).toEqual([{ n: 7 }]);
  });

  test('skips rows that must stay, however many are older, and takes their parts with the others', async () => {
    const add = (count: number, days: number, state: string) =>
      db.execute(
        `INSERT INTO lease (name, token, owner, expires_at) SELECT CONCAT(?, seq), 't', 'o', NOW(3) - INTERVAL ? DAY FROM seq_1_to_${count}`,
        [state, days],
      );
    await add(2_500, 20, 'stays-');
    await add(1_200, 10, 'goes-');
    await db.execute('INSERT INTO commit_record (id, timeline, at) VALUES (?, 1, NOW(3))', [newUuid()]);
    const rows: OldRows = {
      ...{ name: 'leases', table: 'lease', column: 'expires_at', key: 'name', keptMs: dayMs },
      where: "lease.name NOT LIKE 'stays-%'",
      parts: { presence_flap: 'subject_id' },
    };
    expect(await deleteOldRows(db, rows)).toEqual({ rows: 1_200, more: false });
    expect(await db.query('SELECT COUNT(*) AS n FROM lease')).toEqual([{ n: 2_500 }]);
  });

  test('reads each expired key of a running call once, and deletes what expired after them', async () => {
    await db.execute(
      `INSERT INTO idempotency_key (scope, operation, key_hash, request_hash, call_id, expires_at)
        SELECT 'p', 'o', SHA2(seq, 256), 'h', UUID(), NOW(3) - INTERVAL 9 DAY FROM seq_1_to_2500`,
    );
    await db.execute(
      `INSERT INTO idempotency_key (scope, operation, key_hash, request_hash, expires_at)
        SELECT 'p', 'plain', SHA2(seq, 256), 'h', NOW(3) - INTERVAL 8 DAY FROM seq_1_to_1500`,
    );
    let asked = 0;
    const endedCalls = async (ids: readonly string[]) => {
      asked += ids.length;
      return new Set<string>();
    };
    const options = { ...ground, eventMs: dayMs, auditMs: dayMs, auditKeys: testPair('audit'), endedCalls };
    const keys = platformRetention(options).find(({ name }) => name === 'idempotency keys');
    expect(await keys?.run(new AbortController().signal)).toEqual({ rows: 1_500, more: false });
    expect(asked).toBe(2_500);
  });
});
