// Fields that each subgraph resolves, read from the supergraph: the fields of its types, the keys of its entities, and the objects of its abstract
// types.
import {
  type ConstDirectiveNode,
  type DocumentNode,
  type FieldDefinitionNode,
  type FieldNode,
  Kind,
  parse,
  print,
  type SelectionNode,
  type SelectionSetNode,
} from 'graphql';
import { LRUCache } from 'lru-cache';
import { graphNames, joins, selectionsOf } from './supergraph-sdl.ts';

/** A field of a type in a subgraph. */
export interface FieldPlace {
  readonly graph: string;
  /** The type there: the object itself, or an interface that the subgraph defines as an object. */
  readonly via: string;
  /** The field's type there, in SDL. */
  readonly type: string;
  /** It is resolved only where it is provided. */
  readonly isExternal: boolean;
  readonly requires: SelectionSetNode | undefined;
  readonly provides: SelectionSetNode | undefined;
}

/** A way into a subgraph. */
export interface EntityKey {
  readonly via: string;
  readonly fields: SelectionSetNode;
}

interface TypeParts {
  readonly kind: 'object' | 'interface' | 'union';
  readonly interfaces: readonly string[];
  /** Subgraphs with its resolvable keys. */
  readonly graphs: ReadonlyMap<string, readonly SelectionSetNode[]>;
  readonly fields: ReadonlyMap<string, FieldDefinitionNode>;
}

/** Shared by all readers of the same supergraph. */
const graphs = new LRUCache<string, FederatedGraph>({ max: 4 });

export function federatedGraph(supergraphSdl: string): FederatedGraph {
  const known = graphs.get(supergraphSdl) ?? new FederatedGraph(parse(supergraphSdl, { noLocation: true }));
  graphs.set(supergraphSdl, known);
  return known;
}

type Values = Readonly<Record<string, string | undefined>>;

export class FederatedGraph {
  /** Names of subgraphs by their values in the SDL. */
  readonly names: ReadonlyMap<string, string>;
  readonly #types = new Map<string, TypeParts>();
  readonly #roots = new Map<string, string>();
  /** Keyed by `graph abstract`. */
  readonly #members = new Map<string, string[]>();
  readonly #unions = new Map<string, ReadonlySet<string>>();
  /** `graph interface`. */
  readonly #interfaceObjects = new Set<string>();
  /** By `graph type`: the fields of all keys. */
  readonly #inKeys = new Map<string, readonly FieldNode[]>();
  readonly #places = new Map<string, readonly FieldPlace[]>();

  constructor(document: DocumentNode) {
    this.names = graphNames(document);
    for (const definition of document.definitions) {
      if (definition.kind === Kind.SCHEMA_DEFINITION)
        for (const { operation, type } of definition.operationTypes) this.#roots.set(operation, type.name.value);
      if (definition.kind === Kind.UNION_TYPE_DEFINITION) {
        this.#add('union', definition.name.value, definition);
        this.#unions.set(definition.name.value, new Set(definition.types?.map(({ name }) => name.value)));
      }
      if (definition.kind === Kind.OBJECT_TYPE_DEFINITION) this.#add('object', definition.name.value, definition);
      if (definition.kind === Kind.INTERFACE_TYPE_DEFINITION) this.#add('interface', definition.name.value, definition);
    }
  }

  root(operation: string): string {
    return this.#roots.get(operation) ?? '';
  }

  isComposite(type: string): boolean {
    return this.#types.has(type);
  }

  /** Whether it is no interface. */
  isObject(type: string): boolean {
    return this.#types.get(type)?.kind === 'object';
  }

  /** Whether the subgraph knows its objects by this name. */
  isObjectIn(graph: string, type: string): boolean {
    return this.isObject(type) || this.#interfaceObjects.has(`${graph} ${type}`);
  }

  /** The objects that the subgraph can return for an abstract type. */
  membersIn(graph: string, type: string): readonly string[] {
    return this.#members.get(`${graph} ${type}`) ?? [];
  }

  /** Whether some subgraph has an object of the type. */
  hasObjects(type: string): boolean {
    return this.isObject(type) || [...this.names.keys()].some((graph) => this.membersIn(graph, type).length > 0);
  }

  /** The types of all objects that a field of the type can return in the subgraph. For an `@interfaceObject` that is its single name. */
  objectsIn(graph: string, type: string): readonly string[] {
    if (this.isObject(type)) return [type];
    const isOneObject = this.isObjectIn(graph, type);
    const within = isOneObject ? [...this.names.keys()].filter((each) => !this.isObjectIn(each, type)) : [graph];
    return [...new Set(within.flatMap((each) => this.membersIn(each, type).flatMap((of) => this.objectsIn(each, of))))];
  }

  /** Whether each object of a type fulfils a condition. */
  fits(condition: string, type: string): boolean {
    const { interfaces = [] } = this.#types.get(type) ?? {};
    return condition === type || interfaces.includes(condition) || this.#unions.get(condition)?.has(type) === true;
  }

