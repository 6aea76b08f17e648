// An external field of an @interfaceObject, in the supergraph. The composer (0.27.0) drops it: a planner then takes the field for one that
// every subgraph with the interface resolves, and asks that subgraph for it.
import {
  type ConstDirectiveNode,
  type DocumentNode,
  type FieldDefinitionNode,
  Kind,
  type ObjectTypeDefinitionNode,
  type ObjectTypeExtensionNode,
  parse,
  print,
  visit,
} from 'graphql';

interface Subgraph {
  readonly name: string;
  readonly typeDefs: DocumentNode;
}

/** By interface, field and subgraph: whether it is external there. */
type Fields = Map<string, Map<string, Map<string, boolean>>>;

/** The supergraph with the directives that it lacks. */
export function withInterfaceObjectExternals(supergraphSdl: string, subgraphs: readonly Subgraph[]): string {
  const lost = externalFields(subgraphs);
  if (lost.size === 0) return supergraphSdl;
  const document = parse(supergraphSdl, { noLocation: true });
  const graphs = graphsByName(document);
  return print(
    visit(document, {
      InterfaceTypeDefinition: (definition) => {
        const fields = lost.get(definition.name.value);
        if (fields === undefined) return undefined;
        return {
          ...definition,
          fields: (definition.fields ?? []).map((field) => {
            const places = fields.get(field.name.value);
            return places === undefined ? field : { ...field, directives: placed(field, places, graphs) };
          }),
        };
      },
    }),
  );
}

/** Those of fields that are external at some @interfaceObject. */
function externalFields(subgraphs: readonly Subgraph[]): Fields {
  const wanted = new Map<string, Set<string>>();
  for (const { typeDefs } of subgraphs)
    for (const { definition, isInterfaceObject } of typesIn(typeDefs)) {
      const external = (definition.fields ?? []).filter((field) => has(field, 'external'));
      if (!isInterfaceObject || external.length === 0) continue;
      const names = wanted.get(definition.name.value) ?? new Set();
      wanted.set(definition.name.value, new Set([...names, ...external.map(({ name }) => name.value)]));
    }
  const places: Fields = new Map();
  if (wanted.size === 0) return places;
  for (const { name: subgraph, typeDefs } of subgraphs)
    for (const { definition } of typesIn(typeDefs))
      for (const field of definition.fields ?? []) {
        const [type, name] = [definition.name.value, field.name.value];
        if (wanted.get(type)?.has(name) !== true) continue;
        const fields = places.get(type) ?? new Map<string, Map<string, boolean>>();
        places.set(type, fields.set(name, (fields.get(name) ?? new Map()).set(subgraph, has(field, 'external'))));
      }
  return places;
}

function typesIn({ definitions }: DocumentNode) {
  const types = definitions.flatMap((definition) =>
    definition.kind === Kind.OBJECT_TYPE_DEFINITION ||
    definition.kind === Kind.OBJECT_TYPE_EXTENSION ||
    definition.kind === Kind.INTERFACE_TYPE_DEFINITION ||
    definition.kind === Kind.INTERFACE_TYPE_EXTENSION
      ? [definition]
      : [],
  );
  const interfaceObjects = new Set(
    types.filter((definition) => has(definition, 'interfaceObject')).map(({ name }) => name.value),
  );
  return types.map((definition) => ({
    definition,
    isInterfaceObject: interfaceObjects.has(definition.name.value),
  }));
}

function has(
  { directives = [] }: Pick<ObjectTypeDefinitionNode | ObjectTypeExtensionNode | FieldDefinitionNode, 'directives'>,
  name: string,
): boolean {
  return directives.some((directive) => directive.name.value === name);
}

/** The enum values of join__Graph, by the names of the subgraphs. */
function graphsByName({ definitions }: DocumentNode): ReadonlyMap<string, string> {
  return new Map(
    definitions.flatMap((definition) =>
      definition.kind === Kind.ENUM_TYPE_DEFINITION && definition.name.value === 'join__Graph'
        ? (definition.values ?? []).map(({ name, directives = [] }) => {
            const subgraph = directives[0]?.arguments?.find((argument) => argument.name.value === 'name')?.value;
            return [subgraph?.kind === Kind.STRING ? subgraph.value : '', name.value] as const;
          })
        : [],
    ),
  );
}

/** Its directives, with a place for each subgraph that has the field. */
function placed(
  { directives = [] }: FieldDefinitionNode,
  places: ReadonlyMap<string, boolean>,
  graphs: ReadonlyMap<string, string>,
): readonly ConstDirectiveNode[] {
  const graphOf = (directive: ConstDirectiveNode): string | undefined => {
    if (directive.name.value !== 'join__field') return undefined;
    const value = directive.arguments?.find((argument) => argument.name.value === 'graph')?.value;
    return value?.kind === Kind.ENUM ? value.value : undefined;
  };
  const added = [...places].flatMap(([subgraph, isExternal]): ConstDirectiveNode[] => {
    const graph = graphs.get(subgraph);
    const isPlaced = directives.some((directive) => graphOf(directive) === graph);
    return graph === undefined || (isPlaced && !isExternal) ? [] : [joinField(graph, isExternal)];
  });
  const replaced = new Set(added.map(graphOf));
  return [...directives.filter((directive) => !replaced.has(graphOf(directive) ?? '')), ...added];
}

function joinField(graph: string, isExternal: boolean): ConstDirectiveNode {
  const text = `type T { f: Int @join__field(graph: ${graph}${isExternal ? ', external: true' : ''}) }`;
  const [definition] = parse(text, { noLocation: true }).definitions;
  const field = definition?.kind === Kind.OBJECT_TYPE_DEFINITION ? definition.fields?.[0] : undefined;
  const directive = field?.directives?.[0];
  if (directive === undefined) throw new Error('a directive was not parsed');
  return directive;
}
