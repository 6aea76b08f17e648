// Repairs omissions of the planner (0.0.38) in a plan: the selection of an object without requested fields, and the key of an entity.
import { type DocumentNode, Kind, parse, type SelectionSetNode } from 'graphql';
import type { EntitySelection, PathSegment, PlanNode, RequiredSelection } from './planner.ts';
import { type FieldTypes, fieldTypesOf, graphNames, joins, selectionsOf } from './supergraph-sdl.ts';

type Path = readonly PathSegment[];

interface Graph {
  readonly fields: FieldTypes;
  /** Types whose fields need a selection. */
  readonly composites: ReadonlySet<string>;
  readonly roots: ReadonlyMap<string, string>;
  /** By subgraph and type: the keys by which it resolves an entity. */
  readonly keys: ReadonlyMap<string, readonly SelectionSetNode[]>;
}

export class PlanMender {
  readonly #sdl: string;
  #read: Graph | undefined;

  constructor(supergraphSdl: string) {
    this.#sdl = supergraphSdl;
  }

  /** Returns a text with the reason if the plan can't be repaired. */
  mended(plan: PlanNode): PlanNode | string {
    const mending = new Mending(() => this.#graph);
    const mended = mending.node(plan, []);
    return mending.keyless === undefined ? mended : `its plan sends ${mending.keyless} without a key`;
  }

  /** Read on demand. */
  get #graph(): Graph {
    this.#read ??= graphOf(parse(this.#sdl, { noLocation: true }));
    return this.#read;
  }
}

class Mending {
  readonly #graph: () => Graph;
  /** By path and type: fields that preceding requests have sent. */
  readonly #sent = new Map<string, RequiredSelection[]>();
  /** An entity that remains without a key, and its subgraph. */
  keyless: string | undefined;

  constructor(graph: () => Graph) {
    this.#graph = graph;
  }

