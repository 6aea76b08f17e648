// Fields that the planner (0.0.38) asks of a subgraph where they are external and not provided. A subgraph answers such a field with null, without an
// error. This happens for the key of an entity with a field that has `@requires`: the planner may take a key that is missing there. It also does so
// for a field of an interface that is external in one of the objects, or that another subgraph has taken over there.
import { type FieldNode, Kind, parse, type SelectionNode, type SelectionSetNode } from 'graphql';
import { baseOf, type FederatedGraph, federatedGraph } from './federated-graph.ts';
import { fragmentsIn, type PlanFragments, requestsIn } from './plan-requests.ts';
import type { PlanNode } from './planner.ts';

interface Request {
  readonly graph: string;
  readonly fragments: PlanFragments;
}

export class ExternalFields {
  readonly #graph: FederatedGraph | undefined;
  /** Keyed by the subgraph's name. */
  readonly #graphs: ReadonlyMap<string, string>;

  constructor(supergraphSdl: string) {
    if (/external: true|override: /.test(supergraphSdl)) this.#graph = federatedGraph(supergraphSdl);
    this.#graphs = new Map([...(this.#graph?.names ?? [])].map(([graph, name]) => [name, graph]));
  }

  /** The first one in a plan, in words. Undefined if there is none. */
  askedIn(plan: PlanNode): string | undefined {
    const known = this.#graph;
    if (known === undefined) return undefined;
    return firstOf(requestsIn(plan), ({ serviceName, operation }) => {
      const { definitions } = parse(operation, { noLocation: true });
      const request = { graph: this.#graphs.get(serviceName) ?? '', fragments: fragmentsIn(definitions) };
      const asked = firstOf(definitions, (definition) =>
        definition.kind === Kind.OPERATION_DEFINITION
          ? this.#below(known, known.root(definition.operation), definition.selectionSet, [], request)
          : undefined,
      );
      return asked === undefined ? undefined : `${asked} of ${serviceName}`;
    });
  }

  #below(
    known: FederatedGraph,
    type: string,
    { selections }: SelectionSetNode,
    provided: readonly SelectionSetNode[],
    request: Request,
  ): string | undefined {
    return firstOf(selections, (selection) => {
      if (selection.kind === Kind.FIELD) return this.#at(known, type, selection, provided, request);
      if (selection.kind === Kind.INLINE_FRAGMENT)
        return this.#below(
          known,
          selection.typeCondition?.name.value ?? type,
          selection.selectionSet,
          provided,
          request,
        );
      const fragment = request.fragments.get(selection.name.value);
      return fragment && this.#below(known, fragment.type, fragment.selections, provided, request);
    });
  }

  #at(
    known: FederatedGraph,
    type: string,
    { name: { value: name }, selectionSet }: FieldNode,
    provided: readonly SelectionSetNode[],
    request: Request,
  ): string | undefined {
    if (name === '_entities') return selectionSet && this.#below(known, '', selectionSet, [], request);
    const { graph } = request;
    const placeOf = (of: string) => known.places(of, name).find((place) => place.graph === graph);
    const place = placeOf(type);
    if (place === undefined) return undefined;
    const foundOf = (of: string) => {
      const all = [...provided.flatMap((set) => set.selections), ...known.inKeys(graph, of)];
      return providedAs(name, all, (condition) => known.fits(condition, of));
    };
    const members = known.membersIn(graph, type);
    const external = [...(members.length === 0 ? [type] : []), ...members].find(
      (of) => placeOf(of)?.isExternal !== false && foundOf(of).length === 0,
    );
    if (external !== undefined) return `${external}.${name}`;
    if (selectionSet === undefined) return undefined;
    const found = [type, ...members].flatMap(foundOf);
    const below = found.flatMap((each) => each.selectionSet ?? []);
    const own = place.provides === undefined ? [] : [place.provides];
    return this.#below(known, baseOf(place.type), selectionSet, [...below, ...own], request);
  }
}

function providedAs(
  name: string,
  selections: readonly SelectionNode[],
  fits: (condition: string) => boolean,
): readonly FieldNode[] {
  return selections.flatMap((selection) => {
    if (selection.kind === Kind.FIELD) return selection.name.value === name ? [selection] : [];
    if (selection.kind !== Kind.INLINE_FRAGMENT) return [];
    const condition = selection.typeCondition?.name.value;
    return condition === undefined || fits(condition) ? providedAs(name, selection.selectionSet.selections, fits) : [];
  });
}

function firstOf<Item>(items: Iterable<Item>, find: (item: Item) => string | undefined): string | undefined {
  for (const item of items) {
    const found = find(item);
    if (found !== undefined) return found;
  }
  return undefined;
}
