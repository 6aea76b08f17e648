// Sets, replaces and ends the autoscaling of load balancers.
import type { AutoscalingPolicySetInput } from '../../../generated/graph/loadbalancer.ts';
import { requireRole, visibleRow } from '../../../platform/authorise.ts';
import type { Database, Transaction } from '../../../platform/database/database.ts';
import { refuse } from '../../../platform/errors.ts';
import type { RequestContext } from '../../../platform/identity.ts';
import type { Attempt, Effect, MutationOutcome, Mutations } from '../../../platform/mutation.ts';
import type { Wake } from '../../../platform/wake.ts';
import type { ScalingPolicy } from '../model/scaling-policy.ts';
import { type BalancerRow, readBalancer, updateBalancer } from '../stores/balancer-store.ts';
import { changeBalancer } from '../stores/change-balancer.ts';
import { removePolicy, setPolicy } from '../stores/scaling-store.ts';
import { checkPolicy, policyOf } from './policy-input.ts';

export interface ScalingServiceOptions {
  readonly db: Database;
  readonly wake: Wake;
  readonly mutations: Mutations;
}

export class ScalingService {
  readonly #options: ScalingServiceOptions;

  constructor(options: ScalingServiceOptions) {
    this.#options = options;
  }

  set(context: RequestContext, input: AutoscalingPolicySetInput): Promise<MutationOutcome<BalancerRow>> {
    const { db, mutations } = this.#options;
    return mutations.run({
      ...{ name: 'autoscalingPolicySet', context, input, subject: 'LoadBalancer' },
      prepare: (attempt) => this.prepareSet(attempt, context, input),
      read: (id) => readBalancer(db, id),
    });
  }

  /** The effect of `set`, which the caller may carry out and roll back. */
  async prepareSet(attempt: Attempt, context: RequestContext, input: AutoscalingPolicySetInput): Promise<Effect> {
    const { db, wake } = this.#options;
    const { check } = attempt;
    if (input.policy != null) checkPolicy(check, 'policy', input.policy);
    const named = { type: 'LoadBalancer', id: input.loadBalancerId, field: 'loadBalancerId' };
    const found = await visibleRow(context.identity, check, named, (uuid) => readBalancer(db, uuid));
    attempt.projectId = found.projectId;
    check.throwIfAny();
    requireRole(context.identity, found.projectId, 'MEMBER', 'autoscalingPolicySet');
    const policy = input.policy == null ? undefined : policyOf(input.policy);
    return async (tx) => {
      await changeBalancer(tx, wake, found.id, (row) => write(tx, wake, row, policy));
      return found.id;
    };
  }
}

/** Without a policy the number of nodes is `minNodes` again. */
async function write(tx: Transaction, wake: Wake, row: BalancerRow, policy: ScalingPolicy | undefined): Promise<void> {
  if (policy === undefined) {
    await removePolicy(tx, row.id);
    if (row.wantedNodes !== row.minNodes) await updateBalancer(tx, row.id, { ...row, wantedNodes: row.minNodes });
    return;
  }
  refuseFixed(row.topology);
  await setPolicy(tx, wake, row.id, policy);
}

/** Refuses a policy for a topology whose number of nodes is fixed. */
export function refuseFixed(topology: BalancerRow['topology'], field: readonly string[] = ['input', 'policy']): void {
  if (topology === 'ACTIVE_STANDBY')
    refuse('INVALID_INPUT', 'topology ACTIVE_STANDBY has always two nodes: autoscaling is for SPREAD', {
      field: [...field],
    });
}
