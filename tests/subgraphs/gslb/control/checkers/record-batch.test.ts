// The path of a report. Votes, verdict, history, event, plan and zone commit together, and reports that do not count
// change nothing.
import { beforeEach, expect, test } from '@jest/globals';
import { recordBatch } from '../../../../../subgraphs/gslb/control/checkers/record-batch.ts';
import { planAt } from '../../../../../subgraphs/gslb/control/plans/plan-store.ts';
import { databaseNow } from '../../../../../subgraphs/gslb/control/stores/checker-store.ts';
import { flipsOfMember } from '../../../../../subgraphs/gslb/control/verdicts/flip-store.ts';
import { forTest } from '../../../../support/jest/shared.ts';
import { GslbPlace, type TestChecker, zone } from '../../support/gslb-place.ts';

const place = forTest(() => GslbPlace.open());
let [eu, us, ap]: TestChecker[] = [];
let [one, two, name] = ['', '', ''];

beforeEach(async () => {
  eu = await place.vantagePoint('eu');
  us = await place.vantagePoint('us');
  ap = await place.vantagePoint('ap');
  one = await place.member('one', { addresses: ['192.0.2.1'] });
  two = await place.member('two', { addresses: ['192.0.2.2'] });
  name = await place.name('shop');
});

function checkers(): readonly TestChecker[] {
  return [eu, us, ap].flatMap((each) => each ?? []);
}

async function allUp(): Promise<void> {
  for (const checker of checkers()) await place.say(checker, { [one]: 'UP', [two]: 'UP' });
  expect(await place.up(name)).toEqual(expect.arrayContaining([one, two]));
}

async function generation(): Promise<number> {
  return place.count('SELECT generation AS n FROM gslb_zone WHERE name = ?', [zone]);
}

test('the votes of two of three vantage points make a verdict, and all consequences commit with the last vote', async () => {
  const [first, second] = checkers() as [TestChecker, TestChecker];
  await allUp();
  const before = { plan: await place.plan(name), zone: await generation() };
  await place.say(first, { [one]: 'DOWN' });
  expect(await place.up(name)).toContain(one);
  expect((await place.plan(name)).generation).toBe(before.plan.generation);
  await place.say(second, { [one]: 'DOWN' });
  expect(await place.up(name)).toEqual([two]);
  const after = await place.plan(name);
  expect(after).toMatchObject({ generation: before.plan.generation + 1, status: 'DEGRADED' });
  expect(await generation()).toBe(before.zone + 1);
  const { db } = place.ground;
  const [change] = await db.query(
    'SELECT fqdn, gslb_id AS id FROM gslb_zone_change WHERE zone = ? AND generation = ?',
    [...[zone, before.zone + 1]],
  );
  expect(change).toEqual({ fqdn: `shop.${zone}`, id: name });
  const [flip] = await flipsOfMember(db, one, { before: null, take: 1 });
  expect(flip).toMatchObject({ before: 'UP', after: 'DOWN', late: false, region: null });
  expect(flip?.reason).toBe('2 of 3 vantage points vote DOWN; eu: connection refused');
  expect(flip?.ballots.map(({ vantagePoint, verdict, count }) => `${vantagePoint} ${verdict} ${count}`)).toEqual([
    ...['ap UP COUNTED', 'eu DOWN COUNTED', 'us DOWN COUNTED'],
  ]);
  const past = await planAt(db, name, new Date(await databaseNow(db)));
  expect(past).toMatchObject({ generation: after.generation, flipId: flip?.id });
  const events = await db.query<{ kind: string; to: string }>(
    "SELECT kind, to_status AS `to` FROM status_change WHERE (subject_id = ? AND kind <> 'gslbPoolMember.adminState') OR subject_id = ? ORDER BY id DESC LIMIT 4",
    [one, name],
  );
  expect(events.map(({ kind, to }) => `${kind} ${to}`).sort()).toEqual([
    ...['gslb.answer CHANGED', 'gslb.operatingStatus DEGRADED'],
    ...['gslbPoolMember.operatingStatus OFFLINE', 'gslbPoolMember.verdict DOWN'],
  ]);
});

