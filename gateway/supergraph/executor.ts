// Execution of operations over the subgraphs: Apollo's query plan executor behind a port of ours, so that another can take
// its place. Used without the ApolloGateway class, whose constructor sets up telemetry to a vendor, and whose planner can't
// be shared with subscriptions.
import { buildOperationContext, executeQueryPlan } from '@apollo/gateway';
import type { PlanNode, QueryPlan } from '@apollo/query-planner';
import {
  type DocumentNode,
  type ExecutionResult,
  type FormattedExecutionResult,
  GraphQLError,
  getVariableValues,
} from 'graphql';
import type { Logger } from 'pino';
import { presentError } from '../../platform/graph/execution.ts';
import type { GatewayContext, SubgraphLink } from './subgraph-link.ts';
import type { Supergraph } from './supergraph.ts';

/** A validated operation. */
export interface GatewayOperation {
  /** Names the document and operation among all: plans are kept by it. */
  readonly key: string;
  readonly document: DocumentNode;
  readonly operationName?: string | undefined;
  readonly variables: Readonly<Record<string, unknown>>;
  readonly context: GatewayContext;
}

/** The port. */
export interface Executor {
  /** Executes a query or mutation. Never throws: what goes wrong is in `errors`. */
  execute(operation: GatewayOperation): Promise<ExecutionResult>;
}

type ApolloRequestContext = Parameters<typeof executeQueryPlan>[2];
type ServiceMap = Parameters<typeof executeQueryPlan>[1];
type DataSource = ServiceMap[string];

/** What answers a fetch in place of a subgraph: the event of a subscription answers its first. */
export type FirstFetch = { readonly service: string; readonly result: FormattedExecutionResult };

export class PlanExecutor implements Executor {
  readonly #supergraph: Supergraph;
  readonly #services: ServiceMap;
  readonly #log: Logger;

  constructor(supergraph: Supergraph, links: ReadonlyMap<string, SubgraphLink>, log: Logger) {
    this.#supergraph = supergraph;
    this.#services = Object.fromEntries([...links].map(([name, link]) => [name, dataSource(link)]));
    this.#log = log;
  }

  async execute(operation: GatewayOperation): Promise<ExecutionResult> {
    try {
      const plan = this.#supergraph.plan(operation.key, operation.document, operation.operationName);
      return await this.#run(plan, this.#services, operation);
    } catch (error) {
      return this.#masked(error, operation.context.requestId);
    }
  }

  /** Completes one event: `node` is its plan, whose first fetch `first` answers. */
  async executeEvent(node: PlanNode, first: FirstFetch, operation: GatewayOperation): Promise<ExecutionResult> {
    const source = this.#services[first.service];
    let answered = false;
    const services: ServiceMap = {
      ...this.#services,
      [first.service]: {
        process: async (options) => {
          if (answered && source !== undefined) return source.process(options);
          answered = true;
          return first.result;
        },
      },
    };
    try {
      return await this.#run({ kind: 'QueryPlan', node }, services, operation);
    } catch (error) {
      return this.#masked(error, operation.context.requestId);
    }
  }

  async #run(plan: QueryPlan, services: ServiceMap, operation: GatewayOperation): Promise<ExecutionResult> {
    const { document, operationName, variables, context } = operation;
    const operationContext = buildOperationContext({
      schema: this.#supergraph.schema,
      operationDocument: document,
      ...(operationName === undefined ? {} : { operationName }),
    });
    const checked = getVariableValues(
      this.#supergraph.schema,
      operationContext.operation.variableDefinitions ?? [],
      variables,
    );
    if (checked.errors !== undefined) return this.#presented({ errors: checked.errors }, context.requestId);
    const requestContext = { request: { variables }, context, metrics: {}, logger: this.#log };
    const result = await executeQueryPlan(
      plan,
      services,
      // The executor reads these four and no more.
      requestContext as unknown as ApolloRequestContext,
      operationContext,
      this.#supergraph.supergraphSchema,
      this.#supergraph.apiSchema,
    );
    return this.#presented(result as ExecutionResult, context.requestId);
  }

  /** Errors without what only concerns us; those of a subgraph were presented there. */
  #presented(result: ExecutionResult, requestId: string): ExecutionResult {
    const { data, errors } = result;
    if (errors === undefined) return data === undefined ? {} : { data };
    const presented = errors.map((error: unknown) => {
      if (error instanceof GraphQLError && error.extensions.serviceName !== undefined) {
        const { serviceName: _, ...extensions } = error.extensions;
        return new GraphQLError(error.message, { path: error.path, extensions });
      }
      const { message, path, extensions } = presentError(error, requestId, this.#log);
      return new GraphQLError(message, { path: path ?? null, extensions: extensions ?? {} });
    });
    return { ...(data === undefined ? {} : { data }), errors: presented };
  }

  #masked(error: unknown, requestId: string): ExecutionResult {
    const { message, extensions } = presentError(error, requestId, this.#log);
    return { errors: [new GraphQLError(message, { extensions: extensions ?? {} })] };
  }
}

function dataSource(link: SubgraphLink): DataSource {
  return {
    process(options) {
      const { request } = options;
      const document = 'document' in options ? options.document : undefined;
      if (document === undefined || request.query === undefined)
        throw new Error('the planner made a fetch without a document');
      return link.execute({
        text: request.query,
        document,
        variables: request.variables ?? {},
        operationName: request.operationName,
        context: options.context as GatewayContext,
      });
    },
  };
}
