// The port of the executor, which plans operations and executes them over the subgraphs (gateway/execution).
import type { DocumentNode, ExecutionResult, FormattedExecutionResult } from 'graphql';
import type { GatewayContext } from './subgraph-link.ts';

/** A validated operation. */
export interface GatewayOperation {
  /** Identifies the document and operation: the key of the plan. */
  readonly key: string;
  readonly document: DocumentNode;
  readonly operationName?: string | undefined;
  readonly variables: Readonly<Record<string, unknown>>;
  readonly context: GatewayContext;
}

export type PreparedOperation = Pick<GatewayOperation, 'key' | 'document' | 'operationName'>;

/** Execution of a subscription: one subgraph is followed, and each event completed from the others. */
export interface SubscriptionPlan {
  /** Name of the subgraph that owns it. */
  readonly subgraph: string;
  /** The request for the subgraph. */
  readonly text: string;
  readonly document: DocumentNode;
  readonly operationName: string | undefined;
  /** Names of the request's variables. */
  readonly variables: ReadonlySet<string>;
  /** Completes events from the subgraph, in order. Each other subgraph gets one request for all of them. Never throws: failures are in `errors`. */
  complete(
    events: readonly FormattedExecutionResult[],
    operation: GatewayOperation,
  ): Promise<readonly ExecutionResult[]>;
}

/** A step of a plan, for people. */
export type ExplainedStep =
  | { readonly inOrder: readonly ExplainedStep[] }
  | { readonly atOnce: readonly ExplainedStep[] }
  | ExplainedRequest;

export interface ExplainedRequest {
  readonly subgraph: string;
  /** Places of the answer whose objects are requested, such as `projects.nodes[]`. Undefined for the root. */
  readonly at: readonly string[] | undefined;
  /** GraphQL for the subgraph, apart from names. */
  readonly request: string;
}

export interface Executor {
  /** Executes a query or mutation. Never throws: failures are in `errors`. */
  execute(operation: GatewayOperation): Promise<ExecutionResult>;
  /** The steps of `execute` or a subscription, without executing them. Throws a CodedError. */
  explain(operation: GatewayOperation): Promise<ExplainedStep>;
  /** Plans a query or mutation before it is executed. Throws if there is no plan. */
  prepare(operation: PreparedOperation): Promise<void>;
  /** `key` identifies the document: the key of the plan. `variables` are coerced. Throws when the document is not a subscription. */
  planSubscription(
    key: string,
    document: DocumentNode,
    variables: Readonly<Record<string, unknown>>,
  ): Promise<SubscriptionPlan>;
}
