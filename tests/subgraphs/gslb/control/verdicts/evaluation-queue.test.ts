// Members whose evaluations are due at the same time are evaluated together. A worker also takes unclaimed members in
// its transaction.
import { beforeEach, expect, test } from '@jest/globals';
import type { Transaction } from '../../../../../platform/database/database.ts';
import { OwedWork, oweAll } from '../../../../../platform/owed/owed-work.ts';
import { lockMembers } from '../../../../../subgraphs/gslb/control/stores/standing-store.ts';
import { evaluationKind } from '../../../../../subgraphs/gslb/control/stores/touched.ts';
import { evaluateMembers } from '../../../../../subgraphs/gslb/control/verdicts/evaluate-members.ts';
import { forTest } from '../../../../support/jest/shared.ts';
import { GslbPlace, type TestChecker } from '../../support/gslb-place.ts';

const place = forTest(() => GslbPlace.open());
let checkers: TestChecker[];
let members: string[];

beforeEach(async () => {
  checkers = [];
  for (const each of ['eu', 'us', 'ap']) checkers.push(await place.vantagePoint(each));
  members = [];
  for (let number = 1; number <= 60; number += 1)
    members.push(await place.member(`m${number}`, { addresses: [`192.0.2.${number}`] }));
});

const owed = () =>
  place.count(`SELECT COUNT(*) AS n FROM owed_work WHERE kind = '${evaluationKind}' AND due_at IS NOT NULL`);

test('one job also judges other owed members, once; members locked by another transaction are left to their own jobs', async () => {
  const { db, wake } = place.ground;
  for (const checker of checkers) await place.say(checker, Object.fromEntries(members.map((id) => [id, 'UP'])));
  expect(await place.count("SELECT COUNT(*) AS n FROM gslb_pool_member WHERE verdict = 'UP'")).toBe(60);
  const [own = '', held = '', deleted = ''] = members;
  await db.execute('UPDATE gslb_pool_member SET deleted_at = NOW(3) WHERE id = ?', [deleted]);
  await db.execute("UPDATE gslb_pool_member SET admin_state = 'DRAIN'");
  await db.transaction((tx) =>
    oweAll(
      tx,
      evaluationKind,
      members.filter((id) => id !== own).map((key) => ({ key })),
      wake,
    ),
  );
  const evaluated = () => place.count('SELECT SUM(judge_version) AS n FROM gslb_pool_member');
  const before = await evaluated();
  await db.transaction(async (tx) => {
    await tx.query('SELECT id FROM gslb_pool_member WHERE id = ? FOR UPDATE', [held]);
    expect(await place.work(evaluationKind, own)).toBe(true);
  });
  expect((await evaluated()) - before).toBe(58);
  expect(await owed()).toBe(2);
  // Their own jobs find no other members to evaluate.
  expect(await place.work(evaluationKind, held)).toBe(true);
  expect(await place.work(evaluationKind, deleted)).toBe(true);
  expect(await owed()).toBe(0);
});

test('work that becomes owed during an evaluation is due again, and claimed work belongs to its owner', async () => {
  const { db, wake } = place.ground;
  const [own = '', claimed = '', late = ''] = members;
  await db.transaction((tx) => oweAll(tx, evaluationKind, [{ key: claimed }, { key: late, dueInMs: 60_000 }], wake));
  const job = await new OwedWork({ db }).claim(evaluationKind, claimed);
  expect(await place.work(evaluationKind, own)).toBe(true);
  const [row] = await db.query<{ token: string | null }>(
    'SELECT lease_token AS token FROM owed_work WHERE kind = ? AND `key` = ?',
    [evaluationKind, claimed],
  );
  expect(row?.token).toBe(job?.leaseToken);
  // One is claimed, and the other is not due yet.
  expect(await owed()).toBe(2);
});

test('judging many members takes as many statements as one', async () => {
  const { db } = place.ground;
  // One vantage point falls silent after two voted UP and DOWN, so each member waits for another evaluation.
  const [eu, us] = checkers;
  if (eu === undefined || us === undefined) throw new Error('no checkers');
  const statements = async (ids: readonly string[]) => {
    let count = 0;
    await db.transaction(async (tx) => {
      const counted: Transaction = {
        query: (...of) => {
          count += 1;
          return tx.query(...of);
        },
        execute: (...of) => {
          count += 1;
          return tx.execute(...of);
        },
        afterCommit: (action) => tx.afterCommit(action),
        provenBy: (recordId) => tx.provenBy(recordId),
      };
      await evaluateMembers(counted, { ...place.dependencies, silenceMs: 1 }, await lockMembers(tx, ids), {
        changed: true,
      });
    });
    return count;
  };
  await place.say(eu, Object.fromEntries(members.map((id) => [id, 'DOWN'])));
  await place.say(us, Object.fromEntries(members.map((id) => [id, 'DOWN'])));
  await db.execute("UPDATE gslb_pool_member SET verdict = 'UP'");
  await db.execute("UPDATE gslb_verdict SET verdict = 'UP'");
  const one = await statements(members.slice(0, 1));
  const owedOne = await owed();
  expect(owedOne).toBe(1);
  expect(await statements(members.slice(1))).toBe(one);
  expect(await owed()).toBe(60);
});
