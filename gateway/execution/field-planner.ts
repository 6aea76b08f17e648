// Plans field by field, for operations for which the planner has no plan or a wrong one. A field is requested from the subgraph that has its object,
// or else from one that can be entered there: with a key, and with the field's requirements, which are planned in the same way. Fields that a
// subgraph lacks below a field are requested from the next one with that field. It always finds a plan where each step has one, with more requests
// than are needed.
import {
  type ArgumentNode,
  type DefinitionNode,
  type FieldNode,
  type InlineFragmentNode,
  Kind,
  type OperationDefinitionNode,
  parse,
  print,
  type SelectionNode,
  type SelectionSetNode,
} from 'graphql';
import { baseOf, type EntityKey, type FederatedGraph, type FieldPlace, federatedGraph } from './federated-graph.ts';
import { type Piece, planOf } from './field-plan.ts';
import { addSelections, emptySelections, isEmpty, type PlannedSelections } from './planned-selections.ts';
import type { PathSegment, PlanNode, RequiredSelection } from './planner.ts';

/** Limit of fields to examine for one operation, including those of keys and requirements. */
const mostSteps = 20_000;
const deepest = 60;

export class FieldPlanner {
  readonly #sdl: string;
  #read: FederatedGraph | undefined;

  constructor(supergraphSdl: string) {
    this.#sdl = supergraphSdl;
  }

  /** The plan of the only operation in `text`. Throws if there is none. */
  plan(text: string): PlanNode {
    this.#read ??= federatedGraph(this.#sdl);
    const operation = operationIn(parse(text, { noLocation: true }).definitions);
    return new Planning(this.#read).plan(operation);
  }
}

/** An object, or all objects of a type at a path, in a request. */
interface Position {
  readonly type: string;
  readonly graph: string;
  /** Its type in that subgraph: the same, or an interface. */
  readonly via: string;
  readonly piece: Piece;
  /** Without a condition on the object itself. */
  readonly at: readonly PathSegment[];
  readonly path: readonly PathSegment[];
  readonly provided: readonly SelectionNode[];
  /** `Type.field`s whose requirements are being planned. */
  readonly requiring: ReadonlySet<string>;
  /** Routes from here, computed on demand. */
  readonly routes: { known?: Routes };
}

type Base = Pick<Position, 'graph' | 'piece' | 'at' | 'provided' | 'requiring'>;

/** Keyed by subgraph and its name for the object. */
type Routes = ReadonlyMap<string, Route>;

/** The requirements of a request to the subgraph. */
interface Route {
  readonly graph: string;
  readonly via: string;
  readonly key: readonly RequiredSelection[];
  readonly found: Found;
}

interface Found {
  /** Selections of the object, in the request that contains it. */
  readonly asked: PlannedSelections;
  /** More requests. */
  readonly pieces: readonly Piece[];
  /** Selections that were not found. */
  readonly left: readonly SelectionNode[];
}

const typename: FieldNode = { kind: Kind.FIELD, name: { kind: Kind.NAME, value: '__typename' } };

class Planning {
  readonly #graph: FederatedGraph;
  /** Names of required fields with arguments. */
  readonly #aliases = new Map<string, string>();
  #left = mostSteps;

  constructor(graph: FederatedGraph) {
    this.#graph = graph;
  }

