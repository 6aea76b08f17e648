// The heartbeat of a relay process, on a database that is slow when the process starts.
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import pino from 'pino';
import { Database, type SqlValue, type WriteResult } from '../../../platform/database/database.ts';
import { Leases } from '../../../platform/leases/leases.ts';
import { ProcessLease, processLeaseName } from '../../../platform/leases/process-lease.ts';
import { newUuid } from '../../../platform/values/ids.ts';
import { type TestDatabase, testDatabase } from '../../support/stores/database.ts';

const ttlMs = 1_500;

/** Answers its first `slow` writes only after a lease's lifetime. */
class SlowDatabase extends Database {
  slow = 0;

  override async execute(sql: string, values?: readonly SqlValue[]): Promise<WriteResult> {
    const result = await super.execute(sql, values);
    if (this.slow > 0) {
      this.slow -= 1;
      await sleep(ttlMs);
    }
    return result;
  }
}

let database: TestDatabase;
let db: SlowDatabase;
const log = pino({ level: 'silent' });

beforeAll(async () => {
  database = await testDatabase();
  db = new SlowDatabase({ connection: database.connection, connectionLimit: 4 });
});
afterAll(async () => {
  await db.close();
  await database.drop();
});

test('a lease that expired before the answer arrived is taken again, and the process starts', async () => {
  const owner = newUuid();
  const leases = new Leases({ db, owner, log, ttlMs, renewMs: ttlMs / 3 });
  const life = new ProcessLease({ leases, owner, log, role: 'relay' });
  // The attempt itself has two statements: there is no row to update, so one is inserted.
  db.slow = 2;
  await life.start();
  expect(await leases.holder(processLeaseName('relay', owner))).toMatchObject({ owner, live: true });
  await life.stop();
  expect(await leases.holder(processLeaseName('relay', owner))).toMatchObject({ live: false });
  await leases.stop();
});

test('the process does not wait for a lease that another process holds under the same id', async () => {
  const owner = newUuid();
  const [first, second] = [1, 2].map(() => new Leases({ db, owner, log })) as [Leases, Leases];
  const life = new ProcessLease({ leases: first, owner, log, role: 'relay' });
  await life.start();
  await expect(new ProcessLease({ leases: second, owner, log, role: 'relay' }).start()).rejects.toThrow(
    /is the owner's id unique/,
  );
  await life.stop();
  await Promise.all([first.stop(), second.stop()]);
});