  node(node: PlanNode, path: Path): PlanNode {
    switch (node.kind) {
      case 'Sequence':
      case 'Parallel':
        return { ...node, nodes: node.nodes.map((each) => this.node(each, path)) };
      case 'Flatten':
        return { ...node, node: this.node(node.node, [...path, ...node.path]) };
      case 'Subscription':
        return { ...node, primary: { ...node.primary, operation: this.#filled(node.primary.operation) } };
      case 'Fetch':
        return { ...this.#keyed(node, node.serviceName, [path]), operation: this.#filled(node.operation) };
      case 'BatchFetch': {
        const aliases = node.entityBatch.aliases.map((each) => this.#keyed(each, node.serviceName, each.paths));
        return { ...node, entityBatch: { aliases }, operation: this.#filled(node.operation) };
      }
    }
  }

  /** Asks for the type of an object without a selection. */
  #filled(text: string): string {
    const { fields, composites, roots } = this.#graph();
    const ends: number[] = [];
    const look = (type: string, { selections }: SelectionSetNode): void => {
      for (const selection of selections) {
        if (selection.kind === Kind.FRAGMENT_SPREAD) continue;
        const below =
          selection.kind === Kind.FIELD
            ? (fields.get(type)?.get(selection.name.value) ?? '')
            : (selection.typeCondition?.name.value ?? type);
        if (selection.selectionSet !== undefined) look(below, selection.selectionSet);
        else if (composites.has(below)) ends.push(selection.loc?.end ?? 0);
      }
    };
    for (const definition of parse(text).definitions) {
      if (definition.kind === Kind.FRAGMENT_DEFINITION)
        look(definition.typeCondition.name.value, definition.selectionSet);
      if (definition.kind === Kind.OPERATION_DEFINITION)
        look(roots.get(definition.operation) ?? '', definition.selectionSet);
    }
    ends.sort((one, other) => other - one);
    return ends.reduce((filled, end) => `${filled.slice(0, end)}{__typename}${filled.slice(end)}`, text);
  }

  /** An entity without a key is sent a key that preceding requests have sent for all of these places. */
  #keyed<Selection extends EntitySelection>(selection: Selection, subgraph: string, paths: readonly Path[]): Selection {
    if (selection.requires == null) return selection;
    const requires = selection.requires.map((each) => {
      if (each.kind !== 'InlineFragment') return each;
      const { typeCondition: type, selections } = each;
      const places = paths.map((path) => `${type} ${JSON.stringify(path)}`);
      const keys = this.#graph().keys.get(`${subgraph} ${sentAs(type, selection)}`) ?? [];
      let added: readonly RequiredSelection[] = [];
      if (keys.length > 0 && !keys.some((key) => hasKey(selections, key))) {
        const known = keys.find((key) => places.every((place) => hasKey(this.#sent.get(place) ?? [], key)));
        if (known === undefined) this.keyless = `${type} to ${subgraph}`;
        else added = requiredOf(known);
      }
      for (const place of places) this.#sent.set(place, [...(this.#sent.get(place) ?? []), ...selections]);
      return { ...each, selections: [...selections, ...added] };
    });
    return { ...selection, requires };
  }
}

/** The subgraph may know the object by the name of its interface. */
function sentAs(type: string, { inputRewrites }: EntitySelection): string {
  for (const change of inputRewrites ?? []) {
    const [segment, name] = 'ValueSetter' in change ? change.ValueSetter.path : [];
    if (segment === undefined || name === undefined || !('TypenameEquals' in segment) || !('Key' in name)) continue;
    if (name.Key === '__typename' && segment.TypenameEquals.includes(type) && 'ValueSetter' in change)
      return String(change.ValueSetter.setValueTo);
  }
  return type;
}

function graphOf(document: DocumentNode): Graph {
  const names = graphNames(document);
  const composites = new Set<string>();
  const roots = new Map<string, string>();
  const keys = new Map<string, SelectionSetNode[]>();
  for (const definition of document.definitions) {
    if (definition.kind === Kind.SCHEMA_DEFINITION)
      for (const { operation, type } of definition.operationTypes) roots.set(operation, type.name.value);
    if (
      definition.kind !== Kind.OBJECT_TYPE_DEFINITION &&
      definition.kind !== Kind.INTERFACE_TYPE_DEFINITION &&
      definition.kind !== Kind.UNION_TYPE_DEFINITION
    )
      continue;
    const type = definition.name.value;
    composites.add(type);
    for (const { is, values } of joins(definition.directives)) {
      if (is !== 'type' || values.key === undefined || values.resolvable === 'false') continue;
      const at = `${names.get(values.graph ?? '')} ${type}`;
      keys.set(at, [...(keys.get(at) ?? []), selectionsOf(values.key)]);
    }
  }
  return { fields: fieldTypesOf(document), composites, roots, keys };
}

/** With any condition on the type. */
export function hasKey(sent: readonly RequiredSelection[], { selections }: SelectionSetNode): boolean {
  return selections.every((selection) => {
    if (selection.kind === Kind.FRAGMENT_SPREAD) return true;
    if (selection.kind === Kind.INLINE_FRAGMENT) return hasKey(sent, selection.selectionSet);
    const { name, selectionSet } = selection;
    return sent.some((each) => {
      if (each.kind === 'InlineFragment')
        return hasKey(each.selections, { kind: Kind.SELECTION_SET, selections: [selection] });
      if ((each.alias ?? each.name) !== name.value) return false;
      return selectionSet === undefined || hasKey(each.selections ?? [], selectionSet);
    });
  });
}

function requiredOf({ selections: fields }: SelectionSetNode): readonly RequiredSelection[] {
  return fields.flatMap((selection): readonly RequiredSelection[] => {
    if (selection.kind === Kind.FRAGMENT_SPREAD) return [];
    if (selection.kind === Kind.INLINE_FRAGMENT) return requiredOf(selection.selectionSet);
    const { name, selectionSet } = selection;
    const selections = selectionSet === undefined ? null : requiredOf(selectionSet);
    return [{ kind: 'Field', name: name.value, selections }];
  });
}