  plan({ operation: kind, selectionSet, variableDefinitions = [] }: OperationDefinitionNode): PlanNode {
    const root = this.#graph.root(kind);
    const variables = new Map(variableDefinitions.map((each) => [each.variable.name.value, print(each)]));
    const pieces = new Set<Piece>();
    let open: readonly FieldNode[] = fieldsOf(selectionSet.selections, () => true);
    const ways = [...this.#graph.names.keys()].map((graph) => ({ graph, before: 0 }));
    for (const { graph } of this.#ordered(ways, root, open)) {
      const piece: Piece = { graph, path: [], entity: undefined, asked: emptySelections(), after: [] };
      const place = { type: root, graph, via: root, piece, at: [], path: [], provided: [] };
      const found = this.#askedHere({ ...place, requiring: new Set(), routes: {} }, open);
      if (isEmpty(found.asked)) continue;
      addSelections(piece.asked, found.asked);
      for (const each of [piece, ...found.pieces]) pieces.add(each);
      open = found.left;
      // Each field of a mutation is executed once.
      if (kind !== 'query' && open.some((field) => piece.asked.fields.has(responseName(field)))) break;
    }
    if (open.length > 0) throw new Error(`no subgraph for ${open.map((each) => print(each)).join(' ')}`);
    return planOf(pieces, { kind, root, variables }, this.#graph);
  }

  /** Fields that the position's subgraph resolves at that place. */
  #askedHere(position: Position, fields: readonly FieldNode[]): Found & { readonly left: readonly FieldNode[] } {
    const asked = emptySelections();
    const pieces: Piece[] = [];
    const left: FieldNode[] = [];
    for (const field of fields) {
      const place = this.#placeHere(position, field);
      const found = place && this.#ask(position, place, field);
      if (found === undefined) left.push(field);
      else {
        addSelections(asked, found.asked);
        pieces.push(...found.pieces);
        left.push(...found.left);
      }
    }
    return { asked, pieces, left };
  }

  #placeHere(position: Position, { name: { value: name } }: FieldNode): FieldPlace | undefined {
    const { type, graph, via } = position;
    // The objects of an interface may get the field from another subgraph.
    if (!this.#graph.isObjectIn(graph, via)) return undefined;
    return this.#graph
      .places(type, name)
      .find(
        (place) =>
          place.graph === graph &&
          place.via === via &&
          place.requires === undefined &&
          (!place.isExternal || this.#provided(position).some(isNamed(name))),
      );
  }

  /** Fields that are resolved although they are external, including those of keys. */
  #provided({ type, graph, via, provided }: Position): readonly FieldNode[] {
    return fieldsOf([...provided, ...this.#graph.inKeys(graph, via)], (each) => this.#graph.fits(each, type));
  }

  #ask(position: Position, place: FieldPlace, field: FieldNode): Found & { readonly left: readonly FieldNode[] } {
    this.#step(position);
    const { graph, piece, path, requiring } = position;
    const [name, internal] = [field.name.value, responseName(field)];
    const { selectionSet, ...bare } = field;
    const head = print(bare).replace(/^(\w+): /, '$1:');
    const asked = emptySelections();
    if (selectionSet === undefined) {
      asked.fields.set(internal, { name, head, below: undefined });
      return { asked, pieces: [], left: [] };
    }
    const below = this.#provided(position).filter(isNamed(name));
    const found = this.#below(baseOf(place.type), selectionSet.selections, {
      ...{ graph, piece, requiring, at: [...path, { Field: internal }, ...listsOf(place.type)] },
      provided: [
        ...below.flatMap((each) => each.selectionSet?.selections ?? []),
        ...(place.provides?.selections ?? []),
      ],
    });
    if (isEmpty(found.asked) && found.left.length > 0) return { asked, pieces: [], left: [field] };
    asked.fields.set(internal, { name, head, below: found.asked });
    const left = found.left.length === 0 ? [] : [{ ...field, selectionSet: selectionSetOf(found.left) }];
    return { asked, pieces: found.pieces, left };
  }

  /** Selections of the objects that a field returns. */
  #below(type: string, selections: readonly SelectionNode[], base: Base): Found {
    if (this.#graph.isObjectIn(base.graph, type))
      return this.#resolve({ ...base, type, via: type, path: base.at, routes: {} }, selections);
    const asked = emptySelections();
    const pieces: Piece[] = [];
    const left: InlineFragmentNode[] = [];
    const members = this.#graph.membersIn(base.graph, type);
    if (members.length === 0 && !this.#isNull(base.graph, type, selections)) return { asked, pieces, left: selections };
    for (const member of members) {
      const path = [...base.at, { TypeCondition: [member] }];
      const found = this.#resolve({ ...base, type: member, via: member, path, routes: {} }, selections);
      if (!isEmpty(found.asked)) asked.conditions.set(member, found.asked);
      pieces.push(...found.pieces);
      if (found.left.length > 0) left.push(conditionOn(member, found.left));
    }
    if (isEmpty(asked) && left.length > 0) return { asked, pieces: [], left: selections };
    asked.fields.set('__typename', { name: '__typename', head: '__typename', below: undefined });
    return { asked, pieces, left };
  }

  /** Whether an interface without objects in a subgraph is null: other subgraphs have objects of it, or this one has all requested fields. */
  #isNull(graph: string, type: string, selections: readonly SelectionNode[]): boolean {
    const isHere = ({ name: { value } }: FieldNode) =>
      value === '__typename' || this.#graph.places(type, value).some((place) => place.graph === graph);
    return this.#graph.hasObjects(type) || fieldsOf(selections, () => true).every(isHere);
  }

