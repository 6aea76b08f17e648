// The composed graph for the gateway: the schema for clients, its subgraphs, and the owner of each root field. The executor plans
// and executes its operations.
import { type DocumentNode, type GraphQLObjectType, type GraphQLSchema, type OperationTypeNode, parse } from 'graphql';
import { notCarriedOutIn } from '../../platform/graph/carried-out.ts';
import { apiSchemaOf } from '../../platform/graph/sdl.ts';

export class Supergraph {
  /** Unique among all supergraphs. */
  readonly id = Symbol('supergraph');
  /** The schema for clients. */
  readonly schema: GraphQLSchema;
  /** The SDL that it was made from. */
  readonly sdl: string;
  /** Names of the subgraphs it was composed from. */
  readonly subgraphNames: readonly string[];
  readonly #owners: ReadonlyMap<string, string>;

  /** Throws with every directive that would have no effect. */
  constructor(sdl: string) {
    const document = parse(sdl, { noLocation: true });
    const refused = notCarriedOutIn(document);
    if (refused.length > 0) throw new Error(`gateway: the supergraph is refused:\n${refused.join('\n')}`);
    const names = subgraphNames(document);
    this.sdl = sdl;
    this.schema = apiSchemaOf(sdl);
    this.subgraphNames = [...names.values()];
    this.#owners = rootFieldOwners(document, names);
  }

  rootType(kind: OperationTypeNode): GraphQLObjectType | undefined {
    return this.schema.getRootType(kind) ?? undefined;
  }

  /** Name of the subgraph that owns a root field, for example `Mutation.relayCall`. Undefined when several do. */
  ownerOf(rootField: string): string | undefined {
    return this.#owners.get(rootField);
  }
}

/** Reads `@join__field(graph: …)` and `@join__graph(name: …)` (join spec v0.5) from the root types. */

/** Keyed by their values in the enum join__Graph. */
function subgraphNames({ definitions }: DocumentNode): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  for (const definition of definitions) {
    if (definition.kind !== 'EnumTypeDefinition' || definition.name.value !== 'join__Graph') continue;
    for (const value of definition.values ?? []) {
      const name = argument(value.directives, 'join__graph', 'name');
      if (name !== undefined) names.set(value.name.value, name);
    }
  }
  return names;
}

function rootFieldOwners(
  { definitions }: DocumentNode,
  names: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> {
  const owners = new Map<string, string>();
  for (const definition of definitions) {
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
