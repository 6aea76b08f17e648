// Changes caused by time and by users: failback, administrators' states, frozen names, backends without a policy, and
// names that are added and deleted.
import { afterEach, expect, test } from '@jest/globals';
import { readRecordSet } from '../../../../dns/records/record-store.ts';
import { newUuid } from '../../../../platform/values/ids.ts';
import type { PoolSpec } from '../../../../subgraphs/gslb/spec/specs.ts';
import { GslbPlace, type TestChecker, zone } from '../support/gslb-place.ts';

let place: GslbPlace;
let checker: TestChecker;
let [one, two] = ['', ''];

afterEach(() => place.close());

async function open(pool: Partial<PoolSpec> = {}): Promise<void> {
  place = await GslbPlace.open(pool);
  checker = await place.vantagePoint('eu');
  one = await place.member('one', { addresses: ['192.0.2.1'] });
  two = await place.member('two', { addresses: ['192.0.2.2'] });
}

async function owedInMs(member: string): Promise<number> {
  return place.count(
    "SELECT TIMESTAMPDIFF(MICROSECOND, NOW(3), due_at) DIV 1000 AS n FROM owed_work WHERE kind = 'gslb-judge' AND `key` = ?",
    [member],
  );
}

const back = (member: string, sql: string) =>
  place.ground.db.execute(`UPDATE gslb_pool_member SET ${sql} WHERE id = ?`, [member]);

test('a recovered member serves after its failback delay, which a worker ends', async () => {
  await open({ failback: { mode: 'DELAYED', delayMs: 60_000 } });
  const name = await place.name('shop');
  await place.say(checker, { [one]: 'UP', [two]: 'UP' });
  await place.say(checker, { [one]: 'DOWN' });
  await place.say(checker, { [one]: 'UP' });
  expect(await place.up(name)).toEqual([two]);
  const dueMs = await owedInMs(one);
  expect(dueMs).toBeGreaterThan(50_000);
  expect(dueMs).toBeLessThanOrEqual(60_000);
  await back(one, 'verdict_at = NOW(3) - INTERVAL 61 SECOND');
  await place.ground.db.execute("DELETE FROM owed_work WHERE kind = 'gslb-judge'");
  await place.work('gslb-judge', one);
  expect(await place.up(name)).toHaveLength(2);
  const reasons = await place.ground.db.query<{ reason: string }>(
    'SELECT reason FROM gslb_flip WHERE member_id = ? ORDER BY id DESC LIMIT 1',
    [one],
  );
  expect(reasons).toEqual([{ reason: 'the wait for its failback is over: it serves again' }]);
});

test("an administrator's state withholds a member until its end", async () => {
  await open();
  const name = await place.name('shop');
  await place.say(checker, { [one]: 'UP', [two]: 'UP' });
  await back(one, "admin_state = 'DRAIN', admin_until = NOW(3) + INTERVAL 30 SECOND");
  await place.work('gslb-judge', one);
  const withheld = async () => (await place.plan(name)).plan.members.filter((member) => member.withheld);
  expect((await withheld()).map(({ memberId }) => memberId)).toEqual([one]);
  expect(await owedInMs(one)).toBeGreaterThan(20_000);
  await back(one, 'admin_until = NOW(3) - INTERVAL 1 SECOND');
  await place.ground.db.execute("DELETE FROM owed_work WHERE kind = 'gslb-judge'");
  await place.work('gslb-judge', one);
  expect(await withheld()).toEqual([]);
  expect(await place.count("SELECT COUNT(*) AS n FROM gslb_pool_member WHERE admin_state = 'AUTO'")).toBe(2);
});

test('a frozen name keeps its answer until it is released', async () => {
  await open();
  const name = await place.name('shop');
  await place.say(checker, { [one]: 'UP', [two]: 'UP' });
  const { db } = place.ground;
  await db.execute('UPDATE gslb SET frozen_at = NOW(3), frozen_until = NOW(3) + INTERVAL 1 MINUTE WHERE id = ?', [
    name,
  ]);
  await place.say(checker, { [one]: 'DOWN' });
  expect(await place.plan(name)).toMatchObject({ status: 'DEGRADED' });
  expect(await place.up(name)).toHaveLength(2);
  const thaw = "SELECT COUNT(*) AS n FROM owed_work WHERE kind = 'gslb-plan' AND due_at > NOW(3) + INTERVAL 30 SECOND";
  expect(await place.count(thaw)).toBe(1);
  await db.execute('UPDATE gslb SET frozen_at = NULL, frozen_until = NULL WHERE id = ?', [name]);
  await db.execute("DELETE FROM owed_work WHERE kind = 'gslb-plan'");
  await place.work('gslb-plan', name);
  expect(await place.up(name)).toEqual([two]);
});

