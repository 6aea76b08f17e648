// The job of autoscaling, one for each policy and period: reads the last figures, decides, and writes the decision with the wanted number
// of nodes in one transaction under the lock of the load balancer. The reconciler makes it so.
import type { Database, Transaction } from '../../../platform/database/database.ts';
import { appendStatus } from '../../../platform/events/append.ts';
import { newUuid } from '../../../platform/ids.ts';
import type { Logger } from '../../../platform/log.ts';
import type { OwedQueue } from '../../../platform/owed-queue.ts';
import { finishOwed, owe, reconcilingRetry } from '../../../platform/owed-work.ts';
import type { Wake } from '../../../platform/wake.ts';
import { loadBalancerEvents } from '../events.ts';
import { type BalancerRow, lockBalancer, updateBalancer } from '../stores/balancer-store.ts';
import { changeBalancer } from '../stores/change-balancer.ts';
import { type NodeRow, nodesOf } from '../stores/node-store.ts';
import {
  type DecisionRow,
  insertDecision,
  type PolicyRow,
  pastDecisions,
  readPolicy,
  removePolicy,
  scalingKind,
} from '../stores/scaling-store.ts';
import type { MeasuredLoad } from '../traffic/node-load.ts';
import { decide, historyMs, type NodeFigure } from './decide.ts';
import { boundsAt } from './schedule.ts';

/** By node (UUID); a node that reported nothing lately is missing. Rejects when nothing can be said of any. */
export type LoadOfNodes = (policy: PolicyRow, nodes: readonly NodeRow[]) => Promise<ReadonlyMap<string, MeasuredLoad>>;

export interface ScalingQueueOptions {
  readonly db: Database;
  readonly wake: Wake;
  readonly log: Logger;
  readonly load: LoadOfNodes;
}

/** A decision that comes a little early is one of the next period. */
const earlyPart = 0.1;

export function createScalingQueue({ db, wake, log, load }: ScalingQueueOptions): OwedQueue {
  const measure = async (policy: PolicyRow, nodes: readonly NodeRow[]) => {
    try {
      return await load(policy, nodes);
    } catch (error) {
      // Figures that can't be read are missing figures.
      log.warn({ err: error, loadBalancer: policy.loadBalancerId }, 'the figures of nodes could not be read');
      return new Map<string, MeasuredLoad>();
    }
  };
  return {
    kind: scalingKind,
    concurrency: 8,
    deadlineMs: 20_000,
    retry: reconcilingRetry,
    async run(job) {
      // Before the transaction: nothing waits for Redis under a lock.
      const policy = await readPolicy(db, job.key);
      const nodes = (await nodesOf(db, [job.key])).get(job.key) ?? [];
      const measured = policy?.enabled === true ? await measure(policy, nodes) : new Map<string, MeasuredLoad>();
      await db.transaction(async (tx) => {
        const nextInMs = await decideOnce(tx, wake, job.key, measured);
        await finishOwed(tx, job);
        if (nextInMs !== undefined) await owe(tx, scalingKind, job.key, { dueInMs: nextInMs });
      });
    },
  };
}

/** After how long the next decision is due; undefined: none is, because nothing scales the load balancer any more. */
export async function decideOnce(
  tx: Transaction,
  wake: Wake,
  balancerId: string,
  measured: ReadonlyMap<string, MeasuredLoad>,
): Promise<number | undefined> {
  const balancer = await lockBalancer(tx, balancerId);
  if (balancer === undefined) return undefined;
  if (balancer.provisioningStatus === 'DELETING' || balancer.provisioningStatus === 'DELETED') {
    await removePolicy(tx, balancerId);
    return undefined;
  }
  const policy = await readPolicy(tx, balancerId);
  if (policy?.enabled !== true) return undefined;
  const now = await clock(tx);
  const sinceMs = policy.decidedAt === null ? Number.POSITIVE_INFINITY : now.getTime() - policy.decidedAt.getTime();
  // Once a period, whoever runs the job and however often. A clock that was set back does not stop it.
  if (sinceMs >= 0 && sinceMs < policy.periodMs * (1 - earlyPart)) return policy.periodMs - sinceMs;
  const nodes = (await nodesOf(tx, [balancerId])).get(balancerId) ?? [];
  const past = await pastDecisions(tx, balancerId, historyMs(policy));
  const figures = figuresOf(balancer, policy, nodes, measured, now);
  const verdict = decide({
    ...{ nowMs: now.getTime(), policy, current: balancer.wantedNodes, figures },
    bounds: boundsAt(policy, balancer, now),
    past: past.map((each) => ({ ...each, atMs: each.at.getTime() })),
  });
  const decision = { ...verdict, id: newUuid(), loadBalancerId: balancerId, fromNodes: balancer.wantedNodes };
  const changes = verdict.action !== 'KEEP' && !policy.dryRun;
  const told = changes || isNews(past.at(-1), verdict);
  await insertDecision(tx, { ...decision, dryRun: policy.dryRun, inputs: figures }, told);
  if (changes)
    await changeBalancer(tx, wake, balancerId, (row) =>
      updateBalancer(tx, row.id, { ...row, wantedNodes: verdict.toNodes }),
    );
  if (told) {
    const subject = { projectId: balancer.projectId, subjectId: balancerId, subjectVersion: policy.version + 1 };
    const reason = `${balancer.wantedNodes} to ${verdict.toNodes} nodes${policy.dryRun ? ' (dry run)' : ''}: ${verdict.reason}`;
    const event = { ...subject, kind: 'autoscalingPolicy.decision', from: null, to: verdict.action, reason } as const;
    await appendStatus(tx, loadBalancerEvents, [event], wake);
  }
  return policy.periodMs;
}

/** A dry run repeats itself: it is told when it decides otherwise. */
function isNews(last: DecisionRow | undefined, now: Pick<DecisionRow, 'action' | 'toNodes'>): boolean {
  if (now.action === 'KEEP') return false;
  return last?.action !== now.action || last.toNodes !== now.toNodes;
}

/** One for each node that counts, and for each that is wanted and does not exist yet. */
function figuresOf(
  balancer: BalancerRow,
  policy: PolicyRow,
  nodes: readonly NodeRow[],
  measured: ReadonlyMap<string, MeasuredLoad>,
  now: Date,
): readonly NodeFigure[] {
  const used = nodes.filter(({ state }) => state === 'BUILDING' || state === 'SERVING');
  const figures = used.map((node): NodeFigure => {
    const { percent = null, at = null } = measured.get(node.id) ?? {};
    return {
      node: node.name,
      percent: percent === null ? null : round(percent),
      at,
      warming: warms(node, policy, now),
    };
  });
  const missing = Math.max(balancer.wantedNodes - used.length, 0);
  return [
    ...figures,
    ...Array.from({ length: missing }, () => ({ node: null, percent: null, at: null, warming: true })),
  ];
}

/** It does not serve yet, or has only begun to. */
function warms(node: NodeRow, { warmUpMs }: PolicyRow, now: Date): boolean {
  if (node.state === 'BUILDING') return true;
  const steps = [node.configuredAt, node.checkedAt, node.inDnsAt].flatMap((at) => (at === null ? [] : [at.getTime()]));
  return now.getTime() - Math.max(node.createdAt.getTime(), ...steps) < warmUpMs;
}

async function clock(tx: Transaction): Promise<Date> {
  const [row] = await tx.query<{ now: Date }>('SELECT NOW(3) AS now');
  if (row === undefined) throw new Error('the database gave no time');
  return row.now;
}

function round(percent: number): number {
  return Math.round(percent * 10) / 10;
}
