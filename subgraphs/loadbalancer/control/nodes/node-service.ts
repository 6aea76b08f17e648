// Requests the replacement of nodes. Only records the request: the reconciler creates a new node for each, one after the other, before it
// removes the old one.
import type {
  LoadBalancerNodeReplaceInput,
  LoadBalancerNodesReplaceInput,
} from '../../../../generated/graph/loadbalancer.ts';
import type { RequestContext } from '../../../../platform/caller/identity.ts';
import type { Database, Transaction } from '../../../../platform/database/database.ts';
import type { MutationOutcome, Mutations } from '../../../../platform/edge/mutation.ts';
import { refuse } from '../../../../platform/errors/errors.ts';
import { appendStatus } from '../../../../platform/events/append.ts';
import { requireRole, visibleRow } from '../../../../platform/input/authorise.ts';
import { owe } from '../../../../platform/owed/owed-work.ts';
import type { Wake } from '../../../../platform/work/wake.ts';
import type { BalancerRow, NodeRow } from '../../rules/rows.ts';
import { loadBalancerEvents } from '../events.ts';
import { lockBalancer, readBalancer, subjectOf } from '../stores/balancer-store.ts';
import { reconcileKind } from '../stores/change-balancer.ts';
import { nodesUnderLock, readNodes, wishReplaced } from './node-store.ts';

interface NodeServiceOptions {
  readonly db: Database;
  readonly wake: Wake;
  readonly mutations: Mutations;
}

export class NodeService {
  readonly #options: NodeServiceOptions;

  constructor(options: NodeServiceOptions) {
    this.#options = options;
  }

  failover(context: RequestContext, input: LoadBalancerNodesReplaceInput): Promise<MutationOutcome<BalancerRow>> {
    const { db, wake, mutations } = this.#options;
    const named = { type: 'LoadBalancer', id: input.id };
    return mutations.run({
      ...{ name: 'loadBalancerNodesReplace', context, input, subject: 'LoadBalancer' },
      async prepare(attempt) {
        const found = await visibleRow(context.identity, attempt.check, named, (id) => readBalancer(db, id));
        attempt.projectId = found.projectId;
        requireRole(context.identity, found.projectId, 'MEMBER', 'loadBalancerNodesReplace');
        attempt.check.throwIfAny();
        return async (tx) => {
          const wished = await wishNodesReplaced(tx, wake, found.id, () => true, 'a failover was requested');
          if (wished === undefined) refuse('NOT_FOUND', 'the load balancer was deleted', { field: ['input', 'id'] });
          return found.id;
        };
      },
      read: (id) => readBalancer(db, id),
    });
  }

  replace(context: RequestContext, input: LoadBalancerNodeReplaceInput): Promise<MutationOutcome<NodeRow>> {
    const { db, wake, mutations } = this.#options;
    const named = { type: 'LoadBalancerNode', id: input.id };
    const read = async (id: string) => (await readNodes(db, [id])).get(id);
    return mutations.run({
      ...{ name: 'loadBalancerNodeReplace', context, input, subject: 'LoadBalancerNode' },
      async prepare(attempt) {
        const found = await visibleRow(context.identity, attempt.check, named, read);
        attempt.projectId = found.projectId;
        requireRole(context.identity, found.projectId, 'MEMBER', 'loadBalancerNodeReplace');
        attempt.check.throwIfAny();
        return async (tx) => {
          const wished = await wishNodesReplaced(
            ...([tx, wake, found.loadBalancerId, ({ id }: NodeRow) => id === found.id] as const),
            'its replacement was requested',
          );
          if (!wished) refuse('NOT_FOUND', 'the node was deleted', { field: ['input', 'id'] });
          return found.id;
        };
      },
      read,
    });
  }
}

/**
 * Takes the lock of the load balancer. Returns how many of its nodes are replaced: a node that is leaving anyway needs no request.
 * Undefined if the load balancer is deleted or being deleted.
 */
export async function wishNodesReplaced(
  tx: Transaction,
  wake: Wake,
  balancerId: string,
  isMeant: (node: NodeRow) => boolean,
  reason: string,
): Promise<number | undefined> {
  const balancer = await lockBalancer(tx, balancerId);
  const status = balancer?.provisioningStatus ?? 'DELETED';
  if (balancer === undefined || status === 'DELETING' || status === 'DELETED') return undefined;
  const nodes = (await nodesUnderLock(tx, balancerId)).filter(isMeant);
  for (const { id, state } of nodes)
    if (state === 'BUILDING' || state === 'SERVING' || state === 'REPLACED') await wishReplaced(tx, id, reason);
  await tx.execute('UPDATE lb_load_balancer SET version = version + 1 WHERE id = ?', [balancerId]);
  const subject = subjectOf(balancer);
  const which = nodes.length > 3 ? `${nodes.length} nodes` : nodes.map(({ name }) => name).join(', ');
  const told = which === '' ? reason : `${which}: ${reason}`;
  const event = { ...subject, kind: 'loadBalancer.changed', from: status, to: status, reason: told } as const;
  await appendStatus(tx, loadBalancerEvents, [event], wake);
  await owe(tx, reconcileKind, balancerId, {}, wake);
  return nodes.length;
}