test('each region judges for its clients', async () => {
  await open({ scope: 'REGION' });
  const us = await place.vantagePoint('us');
  const ap = await place.vantagePoint('ap');
  const name = await place.name('shop');
  for (const each of [checker, us, ap]) await place.say(each, { [one]: 'UP', [two]: 'UP' });
  await place.say(us, { [one]: 'DOWN' });
  const { plan } = await place.plan(name);
  expect(plan.members.find(({ memberId }) => memberId === one)).toMatchObject({
    up: true,
    upIn: { ap: true, eu: true, us: false },
  });
  expect(plan.clientMapId).toBe('regions');
  const [flip] = await place.ground.db.query<{ region: string; after: string }>(
    'SELECT region, verdict_after AS `after` FROM gslb_flip WHERE member_id = ? ORDER BY id DESC LIMIT 1',
    [one],
  );
  expect(flip).toEqual({ region: 'us', after: 'DOWN' });
});

test('record sets of a backend without a policy are declared with the verdict', async () => {
  await open();
  const other = 'static.test';
  const { db } = place.ground;
  await db.execute(`INSERT INTO gslb_zone (name, id, backend_type) VALUES (?, ?, 'RFC2136')`, [other, newUuid()]);
  const name = await place.name('shop', {}, [place.poolId], other);
  const geo = await place.name('geo', { policy: { preset: 'GEO', steps: [] } }, [place.poolId], other);
  await place.say(checker, { [one]: 'UP', [two]: 'UP' });
  const set = () => readRecordSet(db, { zone: other, name: `shop.${other}` });
  expect(await set()).toMatchObject({ records: [{ value: '192.0.2.1' }, { value: '192.0.2.2' }], ttlSeconds: 30 });
  await place.say(checker, { [one]: 'DOWN' });
  expect(await set()).toMatchObject({ records: [{ value: '192.0.2.2' }], ttlSeconds: 5, owner: `gslb/${name}` });
  expect(await place.plan(geo)).toMatchObject({ status: 'ERROR' });
  expect(await readRecordSet(db, { zone: other, name: `geo.${other}` })).toBeUndefined();
});

test('a deleted name leaves its zone, and a deleted member its names', async () => {
  await open();
  const name = await place.name('shop');
  await place.say(checker, { [one]: 'UP', [two]: 'UP' });
  const { db } = place.ground;
  await back(one, 'deleted_at = NOW(3), unique_key = NULL');
  await place.work('gslb-judge', one);
  expect((await place.plan(name)).plan.members.map(({ memberId }) => memberId)).toEqual([two]);
  const before = await place.count('SELECT generation AS n FROM gslb_zone WHERE name = ?', [zone]);
  await db.execute("UPDATE gslb SET action = 'DELETE', provisioning_status = 'DELETING' WHERE id = ?", [name]);
  await place.work('gslb-plan', name);
  expect(await place.count('SELECT generation AS n FROM gslb_zone WHERE name = ?', [zone])).toBe(before + 1);
  expect(await place.count('SELECT COUNT(*) AS n FROM gslb WHERE plan IS NULL')).toBe(1);
});

interface Provisioned {
  readonly status: string;
  readonly action: string;
  readonly reason: string | null;
}

async function provisioned(name: string): Promise<Provisioned | undefined> {
  const sql = 'SELECT provisioning_status AS status, action, provisioning_reason AS reason FROM gslb WHERE id = ?';
  return (await place.ground.db.query<Provisioned>(sql, [name]))[0];
}

/** Moves the name's deadline into the past. */
async function late(name: string, seconds = 61): Promise<void> {
  const sql = 'UPDATE gslb SET pending_since = NOW(3) - INTERVAL ? SECOND WHERE id = ?';
  await place.ground.db.execute(sql, [seconds, name]);
  await place.work('gslb-plan', name);
}

test('a name that is not answered in time is an ERROR with the reason, and ACTIVE when it is answered', async () => {
  await open();
  const name = await place.name('shop');
  expect(await provisioned(name)).toMatchObject({ status: 'PENDING', reason: null });
  const sql = "SELECT COUNT(*) AS n FROM owed_work WHERE kind = 'gslb-plan' AND due_at > NOW(3) + INTERVAL 10 SECOND";
  expect(await place.count(sql)).toBe(1);
  await place.ground.db.execute("DELETE FROM owed_work WHERE kind = 'gslb-plan'");
  await late(name);
  const none = 'none of our own name servers is connected: start one with the role dns';
  expect(await provisioned(name)).toEqual({ status: 'ERROR', action: 'CREATE', reason: none });
  const answers = async (number: number) => {
    const [row] = await place.ground.db.query<{ history: string }>(
      "SELECT CONCAT(history, '/', id) AS history FROM gslb_zone WHERE name = ?",
      [zone],
    );
    const position = { history: row?.history, number };
    await place.ground.db.execute(
      `INSERT INTO gslb_name_server (id, name, zones, heard_at) VALUES ('ns', 'ns1', ?, NOW(3))
      ON DUPLICATE KEY UPDATE zones = VALUES(zones), heard_at = VALUES(heard_at)`,
      [JSON.stringify({ zones: { [`${zone}.`]: position } })],
    );
  };
  await answers(0);
  await place.work('gslb-plan', name);
  const behind = '1 of 1 name servers do not answer it yet, the first is ns1';
  expect(await provisioned(name)).toEqual({ status: 'ERROR', action: 'CREATE', reason: behind });
  await answers(1_000);
  await place.work('gslb-plan', name);
  expect(await provisioned(name)).toEqual({ status: 'ACTIVE', action: 'NONE', reason: null });
  const events = await place.ground.db.query<{ to_status: string; reason: string | null }>(
    "SELECT to_status, reason FROM status_change WHERE kind = 'gslb.provisioningStatus' AND subject_id = ? ORDER BY event_id",
    [name],
  );
  expect(events).toEqual([
    { to_status: 'ERROR', reason: none },
    { to_status: 'ERROR', reason: behind },
    { to_status: 'ACTIVE', reason: null },
  ]);
});

