// A failover to a server whose clock is a minute ahead or behind. A call with an unknown outcome counts as without
// effect only after its whole quiet time has passed on a monotonic clock, counted from the first check at the new
// server.
import { afterEach, expect, test } from '@jest/globals';
import { platformMigrations } from '../../../../../compose/places.ts';
import { Database } from '../../../../../platform/database/database.ts';
import { migrate } from '../../../../../platform/database/migrate.ts';
import { newUuid } from '../../../../../platform/values/ids.ts';
import {
  moveOperation,
  putTimesBack,
  quietTime,
  readStuck,
} from '../../../../../subgraphs/relay/control/journal/operation-store.ts';
import { QuietTimes } from '../../../../../subgraphs/relay/control/journal/quiet-times.ts';
import { relayRow } from '../../../../../subgraphs/relay/row.ts';
import { type ReplicatingPair, startReplicatingPair } from '../../../../platform/replicating-pair.ts';

let pair: ReplicatingPair | undefined;
const open: Database[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((db) => db.close()));
  await pair?.stop();
});

function connect(server: ReplicatingPair['primary']): Database {
  const db = new Database({ connection: server.application });
  open.push(db);
  return db;
}

const deadlineMs = 5_000;
const quietMs = 30_000;

test.each([60, -60])(
  "the new server's clock is %d s ahead",
  async (standbyAheadSeconds) => {
    pair = await startReplicatingPair({ standbyAheadSeconds });
    await migrate(pair.primary.application, [platformMigrations, relayRow.migrations]);
    const old = connect(pair.primary);
    const insert = async (state: string, quiet: string) => {
      const id = newUuid();
      await old.execute(
        `INSERT INTO operation (id, project_id, backend_id, name, effect, state, owner, resource, scope, object_key, object_hash,
        arguments, call_deadline_ms, timeline, requested_by, created_at, sent_at, deadline_at, quiet_until)
      SELECT ?, '', '', 'x', 'NON_IDEMPOTENT', ?, 'dead', '', '', ?, ?, '{}', ?, MAX(epoch), '', NOW(3), NOW(3),
        NOW(3) + INTERVAL ? * 1000 MICROSECOND, ${quiet} FROM db_timeline`,
        [id, state, id, id, deadlineMs, deadlineMs],
      );
      return id;
    };
    const unknown = await insert('UNKNOWN', `NOW(3) + INTERVAL ${deadlineMs + quietMs} * 1000 MICROSECOND`);
    const sent = await insert('SENT', 'NULL');
    await pair.attached();
    await pair.promote();
    const now = connect(pair.standby);
    const [clock] = await now.query<{ ms: number }>('SELECT UNIX_TIMESTAMP(NOW(3)) * 1000 AS ms');
    expect(Math.round(((clock?.ms ?? 0) - Date.now()) / 10_000) * 10).toBe(standbyAheadSeconds);
    // Recovery calls this too, whichever comes first.
    await putTimesBack(now, 60_000);
    const stuckBy = { deadOwners: ['dead'], deadGraceMs: 0, graceMs: 0, except: [] };
    const stuck = (await readStuck(now, stuckBy)).filter(({ id }) => id === sent);
    expect(stuck.length).toBe(standbyAheadSeconds > 0 ? 1 : 0);
    for (const row of stuck)
      await moveOperation(now, row, {
        to: 'UNKNOWN',
        by: 'recovery',
        settledBy: 'recovery',
        quietAfterDeadlineMs: quietMs,
      });
    let nowMs = 0;
    const counting = new QuietTimes({ db: now, nowMs: () => nowMs });
    await counting.runOnce();
    for (const [ms, isOver] of [
      [deadlineMs + quietMs - 1, false],
      [1, true],
    ] as const) {
      nowMs += ms;
      await counting.runOnce();
      for (const id of [unknown, ...stuck.map((row) => row.id)]) expect((await quietTime(now, id)).isOver).toBe(isOver);
    }
  },
  120_000,
);
