// Carries out plans: one transaction under the lock of the load balancer, which reads the state, decides, and writes.
import type { Database, Transaction } from '../../../platform/database/database.ts';
import { appendStatus } from '../../../platform/events/append.ts';
import { newUuid } from '../../../platform/ids.ts';
import { hostsIn } from '../../../platform/net/address-block.ts';
import type { OwedQueue } from '../../../platform/owed-queue.ts';
import { finishOwed, owe, reconcilingRetry } from '../../../platform/owed-work.ts';
import type { Wake } from '../../../platform/wake.ts';
import { loadBalancerEvents } from '../events.ts';
import { hostTopic } from '../hosts/host-sessions.ts';
import { type BalancerRow, lockBalancer, setProvisioning } from '../stores/balancer-store.ts';
import { reconcileKind } from '../stores/change-balancer.ts';
import { countNodes, type HostRow, openHosts } from '../stores/host-store.ts';
import { insertNode, lockNodes, type NodeRow, setNodeState, takeAddress } from '../stores/node-store.ts';
import { type Action, planOf } from './plan.ts';

export interface ReconcileParts {
  readonly db: Database;
  readonly wake: Wake;
}

const nodeDrainMs = 30_000;

export function createReconcileQueue({ db, wake }: ReconcileParts): OwedQueue {
  return {
    kind: reconcileKind,
    concurrency: 8,
    // A worker that was killed holds its claim for so long, and five seconds more.
    deadlineMs: 5_000,
    retry: reconcilingRetry,
    run: (job) =>
      db.transaction(async (tx) => {
        const againInMs = await reconcile(tx, wake, job.key);
        await finishOwed(tx, job);
        if (againInMs !== undefined) await owe(tx, reconcileKind, job.key, { dueInMs: againInMs }, wake);
      }),
  };
}

/** Carries out what has to happen next; returns after how long to look again. */
export async function reconcile(tx: Transaction, wake: Wake, balancerId: string): Promise<number | undefined> {
  const balancer = await lockBalancer(tx, balancerId);
  if (balancer === undefined) return undefined;
  const nodes = await lockNodes(tx, balancerId);
  const open = await openHosts(tx);
  const counts = await countNodes(
    tx,
    open.map(({ id }) => id),
  );
  const hosts = open.map(({ id, maxNodes }) => ({
    id,
    free: maxNodes - (counts.get(id) ?? 0),
    nodeCount: counts.get(id) ?? 0,
  }));
  const [clock] = await tx.query<{ now: Date }>('SELECT NOW(3) AS now');
  const plan = planOf({ balancer, nodes, hosts, now: clock?.now ?? new Date() });
  const context = {
    tx,
    wake,
    balancer,
    nodes: new Map(nodes.map((node) => [node.id, node])),
    hosts: new Map(open.map((host) => [host.id, host])),
  };
  for (const action of plan.actions) await carryOut(context, action);
  return plan.againInMs;
}

interface Context {
  readonly tx: Transaction;
  readonly wake: Wake;
  readonly balancer: BalancerRow;
  readonly nodes: ReadonlyMap<string, NodeRow>;
  readonly hosts: ReadonlyMap<string, HostRow>;
}

async function carryOut(context: Context, action: Action): Promise<void> {
  const { tx, wake, balancer, nodes, hosts } = context;
  const node = 'nodeId' in action ? nodes.get(action.nodeId) : undefined;
  switch (action.do) {
    case 'PLACE': {
      const host = hosts.get(action.hostId);
      if (host !== undefined) await place(context, host);
      break;
    }
    case 'SERVE':
      if (node !== undefined) await setNodeState(tx, wake, node, { state: 'SERVING' });
      break;
    case 'DRAIN':
      if (node !== undefined)
        await setNodeState(tx, wake, node, { state: 'DRAINING', reason: action.reason, deleteInMs: nodeDrainMs });
      break;
    case 'DELETE':
      if (node !== undefined) await remove(context, node);
      break;
    case 'STATUS': {
      await setProvisioning(tx, balancer.id, action);
      if (action.status === balancer.provisioningStatus) break;
      const subject = { projectId: balancer.projectId, subjectId: balancer.id, subjectVersion: balancer.version + 1 };
      const { status: to, reason } = action;
      const event = {
        ...subject,
        kind: 'loadBalancer.provisioningStatus',
        from: balancer.provisioningStatus,
        to,
        reason,
      } as const;
      await appendStatus(tx, loadBalancerEvents, [event], wake);
      break;
    }
  }
  const hostId = action.do === 'PLACE' ? action.hostId : node?.hostId;
  if (hostId != null) tx.afterCommit(() => wake.notify(hostTopic(hostId)));
}

async function place({ tx, wake, balancer }: Context, host: HostRow): Promise<void> {
  const id = newUuid();
  const address = await takeAddress(tx, host.id, id, hostsIn(host.publicRange));
  const managementAddress =
    host.managementRange === host.publicRange
      ? address
      : await takeAddress(tx, host.id, id, hostsIn(host.managementRange));
  await insertNode(tx, wake, {
    ...{ id, projectId: balancer.projectId, loadBalancerId: balancer.id, hostId: host.id, address, managementAddress },
    // Unique, and short enough for the name of an interface with a prefix.
    name: `n${id.replaceAll('-', '').slice(-10)}`,
    ...{ connections: balancer.nodeConnections, threads: balancer.nodeThreads },
  });
}

/** A node that no host has is gone at once; another when its host says so. */
async function remove({ tx, wake }: Context, node: NodeRow): Promise<void> {
  await setNodeState(tx, wake, node, { state: node.hostId === null ? 'DELETED' : 'DELETING' });
}
