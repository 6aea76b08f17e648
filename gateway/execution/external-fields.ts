// Fields that the planner (0.0.38) asks of a subgraph where they are external and not provided. A subgraph answers such a field with null,
// without an error. It does so for the key of an entity with a field that has `@requires`: of several keys it may take one that is not there.
import { type DocumentNode, type FieldNode, Kind, parse, type SelectionNode, type SelectionSetNode } from 'graphql';
import type { PlanNode } from './planner.ts';
import { graphNames, joins, nameIn, selectionsOf } from './supergraph-sdl.ts';

interface FieldPlaces {
  readonly type: string;
  /** The subgraphs where it is external. */
  readonly external: ReadonlySet<string>;
  /** By subgraph: what it provides of its type. */
  readonly provides: ReadonlyMap<string, SelectionSetNode>;
}

interface Request {
  readonly graph: string;
  readonly fragments: ReadonlyMap<string, { readonly type: string; readonly selections: SelectionSetNode }>;
}

export class ExternalFields {
  /** By type and field. */
  readonly #fields = new Map<string, ReadonlyMap<string, FieldPlaces>>();
  /** `graph type field`: parts of keys. */
  readonly #keys = new Set<string>();
  /** By the subgraph's name. */
  readonly #graphs = new Map<string, string>();
  readonly #roots = new Map<string, string>();

  constructor(supergraphSdl: string) {
    if (!supergraphSdl.includes('external: true')) return;
    const document = parse(supergraphSdl, { noLocation: true });
    for (const [graph, name] of graphNames(document)) this.#graphs.set(name, graph);
    this.#readTypes(document);
    for (const definition of document.definitions)
      if (definition.kind === Kind.OBJECT_TYPE_DEFINITION || definition.kind === Kind.INTERFACE_TYPE_DEFINITION)
        for (const { is, values } of joins(definition.directives))
          if (is === 'type' && values.key !== undefined)
            this.#noteKey(values.graph ?? '', definition.name.value, selectionsOf(values.key));
  }

  /** The first one in a plan, in words. Undefined: there is none. */
  askedIn(plan: PlanNode): string | undefined {
    if (this.#graphs.size === 0) return undefined;
    switch (plan.kind) {
      case 'Fetch':
      case 'BatchFetch':
        return this.#askedOf(plan.serviceName, plan.operation);
      case 'Flatten':
        return this.askedIn(plan.node);
      case 'Subscription':
        return this.askedIn(plan.primary);
      case 'Sequence':
      case 'Parallel':
        return firstOf(plan.nodes, (node) => this.askedIn(node));
    }
  }

  #askedOf(subgraph: string, text: string): string | undefined {
    const { definitions } = parse(text, { noLocation: true });
    const fragments = new Map<string, { type: string; selections: SelectionSetNode }>();
    for (const definition of definitions)
      if (definition.kind === Kind.FRAGMENT_DEFINITION)
        fragments.set(definition.name.value, {
          type: definition.typeCondition.name.value,
          selections: definition.selectionSet,
        });
    const request = { graph: this.#graphs.get(subgraph) ?? '', fragments };
    const asked = firstOf(definitions, (definition) =>
      definition.kind === Kind.OPERATION_DEFINITION
        ? this.#below(this.#roots.get(definition.operation) ?? '', definition.selectionSet, [], request)
        : undefined,
    );
    return asked === undefined ? undefined : `${asked} of ${subgraph}`;
  }

  #below(
    type: string,
    { selections }: SelectionSetNode,
    provided: readonly SelectionSetNode[],
    request: Request,
  ): string | undefined {
    return firstOf(selections, (selection) => {
      if (selection.kind === Kind.FIELD) return this.#at(type, selection, provided, request);
      if (selection.kind === Kind.INLINE_FRAGMENT)
        return this.#below(selection.typeCondition?.name.value ?? type, selection.selectionSet, provided, request);
      const fragment = request.fragments.get(selection.name.value);
      return fragment && this.#below(fragment.type, fragment.selections, provided, request);
    });
  }

  #at(
    type: string,
    { name: { value: name }, selectionSet }: FieldNode,
    provided: readonly SelectionSetNode[],
    request: Request,
  ): string | undefined {
    if (name === '_entities') return selectionSet && this.#below('', selectionSet, [], request);
    const field = this.#fields.get(type)?.get(name);
    if (field === undefined) return undefined;
    const { graph } = request;
    const found = provided.flatMap((set) => providedAs(name, set.selections));
    if (field.external.has(graph) && found.length === 0 && !this.#keys.has(`${graph} ${type} ${name}`))
      return `${type}.${name}`;
    if (selectionSet === undefined) return undefined;
    const own = field.provides.get(graph);
    const below = found.flatMap((each) => each.selectionSet ?? []);
    return this.#below(field.type, selectionSet, own === undefined ? below : [...below, own], request);
  }

  #readTypes({ definitions }: DocumentNode): void {
    for (const definition of definitions) {
      if (definition.kind === Kind.SCHEMA_DEFINITION)
        for (const { operation, type } of definition.operationTypes) this.#roots.set(operation, type.name.value);
      if (definition.kind !== Kind.OBJECT_TYPE_DEFINITION && definition.kind !== Kind.INTERFACE_TYPE_DEFINITION)
        continue;
      this.#fields.set(
        definition.name.value,
        new Map(
          (definition.fields ?? []).map((field) => {
            const places = joins(field.directives).map(({ values }) => values);
            const external = places.filter((each) => each.external === 'true').map(({ graph = '' }) => graph);
            const provides = places.flatMap((each) =>
              each.provides === undefined ? [] : [[each.graph ?? '', selectionsOf(each.provides)] as const],
            );
            const type = nameIn(field.type);
            return [field.name.value, { type, external: new Set(external), provides: new Map(provides) }];
          }),
        ),
      );
    }
  }

  /** A field of a key is resolved, whatever its marks say. */
  #noteKey(graph: string, type: string, { selections }: SelectionSetNode): void {
    for (const selection of selections) {
      if (selection.kind === Kind.FRAGMENT_SPREAD) continue;
      const below = selection.kind === Kind.FIELD ? this.#fields.get(type)?.get(selection.name.value)?.type : type;
      if (selection.kind === Kind.FIELD) this.#keys.add(`${graph} ${type} ${selection.name.value}`);
      const condition = selection.kind === Kind.INLINE_FRAGMENT ? selection.typeCondition?.name.value : undefined;
      if (selection.selectionSet !== undefined) this.#noteKey(graph, condition ?? below ?? '', selection.selectionSet);
    }
  }
}

/** With any condition on its type: a planner asks for it only under one that fits. */
function providedAs(name: string, selections: readonly SelectionNode[]): readonly FieldNode[] {
  return selections.flatMap((selection) => {
    if (selection.kind === Kind.FIELD) return selection.name.value === name ? [selection] : [];
    return selection.kind === Kind.INLINE_FRAGMENT ? providedAs(name, selection.selectionSet.selections) : [];
  });
}

function firstOf<Item>(items: readonly Item[], find: (item: Item) => string | undefined): string | undefined {
  for (const item of items) {
    const found = find(item);
    if (found !== undefined) return found;
  }
  return undefined;
}
