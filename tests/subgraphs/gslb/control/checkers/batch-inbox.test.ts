// Batches that arrive during a recording are recorded together. A member is evaluated once with all votes, and a fault
// in one batch does not affect others.
import { beforeEach, expect, test } from '@jest/globals';
import type { Database, Transaction, TransactionOptions } from '../../../../../platform/database/database.ts';
import { BatchInbox } from '../../../../../subgraphs/gslb/control/checkers/batch-inbox.ts';
import { recordBatches } from '../../../../../subgraphs/gslb/control/checkers/record-batch.ts';
import { forTest } from '../../../../support/jest/shared.ts';
import { waitFor } from '../../../../support/machine/temporary-folder.ts';
import { GslbPlace, type TestChecker } from '../../support/gslb-place.ts';

const place = forTest(() => GslbPlace.open());
let checkers: TestChecker[] = [];
let [one, two, name] = ['', '', ''];

beforeEach(async () => {
  checkers = [];
  for (const each of ['eu', 'us', 'ap']) checkers.push(await place.vantagePoint(each));
  one = await place.member('one', { addresses: ['192.0.2.1'] });
  two = await place.member('two', { addresses: ['192.0.2.2'] });
  name = await place.name('shop');
  for (const checker of checkers) await place.say(checker, { [one]: 'UP', [two]: 'UP' });
});

const flips = () => place.count("SELECT COUNT(*) AS n FROM gslb_flip WHERE verdict_after = 'DOWN'");

async function batches(verdict: 'UP' | 'DOWN') {
  const made = checkers.map(async (checker) => ({
    checkerId: checker.id,
    batch: await place.batch(checker, { [one]: verdict }),
  }));
  return Promise.all(made);
}

test('members are judged once with all votes; a refused or locked batch does not affect others', async () => {
  const { db } = place.ground;
  const [eu, us, ap] = await batches('DOWN');
  if (eu === undefined || us === undefined || ap === undefined) throw new Error('no batches');
  const old = { ...ap, batch: { ...ap.batch, incarnation: 0 } };
  const [first, second, third] = await recordBatches(db, place.dependencies, [eu, us, old]);
  expect([first, second]).toEqual([{ stampMs: expect.any(Number) }, { stampMs: expect.any(Number) }]);
  expect(third).toMatchObject({ refusal: 'OLD_INCARNATION' });
  expect(await flips()).toBe(1);
  expect(await place.up(name)).toEqual([two]);
  const [flip] = await db.query<{ ballots: string }>("SELECT ballots FROM gslb_flip WHERE verdict_after = 'DOWN'");
  const counted = JSON.parse(flip?.ballots ?? '[]').filter(({ verdict }: { verdict: string }) => verdict === 'DOWN');
  expect(counted.map(({ vantagePoint }: { vantagePoint: string }) => vantagePoint).sort()).toEqual(['eu', 'us']);
  // Another transaction locks a checker's row. Refused batches did not use up a number.
  for (const checker of checkers.slice(2)) checker.number -= 1;
  const up = await batches('UP');
  await db.transaction(async (tx) => {
    await tx.query('SELECT id FROM gslb_checker WHERE id = ? FOR UPDATE', [checkers[0]?.id ?? '']);
    expect(await recordBatches(db, place.dependencies, up)).toEqual([
      undefined,
      { stampMs: expect.any(Number) },
      { stampMs: expect.any(Number) },
    ]);
  });
  expect(await place.up(name)).toEqual([one, two]);
});

test('batches are gathered while the database is slow, and one that can’t be recorded fails alone', async () => {
  const many = await Promise.all(Array.from({ length: 9 }, () => place.checker('eu')));
  checkers = [...checkers, ...many];
  const said = await batches('DOWN');
  const bad = said.at(-1);
  if (bad === undefined) throw new Error('no batch');
  let transactions = 0;
  let release: () => void = () => undefined;
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const { db } = place.ground;
  const slow = new Proxy(db, {
    get(target, property) {
      if (property === 'transaction')
        return async (work: (tx: Transaction) => Promise<unknown>, options: TransactionOptions) => {
          transactions += 1;
          const fails = transactions === 3;
          await held;
          if (fails) throw new Error('a fault of one of them');
          return target.transaction(work, options);
        };
      const value: unknown = Reflect.get(target, property);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  }) as Database;
  // A long heartbeat interval, so that no heartbeat adds a transaction.
  const inbox = new BatchInbox({ ...place.dependencies, heartbeatMs: 600_000, db: slow, log: place.ground.log });
  const outcomes = said.map(({ checkerId, batch }) => inbox.record(checkerId, batch));
  release();
  for (const outcome of outcomes) expect(await outcome).toEqual({ stampMs: expect.any(Number) });
  // Two batches alone, then the other ten together, which fails, then each of the ten by itself.
  expect(transactions).toBe(2 + 1 + 10);
  expect(await flips()).toBe(1);
  expect(await place.count('SELECT COUNT(*) AS n FROM gslb_checker WHERE batch > 0 AND said_at IS NOT NULL')).toBe(12);
});

test('a checker counts as present while its batch is being recorded or its heartbeat waits for that', async () => {
  const { db } = place.ground;
  const [eu, us] = [checkers[0], checkers[1]];
  if (eu === undefined || us === undefined) throw new Error('no checkers');
  let held = 0;
  let release: () => void = () => undefined;
  const until = new Promise<void>((resolve) => {
    release = resolve;
  });
  // The first transaction is a recording.
  const slow = new Proxy(db, {
    get(target, property) {
      if (property === 'transaction')
        return async (work: (tx: Transaction) => Promise<unknown>, options: TransactionOptions) => {
          held += 1;
          if (held === 1) await until;
          return target.transaction(work, options);
        };
      const value: unknown = Reflect.get(target, property);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  }) as Database;
  const inbox = new BatchInbox({ ...place.dependencies, heartbeatMs: 50, db: slow, log: place.ground.log });
  const silence = () => db.execute('UPDATE gslb_checker SET heard_at = NULL');
  const areHeard = async () => {
    const sql = 'SELECT COUNT(*) AS n FROM gslb_checker WHERE id IN (?, ?) AND heard_at IS NOT NULL';
    return (await place.count(sql, [eu.id, us.id])) === 2;
  };
  const first = inbox.record(eu.id, await place.batch(eu, {}));
  await waitFor('it to be recorded', () => held === 1);
  const second = inbox.record(us.id, await place.batch(us, {}));
  await silence();
  await waitFor('both to be heard', areHeard);
  release();
  await Promise.all([first, second]);
  // After that, the checkers' own heartbeats keep them present.
  await waitFor('the last hearing', async () => {
    await silence();
    // The time of several heartbeats.
    await new Promise((resolve) => setTimeout(resolve, 200));
    return !(await areHeard());
  });
});
