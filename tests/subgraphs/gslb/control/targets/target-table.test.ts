// The target table reads only the pools that changed.
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { Database } from '../../../../../platform/database/database.ts';
import { newUuid } from '../../../../../platform/values/ids.ts';
import { membersTouched, namesTouched, targetsTopic } from '../../../../../subgraphs/gslb/control/stores/touched.ts';
import type { VantageRow } from '../../../../../subgraphs/gslb/control/stores/vantage-store.ts';
import { TargetTable } from '../../../../../subgraphs/gslb/control/targets/target-table.ts';
import { documentOf } from '../../../../../subgraphs/gslb/control/targets/targets.ts';
import { nameOfKey } from '../../../../../subgraphs/gslb/wire/checker-wire.ts';
import { waitFor } from '../../../../support/machine/temporary-folder.ts';
import { GslbPlace } from '../../support/gslb-place.ts';

let place: GslbPlace;
let table: TargetTable;
/** The table of each row that was read. */
let rows: string[];
/** The number of rows of each statement. */
let statements: number[];
const vantagePoint: VantageRow = {
  ...{ id: newUuid(), name: 'eu', region: 'eu', epoch: 1, version: 1 },
  spec: { description: '', latitude: 0, longitude: 0, allowedBlocks: [], deniedBlocks: [], beacons: [] },
};

beforeEach(async () => {
  place = await GslbPlace.open();
  rows = [];
  statements = [];
  const { db, wake, log, egress, sealer } = place.ground;
  const counted: Pick<Database, 'query'> = {
    async query<Row>(sql: string, values?: Parameters<Database['query']>[1]) {
      const found = await db.query<Row>(sql, values);
      statements.push(found.length);
      rows.push(...found.map(() => / FROM (\w+)/.exec(sql)?.[1] ?? sql));
      return found;
    },
  };
  table = new TargetTable({ db: counted as Database, wake, log, egress, sealer, wholeEveryMs: 3_600_000 });
});
afterEach(async () => {
  await table.stop();
  await place.close();
});

const known = () =>
  [...(table.all() ?? [])]
    .filter((target) => table.isFor(vantagePoint, target))
    .map(({ hosts, port }) => `${hosts.join()}:${port}`);

test('a change reads the targets of its pool, not those of the others', async () => {
  const { db, wake } = place.ground;
  const [monitorUse] = await db.query<{ monitorId: string }>('SELECT monitor_id AS monitorId FROM gslb_monitor_use');
  const pools = [place.poolId, newUuid(), newUuid()];
  for (const pool of pools.slice(1)) {
    await place.pool(pool, {
      ...{ description: '', minUp: 1, scope: 'ALL', failback: { mode: 'IMMEDIATE' } },
      quorum: { downAtLeast: null, upAtLeast: null, leastVoters: null, leastRegions: 1, freshMs: null },
    });
    await db.execute('INSERT INTO gslb_monitor_use (id, monitor_id, pool_id) VALUES (?, ?, ?)', [
      ...[newUuid(), monitorUse?.monitorId ?? '', pool],
    ]);
  }
  const members: string[] = [];
  for (const [at, pool] of pools.entries())
    for (let number = 1; number <= 20; number += 1)
      members.push(await place.member(`m${number}`, { addresses: [`192.0.2.${at * 20 + number}`] }, pool));
  table.start();
  await waitFor('all to be read', () => known().length === 60);
  rows = [];
  await db.transaction(async (tx) => {
    await tx.execute("UPDATE gslb_pool_member SET spec = JSON_SET(spec, '$.port', 81) WHERE id = ?", [
      members[25] ?? '',
    ]);
    await membersTouched(tx, wake, [members[25] ?? '']);
  });
  await waitFor('the change', () => known().includes('192.0.2.26:81'));
  expect(known().length).toBe(60);
  const count = (name: string) => rows.filter((each) => each === name).length;
  // For one pool: its members, its use of the monitor, the monitor, its rule, and the change counter. Also all flavors.
  expect(['gslb_pool_member', 'gslb_monitor_use', 'gslb_monitor', 'gslb_pool', 'gslb_pool_targets'].map(count)).toEqual(
    [20, 1, 1, 1, 1],
  );
  expect(rows.length).toBe(25);
  // A pool that loses its last member, and one that gets its first.
  await db.transaction(async (tx) => {
    await tx.execute('UPDATE gslb_pool_member SET deleted_at = NOW(3) WHERE pool_id = ?', [pools[2] ?? '']);
    await membersTouched(tx, wake, members.slice(40));
  });
  await waitFor('the deletions', () => known().length === 40);
});