  #resolve(position: Position, selections: readonly SelectionNode[], only?: Routes): Found {
    const { type } = position;
    const isObject = this.#graph.isObject(type);
    const fields = fieldsOf(selections, (condition) => this.#graph.fits(condition, type));
    const isNamedHere = fields.some(isNamed('__typename'));
    const here = this.#askedHere(
      position,
      fields.filter((field) => !isNamed('__typename')(field)),
    );
    const asked = emptySelections();
    addSelections(asked, here.asked);
    const pieces = [...here.pieces];
    const take = (found: Found | undefined): void => {
      if (found === undefined) return;
      addSelections(asked, found.asked);
      pieces.push(...found.pieces);
    };
    let open = here.left;
    if (open.length > 0) {
      const routes = only ?? this.#routes(position);
      const ways = [...routes.values()].map((route) => ({ ...route, before: route.found.pieces.length }));
      for (const route of this.#ordered(ways, type, open)) {
        const found = this.#entered(position, route, open);
        take(found);
        open = found?.left ?? open;
      }
      if (only === undefined) {
        const left: FieldNode[] = [];
        for (const field of open) {
          const found = this.#computed(position, field);
          take(found);
          left.push(...(found?.left ?? [field]));
        }
        open = left;
      }
    }
    if (isObject) {
      if (isNamedHere || (isEmpty(asked) && open.length === 0)) asked.fields.set('__typename', typenameField);
      return { asked, pieces, left: open };
    }
    // The subgraph does not know which objects these are.
    let concrete: readonly SelectionNode[] = [
      ...open,
      ...(isNamedHere ? [typename] : []),
      ...othersOf(selections, (condition) => this.#graph.fits(condition, type)),
    ];
    if (only === undefined && concrete.length > 0)
      for (const graph of this.#graph.interfacesOf(type)) {
        const route = this.#routes(position).get(routeId(graph, type));
        const found = route && concrete.length > 0 ? this.#identified(position, route, concrete) : undefined;
        take(found);
        concrete = found?.left ?? concrete;
      }
    if (isEmpty(asked) && concrete.length === 0) asked.fields.set('__typename', typenameField);
    return { asked, pieces, left: concrete };
  }

  /** The fields that the subgraph resolves with the key of a route, without further requirements. */
  #entered(position: Position, route: Route, fields: readonly FieldNode[]) {
    const entry = this.#entry(position, route);
    const { graph, via } = route;
    const found = this.#askedHere({ ...position, graph, via, piece: entry, provided: [] }, fields);
    return isEmpty(found.asked) ? undefined : { ...withRoute(entry, route, found), left: found.left };
  }

