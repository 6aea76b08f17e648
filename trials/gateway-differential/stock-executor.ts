// A second opinion for the differential trial: Apollo's planner and query plan executor, whose packages are under the Elastic License. They are
// for development only, and no other file imports them (README, Licences).
import { Supergraph as FederationSupergraph, operationFromDocument, type Schema } from '@apollo/federation-internals';
import { buildOperationContext, executeQueryPlan } from '@apollo/gateway';
import { type QueryPlan, QueryPlanner } from '@apollo/query-planner';
import { type DocumentNode, type ExecutionResult, GraphQLError, type GraphQLSchema, getVariableValues } from 'graphql';
import { LRUCache } from 'lru-cache';
import type { Logger } from 'pino';
import type { GatewayOperation } from '../../gateway/supergraph/executor.ts';
import type { GatewayContext, SubgraphLink } from '../../gateway/supergraph/subgraph-link.ts';
import type { Supergraph } from '../../gateway/supergraph/supergraph.ts';
import { presentError } from '../../platform/graph/execution.ts';
import { heldBytes } from '../../platform/values/held-bytes.ts';

type ApolloRequestContext = Parameters<typeof executeQueryPlan>[2];
type ServiceMap = Parameters<typeof executeQueryPlan>[1];
type DataSource = ServiceMap[string];

const maxPlanBytes = 64 * 1024 * 1024;

export class StockExecutor {
  readonly #schema: GraphQLSchema;
  /** The same value in the type of the planner's library. */
  readonly #apiSchema: Schema;
  /** With the federation directives. */
  readonly #supergraphSchema: GraphQLSchema;
  readonly #planner: QueryPlanner;
  readonly #plans = new LRUCache<string, QueryPlan>({
    maxSize: maxPlanBytes,
    sizeCalculation: (plan) => heldBytes(plan),
  });
  readonly #services: ServiceMap;
  readonly #log: Logger;

  /** Throws when the supergraph is invalid. */
  constructor({ sdl, schema }: Supergraph, links: ReadonlyMap<string, SubgraphLink>, log: Logger) {
    const supergraph = FederationSupergraph.build(sdl, { validateSupergraph: true });
    this.#schema = schema;
    this.#apiSchema = supergraph.apiSchema();
    this.#supergraphSchema = supergraph.schema.toGraphQLJSSchema();
    // The parsed document in each fetch saves in-process subgraphs a parse.
    this.#planner = new QueryPlanner(supergraph, { exposeDocumentNodeInFetchNode: true });
    this.#services = Object.fromEntries([...links].map(([name, link]) => [name, dataSource(link)]));
    this.#log = log;
  }

  async execute(operation: GatewayOperation): Promise<ExecutionResult> {
    try {
      const plan = this.#plan(operation.key, operation.document, operation.operationName);
      return await this.#run(plan, this.#services, operation);
    } catch (error) {
      return this.#masked(error, operation.context.requestId);
    }
  }

  #plan(key: string, document: DocumentNode, operationName?: string): QueryPlan {
    const known = this.#plans.get(key);
    if (known !== undefined) return known;
    const named = operationName === undefined ? {} : { operationName };
    const plan = this.#planner.buildQueryPlan(operationFromDocument(this.#apiSchema, document, named));
    this.#plans.set(key, plan);
    return plan;
  }

  async #run(plan: QueryPlan, services: ServiceMap, operation: GatewayOperation): Promise<ExecutionResult> {
    const { document, operationName, variables, context } = operation;
    const operationContext = buildOperationContext({
      schema: this.#schema,
      operationDocument: document,
      ...(operationName === undefined ? {} : { operationName }),
    });
    const checked = getVariableValues(this.#schema, operationContext.operation.variableDefinitions ?? [], variables);
    if (checked.errors !== undefined) return this.#presented({ errors: checked.errors }, context.requestId);
    const requestContext = { request: { variables }, context, metrics: {}, logger: this.#log };
    const result = await executeQueryPlan(
      plan,
      services,
      // The executor reads only these four fields.
      requestContext as unknown as ApolloRequestContext,
      operationContext,
      this.#supergraphSchema,
      this.#apiSchema,
    );
    return this.#presented(result as ExecutionResult, context.requestId);
  }

  /** Errors without internal details; the subgraph has already masked its own. */
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
