// The database port on a real MariaDB: transactions, retries, lost connections, Prisma and SQL on one pool.
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { createConnection } from 'mariadb';
import type { Database } from '../../../platform/database/database.ts';
import { together } from '../../../platform/database/statement-batch.ts';
import { CommitUncertainError, isConnectionLost, isDuplicateKey } from '../../../platform/errors/database-errors.ts';
import { newUuid } from '../../../platform/values/ids.ts';
import { forFile } from '../../support/jest/shared.ts';
import { until } from '../../support/machine/temporary-folder.ts';
import { TestContext } from '../../support/product/test-context.ts';

const ground = forFile(() => TestContext.open({ connectionLimit: 8 }));
let db: Database;

beforeAll(async () => {
  ({ db } = ground);
});

const insertCommit = 'INSERT INTO commit_record (id, timeline) VALUES (?, 1)';

describe('transaction', () => {
  test('commits, and then runs afterCommit actions once', async () => {
    const id = newUuid();
    let seen = 0;
    await db.transaction(async (tx) => {
      await tx.execute(insertCommit, [id]);
      tx.afterCommit(() => {
        seen += 1;
      });
      expect(seen).toBe(0);
    });
    expect(seen).toBe(1);
    expect(await db.prisma.commitRecord.findUnique({ where: { id } })).toMatchObject({ id, timeline: 1 });
  });

  test('a process that pauses inside is cut off by the server, and the next transaction has the usual time', async () => {
    await db.execute('CREATE TABLE paused (id INT PRIMARY KEY)');
    await db.execute('INSERT INTO paused VALUES (1)');
    const [entered, resumed] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const idle = 'SELECT @@idle_transaction_timeout AS seconds';
    const paused = db.transaction(
      async (tx) => {
        expect(await tx.query(idle)).toEqual([{ seconds: 1 }]);
        await tx.query('SELECT 1 FROM paused FOR UPDATE');
        entered.resolve();
        await resumed.promise;
        await tx.query('SELECT 1');
      },
      { idleSeconds: 1 },
    );
    const failure = paused.catch((error: unknown) => error);
    await entered.promise;
    // This transaction gets the row although the paused one has not ended.
    await db.transaction((tx) => tx.query('SELECT 1 FROM paused FOR UPDATE'));
    resumed.resolve();
    expect(isConnectionLost(await failure)).toBe(true);
    expect(await db.transaction((tx) => tx.query(idle), { idleSeconds: 3 })).toEqual([{ seconds: 3 }]);
    const all = await Promise.all([1, 2].map(() => db.transaction((tx) => tx.query(idle))));
    expect(all).toEqual([[{ seconds: 8 }], [{ seconds: 8 }]]);
    await db.execute('DROP TABLE paused');
  });

  test('rolls back when it throws, runs no afterCommit action, and keeps the pool usable', async () => {
    const id = newUuid();
    let seen = 0;
    const attempt = db.transaction(async (tx) => {
      await tx.execute(insertCommit, [id]);
      tx.afterCommit(() => {
        seen += 1;
      });
      throw new Error('no');
    });
    await expect(attempt).rejects.toThrow('no');
    expect(seen).toBe(0);
    expect(await db.query('SELECT id FROM commit_record WHERE id = ?', [id])).toEqual([]);
  });

  test('retries after a deadlock, and both sides succeed', async () => {
    await db.execute(
      "INSERT INTO lease (name, token, owner, expires_at) VALUES ('a', 't', 'o', NOW(3)), ('b', 't', 'o', NOW(3))",
    );
    let runs = 0;
    let arrived = 0;
    const bothHoldOne = Promise.withResolvers<void>();
    const crossing = async (first: string, second: string): Promise<void> => {
      await db.transaction(async (tx) => {
        runs += 1;
        await tx.execute('UPDATE lease SET beat = beat + 1 WHERE name = ?', [first]);
        arrived += 1;
        if (arrived === 2) bothHoldOne.resolve();
        await bothHoldOne.promise;
        await tx.execute('UPDATE lease SET beat = beat + 1 WHERE name = ?', [second]);
      });
    };
    await Promise.all([crossing('a', 'b'), crossing('b', 'a')]);
    expect(runs).toBeGreaterThan(2);
    const beats = await db.query<{ beat: number }>("SELECT beat FROM lease WHERE name IN ('a', 'b')");
    expect(beats.map((row) => row.beat)).toEqual([2, 2]);
  });

  test('a connection killed during a transaction is an error, and the next transaction works', async () => {
    const root = await createConnection(ground.place.rootConnection);
    const attempt = db.transaction(async (tx) => {
      const [row] = await tx.query<{ id: number }>('SELECT CONNECTION_ID() AS id');
      await root.query(`KILL ${row?.id}`);
      await tx.execute(insertCommit, [newUuid()]);
    });
    const error = await attempt.catch((caught: unknown) => caught);
    expect(isConnectionLost(error)).toBe(true);
    expect(error).not.toBeInstanceOf(CommitUncertainError);
    await root.end();
    expect(await db.transaction((tx) => tx.query('SELECT 1 AS one'))).toEqual([{ one: 1 }]);
  });

  test('a connection killed before COMMIT leaves the outcome uncertain', async () => {
    const root = await createConnection(ground.place.rootConnection);
    const attempt = db.transaction(async (tx) => {
      const [row] = await tx.query<{ id: number }>('SELECT CONNECTION_ID() AS id');
      await tx.execute(insertCommit, [newUuid()]);
      await root.query(`KILL ${row?.id}`);
    });
    await expect(attempt).rejects.toBeInstanceOf(CommitUncertainError);
    await root.end();
  });

  test('a statement that commits ends the transaction: later statements are an error, and the commit stands', async () => {
    const id = newUuid();
    const over = db.transaction(async (tx) => {
      await tx.query(`BEGIN NOT ATOMIC ${insertCommit}; COMMIT; END`, [id], { prepared: true, commits: true });
      await tx.execute(insertCommit, [newUuid()]);
    });
    const error = await over.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(CommitUncertainError);
    expect(String((error as Error).cause)).toContain('the transaction is over');
    expect(await db.query('SELECT id FROM commit_record WHERE id = ?', [id])).toEqual([{ id }]);
    let told = false;
    const answer = await db.transaction(async (tx) => {
      tx.afterCommit(() => {
        told = true;
      });
      return tx.query('BEGIN NOT ATOMIC SELECT 1 AS one; COMMIT; END', [], { commits: true });
    });
    expect([told, (answer as unknown[])[0]]).toEqual([true, [{ one: 1 }]]);
  });

  test('a batch function that waits for other work fails after the commit, and the answer does not claim a rollback', async () => {
    const [early, late] = [newUuid(), newUuid()];
    let told = false;
    const attempt = db.transaction((tx) => {
      tx.afterCommit(() => {
        told = true;
      });
      return together(
        tx,
        (batch) => [batch.execute(insertCommit, [early]), sleep(1).then(() => batch.execute(insertCommit, [late]))],
        { commits: true },
      );
    });
    await expect(attempt).rejects.toBeInstanceOf(CommitUncertainError);
    expect(told).toBe(true);
    expect(await db.query('SELECT id FROM commit_record WHERE id IN (?, ?)', [early, late])).toEqual([{ id: early }]);
  });

  test('a connection killed during a statement that commits leaves the outcome uncertain', async () => {
    const root = await createConnection(ground.place.rootConnection);
    const id = newUuid();
    const attempt = db.transaction(async (tx) => {
      const [row] = await tx.query<{ id: number }>('SELECT CONNECTION_ID() AS id');
      const text = `BEGIN NOT ATOMIC ${insertCommit}; DO SLEEP(5); COMMIT; END`;
      const ending = tx.query(text, [id], { prepared: true, commits: true });
      const running = "SELECT 1 FROM information_schema.processlist WHERE id = ? AND info LIKE 'DO SLEEP%'";
      await until(async () => (await root.query<unknown[]>(running, [row?.id])).length > 0);
      await root.query(`KILL ${row?.id}`);
      await ending;
    });
    await expect(attempt).rejects.toBeInstanceOf(CommitUncertainError);
    await root.end();
    expect(await db.query('SELECT id FROM commit_record WHERE id = ?', [id])).toEqual([]);
  });

  test('a COMMIT that is interrupted on a living connection leaves the outcome uncertain', async () => {
    const root = await createConnection(ground.place.rootConnection);
    try {
      for (const stage of ['START', 'FLUSH', 'BLOCK_DDL', 'BLOCK_COMMIT']) await root.query(`BACKUP STAGE ${stage}`);
      const attempt = db.transaction((tx) =>
        together(tx, (batch) => [batch.execute(insertCommit, [newUuid()])], { commits: true }),
      );
      const outcome = attempt.catch((error: unknown) => error);
      const waiting = `SELECT id FROM information_schema.processlist
        WHERE db = '${ground.place.name}' AND id <> CONNECTION_ID() AND state LIKE '%backup lock%'`;
      let rows: { id: number }[] = [];
      while (rows.length === 0) rows = await root.query(waiting);
      await root.query(`KILL QUERY ${rows[0]?.id}`);
      expect(await outcome).toBeInstanceOf(CommitUncertainError);
    } finally {
      await root.query('BACKUP STAGE END');
      await root.end();
    }
  });

  test('a prepared query returns the same as an unprepared one, even after a failure and after a change of its table', async () => {
    await db.execute('CREATE TABLE shape (id INT PRIMARY KEY, at DATETIME(3), flag TINYINT, n BIGINT, text LONGTEXT)');
    // Several statements in one text, with variables and a condition.
    const block = `BEGIN NOT ATOMIC DECLARE step INT DEFAULT 0; INSERT INTO shape (id, at, flag, n, text) VALUES (?, ?, ?, ?, ?);
      SET step = 1; SELECT id, at, flag, n, text FROM shape WHERE id = ?; UPDATE shape SET n = n + step WHERE id = ?;
      IF ROW_COUNT() <> 1 THEN SIGNAL SQLSTATE '45000'; END IF; END`;
    const values = (id: number) => [id, new Date('2026-03-29T01:30:00.123Z'), true, 2n ** 40n, null, id, id];
    const insert = (id: number, prepared: boolean) =>
      db.transaction((tx) => tx.query(block, values(id), { prepared })) as Promise<unknown> as Promise<[object[]]>;
    const unprepared = (await insert(1, false))[0];
    expect(unprepared).toMatchObject([{ id: 1, flag: 1, n: 2 ** 40, text: null }]);
    for (const [id, change] of [
      [2, undefined],
      [3, 'ALTER TABLE shape ADD COLUMN first INT NULL FIRST'],
      [4, 'ALTER TABLE shape MODIFY n BIGINT UNSIGNED, ADD KEY shape_at (at)'],
    ] as const) {
      if (change !== undefined) await db.execute(change);
      expect((await insert(id, true))[0]).toEqual(unprepared.map((row) => ({ ...row, id })));
      expect(isDuplicateKey(await insert(id, true).catch((error: unknown) => error))).toBe(true);
    }
    expect(await db.query('SELECT id, n FROM shape')).toEqual([1, 2, 3, 4].map((id) => ({ id, n: 2 ** 40 + 1 })));
  });

  test('a duplicate key is a distinct error, in SQL and through Prisma', async () => {
    const id = newUuid();
    await db.execute(insertCommit, [id]);
    expect(isDuplicateKey(await db.execute(insertCommit, [id]).catch((error: unknown) => error))).toBe(true);
    const viaPrisma = await db.prisma.commitRecord
      .create({ data: { id, timeline: 1 } })
      .catch((error: unknown) => error);
    expect(isDuplicateKey(viaPrisma)).toBe(true);
  });
});

test('times round-trip in UTC to the millisecond, integers are numbers', async () => {
  const at = new Date('2026-03-29T01:30:00.123Z');
  await db.execute("INSERT INTO lease (name, token, owner, expires_at) VALUES ('time', 't', 'o', ?)", [at]);
  const [row] = await db.query<{ expires_at: Date; epoch: number }>(
    "SELECT expires_at, epoch FROM lease WHERE name = 'time'",
  );
  expect(row).toEqual({ expires_at: at, epoch: 1 });
  expect((await db.prisma.lease.findUniqueOrThrow({ where: { name: 'time' } })).expiresAt).toEqual(at);
});