  /** Objects by their own types, of which the subgraph has only the interface. */
  #identified(position: Position, route: Route, selections: readonly SelectionNode[]) {
    const entry = this.#entry(position, route);
    const { graph } = route;
    const found = this.#below(position.type, selections, { ...position, graph, piece: entry, provided: [] });
    return isEmpty(found.asked) ? undefined : { ...withRoute(entry, route, found), left: found.left };
  }

  /** A field with its requirements. */
  #computed(position: Position, field: FieldNode) {
    const { type, requiring } = position;
    const id = `${type}.${field.name.value}`;
    if (requiring.has(id)) return undefined;
    for (const place of this.#graph.places(type, field.name.value)) {
      const route = this.#routes(position).get(routeId(place.graph, place.via));
      if (place.requires === undefined || route === undefined) continue;
      const { selections, required } = this.#named(place.requires);
      const needed = this.#resolve({ ...position, requiring: new Set([...requiring, id]) }, selections);
      if (needed.left.length > 0) continue;
      const all = joinedRoute(route, required, needed);
      const entry = this.#entry(position, all);
      const { graph, via } = place;
      const found = this.#ask({ ...position, graph, via, piece: entry, provided: [] }, place, field);
      if (!isEmpty(found.asked)) return { ...withRoute(entry, all, found), left: found.left };
    }
    return undefined;
  }

  #entry({ type, at, piece }: Position, { graph, via, key, found }: Route): Piece {
    const entity = { type, via, requires: key };
    return { graph, path: at, entity, asked: emptySelections(), after: [piece, ...found.pieces] };
  }

  /** The subgraphs that can be entered, beginning with the fewest preceding requests. */
  #routes(position: Position): Routes {
    const { routes, type } = position;
    if (routes.known !== undefined) return routes.known;
    const known = new Map<string, Route>();
    routes.known = known;
    for (;;) {
      const next = [...this.#graph.names.keys()].flatMap((graph) =>
        [...Map.groupBy(this.#graph.keys(type, graph), ({ via }) => via)].flatMap(([via, keys]) => {
          if (known.has(routeId(graph, via))) return [];
          const found = keys.flatMap((key) => this.#withKey(position, graph, key, new Map(known)));
          return found.toSorted((one, other) => one.found.pieces.length - other.found.pieces.length).slice(0, 1);
        }),
      );
      if (next.length === 0) return known;
      for (const route of next) known.set(routeId(route.graph, route.via), route);
    }
  }

  #withKey(position: Position, graph: string, { via, fields }: EntityKey, routes: Routes): readonly Route[] {
    const { selections, required } = this.#named(fields);
    const found = this.#resolve(position, selections, routes);
    return found.left.length === 0 ? [{ graph, via, key: required, found }] : [];
  }

  /** Subgraphs that resolve more of the fields come first, then those that need fewer preceding requests. */
  #ordered<Way extends { readonly graph: string; readonly before: number }>(
    ways: readonly Way[],
    type: string,
    fields: readonly FieldNode[],
  ): readonly Way[] {
    const rated = ways.map((way) => ({ way, resolved: this.#resolvedIn(way.graph, type, fields) }));
    const wanted = rated.filter(({ resolved }) => resolved > 0);
    wanted.sort((one, other) => one.way.before - other.way.before || other.resolved - one.resolved);
    return wanted.map(({ way }) => way);
  }

  /** Number of fields that a subgraph resolves by itself. */
  #resolvedIn(graph: string, type: string, selections: readonly SelectionNode[]): number {
    let sum = 0;
    for (const selection of selections) {
      if (selection.kind === Kind.FRAGMENT_SPREAD) continue;
      const below = selection.selectionSet?.selections ?? [];
      if (selection.kind === Kind.INLINE_FRAGMENT) {
        sum += this.#resolvedIn(graph, selection.typeCondition?.name.value ?? type, below);
        continue;
      }
      const place = this.#graph.places(type, selection.name.value).find((each) => each.graph === graph);
      if (place === undefined || place.isExternal || place.requires !== undefined) continue;
      sum += 1 + this.#resolvedIn(graph, baseOf(place.type), below);
    }
    return sum;
  }

  /** A field set in its requested and in its sent form. A field with arguments has a name of its own. */
  #named({ selections }: SelectionSetNode): {
    readonly selections: readonly SelectionNode[];
    readonly required: readonly RequiredSelection[];
  } {
    const asked: SelectionNode[] = [];
    const required: RequiredSelection[] = [];
    for (const selection of selections) {
      if (selection.kind === Kind.FRAGMENT_SPREAD) continue;
      const below = selection.selectionSet && this.#named(selection.selectionSet);
      if (selection.kind === Kind.INLINE_FRAGMENT) {
        const condition = selection.typeCondition?.name.value;
        asked.push({ ...selection, selectionSet: selectionSetOf(below?.selections ?? []) });
        if (condition === undefined) required.push(...(below?.required ?? []));
        else required.push({ kind: 'InlineFragment', typeCondition: condition, selections: below?.required ?? [] });
        continue;
      }
      const { name, arguments: given = [] } = selection;
      const alias = this.#aliasOf(name.value, given);
      const isAbstract = selection.selectionSet?.selections.some(({ kind }) => kind === Kind.INLINE_FRAGMENT);
      const named: FieldNode =
        alias === name.value ? selection : { ...selection, alias: { kind: Kind.NAME, value: alias } };
      if (below === undefined) {
        asked.push(named);
        required.push({ kind: 'Field', name: alias, alias: name.value });
        continue;
      }
      asked.push({
        ...named,
        selectionSet: selectionSetOf(isAbstract ? [typename, ...below.selections] : below.selections),
      });
      const inside = isAbstract ? [{ kind: 'Field', name: '__typename' } as const, ...below.required] : below.required;
      required.push({ kind: 'Field', name: alias, alias: name.value, selections: inside });
    }
    return { selections: asked, required };
  }

  #aliasOf(name: string, given: readonly ArgumentNode[]): string {
    if (given.length === 0) return name;
    const id = `${name}(${given.map((each) => print(each)).join()})`;
    const alias = this.#aliases.get(id) ?? `_r${this.#aliases.size + 1}`;
    this.#aliases.set(id, alias);
    return alias;
  }

  #step({ path }: Position): void {
    this.#left -= 1;
    if (this.#left < 0 || path.length > deepest) throw new Error('it has too many steps');
  }
}

