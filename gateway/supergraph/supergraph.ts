// The composed graph as the gateway uses it: the schema that clients see, plans for their operations, and which subgraph
// owns which root field.
import { Supergraph as FederationSupergraph, operationFromDocument, type Schema } from '@apollo/federation-internals';
import { type QueryPlan, QueryPlanner } from '@apollo/query-planner';
import { type DocumentNode, type GraphQLObjectType, type GraphQLSchema, type OperationTypeNode, parse } from 'graphql';
import { LruCache } from '../../platform/graph/lru-cache.ts';

/** Plans kept; each is some kilobytes. */
const maxPlans = 2000;

export class Supergraph {
  /** What clients see. */
  readonly schema: GraphQLSchema;
  /** What clients see, as the planner's library has it. */
  readonly apiSchema: Schema;
  /** With the federation directives. */
  readonly supergraphSchema: GraphQLSchema;
  /** SDL it was made from. */
  readonly sdl: string;
  /** Names of the subgraphs it was composed from. */
  readonly subgraphNames: readonly string[];
  readonly #planner: QueryPlanner;
  readonly #plans = new LruCache<string, QueryPlan>(maxPlans);
  readonly #owners: ReadonlyMap<string, string>;

  constructor(sdl: string) {
    const supergraph = FederationSupergraph.build(sdl, { validateSupergraph: true });
    this.sdl = sdl;
    this.apiSchema = supergraph.apiSchema();
    this.schema = this.apiSchema.toGraphQLJSSchema();
    this.supergraphSchema = supergraph.schema.toGraphQLJSSchema();
    this.subgraphNames = supergraph.subgraphsMetadata().map(({ name }) => name);
    // The document in each fetch saves in-process subgraphs a parse.
    this.#planner = new QueryPlanner(supergraph, { exposeDocumentNodeInFetchNode: true });
    this.#owners = rootFieldOwners(sdl);
  }

  /** A plan; `key` names the document and operation. */
  plan(key: string, document: DocumentNode, operationName?: string): QueryPlan {
    const known = this.#plans.get(key);
    if (known !== undefined) return known;
    const operation = operationFromDocument(
      this.apiSchema,
      document,
      operationName === undefined ? {} : { operationName },
    );
    const plan = this.#planner.buildQueryPlan(operation);
    this.#plans.set(key, plan);
    return plan;
  }

  rootType(kind: OperationTypeNode): GraphQLObjectType | undefined {
    return this.schema.getRootType(kind) ?? undefined;
  }

  /** Name of the subgraph that owns a root field, for example `Mutation.relayCall`; undefined when several do. */
  ownerOf(rootField: string): string | undefined {
    return this.#owners.get(rootField);
  }
}

/** Reads `@join__field(graph: …)` and `@join__graph(name: …)` (join spec v0.5) off the root types. */
function rootFieldOwners(sdl: string): ReadonlyMap<string, string> {
  const owners = new Map<string, string>();
  const names = new Map<string, string>();
  const document = parse(sdl, { noLocation: true });
  for (const definition of document.definitions) {
    if (definition.kind !== 'EnumTypeDefinition' || definition.name.value !== 'join__Graph') continue;
    for (const value of definition.values ?? []) {
      const name = argument(value.directives, 'join__graph', 'name');
      if (name !== undefined) names.set(value.name.value, name);
    }
  }
  for (const definition of document.definitions) {
    if (definition.kind !== 'ObjectTypeDefinition') continue;
    const type = definition.name.value;
    if (type !== 'Query' && type !== 'Mutation' && type !== 'Subscription') continue;
    const typeGraphs = (definition.directives ?? []).filter((directive) => directive.name.value === 'join__type');
    for (const field of definition.fields ?? []) {
      const joins = (field.directives ?? []).filter((directive) => directive.name.value === 'join__field');
      const [only, ...others] = joins.length > 0 ? joins : typeGraphs;
      const graph = only === undefined || others.length > 0 ? undefined : argument([only], only.name.value, 'graph');
      const name = graph === undefined ? undefined : names.get(graph);
      if (name !== undefined) owners.set(`${type}.${field.name.value}`, name);
    }
  }
  return owners;
}

function argument(
  directives:
    | readonly { name: { value: string }; arguments?: readonly { name: { value: string }; value: unknown }[] }[]
    | undefined,
  directive: string,
  name: string,
): string | undefined {
  const found = directives?.find((candidate) => candidate.name.value === directive);
  const value = found?.arguments?.find((candidate) => candidate.name.value === name)?.value;
  return (value as { value?: string } | undefined)?.value;
}