test('a minority never flips a member, nor does silence or abstention', async () => {
  const [first, second, third] = checkers() as [TestChecker, TestChecker, TestChecker];
  await allUp();
  await place.say(first, { [one]: 'DOWN', [two]: 'DOWN' });
  expect(await place.up(name)).toHaveLength(2);
  // One of the others abstains and one is cut off, so the vote for DOWN is the only one that counts.
  await place.say(second, {}, { abstains: true });
  const { db } = place.ground;
  await db.execute('UPDATE gslb_checker SET heard_at = NOW(3) - INTERVAL 1 HOUR WHERE id = ?', [third.id]);
  await place.say(first, { [one]: 'DOWN' });
  for (const member of [one, two]) await place.work('gslb-judge', member);
  expect(await place.up(name)).toHaveLength(2);
  const undecided = 'SELECT COUNT(*) AS n FROM gslb_pool_member WHERE undecided_at IS NOT NULL';
  expect(await place.count(undecided)).toBe(2);
  // When the checker stops abstaining, its vote decides at once.
  await place.say(second, { [one]: 'DOWN' });
  expect(await place.up(name)).toEqual([two]);
});

test('a worker judges votes that start to count without being reported again', async () => {
  const [first, second] = checkers() as [TestChecker, TestChecker];
  await allUp();
  await place.say(second, { [one]: 'DOWN' }, { abstains: true });
  await place.say(first, { [one]: 'DOWN' });
  expect(await place.up(name)).toContain(one);
  await place.say(second, {});
  const points = await place.ground.db.query<{ id: string }>("SELECT id FROM gslb_vantage_point WHERE name = 'us'");
  await place.work('gslb-vantage', points[0]?.id ?? '');
  expect(await place.up(name)).toEqual([two]);
});

test('repeated, gapped, old and foreign batches change nothing', async () => {
  const [first, second] = checkers() as [TestChecker, TestChecker];
  await allUp();
  const { db } = place.ground;
  const report = (checker: TestChecker, batch: Parameters<typeof recordBatch>[3]) =>
    recordBatch(db, place.dependencies, checker.id, batch);
  const state = () => db.query('SELECT member_id, vantage_point_id, verdict, noted_at FROM gslb_vote ORDER BY 1, 2');
  const said = await place.batch(first, { [one]: 'DOWN' });
  await report(first, said);
  const stored = await state();
  // A batch with the same number but different content does not count either.
  await report(first, { ...said, verdicts: [place.spoken(two, 'DOWN')] });
  const wrong: [string, Partial<typeof said>][] = [
    ['GAP', { number: said.number + 2 }],
    ['OLD_INCARNATION', { incarnation: said.incarnation - 1, number: 1 }],
    ['UNKNOWN_INCARNATION', { incarnation: said.incarnation + 1, number: 1 }],
    ['OLD_EPOCH', { epoch: said.epoch - 1, number: said.number + 1 }],
    ['UNKNOWN_EPOCH', { epoch: said.epoch + 1, number: said.number + 1 }],
    ['OTHER_VANTAGE_POINT', { vantagePoint: 'us', number: said.number + 1 }],
    ['WRONG_STAMP', { stampMs: said.stampMs + 3_600_000, number: said.number + 1 }],
  ];
  for (const [refusal, change] of wrong)
    await expect(report(first, { ...said, ...change })).rejects.toMatchObject({ refusal });
  expect(await state()).toEqual(stored);
  // Reports about unknown targets are ignored.
  const nothing = place.spoken('00000000-0000-7000-8000-000000000000', 'DOWN');
  await place.say(second, {}, { verdicts: [nothing] });
  expect(await state()).toEqual(stored);
});

