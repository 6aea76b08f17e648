// A checker without a process. Its verdicts are recorded like those of a real one.

import { readHistory } from '../../../../platform/events/database-history.ts';
import { setCheckerRecord } from '../../../../platform/machines/checker-record.ts';
import { decodeUuid, newUuid } from '../../../../platform/values/ids.ts';
import { recordBatch } from '../../../../subgraphs/gslb/control/checkers/record-batch.ts';
import { connectChecker, databaseNow } from '../../../../subgraphs/gslb/control/stores/checker-store.ts';
import type { Verdict } from '../../../../subgraphs/gslb/rules/quorum.ts';
import { targetId } from '../../../../subgraphs/gslb/wire/checker-wire.ts';
import type { GslbGraph } from './gslb-graph.ts';

/** Reports verdicts of a checker at the vantage point eu. */
export async function speaker(graph: GslbGraph, monitor: string) {
  const { db, wake, egress, owner } = graph;
  const [id, monitorId] = [newUuid(), decodeUuid('GslbMonitor', monitor) ?? ''];
  const dependencies = { wake, egress, silenceMs: 600_000, heartbeatMs: 500, freshMs: 600_000 };
  await db.transaction((tx) => setCheckerRecord(tx, id, { vantagePoint: 'eu' }));
  const { incarnation } = await db.transaction((tx) =>
    connectChecker(tx, wake, {
      ...{ machine: { id, name: 'eu-1' }, vantagePoint: 'eu', facts: {}, linkedTo: owner },
    }),
  );
  let number = 0;
  const say = async (said: Readonly<Record<string, Verdict>>) => {
    number += 1;
    const [row] = await db.query<{ epoch: number }>("SELECT epoch FROM gslb_vantage_point WHERE name = 'eu'");
    const verdicts = Object.entries(said).map(([member, verdict]) => ({
      target: targetId({ member: decodeUuid('GslbPoolMember', member) ?? '', monitor: monitorId }),
      ...{ verdict, agoMs: 10, latencyMs: verdict === 'UP' ? 12 : null },
      message: verdict === 'DOWN' ? 'connection refused' : null,
    }));
    await recordBatch(db, dependencies, id, {
      history: await readHistory(db),
      ...{ vantagePoint: 'eu', incarnation, number, epoch: row?.epoch ?? 0, stampMs: await databaseNow(db) },
      ...{ abstains: false, verdicts, past: [], load: { targets: 2, lateMs: 0, dropped: 0, abstains: null } },
    });
  };
  return { dependencies, say };
}
