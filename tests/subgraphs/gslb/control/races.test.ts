// Concurrent and interrupted work: nothing is lost, counted twice, or left half done.
import { beforeEach, expect, test } from '@jest/globals';
import type { Database, Transaction } from '../../../../platform/database/database.ts';
import { recordBatch } from '../../../../subgraphs/gslb/control/checkers/record-batch.ts';
import { membersTouched, namesTouched } from '../../../../subgraphs/gslb/control/stores/touched.ts';
import { forTest } from '../../../support/jest/shared.ts';
import { GslbPlace, type Said, type TestChecker } from '../support/gslb-place.ts';

const place = forTest(() => GslbPlace.open());
let checkers: readonly TestChecker[] = [];
let [one, two, name] = ['', '', ''];

beforeEach(async () => {
  const made: TestChecker[] = [];
  for (const each of ['eu', 'us', 'ap']) made.push(await place.vantagePoint(each));
  checkers = made;
  one = await place.member('one', { addresses: ['192.0.2.1'] });
  two = await place.member('two', { addresses: ['192.0.2.2'] });
  name = await place.name('shop');
  for (const checker of checkers) await place.say(checker, { [one]: 'UP', [two]: 'UP' });
});

/** The database, with `around` wrapped around each transaction. */
function withTransactions(
  around: (work: (tx: Transaction) => Promise<unknown>, tx: Transaction) => Promise<unknown>,
): Database {
  const { db } = place.ground;
  return new Proxy(db, {
    get(target, property) {
      if (property === 'transaction')
        return (work: (tx: Transaction) => Promise<unknown>) => target.transaction((tx) => around(work, tx));
      const value: unknown = Reflect.get(target, property);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

async function content(): Promise<string> {
  const tables = [
    'gslb_checker',
    'gslb_vote',
    'gslb_verdict',
    'gslb_flip',
    'gslb_plan',
    'gslb_zone',
    'gslb_zone_change',
  ];
  const rows = [];
  for (const table of [...tables, 'gslb_pool_member', 'gslb', 'status_change', 'owed_work'])
    rows.push(await place.ground.db.query(`SELECT * FROM ${table} ORDER BY 1, 2, 3`));
  return JSON.stringify(rows);
}

test('two flips of one name at the same moment are both answered', async () => {
  const [eu, us, ap] = checkers as [TestChecker, TestChecker, TestChecker];
  for (let round = 0; round < 20; round += 1) {
    const verdict = round % 2 === 0 ? 'DOWN' : 'UP';
    await place.say(eu, { [one]: verdict, [two]: verdict });
    await Promise.all([place.say(us, { [one]: verdict }), place.say(ap, { [two]: verdict })]);
    expect(await place.up(name)).toHaveLength(verdict === 'UP' ? 2 : 0);
    await place.say(us, { [two]: verdict });
    await place.say(ap, { [one]: verdict });
  }
  const gaps = `SELECT COUNT(*) AS n FROM gslb_zone z WHERE generation <> (SELECT COUNT(*) FROM gslb_zone_change WHERE zone = z.name)`;
  expect(await place.count(gaps)).toBe(0);
}, 60_000);

test('changes beside reports wait for their turn, and no deadlock makes one repeat', async () => {
  const [eu, us] = checkers as [TestChecker, TestChecker];
  const { wake } = place.ground;
  let [asked, run] = [0, 0];
  const db = withTransactions((work, tx) => {
    run += 1;
    return work(tx);
  });
  const say = async (checker: TestChecker, said: Said) => {
    asked += 1;
    await recordBatch(db, place.dependencies, checker.id, await place.batch(checker, said));
  };
  const change = async (adminState: string) => {
    asked += 1;
    await db.transaction(async (tx) => {
      await tx.query('SELECT id FROM gslb_pool_member WHERE id = ? FOR UPDATE', [two]);
      await tx.execute('UPDATE gslb_pool_member SET admin_state = ?, version = version + 1 WHERE id = ?', [
        adminState,
        two,
      ]);
      await membersTouched(tx, wake, [two]);
      await tx.query('SELECT id FROM gslb WHERE id = ? FOR UPDATE', [name]);
      await namesTouched(tx, wake, [name]);
    });
    await Promise.all([place.work('gslb-judge', two), place.work('gslb-plan', name)]);
  };
  for (let round = 0; round < 200; round += 1) {
    const verdict = round % 2 === 0 ? 'DOWN' : 'UP';
    const said = { [one]: verdict, [two]: verdict } as const;
    await Promise.all([say(eu, said), say(us, said), change(round % 2 === 0 ? 'DRAIN' : 'AUTO')]);
    if (round % 20 !== 19) continue;
    await place.work('gslb-judge', two);
    expect(await place.up(name)).toHaveLength(2);
    expect((await place.plan(name)).plan.members.some(({ withheld }) => withheld)).toBe(false);
  }
  expect(run).toBe(asked);
}, 120_000);

test('a report that is cut off at any of its statements changes nothing', async () => {
  const [eu, us] = checkers as [TestChecker, TestChecker];
  await place.say(eu, { [one]: 'DOWN' });
  const batch = await place.batch(us, { [one]: 'DOWN' });
  const before = await content();
  let steps = 0;
  for (let at = 1; ; at += 1) {
    let count = 0;
    const step = () => {
      count += 1;
      if (count === at) throw new Error('cut off');
    };
    const db = withTransactions((work, tx) =>
      work({
        query: async (sql, values) => {
          step();
          return tx.query(sql, values);
        },
        execute: async (sql, values) => {
          step();
          return tx.execute(sql, values);
        },
        afterCommit: (action) => tx.afterCommit(action),
        provenBy: (recordId) => tx.provenBy(recordId),
      }),
    );
    const outcome = await recordBatch(db, place.dependencies, us.id, batch).catch((error: Error) => error);
    if (!(outcome instanceof Error)) break;
    expect(outcome.message).toBe('cut off');
    expect(await content()).toBe(before);
    steps = at;
  }
  expect(steps).toBeGreaterThan(15);
  expect(await place.up(name)).toEqual([two]);
}, 120_000);

test('a report whose commit is uncertain is sent again, and counts once', async () => {
  const [eu, us] = checkers as [TestChecker, TestChecker];
  await place.say(eu, { [one]: 'DOWN' });
  const flips = () => place.count('SELECT COUNT(*) AS n FROM gslb_flip WHERE member_id = ?', [one]);
  const before = await flips();
  const { db } = place.ground;
  const batch = await place.batch(us, { [one]: 'DOWN' });
  // The report was committed, but its acknowledgement was lost.
  await recordBatch(db, place.dependencies, us.id, batch);
  // The checker either resends the batch on the same connection, or reconnects and reports its current verdicts.
  await recordBatch(db, place.dependencies, us.id, batch);
  await place.connect(us);
  await expect(recordBatch(db, place.dependencies, us.id, batch)).rejects.toMatchObject({ refusal: 'OLD_INCARNATION' });
  await place.say(us, { [one]: 'DOWN', [two]: 'UP' });
  expect(await flips()).toBe(before + 1);
  expect(await place.up(name)).toEqual([two]);
});
