// Names of one project near names of another, on a real database: in any order, and at the same moment.
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { ownersOf } from '../../../compose/owners.ts';
import {
  type ClaimedZone,
  claimForInstallation,
  claimName,
  giveBackName,
  shareName,
} from '../../../dns/ownership/name-claims.ts';
import { bareName, isWithin, type ZoneRule } from '../../../dns/ownership/name-rules.ts';
import { reserveNames } from '../../../dns/ownership/reserved-names.ts';
import { keepServerName, leaveServerName, reserveServerName } from '../../../dns/ownership/server-names.ts';
import { migrate } from '../../../platform/database/migrate.ts';
import { recordProject } from '../../../platform/edge/projects.ts';
import { newUuid } from '../../../platform/values/ids.ts';
import { gslbRow } from '../../../subgraphs/gslb/row.ts';
import { LocalContext } from '../../support/product/test-context.ts';
import { type TestDatabase, testDatabase } from '../../support/stores/database.ts';

const seed = Number(process.env.TIDEGATE_TEST_SEED ?? Math.floor(Math.random() * 2 ** 31));
const zoneName = 'z.test';
const alpha = { id: newUuid(), name: 'alpha' };
const beta = { id: newUuid(), name: 'beta' };
type Project = typeof alpha;

/** The largest limit that an administrator can set for both. */
const everything: readonly ZoneRule[] = [alpha, beta].map(({ id }) => ({
  ...{ suffix: zoneName, projectIds: [id] },
  allows: ['APEX', 'WILDCARDS', 'UNDERSCORES'] as const,
}));

let database: TestDatabase;
let ground: LocalContext;
beforeAll(async () => {
  database = await testDatabase({ migrated: false });
  await migrate(database.connection, ownersOf(['gslb'], [gslbRow]));
  ground = new LocalContext({ connection: database.connection, connectionLimit: 10 });
  await ground.db.transaction(async (tx) => {
    for (const { id, name } of [alpha, beta]) await recordProject(tx, id, name);
  });
});
beforeEach(async () => {
  for (const table of ['dns_held_name', 'dns_name_lock', 'dns_server_name', 'dns_zone'])
    await ground.db.execute(`DELETE FROM ${table}`);
});
afterAll(async () => {
  await ground.stop();
  await database.drop();
});

const zone = (parts: Partial<ClaimedZone> = {}): ClaimedZone => ({
  ...{ name: zoneName, rules: everything, hasOwnServers: true, nameServers: [] },
  ...parts,
});

/** The code of a refusal, otherwise OK. */
async function claim(
  project: Project,
  name: string,
  parts: Partial<ClaimedZone> = {},
  owner = `gslb/${project.name}-${name}`,
) {
  const fault = await ground.db.transaction((tx) => claimName(tx, { name, owner, project, zone: zone(parts) }));
  return fault?.code ?? 'OK';
}

const giveBack = (project: Project, name: string, restMs = 86_400_000) =>
  ground.db.transaction((tx) => giveBackName(tx, { name, owner: `gslb/${project.name}-${name}` }, restMs));

const near = [
  ['shop.z.test', 'login.shop.z.test'],
  ['shop.z.test', '*.shop.z.test'],
  ['shop.z.test', '_acme-challenge.shop.z.test'],
  ['shop.z.test', '*.z.test'],
  ['a.b.shop.z.test', 'shop.z.test'],
  ['a.b.shop.z.test', '*.b.shop.z.test'],
  ['*.shop.z.test', 'x.shop.z.test'],
  ['*.shop.z.test', 'a.b.shop.z.test'],
  ['*.shop.z.test', 'shop.z.test'],
  ['shop.z.test', 'shop.z.test'],
] as const;

test.each(near)('%s of one project and %s of another: whichever comes later is refused', async (one, other) => {
  for (const [first, second] of [
    [one, other],
    [other, one],
  ] as const) {
    expect(await claim(alpha, first)).toBe('OK');
    expect(await claim(beta, second)).toBe('NAME_TAKEN');
    if (first !== second) expect(await claim(alpha, second)).toBe('OK');
    await ground.db.execute('DELETE FROM dns_held_name');
  }
});

test.each(near)('%s and %s at the same moment: one project gets its name', async (one, other) => {
  for (let round = 0; round < 5; round += 1) {
    const codes = await Promise.all([claim(alpha, one), claim(beta, other)]);
    expect(codes.toSorted()).toEqual(['NAME_TAKEN', 'OK']);
    await ground.db.execute('DELETE FROM dns_held_name');
    if (round % 2 === 0) await ground.db.execute('DELETE FROM dns_name_lock');
  }
});

