// The port of the executor: how operations are planned and carried out over the subgraphs is known to its adapter alone
// (apollo-executor.ts), so that another planner can take its place.
import type { DocumentNode, ExecutionResult, FormattedExecutionResult } from 'graphql';
import type { GatewayContext } from './subgraph-link.ts';

/** A validated operation. */
export interface GatewayOperation {
  /** Names the document and operation among all: plans are kept by it. */
  readonly key: string;
  readonly document: DocumentNode;
  readonly operationName?: string | undefined;
  readonly variables: Readonly<Record<string, unknown>>;
  readonly context: GatewayContext;
}

/** How a subscription is carried out: followed at one subgraph, each event completed from the others. */
export interface SubscriptionPlan {
  /** Name of the subgraph that owns it. */
  readonly subgraph: string;
  /** What that subgraph is asked. */
  readonly text: string;
  readonly document: DocumentNode;
  readonly operationName: string | undefined;
  /** Names of the variables that it takes. */
  readonly variables: ReadonlySet<string>;
  /** Completes one event, as the subgraph sent it. Never throws: what goes wrong is in `errors`. */
  complete(event: FormattedExecutionResult, operation: GatewayOperation): Promise<ExecutionResult>;
}

export interface Executor {
  /** Executes a query or mutation. Never throws: what goes wrong is in `errors`. */
  execute(operation: GatewayOperation): Promise<ExecutionResult>;
  /** `key` names the document among all: plans are kept by it. Throws when the document is not a subscription. */
  planSubscription(key: string, document: DocumentNode): SubscriptionPlan;
}
