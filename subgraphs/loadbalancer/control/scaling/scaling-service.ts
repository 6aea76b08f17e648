// Sets, replaces and ends the autoscaling of load balancers.
import { isDeepStrictEqual } from 'node:util';
import type {
  AutoscalingPolicyDeleteInput,
  AutoscalingPolicySetInput,
} from '../../../../generated/graph/loadbalancer.ts';
import type { RequestContext } from '../../../../platform/caller/identity.ts';
import { settingId } from '../../../../platform/caller/manner.ts';
import type { Database, Transaction } from '../../../../platform/database/database.ts';
import type { Attempt, Effect, MutationOutcome, Mutations } from '../../../../platform/edge/mutation.ts';
import { mutationsOf } from '../../../../platform/edge/mutations-of.ts';
import { refuse } from '../../../../platform/errors/errors.ts';
import { requireRole, visibleRow } from '../../../../platform/input/authorise.ts';
import type { Wake } from '../../../../platform/work/wake.ts';
import type { BalancerRow } from '../../rules/rows.ts';
import type { ScalingPolicy } from '../../rules/scaling-policy.ts';
import { readBalancer, updateBalancer } from '../stores/balancer-store.ts';
import { changeBalancer } from '../stores/change-balancer.ts';
import { checkedPolicy } from './policy-input.ts';
import { type PolicyRow, readPolicy, removePolicy, setPolicy } from './scaling-store.ts';

interface ScalingServiceOptions {
  readonly db: Database;
  readonly wake: Wake;
  readonly mutations: Mutations;
}

export class ScalingService {
  readonly #options: ScalingServiceOptions;
  readonly #run;

  constructor(options: ScalingServiceOptions) {
    this.#options = options;
    this.#run = mutationsOf<BalancerRow>(options.mutations, 'LoadBalancer', (id) => readBalancer(options.db, id));
  }

  set(context: RequestContext, input: AutoscalingPolicySetInput): Promise<MutationOutcome<BalancerRow>> {
    return this.#run('autoscalingPolicySet', context, input, (attempt) => this.prepareSet(attempt, context, input));
  }

  delete(context: RequestContext, input: AutoscalingPolicyDeleteInput): Promise<MutationOutcome<BalancerRow>> {
    return this.#run('autoscalingPolicyDelete', context, input, (attempt) =>
      this.prepareDelete(attempt, context, input),
    );
  }

  /** The effect of `set`. The caller may run it and roll it back. */
  prepareSet(attempt: Attempt, context: RequestContext, input: AutoscalingPolicySetInput): Promise<Effect> {
    const policy = checkedPolicy(attempt.check, 'policy', input.policy);
    return this.#prepare('autoscalingPolicySet', attempt, context, input, policy);
  }

  /** The effect of `delete`. The caller may run it and roll it back. */
  prepareDelete(attempt: Attempt, context: RequestContext, input: AutoscalingPolicyDeleteInput): Promise<Effect> {
    return this.#prepare('autoscalingPolicyDelete', attempt, context, input, undefined);
  }

  async #prepare(
    name: string,
    attempt: Attempt,
    context: RequestContext,
    input: AutoscalingPolicyDeleteInput,
    policy: ScalingPolicy | undefined,
  ): Promise<Effect> {
    const { db, wake } = this.#options;
    const { check } = attempt;
    const named = { type: 'LoadBalancer', id: input.loadBalancerId, field: 'loadBalancerId' };
    const found = await visibleRow(context.identity, check, named, (uuid) => readBalancer(db, uuid));
    attempt.projectId = found.projectId;
    check.throwIfAny();
    requireRole(context.identity, found.projectId, 'MEMBER', name);
    return async (tx) => {
      await changeBalancer(tx, wake, found.id, async (row) => {
        const before = await readPolicy(tx, row.id);
        attempt.setting = {
          ...{ subject: 'AutoscalingPolicy', id: settingId('AutoscalingPolicy', row.projectId, row.id) },
          ...{ projectId: row.projectId, isNew: before === undefined, isDefault: policy === undefined },
        };
        if (isSame(before, policy)) return false;
        return write(tx, wake, row, policy);
      });
      return found.id;
    };
  }
}

function isSame(before: PolicyRow | undefined, wanted: ScalingPolicy | undefined): boolean {
  if (before === undefined || wanted === undefined) return false;
  return isDeepStrictEqual({ ...before, ...wanted }, before);
}

/** Without a policy the number of nodes returns to `minNodes`. */
async function write(tx: Transaction, wake: Wake, row: BalancerRow, policy: ScalingPolicy | undefined): Promise<void> {
  if (policy === undefined) {
    await removePolicy(tx, row.id);
    if (row.wantedNodes !== row.minNodes) await updateBalancer(tx, row.id, { ...row, wantedNodes: row.minNodes });
    return;
  }
  refuseFixed(row.topology);
  await setPolicy(tx, wake, row.id, policy);
}

/** Refuses a policy if the topology fixes the number of nodes. */
export function refuseFixed(topology: BalancerRow['topology'], field: readonly string[] = ['input', 'policy']): void {
  if (topology === 'ACTIVE_STANDBY')
    refuse('INVALID_INPUT', 'topology ACTIVE_STANDBY always has two nodes: autoscaling is for SPREAD', {
      field: [...field],
    });
}
