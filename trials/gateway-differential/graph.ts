// The plan of a random graph: its types, and which part of each type every subgraph defines. split.ts makes it; data.ts and
// subgraph-schema.ts read it.
import { Kind, parse, type SelectionNode } from 'graphql';

/** A field as clients see it. */
export interface GraphField {
  readonly name: string;
  /** Its type in SDL, for example `[Product!]`. */
  readonly type: string;
  /** Its arguments in SDL with the parentheses, or nothing. */
  readonly args: string;
  /** The fields from which the subgraph computes it. */
  readonly requires?: string | undefined;
}

/** Objects with keys; objects without; interfaces; unions. */
export type TypeKind = 'entity' | 'value' | 'interface' | 'union';

export interface GraphType {
  readonly name: string;
  readonly kind: TypeKind;
  readonly fields: Map<string, GraphField>;
  /** For an interface or union: the objects that belong to it. */
  readonly members: readonly string[];
  /** For an entity: the fields of its keys. */
  readonly keys: readonly string[];
}

export interface FieldPart {
  readonly field: GraphField;
  external?: boolean;
  provides?: string;
  requires?: string;
  /** The subgraph that this one overrides for the field. */
  override?: string;
  inaccessible?: boolean;
  /** It is never null here, although it may be null elsewhere. */
  strict?: boolean;
}

/** One subgraph's definition of a type. */
export interface TypePart {
  readonly name: string;
  readonly kind: 'object' | 'interface' | 'interfaceObject' | 'union';
  readonly keys: { readonly fields: string; readonly resolvable: boolean }[];
  readonly fields: Map<string, FieldPart>;
  readonly implements: Set<string>;
  readonly members: Set<string>;
  inaccessible?: boolean;
}

export interface SubgraphPlan {
  readonly name: string;
  readonly types: Map<string, TypePart>;
}

export interface GraphPlan {
  /** Objects, interfaces and unions, without Query and Mutation. */
  readonly types: ReadonlyMap<string, GraphType>;
  readonly subgraphs: readonly SubgraphPlan[];
}

/** The definitions of enums, scalars and inputs, which every subgraph has when it uses them. */
export const leafTypes: Readonly<Record<string, string>> = {
  Color: 'enum Color { RED GREEN BLUE }',
  Currency: 'enum Currency { EUR USD }',
  Json: 'scalar Json',
  Filter:
    'input Filter { word: String = "w" limit: Int color: Color = RED colors: [Color!] nested: Filter matrix: [[Int]] raw: Json }',
};

/** The field of an interface object that has a requirement. */
export const computedOfInterface = 'extraCalc';

/** `[Product!]` gives `Product`. */
export function baseOf(type: string): string {
  return type.replace(/[[\]!]/g, '');
}

const parsed = new Map<string, readonly SelectionNode[]>();

/** The selections of a text such as `id owner { id }`. */
export function selectionsOf(text: string): readonly SelectionNode[] {
  const known = parsed.get(text);
  if (known !== undefined) return known;
  const [definition] = parse(`{ ${text} }`, { noLocation: true }).definitions;
  const selections = definition?.kind === Kind.OPERATION_DEFINITION ? definition.selectionSet.selections : [];
  parsed.set(text, selections);
  return selections;
}

/** Every field name in the text, including nested ones. */
export function fieldNamesIn(selections: readonly SelectionNode[]): readonly string[] {
  return selections.flatMap((selection) => {
    if (selection.kind === Kind.FIELD)
      return [selection.name.value, ...fieldNamesIn(selection.selectionSet?.selections ?? [])];
    return selection.kind === Kind.INLINE_FRAGMENT ? fieldNamesIn(selection.selectionSet.selections) : [];
  });
}

/** The objects that a subgraph may return where the type is expected. */
export function possibleTypes(plan: GraphPlan, subgraph: SubgraphPlan, type: string): readonly string[] {
  const part = subgraph.types.get(type);
  if (part === undefined) return [];
  if (part.kind === 'object') return [type];
  if (part.kind === 'interfaceObject') return plan.types.get(type)?.members ?? [];
  if (part.kind === 'union') return [...part.members];
  return [...subgraph.types.values()].filter((each) => each.implements.has(type)).map((each) => each.name);
}
