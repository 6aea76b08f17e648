// The ports of a checker: leases, and the fence of results. They behave the same for workers with a database and for a checker without one.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { CheckLeases } from '../../../platform/checks/check-tenant.ts';
import { MemoryLeaseTable } from '../../../platform/checks/memory-leases.ts';
import { Database } from '../../../platform/database/database.ts';
import { checkLease, type HeldLease, LeaseLostError, Leases } from '../../../platform/leases/leases.ts';
import { createLogger } from '../../../platform/log/log.ts';
import { newToken } from '../../../platform/values/ids.ts';
import { type TestDatabase, testDatabase } from '../../support/stores/database.ts';

const log = createLogger({ level: 'silent', pretty: false });

interface LocalContext {
  leasesOf(owner: string): CheckLeases;
  /** The first step when results are written. */
  fence(lease: HeldLease): Promise<void>;
}

function contract(name: string, ground: () => LocalContext): void {
  describe(`leases of checks ${name}`, () => {
    let one: CheckLeases;
    let two: CheckLeases;
    beforeEach(() => {
      one = ground().leasesOf(newToken());
      two = ground().leasesOf(newToken());
    });

    test('there is one owner at a time, and all can list the members', async () => {
      const held = await one.acquire('checks/a/shard/0');
      expect(held?.signal.aborted).toBe(false);
      expect(await two.acquire('checks/a/shard/0')).toBeUndefined();
      expect(await one.acquire('checks/a/shard/0')).toBeUndefined();
      await two.acquire('checks/a/shard/1');
      const live = await one.live('checks/a/');
      expect(live.map((lease) => lease.name)).toEqual(['checks/a/shard/0', 'checks/a/shard/1']);
      expect(new Set(live.map((lease) => lease.owner)).size).toBe(2);
      expect(await one.live('checks/b/')).toEqual([]);
    });

    test('a released lease is lost to its owner, free for others, and fences off late results', async () => {
      const held = await one.acquire('checks/c/shard/0');
      if (held === undefined) throw new Error('no lease');
      await ground().fence(held);
      await held.release();
      expect(held.signal.aborted).toBe(true);
      await expect(ground().fence(held)).rejects.toThrow(LeaseLostError);
      const next = await two.acquire('checks/c/shard/0');
      if (next === undefined) throw new Error('no lease');
      await ground().fence(next);
      // Releasing the old lease again does not affect the new owner.
      await held.release();
      await ground().fence(next);
      await expect(ground().fence(held)).rejects.toThrow(LeaseLostError);
    });
  });
}

const table = new MemoryLeaseTable();
contract('in memory', () => ({
  leasesOf: (owner) => table.of(owner),
  fence: async (lease) => table.check(lease),
}));

let database: TestDatabase;
let db: Database;
const opened: Leases[] = [];
beforeAll(async () => {
  database = await testDatabase();
  db = new Database({ connection: database.connection });
});
afterAll(async () => {
  for (const leases of opened) await leases.stop();
  await db.close();
  await database.drop();
});
contract('in the database', () => ({
  leasesOf(owner) {
    const leases = new Leases({ db, owner, log });
    opened.push(leases);
    return leases;
  },
  fence: (lease) => db.transaction((tx) => checkLease(tx, lease)),
}));
