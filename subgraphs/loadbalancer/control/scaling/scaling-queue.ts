// The autoscaling job, one per policy and period: reads the last figures, decides, and writes the decision with the wanted number of nodes
// in one transaction under the lock of the load balancer. The reconciler brings it about.
import type { Database, Transaction } from '../../../../platform/database/database.ts';
import { appendStatus } from '../../../../platform/events/append.ts';
import type { Logger } from '../../../../platform/log/log.ts';
import type { OwedQueue } from '../../../../platform/owed/owed-queue.ts';
import { finishOwed, owe, reconcilingRetry } from '../../../../platform/owed/owed-work.ts';
import { newUuid } from '../../../../platform/values/ids.ts';
import type { Wake } from '../../../../platform/work/wake.ts';
import type { BalancerRow, NodeRow } from '../../rules/rows.ts';
import { decide, historyMs, type NodeFigure } from '../../rules/scale.ts';
import { boundsAt } from '../../rules/schedule.ts';
import { loadBalancerEvents } from '../events.ts';
import { nodesOf } from '../nodes/node-store.ts';
import { lockBalancer, subjectOf, updateBalancer } from '../stores/balancer-store.ts';
import { changeBalancer } from '../stores/change-balancer.ts';
import type { MeasuredLoad } from './node-load.ts';
import {
  type DecisionRow,
  insertDecision,
  type PolicyRow,
  pastDecisions,
  readPolicy,
  removePolicy,
  scalingKind,
} from './scaling-store.ts';

/** By node (UUID). A node that reported nothing recently is missing. Rejects if no figures are available at all. */
type LoadOfNodes = (policy: PolicyRow, nodes: readonly NodeRow[]) => Promise<ReadonlyMap<string, MeasuredLoad>>;

interface ScalingQueueOptions {
  readonly db: Database;
  readonly wake: Wake;
  readonly log: Logger;
  readonly load: LoadOfNodes;
}

/** A decision that is early by up to this part of a period belongs to the next period. */
const earlyPart = 0.1;

export function createScalingQueue({ db, wake, log, load }: ScalingQueueOptions): OwedQueue {
  const measure = async (policy: PolicyRow, nodes: readonly NodeRow[]) => {
    try {
      return await load(policy, nodes);
    } catch (error) {
      // Figures that can't be read count as missing.
      log.warn({ err: error, loadBalancer: policy.loadBalancerId }, 'could not read the figures of nodes');
      return new Map<string, MeasuredLoad>();
    }
  };
  return {
    kind: scalingKind,
    concurrency: 8,
    deadlineMs: 20_000,
    retry: reconcilingRetry,
    async run(job) {
      // Before the transaction, so that no lock is held while waiting for Redis.
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

/** Returns the time until the next decision. Undefined if the load balancer is no longer scaled. */
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
  // Once per period, whoever runs the job and however often. A clock that was set back does not stop it.
  if (sinceMs >= 0 && sinceMs < policy.periodMs * (1 - earlyPart)) return policy.periodMs - sinceMs;
  const nodes = (await nodesOf(tx, [balancerId])).get(balancerId) ?? [];
  const past = await pastDecisions(tx, balancerId, historyMs(policy));
  const figures = figuresOf(balancer, policy, nodes, measured, now);
  const verdict = decide({
    ...{ nowMs: now.getTime(), policy, current: balancer.wantedNodes, figures },
    bounds: boundsAt(policy, balancer, now),
    past: past.map((each) => ({ ...each, atMs: each.decidedAt.getTime() })),
  });
  const decision = { ...verdict, id: newUuid(), loadBalancerId: balancerId, fromNodes: balancer.wantedNodes };
  const changes = verdict.action !== 'KEEP' && !policy.dryRun;
  const told = changes || isNews(past.at(-1), verdict);
  await insertDecision(tx, { ...decision, dryRun: policy.dryRun, figures }, told);
  if (changes)
    await changeBalancer(tx, wake, balancerId, (row) =>
      updateBalancer(tx, row.id, { ...row, wantedNodes: verdict.toNodes }),
    );
  if (told) {
    const subject = { ...subjectOf(balancer), subjectVersion: policy.version + 1 };
    const reason = `${balancer.wantedNodes} to ${verdict.toNodes} nodes${policy.dryRun ? ' (dry run)' : ''}: ${verdict.reason}`;
    const event = { ...subject, kind: 'autoscalingPolicy.decision', from: null, to: verdict.action, reason } as const;
    await appendStatus(tx, loadBalancerEvents, [event], wake);
  }
  return policy.periodMs;
}

/** A dry run repeats its decision: an event is emitted only when the decision changes. */
function isNews(last: DecisionRow | undefined, now: Pick<DecisionRow, 'action' | 'toNodes'>): boolean {
  if (now.action === 'KEEP') return false;
  return last?.action !== now.action || last.toNodes !== now.toNodes;
}

/** One for each node that counts, and for each wanted node that does not exist yet. */
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
      nodeId: node.id,
      node: node.name,
      percent: percent === null ? null : round(percent),
      at,
      warming: warms(node, policy, now),
    };
  });
  const missing = Math.max(balancer.wantedNodes - used.length, 0);
  return [
    ...figures,
    ...Array.from({ length: missing }, () => ({ nodeId: null, node: null, percent: null, at: null, warming: true })),
  ];
}

/** It does not serve yet, or has only just begun to. */
function warms(node: NodeRow, { warmUpMs }: PolicyRow, now: Date): boolean {
  if (node.state === 'BUILDING') return true;
  const steps = [node.configuredAt, node.checkedAt, node.inDnsAt].flatMap((at) => (at === null ? [] : [at.getTime()]));
  return now.getTime() - Math.max(node.createdAt.getTime(), ...steps) < warmUpMs;
}

async function clock(tx: Transaction): Promise<Date> {
  const [row] = await tx.query<{ now: Date }>('SELECT NOW(3) AS now');
  if (row === undefined) throw new Error('the database returned no time');
  return row.now;
}

function round(percent: number): number {
  return Math.round(percent * 10) / 10;
}