test('a slow name server leaves a name PENDING until it answers or five times the limit has passed', async () => {
  await open();
  const name = await place.name('shop');
  await place.ground.db.execute(
    `INSERT INTO gslb_name_server (id, name, zones, heard_at) VALUES ('ns', 'ns1', '{"zones":{}}', NOW(3))`,
  );
  const behind = '1 of 1 name servers do not answer it yet, the first is ns1';
  await late(name);
  const waits = { status: 'PENDING', action: 'CREATE', reason: `${behind}. It takes longer than usual` };
  expect(await provisioned(name)).toEqual(waits);
  const told =
    "SELECT COUNT(*) AS n FROM status_change WHERE kind = 'gslb.provisioningStatus' AND to_status <> 'PENDING'";
  expect(await place.count(told)).toBe(0);
  await late(name, 301);
  expect(await provisioned(name)).toEqual({ ...waits, status: 'ERROR', reason: behind });
  expect(await place.count(told)).toBe(1);
});

test('a name server whose last report is from before the clock was set back is not waited for', async () => {
  await open();
  const name = await place.name('shop');
  await place.ground.db.execute(
    `INSERT INTO gslb_name_server (id, name, heard_at) VALUES ('ns', 'ns1', NOW(3) + INTERVAL 1 HOUR)`,
  );
  await late(name);
  expect((await provisioned(name))?.reason).toContain('none of our own name servers is connected');
});

test("a name that its zone's servers do not accept in time is an ERROR, and a name without records is done", async () => {
  await open();
  const other = 'static.test';
  const { db } = place.ground;
  await db.execute(`INSERT INTO gslb_zone (name, id, backend_type) VALUES (?, ?, 'RFC2136')`, [other, newUuid()]);
  const name = await place.name('shop', {}, [place.poolId], other);
  const lack = `the servers of the zone ${other} do not have it yet`;
  await late(name);
  expect(await provisioned(name)).toMatchObject({ status: 'PENDING', reason: `${lack}. It takes longer than usual` });
  await late(name, 299);
  expect(await provisioned(name)).toMatchObject({ status: 'PENDING' });
  await late(name, 301);
  expect(await provisioned(name)).toMatchObject({ status: 'ERROR', reason: lack });
  await db.execute("UPDATE dns_record_set SET error_code = 'TIMED_OUT', error = 'it is slow', failing_since = NOW(3)");
  await place.work('gslb-plan', name);
  expect(await provisioned(name)).toMatchObject({ status: 'ERROR', reason: 'it is slow' });
  await db.execute('UPDATE dns_record_set SET error_code = NULL, published_generation = generation');
  await place.work('gslb-plan', name);
  expect(await provisioned(name)).toMatchObject({ status: 'ACTIVE', reason: null });
  const empty = await place.name('empty', { noneUp: { do: 'NODATA' } }, [place.poolId], other);
  expect(await provisioned(empty)).toMatchObject({ status: 'ACTIVE' });
});

test('events of a name and its members name its CMP object, unless names of several objects share the pool', async () => {
  await open();
  const name = await place.name('shop');
  const plain = await place.name('plain');
  const { db } = place.ground;
  const give = (id: string, cmpId: string) =>
    db.execute("UPDATE gslb SET cmp_namespace = 'default', cmp_type = 'tenant', cmp_id = ? WHERE id = ?", [cmpId, id]);
  /** The kinds of the events that the action caused, each with the CMP object. */
  const told = async (act: () => Promise<unknown>) => {
    const [before] = await db.query<{ id: number }>('SELECT MAX(id) AS id FROM status_change');
    await act();
    const rows = await db.query<{ kind: string; cmpId: string | null }>(
      'SELECT kind, cmp_id AS cmpId FROM status_change WHERE id > ? AND subject_id <> ? ORDER BY kind',
      [before?.id ?? 0, plain],
    );
    return rows.map(({ kind, cmpId }) => `${kind} ${cmpId}`);
  };
  await place.say(checker, { [one]: 'UP', [two]: 'UP' });
  await give(name, '42');
  expect(await told(() => place.say(checker, { [one]: 'DOWN' }))).toEqual([
    'gslb.answer 42',
    'gslb.operatingStatus 42',
    'gslbPoolMember.operatingStatus 42',
    'gslbPoolMember.verdict 42',
  ]);
  await give(plain, '43');
  expect(await told(() => place.say(checker, { [one]: 'UP' }))).toEqual([
    'gslb.answer 42',
    'gslb.operatingStatus 42',
    'gslbPoolMember.operatingStatus null',
    'gslbPoolMember.verdict null',
  ]);
});
