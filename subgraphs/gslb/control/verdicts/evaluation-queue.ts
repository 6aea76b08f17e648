// Owed work of verdicts, run by workers: evaluating a member, planning a name, evaluating all members of a vantage point. It
// handles changes caused by time or by people, with the same code as batches.
import type { Database, Transaction } from '../../../../platform/database/database.ts';
import type { OwedQueue } from '../../../../platform/owed/owed-queue.ts';
import { dueKeys, finishOwed, reconcilingRetry, takeOwed } from '../../../../platform/owed/owed-work.ts';
import type { Wake } from '../../../../platform/work/wake.ts';
import { planNames } from '../plans/planning.ts';
import { type SettlingDependencies, settleName } from '../plans/settle-name.ts';
import { lockMembersOfName, namesOfPools } from '../stores/name-store.ts';
import { lockFreeMembers, lockMembers, memberIdsAfter, poolOfMember } from '../stores/standing-store.ts';
import { evaluationKind, planKind, vantageChangeKind, vantageKind } from '../stores/touched.ts';
import { lockVantagePoints, shareAnew, sharersOf } from '../stores/vantage-store.ts';
import { membersVotedBy } from '../stores/vote-store.ts';
import { whenPaused } from '../stores/when-paused.ts';
import { changeZones, zonePositions } from '../stores/zone-store.ts';
import { type EvaluationDependencies, evaluateMembers } from './evaluate-members.ts';

export interface EvaluationQueueDependencies extends EvaluationDependencies, SettlingDependencies {
  readonly db: Database;
}

const membersAtOnce = 200;
/** Number of members that can be evaluated well within a job's deadline. */
const evaluatedBeside = 100;

export function createEvaluationQueues(dependencies: EvaluationQueueDependencies): readonly OwedQueue[] {
  return [
    evaluationQueue(dependencies),
    planQueue(dependencies),
    vantageQueue(dependencies, vantageKind),
    vantageQueue(dependencies, vantageChangeKind),
  ];
}

/**
 * Many members may be owed at once. A worker also takes the following members that no other worker has, so that they share
 * statements and transactions.
 */
function evaluationQueue(dependencies: EvaluationQueueDependencies): OwedQueue {
  return {
    ...{ kind: evaluationKind, concurrency: 8, deadlineMs: 5_000, retry: reconcilingRetry },
    async run(job) {
      // After a failure each member is evaluated alone, so that one does not affect the others.
      const due = job.attempts === 1 ? await dueKeys(dependencies.db, evaluationKind, evaluatedBeside) : [];
      await dependencies.db.transaction(async (tx) => {
        const own = await lockMembers(tx, [job.key]);
        // Skips locked members, so that a worker with locks never waits for another member.
        const beside = await lockFreeMembers(
          tx,
          due.filter((id) => id !== job.key),
        );
        await takeOwed(
          tx,
          evaluationKind,
          beside.map(({ id }) => id),
        );
        const members = [...own, ...beside].sort((one, other) => (one.id < other.id ? -1 : 1));
        await evaluateMembers(tx, dependencies, members, { changed: true });
        // A deleted member is missing from the answers of its pool.
        if (own.length === 0)
          await planNames(tx, dependencies, await namesOfPools(tx, await poolOfMember(tx, job.key)));
        await finishOwed(tx, job);
      }, whenPaused);
    },
  };
}

function planQueue(dependencies: EvaluationQueueDependencies): OwedQueue {
  return {
    ...{ kind: planKind, concurrency: 8, deadlineMs: 5_000, retry: reconcilingRetry },
    run: (job) =>
      dependencies.db.transaction(async (tx) => {
        // Locks members before names: waits for a verdict that is being written, and then includes it.
        await lockMembersOfName(tx, job.key);
        await planNames(tx, dependencies, [job.key]);
        await settleName(tx, dependencies, job.key);
        await finishOwed(tx, job);
      }, whenPaused),
  };
}

function vantageQueue(dependencies: EvaluationQueueDependencies, kind: string): OwedQueue {
  return {
    ...{ kind, concurrency: 2, deadlineMs: 60_000, retry: reconcilingRetry },
    async run(job, { signal }) {
      const { db } = dependencies;
      for (let after: string | undefined = ''; after !== undefined; ) {
        signal.throwIfAborted();
        const page = { after, take: membersAtOnce };
        // A changed number of vantage points changes the quorum, even for members on which this one has never voted.
        const ids: readonly string[] =
          kind === vantageChangeKind
            ? await memberIdsAfter(db, page)
            : await membersVotedBy(db, { vantagePointId: job.key, ...page });
        if (ids.length > 0)
          await db.transaction(async (tx) => evaluateMembers(tx, dependencies, await lockMembers(tx, ids)), whenPaused);
        after = ids.length < membersAtOnce ? undefined : ids.at(-1);
      }
      await db.transaction(async (tx) => {
        if (kind === vantageChangeKind) await tellChange(tx, dependencies.wake, job.key);
        await finishOwed(tx, job);
      });
    },
  };
}

/** Its checkers get a new grant, and name servers the places of all vantage points. */
async function tellChange(tx: Transaction, wake: Wake, id: string): Promise<void> {
  for (const row of await lockVantagePoints(tx, [id])) await shareAnew(tx, wake, row, await sharersOf(tx, row));
  const zones = await zonePositions(tx);
  await changeZones(
    tx,
    wake,
    zones.map(({ name: zone }) => ({ zone, fqdn: null, gslbId: null })),
  );
}