test('neighbouring names, names with an underscore, and names in another zone do not conflict', async () => {
  expect(await claim(alpha, 'shop.z.test')).toBe('OK');
  for (const name of ['shop2.z.test', 'notshop.z.test', 'a.z.test']) expect(await claim(beta, name)).toBe('OK');
  expect(await claim(alpha, 'a_b.x.z.test')).toBe('OK');
  // In SQL, an underscore must not act as a wildcard.
  expect(await claim(beta, 'aXb.x.z.test'.toLowerCase())).toBe('OK');
  expect(
    await claim(beta, 'shop.other.test', {
      name: 'other.test',
      rules: [{ suffix: 'other.test', projectIds: [beta.id] }],
    }),
  ).toBe('OK');
});

test('the apex conflicts with no name, if a right allows it', async () => {
  expect(await claim(alpha, 'shop.z.test')).toBe('OK');
  expect(await claim(beta, zoneName)).toBe('OK');
  expect(await claim(alpha, zoneName)).toBe('NAME_TAKEN');
  expect(await claim(alpha, 'more.z.test')).toBe('OK');
});

test('an owner shares its name, and ends that again', async () => {
  expect(await claim(alpha, 'shop.z.test')).toBe('OK');
  const share = (ids: readonly string[]) =>
    ground.db.transaction((tx) => shareName(tx, { name: 'shop.z.test', owner: 'gslb/alpha-shop.z.test' }, ids));
  await share([beta.id]);
  expect(await claim(beta, 'login.shop.z.test')).toBe('OK');
  expect(await claim(beta, 'shop.z.test')).toBe('NAME_TAKEN');
  await share([]);
  expect(await claim(beta, 'other.shop.z.test')).toBe('NAME_TAKEN');
});

test('an administrator reserves a suffix, from above and from below', async () => {
  const rules: readonly ZoneRule[] = [...everything, { suffix: 'login.shop.z.test', projectIds: [beta.id] }];
  for (const order of [0, 1]) {
    const claims = [() => claim(alpha, 'shop.z.test', { rules }), () => claim(beta, 'a.login.shop.z.test', { rules })];
    for (const each of order === 0 ? claims : claims.toReversed()) expect(await each()).toBe('OK');
    expect(await claim(alpha, 'b.login.shop.z.test', { rules })).not.toBe('OK');
    expect(await claim(beta, 'other.shop.z.test', { rules })).toBe('NAME_TAKEN');
    await ground.db.execute('DELETE FROM dns_held_name');
  }
});

test('a deleted name rests for its project, together with its neighbours', async () => {
  expect(await claim(alpha, 'shop.z.test')).toBe('OK');
  await giveBack(beta, 'shop.z.test');
  expect(await claim(alpha, 'shop.z.test', {}, 'gslb/other')).toBe('NAME_TAKEN');
  await giveBack(alpha, 'shop.z.test');
  for (const name of ['shop.z.test', 'login.shop.z.test', '*.z.test'])
    expect(await claim(beta, name)).toBe('NAME_TAKEN');
  // A clock that jumps ahead does not end the rest of a name; only the trusted time does.
  await ground.db.execute('UPDATE dns_held_name SET rests_until = NOW(3) - INTERVAL 1 SECOND');
  await ground.db.execute('UPDATE trusted_clock SET trusted_at = NOW(3) - INTERVAL 1 DAY');
  expect(await claim(beta, 'shop.z.test')).toBe('NAME_TAKEN');
  // Its project can have the name again at once, even for another object.
  expect(await claim(alpha, 'shop.z.test', {}, 'loadbalancer/1')).toBe('OK');
  await ground.db.transaction((tx) => giveBackName(tx, { name: 'shop.z.test', owner: 'loadbalancer/1' }, 0));
  expect(await claim(beta, 'shop.z.test')).toBe('OK');
});

