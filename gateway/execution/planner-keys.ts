// The keys of entities whose fields have `@requires`, as the planner takes them. The planner (0.0.38) re-enters the subgraph of such a field with the
// key that has the most fields, or the last of equal ones. If the preceding subgraph lacks that key, it finds no plan or crashes. So the key that
// most subgraphs have comes last, and `__typename` makes it one longer.
import {
  type ConstDirectiveNode,
  type DocumentNode,
  type FieldDefinitionNode,
  Kind,
  type ObjectTypeDefinitionNode,
  parse,
  print,
  type SelectionSetNode,
  visit,
} from 'graphql';
import { joins, nameIn, selectionsOf } from './supergraph-sdl.ts';

interface Graph {
  readonly types: ReadonlyMap<string, ObjectTypeDefinitionNode>;
  /** By type: the subgraphs with a field that returns it, or an interface or union. */
  readonly sources: ReadonlyMap<string, ReadonlySet<string>>;
}

interface Key {
  readonly directive: ConstDirectiveNode;
  readonly fields: string;
  /** Its number of fields, including those of nested objects. */
  readonly size: number;
  /** Number of subgraphs that resolve all of them. Those that return the entity count twice. */
  readonly spread: number;
}

export function supergraphForPlanner(sdl: string): string {
  if (!sdl.includes('requires:')) return sdl;
  const given = parse(sdl, { noLocation: true });
  const document = withCommonKeysLast(given);
  return document === given ? sdl : print(document);
}

/** The same document if nothing has to change. */
function withCommonKeysLast(document: DocumentNode): DocumentNode {
  const graph: Graph = { types: typesIn(document), sources: sourcesIn(document) };
  return visit(document, {
    ObjectTypeDefinition: (definition) => {
      const { directives = [], fields = [] } = definition;
      let changed = directives;
      for (const subgraph of subgraphsWithRequires(fields)) changed = keysOf(definition, changed, subgraph, graph);
      return changed === directives ? false : { ...definition, directives: changed };
    },
    InterfaceTypeDefinition: () => false,
  });
}

function typesIn({ definitions }: DocumentNode): Graph['types'] {
  return new Map(
    definitions.flatMap((definition) =>
      definition.kind === Kind.OBJECT_TYPE_DEFINITION ? [[definition.name.value, definition]] : [],
    ),
  );
}

function sourcesIn({ definitions }: DocumentNode): Graph['sources'] {
  const members = new Map<string, string[]>();
  const add = (abstract: string, member: string) => members.set(abstract, [...(members.get(abstract) ?? []), member]);
  const sources = new Map<string, Set<string>>();
  for (const definition of definitions) {
    if (definition.kind === Kind.UNION_TYPE_DEFINITION)
      for (const { name } of definition.types ?? []) add(definition.name.value, name.value);
    if (definition.kind === Kind.OBJECT_TYPE_DEFINITION)
      for (const { name } of definition.interfaces ?? []) add(name.value, definition.name.value);
  }
  for (const definition of definitions) {
    if (definition.kind !== Kind.OBJECT_TYPE_DEFINITION && definition.kind !== Kind.INTERFACE_TYPE_DEFINITION) continue;
    for (const field of definition.fields ?? []) {
      const type = nameIn(field.type);
      const subgraphs = hasPlaces(field)
        ? subgraphsIn(field.directives, 'field')
        : subgraphsIn(definition.directives, 'type');
      for (const each of members.get(type) ?? [type])
        sources.set(each, new Set([...(sources.get(each) ?? []), ...subgraphs]));
    }
  }
  return sources;
}

function subgraphsWithRequires(fields: readonly FieldDefinitionNode[]): ReadonlySet<string> {
  return new Set(
    fields.flatMap(({ directives }) =>
      joins(directives).flatMap(({ values: { requires, graph = '' } }) => (requires === undefined ? [] : [graph])),
    ),
  );
}

/** The directives of a type, with the keys of one subgraph in another order. */
function keysOf(
  definition: ObjectTypeDefinitionNode,
  directives: readonly ConstDirectiveNode[],
  subgraph: string,
  { types, sources }: Graph,
): readonly ConstDirectiveNode[] {
  const returning = sources.get(definition.name.value) ?? new Set();
  const keys = directives.flatMap((directive): Key[] => {
    const [place] = joins([directive]);
    const { key, resolvable } = place?.values ?? {};
    if (place?.is !== 'type' || place.values.graph !== subgraph || key === undefined || resolvable === 'false')
      return [];
    const selections = selectionsOf(key);
    const having = [...subgraphsWith(definition, selections, types)];
    const spread = having.length + having.filter((each) => returning.has(each)).length;
    return [{ directive, fields: key, size: sizeOf(selections), spread }];
  });
  // Among equal ones the first is the default.
  const best = keys.reduce<Key | undefined>(
    (found, key) => (found === undefined || key.spread > found.spread ? key : found),
    undefined,
  );
  if (best === undefined || keys.length < 2) return directives;
  const isShort = keys.some(({ size }) => size > best.size);
  const last = isShort ? withKey(best.directive, `${best.fields} __typename`) : best.directive;
  return [...directives.filter((directive) => directive !== best.directive), last];
}

function sizeOf({ selections }: SelectionSetNode): number {
  return selections.reduce(
    (size, selection) =>
      size +
      (selection.kind === Kind.FRAGMENT_SPREAD || selection.selectionSet === undefined
        ? 1
        : sizeOf(selection.selectionSet)),
    0,
  );
}

function withKey(directive: ConstDirectiveNode, key: string): ConstDirectiveNode {
  return {
    ...directive,
    arguments: (directive.arguments ?? []).map((argument) =>
      argument.name.value === 'key' ? { ...argument, value: { kind: Kind.STRING, value: key } } : argument,
    ),
  };
}

function subgraphsWith(
  { fields = [], directives }: ObjectTypeDefinitionNode,
  { selections }: SelectionSetNode,
  types: Graph['types'],
): ReadonlySet<string> {
  let subgraphs: ReadonlySet<string> = subgraphsIn(directives, 'type');
  for (const selection of selections) {
    if (selection.kind !== Kind.FIELD) continue;
    const field = fields.find(({ name }) => name.value === selection.name.value);
    if (field === undefined) return new Set();
    const own = subgraphsIn(field.directives, 'field');
    if (hasPlaces(field)) subgraphs = common(subgraphs, own);
    const below = types.get(nameIn(field.type));
    if (selection.selectionSet !== undefined && below !== undefined)
      subgraphs = common(subgraphs, subgraphsWith(below, selection.selectionSet, types));
  }
  return subgraphs;
}

function common(subgraphs: ReadonlySet<string>, others: ReadonlySet<string>): ReadonlySet<string> {
  return new Set([...subgraphs].filter((each) => others.has(each)));
}

function hasPlaces({ directives }: FieldDefinitionNode): boolean {
  return joins(directives).some(({ is, values: { graph } }) => is === 'field' && graph !== undefined);
}

function subgraphsIn(directives: readonly ConstDirectiveNode[] | undefined, wanted: string): Set<string> {
  return new Set(
    joins(directives).flatMap(({ is, values: { graph, external } }) =>
      is === wanted && graph !== undefined && external !== 'true' ? [graph] : [],
    ),
  );
}
