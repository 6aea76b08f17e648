// The database's clock may be set back. Leases of ended processes then end in the far future, and are freed anyway.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { Database } from '../../../platform/database/database.ts';
import { EndedLeases } from '../../../platform/leases/ended-leases.ts';
import { Leases } from '../../../platform/leases/leases.ts';
import { newToken, newUuid } from '../../../platform/values/ids.ts';
import { type TestDatabase, testDatabase } from '../../support/stores/database.ts';

const log = pino({ level: 'silent' });
let place: TestDatabase;
let db: Database;
let nowMs = 0;

beforeAll(async () => {
  place = await testDatabase();
  db = new Database({ connection: place.connection, connectionLimit: 4 });
});
afterAll(async () => {
  await db.close();
  await place.drop();
});

function watch(): EndedLeases {
  return new EndedLeases({ db, log, now: () => nowMs });
}

/** The state after the clock was set back by an hour since the last renewal. */
async function leaseOfAnEndedProcess(name: string, hours = 1): Promise<void> {
  await db.execute(
    'INSERT INTO lease (name, token, owner, expires_at, beat) VALUES (?, ?, ?, NOW(3) + INTERVAL ? HOUR, 7)',
    [name, newToken(), newUuid(), hours],
  );
}

test('a lease of an ended process is freed after its beat has not changed for a while', async () => {
  const ended = watch();
  const leases = new Leases({ db, owner: newUuid(), log });
  await leaseOfAnEndedProcess('ended');
  expect(await leases.acquire('ended')).toBeUndefined();
  await ended.look();
  expect(ended.suspects).toEqual(['ended']);
  nowMs += 4_000;
  await ended.look();
  expect(await leases.acquire('ended')).toBeUndefined();
  nowMs += 2_000;
  await ended.look();
  expect(ended.suspects).toEqual([]);
  const taken = await leases.acquire('ended');
  expect(taken).toBeDefined();
  await leases.stop();
});

test('a lease that is renewed stays, whatever the clock says', async () => {
  const ended = watch();
  await leaseOfAnEndedProcess('renewed');
  for (let round = 0; round < 5; round += 1) {
    await ended.look();
    nowMs += 4_000;
    await db.execute("UPDATE lease SET beat = beat + 1 WHERE name = 'renewed'");
  }
  const rows = await db.query("SELECT expires_at > NOW(3) AS live FROM lease WHERE name = 'renewed'");
  expect(rows).toEqual([{ live: 1 }]);
});

test('a lease that was taken again in the meantime stays', async () => {
  const ended = watch();
  await leaseOfAnEndedProcess('retaken');
  await ended.look();
  nowMs += 6_000;
  await db.execute("UPDATE lease SET token = ?, beat = 7 WHERE name = 'retaken'", [newToken()]);
  await ended.look();
  expect(ended.suspects).toContain('retaken');
});

test("leases within a lease's usual lifetime are ignored", async () => {
  const ended = watch();
  const leases = new Leases({ db, owner: newUuid(), log });
  const held = await leases.acquire('usual');
  await ended.look();
  expect(ended.suspects).not.toContain('usual');
  nowMs += 60_000;
  await ended.look();
  expect(held?.signal.aborted).toBe(false);
  await leases.stop();
});
