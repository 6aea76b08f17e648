// A page of members reads only the rows of that page, however many other members exist.
import { expect, test } from '@jest/globals';
import type { Transaction } from '../../../../platform/database/database.ts';
import { newUuid } from '../../../../platform/values/ids.ts';
import { monitorsOf } from '../../../../subgraphs/gslb/control/stores/standing-store.ts';
import { membersVotedBy } from '../../../../subgraphs/gslb/control/stores/vote-store.ts';
import { forTest } from '../../../support/jest/shared.ts';
import { GslbPlace } from '../support/gslb-place.ts';

const place = forTest(() => GslbPlace.open());
const pools = 3_000;
const idOf = (number: number) => `00000000-0000-7000-8001-${String(number).padStart(12, '0')}`;

/** The number of rows that the database reads for the work. */
async function rowsRead(tx: Transaction, work: () => Promise<unknown>): Promise<number> {
  const sum = async () => {
    const rows = await tx.query<{ Value: string }>(
      "SHOW SESSION STATUS WHERE Variable_name IN ('Handler_read_first', 'Handler_read_key', 'Handler_read_next', 'Handler_read_rnd', 'Handler_read_rnd_next')",
    );
    return rows.reduce((all, { Value }) => all + Number(Value), 0);
  };
  await sum();
  const [before, again] = [await sum(), await sum()];
  await work();
  return (await sum()) - again - (again - before);
}

test('monitors of some members, and members with votes of a vantage point', async () => {
  const { db } = place.ground;
  const id = `CONCAT('00000000-0000-7000-8001-', LPAD(seq, 12, '0'))`;
  await db.execute(`INSERT INTO gslb_monitor_use (id, monitor_id, pool_id)
    SELECT ${id}, t.monitor_id, ${id} FROM seq_1_to_${pools} CROSS JOIN gslb_monitor_use t`);
  const vantagePoints = [newUuid(), newUuid(), newUuid()];
  for (const vantagePoint of vantagePoints)
    await db.execute(
      `INSERT INTO gslb_vote (member_id, monitor_id, vantage_point_id, checker_id, verdict, incarnation, epoch, since_at, noted_at)
      SELECT ${id}, ?, ?, ?, 'UP', 1, 1, NOW(3), NOW(3) FROM seq_1_to_${pools}`,
      [place.monitorId, vantagePoint, vantagePoint],
    );
  const members = Array.from({ length: 400 }, (_, at) => ({ id: newUuid(), poolId: idOf(1 + Math.floor(at / 4)) }));
  await db.transaction(async (tx) => {
    let uses = 0;
    const ofMonitors = await rowsRead(tx, async () => {
      uses = (await monitorsOf(tx, members)).length;
    });
    expect(uses).toBe(100);
    // One lookup for each pool and member, plus the rows found.
    expect(ofMonitors).toBeLessThan(3 * (400 + 100));
    let found: readonly string[] = [];
    const ofVotes = await rowsRead(tx, async () => {
      found = await membersVotedBy(tx, { vantagePointId: vantagePoints[1] ?? '', after: idOf(1_500), take: 200 });
    });
    expect(found).toEqual(Array.from({ length: 200 }, (_, at) => idOf(1_501 + at)));
    expect(ofVotes).toBeLessThan(3 * 200);
  });
});
