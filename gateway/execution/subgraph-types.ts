// Which object types a field can return, by the subgraphs that resolve it: a union or an interface may have fewer members in one of them.
import { type ConstDirectiveNode, type DocumentNode, Kind } from 'graphql';
import { joins, nameIn } from './supergraph-sdl.ts';

interface FieldPlaces {
  readonly type: string;
  /** Undefined: all subgraphs of its parent. */
  readonly graphs: ReadonlySet<string> | undefined;
}

interface TypePlaces {
  readonly isObject: boolean;
  readonly interfaces: readonly string[];
  readonly graphs: ReadonlySet<string>;
  readonly fields: ReadonlyMap<string, FieldPlaces>;
}

export class SubgraphTypes {
  readonly #types = new Map<string, TypePlaces>();
  /** Object types by `graph abstract`. */
  readonly #members = new Map<string, Set<string>>();
  /** `graph interface`: its objects have the interface as their type. */
  readonly #interfaceObjects = new Set<string>();

  constructor({ definitions }: DocumentNode) {
    for (const definition of definitions) {
      const { kind } = definition;
      if (
        kind !== Kind.OBJECT_TYPE_DEFINITION &&
        kind !== Kind.INTERFACE_TYPE_DEFINITION &&
        kind !== Kind.UNION_TYPE_DEFINITION
      )
        continue;
      const name = definition.name.value;
      const graphs = new Set<string>();
      for (const { is, values } of joins(definition.directives)) {
        const { graph = '', member = '', interface: of = '' } = values;
        if (is === 'type') graphs.add(graph);
        if (is === 'type' && values.isInterfaceObject === 'true') this.#interfaceObjects.add(`${graph} ${name}`);
        if (is === 'unionMember') this.#add(graph, name, member);
        if (is === 'implements' && kind === Kind.OBJECT_TYPE_DEFINITION) this.#add(graph, of, name);
      }
      const fields = kind === Kind.UNION_TYPE_DEFINITION ? [] : (definition.fields ?? []);
      const interfaces = kind === Kind.UNION_TYPE_DEFINITION ? [] : (definition.interfaces ?? []);
      this.#types.set(name, {
        ...{ isObject: kind === Kind.OBJECT_TYPE_DEFINITION, graphs },
        interfaces: interfaces.map((each) => each.name.value),
        fields: new Map(
          fields.map((field) => [field.name.value, { type: nameIn(field.type), graphs: graphsOf(field.directives) }]),
        ),
      });
    }
  }

  /** The type of an object's field, and the object types that it can have there. Undefined for a field that returns no objects. */
  below(parent: string, field: string): { readonly type: string; readonly objects: readonly string[] } | undefined {
    const type = this.#types.get(parent)?.fields.get(field)?.type;
    const named = type === undefined ? undefined : this.#types.get(type);
    if (type === undefined || named === undefined) return undefined;
    if (named.isObject) return { type, objects: [type] };
    const objects = new Set<string>();
    for (const graph of this.#graphsOf(parent, field))
      for (const each of this.#membersIn(graph, type)) objects.add(each);
    return { type, objects: [...objects] };
  }

  isObject(type: string): boolean {
    return this.#types.get(type)?.isObject === true;
  }

  #add(graph: string, abstract: string, object: string): void {
    const known = this.#members.get(`${graph} ${abstract}`) ?? new Set();
    known.add(object);
    this.#members.set(`${graph} ${abstract}`, known);
  }

  #graphsOf(parent: string, field: string): ReadonlySet<string> {
    const places = this.#types.get(parent);
    const own = places?.fields.get(field)?.graphs;
    if (own === undefined) return places?.graphs ?? new Set();
    if (own.size > 0) return own;
    // A field of an interface that a subgraph has as an object.
    return new Set(places?.interfaces.flatMap((each) => [...this.#graphsOf(each, field)]));
  }

  #membersIn(graph: string, type: string): Iterable<string> {
    if (!this.#interfaceObjects.has(`${graph} ${type}`)) return this.#members.get(`${graph} ${type}`) ?? [];
    return [...this.#types].flatMap(([name, { isObject, interfaces }]) =>
      isObject && interfaces.includes(type) ? [name] : [],
    );
  }
}

/** The subgraphs that define the field, those included that need or provide it. Undefined: all that have its type. */
function graphsOf(directives: readonly ConstDirectiveNode[] = []): ReadonlySet<string> | undefined {
  const fields = joins(directives).filter(({ is }) => is === 'field');
  if (fields.length === 0) return undefined;
  return new Set(fields.flatMap(({ values: { graph } }) => (graph === undefined ? [] : [graph])));
}

/** The directives of the composition, with their texts, names and booleans. */