  /** The subgraphs that define the type as an interface, and identify its objects by a key. */
  interfacesOf(type: string): readonly string[] {
    const graphs = [...(this.#types.get(type)?.graphs ?? [])];
    return graphs.flatMap(([graph, keys]) => (keys.length > 0 && !this.isObjectIn(graph, type) ? [graph] : []));
  }

  /** Places of a field of an object, or of an interface that some subgraph has as an object. */
  places(type: string, field: string): readonly FieldPlace[] {
    const id = `${type} ${field}`;
    const known = this.#places.get(id);
    if (known !== undefined) return known;
    const made = this.#placesOf(type, field);
    this.#places.set(id, made);
    return made;
  }

  /** Fields that the subgraph resolves for its objects of the type, regardless of their directives. */
  inKeys(graph: string, type: string): readonly FieldNode[] {
    return this.#inKeys.get(`${graph} ${type}`) ?? [];
  }

  /** The type of a field in a subgraph, in SDL. */
  typeIn(graph: string, type: string, field: string): string | undefined {
    return this.places(type, field).find((place) => place.graph === graph)?.type;
  }

  /** The same text for types that can have one name in a request. */
  shapeOf(type: string): string {
    const base = baseOf(type);
    return this.isComposite(base) ? type.replace(base, '{}') : type;
  }

  /** The keys by which a subgraph knows an object. */
  keys(type: string, graph: string): readonly EntityKey[] {
    const parts = this.#types.get(type);
    const own = (parts?.graphs.get(graph) ?? []).map((fields) => ({ via: type, fields }));
    const ofInterfaces = (parts?.interfaces ?? [])
      .filter((each) => this.#interfaceObjects.has(`${graph} ${each}`))
      .flatMap((via) => (this.#types.get(via)?.graphs.get(graph) ?? []).map((fields) => ({ via, fields })));
    // A subgraph with both has the fields at the interface.
    return [...ofInterfaces, ...own];
  }

  #placesOf(type: string, field: string): readonly FieldPlace[] {
    const parts = this.#types.get(type);
    const definition = parts?.fields.get(field);
    if (parts === undefined || definition === undefined) return [];
    const given = joins(definition.directives).filter(({ is }) => is === 'field');
    const text = print(definition.type);
    const everywhere = given.length === 0 ? [...parts.graphs.keys()].map((graph): Values => ({ graph })) : [];
    const own = [...everywhere, ...given.map(({ values }) => values)].flatMap((values) =>
      values.graph === undefined || isOverridden(values) ? [] : [this.#place(type, { type: text, ...values })],
    );
    const ofInterfaces = parts.interfaces.flatMap((each) =>
      this.places(each, field).filter(({ graph }) => this.#interfaceObjects.has(`${graph} ${each}`)),
    );
    return [...own, ...ofInterfaces];
  }

  #place(via: string, values: Values): FieldPlace {
    const { graph = '', type = '', external, requires, provides } = values;
    return {
      ...{ graph, via, type },
      isExternal: external === 'true',
      requires: requires === undefined ? undefined : selectionsOf(requires),
      provides: provides === undefined ? undefined : selectionsOf(provides),
    };
  }

  #add(
    kind: TypeParts['kind'],
    name: string,
    definition: {
      readonly directives?: readonly ConstDirectiveNode[];
      readonly fields?: readonly FieldDefinitionNode[];
      readonly interfaces?: readonly { readonly name: { readonly value: string } }[];
    },
  ): void {
    const graphs = new Map<string, SelectionSetNode[]>();
    const given = joins(definition.directives);
    for (const { is, values } of given) {
      const { graph = '', key, resolvable, isInterfaceObject } = values;
      if (is !== 'type') continue;
      const keys = graphs.get(graph) ?? [];
      graphs.set(graph, keys);
      if (key !== undefined) {
        const id = `${graph} ${name}`;
        this.#inKeys.set(id, [...(this.#inKeys.get(id) ?? []), ...selectionsOf(key).selections.flatMap(withoutBelow)]);
      }
      if (key !== undefined && resolvable !== 'false') keys.push(selectionsOf(key));
      if (isInterfaceObject === 'true') this.#interfaceObjects.add(`${graph} ${name}`);
    }
    for (const { is, values } of given) {
      const { graph = '', member, interface: of } = values;
      const abstract = is === 'unionMember' ? name : is === 'implements' ? of : undefined;
      if (abstract === undefined || (kind === 'interface' && !this.#interfaceObjects.has(`${graph} ${name}`))) continue;
      const id = `${graph} ${abstract}`;
      this.#members.set(id, [...(this.#members.get(id) ?? []), is === 'unionMember' ? (member ?? '') : name]);
    }
    this.#types.set(name, {
      ...{ kind, graphs, interfaces: (definition.interfaces ?? []).map((each) => each.name.value) },
      fields: new Map((definition.fields ?? []).map((field) => [field.name.value, field])),
    });
  }
}

/** Fields below a key's field have directives of their own. */
function withoutBelow(selection: SelectionNode): readonly FieldNode[] {
  if (selection.kind !== Kind.FIELD) return [];
  const { selectionSet: _below, ...field } = selection;
  return [field];
}

/** Another subgraph overrides it. No labels of progressive overrides are active. */
function isOverridden({ usedOverridden, overrideLabel, override }: Values): boolean {
  return overrideLabel === undefined ? usedOverridden === 'true' : override !== undefined;
}

/** `[Thing!]` gives `Thing`. */
export function baseOf(type: string): string {
  return type.replace(/[[\]!]/g, '');
}
