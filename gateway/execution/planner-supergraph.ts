// The supergraph as the planner takes it, and a reduced one for its second try. The planner (0.0.38) mixes up what several @provides of a
// subgraph offer of one type: it may ask a subgraph for an external field at a place where it does not provide it. In the reduced one, only
// those fields of a type stay provided that every @provides of the subgraph has; the others are asked of their own subgraph.
import {
  type ConstArgumentNode,
  type ConstDirectiveNode,
  type DocumentNode,
  type FieldDefinitionNode,
  Kind,
  parse,
  print,
  type SelectionNode,
  type SelectionSetNode,
  visit,
} from 'graphql';
import { withCommonKeysLast } from './planner-keys.ts';
import { type FieldTypes, fieldsIn, fieldTypesOf, joins, nameIn, selectionsOf } from './supergraph-sdl.ts';

/** By `graph type`: what every place that provides something of the type has. */
type Shared = Map<string, ReadonlySet<string>>;

export function supergraphForPlanner(sdl: string): string {
  if (!sdl.includes('requires:')) return sdl;
  const given = parse(sdl, { noLocation: true });
  const document = withCommonKeysLast(given);
  return document === given ? sdl : print(document);
}

/** Of `supergraphForPlanner`. Undefined if it has nothing to reduce. */
export function reducedSupergraph(sdl: string): string | undefined {
  if (!sdl.includes('provides:')) return undefined;
  const given = parse(sdl, { noLocation: true });
  const document = withSharedProvides(given);
  return document === given ? undefined : print(document);
}

/** The same document if nothing has to change. */
function withSharedProvides(document: DocumentNode): DocumentNode {
  const types = fieldTypesOf(document);
  const shared: Shared = new Map();
  const note = (type: string, { selections }: SelectionSetNode, graph: string): void => {
    const has = new Set(selections.map(entryOf));
    const id = `${graph} ${type}`;
    const others = shared.get(id) ?? has;
    shared.set(id, new Set([...has].filter((entry) => others.has(entry))));
    for (const [below, set] of belowOf(type, selections, types)) note(below, set, graph);
  };
  for (const { field, graph, provided } of providesIn(document)) note(nameIn(field.type), provided, graph);
  let isChanged = false;
  const changed = visit(document, {
    FieldDefinition: (field) => {
      const directives = field.directives?.map((directive) => {
        const provides = providesOf(directive);
        if (provides === undefined) return directive;
        const left = kept(nameIn(field.type), provides.provided, provides.graph, shared, types);
        if (left !== undefined && print(left) === print(provides.provided)) return directive;
        isChanged = true;
        return { ...directive, arguments: withProvides(directive, left) };
      });
      return directives === undefined ? undefined : { ...field, directives };
    },
  });
  return isChanged ? changed : document;
}

/** Undefined if nothing stays. */
function kept(
  type: string,
  { selections }: SelectionSetNode,
  ...[graph, shared, types]: [string, Shared, FieldTypes]
): SelectionSetNode | undefined {
  const all = shared.get(`${graph} ${type}`);
  const left = selections.flatMap((selection): SelectionNode[] => {
    if (all?.has(entryOf(selection)) !== true || selection.kind === Kind.FRAGMENT_SPREAD) return [];
    const [below] = belowOf(type, [selection], types);
    if (below === undefined) return [selection];
    const selectionSet = kept(...below, graph, shared, types);
    return selectionSet === undefined ? [] : [{ ...selection, selectionSet }];
  });
  return left.length === 0 ? undefined : { kind: Kind.SELECTION_SET, selections: left };
}

function entryOf(selection: SelectionNode): string {
  if (selection.kind === Kind.FIELD) return selection.name.value;
  return selection.kind === Kind.INLINE_FRAGMENT ? `... on ${selection.typeCondition?.name.value ?? ''}` : '';
}

/** The selections below, with their types. */
function belowOf(
  type: string,
  selections: readonly SelectionNode[],
  types: FieldTypes,
): readonly (readonly [string, SelectionSetNode])[] {
  return selections.flatMap((selection) => {
    if (selection.kind === Kind.FRAGMENT_SPREAD || selection.selectionSet === undefined) return [];
    const below =
      selection.kind === Kind.FIELD
        ? types.get(type)?.get(selection.name.value)
        : (selection.typeCondition?.name.value ?? type);
    return below === undefined ? [] : [[below, selection.selectionSet] as const];
  });
}

interface Provides {
  readonly graph: string;
  readonly provided: SelectionSetNode;
}

function providesIn({ definitions }: DocumentNode): readonly (Provides & { readonly field: FieldDefinitionNode })[] {
  return definitions.flatMap((definition) =>
    definition.kind === Kind.OBJECT_TYPE_DEFINITION || definition.kind === Kind.INTERFACE_TYPE_DEFINITION
      ? fieldsIn(definition).flatMap((field) =>
          (field.directives ?? []).flatMap((directive) => {
            const provides = providesOf(directive);
            return provides === undefined ? [] : [{ ...provides, field }];
          }),
        )
      : [],
  );
}

function providesOf(directive: ConstDirectiveNode): Provides | undefined {
  const [place] = joins([directive]);
  const provides = place?.is === 'field' ? place.values.provides : undefined;
  return provides === undefined ? undefined : { graph: place?.values.graph ?? '', provided: selectionsOf(provides) };
}

function withProvides(
  { arguments: given = [] }: ConstDirectiveNode,
  provided: SelectionSetNode | undefined,
): readonly ConstArgumentNode[] {
  return given.flatMap((argument): ConstArgumentNode[] => {
    if (argument.name.value !== 'provides') return [argument];
    if (provided === undefined) return [];
    const text = provided.selections.map((each) => print(each)).join(' ');
    return [{ ...argument, value: { kind: Kind.STRING, value: text.replace(/\s+/g, ' ') } }];
  });
}