function routeId(graph: string, via: string): string {
  return `${graph} ${via}`;
}

const typenameField = { name: '__typename', head: '__typename', below: undefined };

function operationIn(definitions: readonly DefinitionNode[]): OperationDefinitionNode {
  const operation = definitions.find((each) => each.kind === Kind.OPERATION_DEFINITION);
  if (operation === undefined) throw new Error('there is no operation');
  return operation;
}

/** The request that enters a subgraph, with its preceding requests. */
function withRoute(entry: Piece, { found: before }: Route, found: Found): Omit<Found, 'left'> {
  addSelections(entry.asked, found.asked);
  const asked = emptySelections();
  addSelections(asked, before.asked);
  asked.fields.set('__typename', typenameField);
  return { asked, pieces: [...before.pieces, entry, ...found.pieces] };
}

function joinedRoute({ graph, via, key, found }: Route, required: readonly RequiredSelection[], needed: Found): Route {
  const asked = emptySelections();
  for (const each of [found.asked, needed.asked]) addSelections(asked, each);
  return {
    ...{ graph, via, key: [...key, ...required] },
    found: { asked, pieces: [...found.pieces, ...needed.pieces], left: [] },
  };
}

/** Includes fields under conditions that always hold. Joins fields with the same name. */
function fieldsOf(selections: readonly SelectionNode[], holds: (condition: string) => boolean): readonly FieldNode[] {
  const fields = new Map<string, FieldNode>();
  const add = (field: FieldNode): void => {
    const known = fields.get(responseName(field));
    const below = [...(known?.selectionSet?.selections ?? []), ...(field.selectionSet?.selections ?? [])];
    const isLeaf = field.selectionSet === undefined;
    fields.set(responseName(field), isLeaf ? field : { ...field, selectionSet: selectionSetOf(below) });
  };
  const look = (each: SelectionNode): void => {
    if (each.kind === Kind.FIELD) add(each);
    if (each.kind !== Kind.INLINE_FRAGMENT) return;
    const condition = each.typeCondition?.name.value;
    if (condition === undefined || holds(condition)) each.selectionSet.selections.forEach(look);
  };
  selections.forEach(look);
  return [...fields.values()];
}

/** Fields under conditions that may not hold. */
function othersOf(
  selections: readonly SelectionNode[],
  holds: (condition: string) => boolean,
): readonly InlineFragmentNode[] {
  return selections.flatMap((each) => {
    if (each.kind !== Kind.INLINE_FRAGMENT) return [];
    const condition = each.typeCondition?.name.value;
    return condition === undefined || holds(condition) ? othersOf(each.selectionSet.selections, holds) : [each];
  });
}

function responseName({ alias, name }: FieldNode): string {
  return (alias ?? name).value;
}

function isNamed(wanted: string): (field: FieldNode) => boolean {
  return ({ name }) => name.value === wanted;
}

function selectionSetOf(selections: readonly SelectionNode[]): SelectionSetNode {
  return { kind: Kind.SELECTION_SET, selections };
}

function conditionOn(type: string, selections: readonly SelectionNode[]): InlineFragmentNode {
  const typeCondition = { kind: Kind.NAMED_TYPE, name: { kind: Kind.NAME, value: type } } as const;
  return { kind: Kind.INLINE_FRAGMENT, typeCondition, selectionSet: selectionSetOf(selections) };
}

function listsOf(type: string): readonly '@'[] {
  return [...type.matchAll(/\[/g)].map(() => '@');
}