test('a change of a name reads its pools, because the name decides which vantage points watch them', async () => {
  const { db, wake } = place.ground;
  await place.member('one');
  const name = await place.name('shop');
  table.start();
  await waitFor('it to be read', () => known().length === 1);
  await db.execute(`UPDATE gslb_flavor SET spec = JSON_OBJECT('vantagePoints', JSON_ARRAY('us'))`);
  await db.transaction((tx) => namesTouched(tx, wake, [name]));
  await waitFor('nothing to be watched from here', () => known().length === 0);
});

test('a full read goes a few pools at a time, with a fixed number of statements per page', async () => {
  const { db } = place.ground;
  const pools = 600;
  const id = (kind: number) => `CONCAT('00000000-0000-7000-800${kind}-', LPAD(HEX(seq), 12, '0'))`;
  const all = `FROM seq_1_to_${pools} CROSS JOIN`;
  await place.member('template');
  await db.execute(`INSERT INTO gslb_pool (id, project_id, name, live_name, spec)
    SELECT ${id(1)}, t.project_id, ${id(1)}, ${id(1)}, t.spec ${all} gslb_pool t`);
  await db.execute(`INSERT INTO gslb_monitor_use (id, monitor_id, pool_id)
    SELECT ${id(2)}, t.monitor_id, ${id(1)} ${all} gslb_monitor_use t`);
  await db.execute(`INSERT INTO gslb_pool_member (id, project_id, pool_id, name, spec)
    SELECT ${id(3)}, t.project_id, ${id(1)}, 'm', t.spec ${all} gslb_pool_member t`);
  table.start();
  await waitFor('all to be read', () => known().length === pools + 1);
  // For each page: pools, members, uses of both kinds, monitors, and the two parts of their rules.
  expect(statements.length).toBeLessThanOrEqual(2 + 3 * 8);
  expect(Math.max(...statements)).toBeLessThanOrEqual(250);
});

test('a change of a flavor alone reads everything again', async () => {
  const { db, wake } = place.ground;
  await place.member('one');
  await place.name('shop');
  table.start();
  await waitFor('it to be read', () => known().length === 1);
  await db.execute(`UPDATE gslb_flavor SET spec = JSON_OBJECT('vantagePoints', JSON_ARRAY('us'))`);
  wake.notify(targetsTopic);
  await waitFor('nothing to be watched from here', () => known().length === 0);
});

test('the shared part of targets is stored once, and each target has its own document', async () => {
  const one = await place.member('one', { addresses: ['192.0.2.1'] });
  const two = await place.member('two', { addresses: ['192.0.2.2', '192.0.2.3'], port: 81 });
  const other = await place.member('three', { parameters: { send: 'hello' } });
  table.start();
  await waitFor('all to be read', () => known().length === 3);
  const byMember = new Map([...(table.all() ?? [])].map((target) => [nameOfKey(target.key).member, target]));
  const [first, second, third] = [one, two, other].map((member) => byMember.get(member));
  if (first === undefined || second === undefined || third === undefined) throw new Error('not all are there');
  expect(second.check).toBe(first.check);
  expect(second.vantagePoints).toBe(first.vantagePoints);
  expect(third.check.parameters).toEqual({ send: 'hello' });
  expect(documentOf(nameOfKey(second.key), second, second.check)).toEqual({
    ...{ member: two, monitor: place.monitorId, type: 'TCP', hosts: ['192.0.2.2', '192.0.2.3'], port: 81 },
    ...{ parameters: {}, delayMs: 1_000, timeoutMs: 500, failures: 2, successes: 1, confirmMs: 200 },
  });
});