test('a late report becomes history, never a vote', async () => {
  const [first, second] = checkers() as [TestChecker, TestChecker];
  await allUp();
  await place.say(first, { [one]: 'DOWN' });
  const { db } = place.ground;
  // A disconnect clears the checker's earlier stamps.
  await place.connect(second);
  const stampMs = (await databaseNow(db)) - 700_000;
  await place.say(second, { [one]: 'DOWN' }, { stampMs, past: [place.spoken(two, 'DOWN')] });
  expect(await place.up(name)).toHaveLength(2);
  const late = await flipsOfMember(db, one, { before: null, take: 5 });
  expect(late.filter((flip) => flip.late).map(({ ballots }) => ballots[0]?.count)).toEqual(['LATE']);
  expect((await flipsOfMember(db, two, { before: null, take: 5 })).some((flip) => flip.late)).toBe(true);
});

const owedTo = (member: string) =>
  place.count("SELECT COUNT(*) AS n FROM owed_work WHERE kind = 'gslb-judge' AND `key` = ? AND due_at IS NOT NULL", [
    member,
  ]);

test('a late verdict counts once its checker confirms it in time', async () => {
  const [first, second] = checkers() as [TestChecker, TestChecker];
  await allUp();
  const { db } = place.ground;
  // This pool accepts old votes, but a late report is still not a vote.
  await db.execute("UPDATE gslb_pool SET spec = JSON_SET(spec, '$.quorum.freshMs', 3600000)");
  await place.say(first, { [one]: 'DOWN' });
  await place.connect(second);
  const stampMs = (await databaseNow(db)) - 700_000;
  await place.say(second, { [one]: 'DOWN', [two]: 'UP' }, { stampMs });
  expect(await place.up(name)).toHaveLength(2);
  expect(await owedTo(one)).toBe(1);
  expect(await owedTo(two)).toBe(0);
  await place.say(second, {});
  await place.work('gslb-judge', one);
  expect(await place.up(name)).toEqual([two]);
});

test('a verdict that waits for votes that were too old, or from a silent checker, is evaluated again', async () => {
  const [first, second] = checkers() as [TestChecker, TestChecker];
  await allUp();
  const { db } = place.ground;
  await place.say(second, { [one]: 'DOWN' });
  await db.execute('UPDATE gslb_checker SET said_at = said_at - INTERVAL 9 SECOND WHERE id = ?', [second.id]);
  await place.say(first, { [one]: 'DOWN' });
  expect(await place.up(name)).toHaveLength(2);
  // No other checker adds work: a heartbeat does not owe an evaluation of the members.
  expect(await owedTo(one)).toBe(1);
  await place.say(second, {});
  await place.work('gslb-judge', one);
  expect(await place.up(name)).toEqual([two]);
  // A unanimous verdict has nothing to wait for.
  expect(await owedTo(one)).toBe(0);
});

test('a checker that joins or leaves raises the epoch, redistributes the targets, and each vantage point still has one vote', async () => {
  const [first, second] = checkers() as [TestChecker, TestChecker];
  await allUp();
  const { db } = place.ground;
  const epoch = () => place.count("SELECT epoch AS n FROM gslb_vantage_point WHERE name = 'eu'");
  const before = await epoch();
  const old = await place.batch(first, { [one]: 'DOWN' });
  const helper = await place.checker('eu');
  expect(await epoch()).toBe(before + 1);
  await expect(recordBatch(db, place.dependencies, first.id, old)).rejects.toMatchObject({ refusal: 'OLD_EPOCH' });
  // Both report the same, but only one checker has the target.
  first.number -= 1;
  await place.say(first, { [one]: 'DOWN' });
  await place.say(helper, { [one]: 'DOWN' });
  expect(await place.count("SELECT COUNT(*) AS n FROM gslb_vote WHERE member_id = ? AND verdict = 'DOWN'", [one])).toBe(
    1,
  );
  expect(await place.up(name)).toContain(one);
  // Reconnecting at once changes nothing for the other checker.
  await place.connect(helper);
  expect(await epoch()).toBe(before + 1);
  await place.say(second, { [one]: 'DOWN' });
  await place.say(helper, { [one]: 'DOWN' });
  await place.say(first, { [one]: 'DOWN' });
  expect(await place.up(name)).toEqual([two]);
});