test('the names of our own name servers are reserved from the creation of the machine on', async () => {
  const { db } = ground;
  const machine = { id: newUuid(), name: 'ns1' };
  const inAnHour = new Date(Date.now() + 3_600_000);
  await db.transaction((tx) => reserveServerName(tx, machine, inAnHour));
  const attacks = ['ns1.z.test', '_acme-challenge.ns1.z.test', '*.ns1.z.test', 'a.b.ns1.z.test'];
  const refused = async () => {
    for (const name of attacks) expect(await claim(alpha, name)).toBe('NAME_TAKEN');
  };
  await refused();
  await db.transaction((tx) => keepServerName(tx, machine));
  await refused();
  await db.transaction((tx) => leaveServerName(tx, machine.id));
  await refused();
  expect(await claim(alpha, 'x.ns1.other.z.test')).toBe('OK');
  expect(await claim(alpha, 'ns1.z.test', { hasOwnServers: false })).toBe('OK');
  await db.execute('DELETE FROM dns_held_name');
  // A week later, or if the machine did not join in time.
  await db.execute("UPDATE dns_server_name SET held_until = '1970-01-02'");
  expect(await claim(alpha, 'ns1.z.test')).toBe('OK');
});

test('the servers that an administrator gave a zone are reserved', async () => {
  const given = { hasOwnServers: false, nameServers: ['ns1.z.test', 'ns.elsewhere.test'] };
  expect(await claim(alpha, 'ns1.z.test', given)).toBe('NAME_TAKEN');
  expect(await claim(alpha, 'a.ns1.z.test', given)).toBe('NAME_TAKEN');
  expect(await claim(alpha, 'ns2.z.test', given)).toBe('OK');
});

test("the installation's own names, such as that of its primary, refuse others, and find those that are there", async () => {
  const { db } = ground;
  expect(await reserveNames(db, ['api.z.test'])).toEqual([]);
  for (const name of ['api.z.test', 'x.api.z.test', '*.z.test', '*.api.z.test'])
    expect(await claim(alpha, name)).toBe('NAME_TAKEN');
  expect(await claim(alpha, 'db.z.test')).toBe('OK');
  expect(await reserveNames(db, ['db.z.test'])).toEqual(['db.z.test']);
  // It is no longer reserved.
  expect(await claim(alpha, 'api.z.test')).toBe('OK');
  const own = { name: 'x.y.test', zone: 'y.test', owner: 'installation/reserved' };
  for (const _ of [1, 2]) expect(await db.transaction((tx) => claimForInstallation(tx, own))).toBe(true);
});

test('a name at or below a separate zone can not be created in the zone above', async () => {
  await ground.db.execute("INSERT INTO dns_zone (name, writer) VALUES ('lb.z.test', 'w')");
  expect(await claim(alpha, 'lb.z.test')).toBe('NAME_TAKEN');
  expect(await claim(alpha, 'web.default.lb.z.test')).toBe('NAME_TAKEN');
  expect(await claim(alpha, 'blb.z.test')).toBe('OK');
});

test(`no order of claims, deletions and servers gives two projects neighbouring names (seed ${seed})`, async () => {
  let state = seed || 1;
  const draw = <Value>(list: readonly Value[]): Value => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return list[(state >>> 8) % list.length] as Value;
  };
  const labels = ['a', 'ns1', 'b', '_x'];
  const nameOf = () => `${draw(['', '', '*.'])}${draw(['', `${draw(labels)}.`])}${draw(labels)}.${zoneName}`;
  const { db } = ground;
  const machine = { id: newUuid(), name: 'ns1' };
  const counts = { OK: 0, NAME_TAKEN: 0, NO_RIGHT: 0 };
  for (let round = 0; round < 60; round += 1) {
    const acts = Array.from({ length: 4 }, () => {
      const [project, name] = [draw([alpha, beta]), nameOf()];
      return draw([
        async () => {
          counts[await claim(project, name)] += 1;
        },
        async () => {
          counts[await claim(project, name)] += 1;
        },
        () => giveBack(project, name, draw([0, 86_400_000])),
        () =>
          db.transaction((tx) => draw([() => keepServerName(tx, machine), () => leaveServerName(tx, machine.id)])()),
      ]);
    });
    await Promise.all(acts.map((act) => act()));
    const held = await db.query<{ name: string; projectId: string }>(
      'SELECT name, project_id AS projectId FROM dns_held_name',
    );
    for (const one of held)
      for (const other of held.filter(({ projectId }) => projectId !== one.projectId))
        expect([one.name, other.name, isWithin(bareName(one.name), bareName(other.name))]).toEqual([
          one.name,
          other.name,
          false,
        ]);
  }
  expect(counts.OK).toBeGreaterThan(5);
  expect(counts.NAME_TAKEN).toBeGreaterThan(20);
});
