// Executes published operations with separate caches, so that a flood of other documents evicts none of their plans.
import type { ExecutionResult } from 'graphql';
import type { Executor, ExplainedStep, GatewayOperation, PreparedOperation, SubscriptionPlan } from './executor.ts';

interface PublishedExecutorOptions {
  /** For published operations only. */
  readonly published: Executor;
  readonly others: Executor;
  /** `key`: same as in GatewayOperation. */
  readonly isPublished: (key: string) => boolean;
}

export class PublishedExecutor implements Executor {
  readonly #options: PublishedExecutorOptions;

  constructor(options: PublishedExecutorOptions) {
    this.#options = options;
  }

  execute(operation: GatewayOperation): Promise<ExecutionResult> {
    return this.#for(operation.key).execute(operation);
  }

  explain(operation: GatewayOperation): Promise<ExplainedStep> {
    return this.#for(operation.key).explain(operation);
  }

  prepare(operation: PreparedOperation): Promise<void> {
    return this.#for(operation.key).prepare(operation);
  }

  /** The key is that of the shared subscription, whether or not its text is published. */
  planSubscription(...subscription: Parameters<Executor['planSubscription']>): Promise<SubscriptionPlan> {
    return this.#options.others.planSubscription(...subscription);
  }

  #for(key: string): Executor {
    const { published, others, isPublished } = this.#options;
    return isPublished(key) ? published : others;
  }
}
