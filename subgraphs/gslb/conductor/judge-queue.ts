// What time or a person decides, run by workers: a member is judged, a name is planned, all members of a vantage point are judged. The
// same code as that of reports does it.
import type { Database, Transaction } from '../../../platform/database/database.ts';
import type { OwedQueue } from '../../../platform/owed-queue.ts';
import { dueKeys, finishOwed, reconcilingRetry, takeOwed } from '../../../platform/owed-work.ts';
import type { Wake } from '../../../platform/wake.ts';
import { lockFreeMembers, lockMembers, poolOfMember } from './judged-store.ts';
import { type JudgingParts, judgeMembers } from './judging.ts';
import { lockMembersOfName, namesOfPools } from './name-store.ts';
import { planNames } from './planning.ts';
import { type SettlingParts, settleName } from './settle-name.ts';
import { judgeKind, planKind, vantageChangeKind, vantageKind } from './touched.ts';
import { lockVantagePoints, shareAnew, sharersOf } from './vantage-store.ts';
import { membersVotedBy } from './vote-store.ts';
import { whenPaused } from './when-paused.ts';
import { changeZones, zoneGenerations } from './zone-store.ts';

export interface JudgeQueueParts extends JudgingParts, SettlingParts {
  readonly db: Database;
}

const membersAtOnce = 200;
/** As many as are judged well within the time of a job. */
const judgedBeside = 100;

export function createJudgeQueues(parts: JudgeQueueParts): readonly OwedQueue[] {
  return [
    judgeQueue(parts),
    planQueue(parts),
    vantageQueue(parts, vantageKind),
    vantageQueue(parts, vantageChangeKind),
  ];
}

/** Many members may be owed at once: whoever has one takes those beside it that nobody has, so that they share statements and transactions. */
function judgeQueue(parts: JudgeQueueParts): OwedQueue {
  return {
    ...{ kind: judgeKind, concurrency: 8, deadlineMs: 5_000, retry: reconcilingRetry },
    async run(job) {
      // After a failure alone: nobody's fault is another's.
      const due = job.attempts === 1 ? await dueKeys(parts.db, judgeKind, judgedBeside) : [];
      await parts.db.transaction(async (tx) => {
        const own = await lockMembers(tx, [job.key]);
        // Those that are held are done by themselves: nothing is waited for with a member in hand.
        const beside = await lockFreeMembers(
          tx,
          due.filter((id) => id !== job.key),
        );
        await takeOwed(
          tx,
          judgeKind,
          beside.map(({ id }) => id),
        );
        const members = [...own, ...beside].sort((one, other) => (one.id < other.id ? -1 : 1));
        await judgeMembers(tx, parts, members, { changed: true });
        // One that was deleted is missing from the answers of its pool.
        if (own.length === 0) await planNames(tx, parts, await namesOfPools(tx, await poolOfMember(tx, job.key)));
        await finishOwed(tx, job);
      }, whenPaused);
    },
  };
}

function planQueue(parts: JudgeQueueParts): OwedQueue {
  return {
    ...{ kind: planKind, concurrency: 8, deadlineMs: 5_000, retry: reconcilingRetry },
    run: (job) =>
      parts.db.transaction(async (tx) => {
        // Members before names: a verdict that is just being written is waited for, and then answered.
        await lockMembersOfName(tx, job.key);
        await planNames(tx, parts, [job.key]);
        await settleName(tx, parts, job.key);
        await finishOwed(tx, job);
      }, whenPaused),
  };
}

function vantageQueue(parts: JudgeQueueParts, kind: string): OwedQueue {
  return {
    ...{ kind, concurrency: 2, deadlineMs: 60_000, retry: reconcilingRetry },
    async run(job, { signal }) {
      const { db } = parts;
      for (let after: string | undefined = ''; after !== undefined; ) {
        signal.throwIfAborted();
        const ids: readonly string[] = await membersVotedBy(db, {
          vantagePointId: job.key,
          after,
          take: membersAtOnce,
        });
        if (ids.length > 0)
          await db.transaction(async (tx) => judgeMembers(tx, parts, await lockMembers(tx, ids)), whenPaused);
        after = ids.length < membersAtOnce ? undefined : ids.at(-1);
      }
      await db.transaction(async (tx) => {
        if (kind === vantageChangeKind) await tellChange(tx, parts.wake, job.key);
        await finishOwed(tx, job);
      });
    },
  };
}

/** Its checkers get a new grant, and name servers the places of all vantage points. */
async function tellChange(tx: Transaction, wake: Wake, id: string): Promise<void> {
  for (const row of await lockVantagePoints(tx, [id])) await shareAnew(tx, wake, row, await sharersOf(tx, row));
  const zones = await zoneGenerations(tx);
  await changeZones(
    tx,
    wake,
    zones.map(({ name: zone }) => ({ zone, fqdn: null, gslbId: null })),
  );
}
