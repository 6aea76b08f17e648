// Plans of the planner (0.0.38) that leave out a field of the operation: of two requests for the objects of an @interfaceObject it keeps the
// condition of one for the fields of both, or it joins two requests into one that sends a key which only its own answer has. The client would get a
// null in place of a value. This code follows a plan without data, and determines the fields that its requests bring, of objects of which types.
import { Kind, parse, type SelectionNode } from 'graphql';
import { baseOf, type FederatedGraph, federatedGraph } from './federated-graph.ts';
import { fragmentsIn, type PlanFragments } from './plan-requests.ts';
import type {
  BatchFetchNode,
  EntitySelection,
  FetchNode,
  PathSegment,
  PlanNode,
  RequiredSelection,
  Rewrite,
  RewriteSegment,
} from './planner.ts';

/** By type: the fields of such an object at one place of the answer. Undefined for a value without fields. */
type Brought = Map<string, Map<string, Brought | undefined>>;

interface Place {
  readonly brought: Brought;
  /** Types to examine. */
  readonly types: readonly string[];
}

interface Request {
  readonly graph: string;
  readonly fragments: PlanFragments;
  readonly selections: readonly SelectionNode[];
}

/** Limit of one plan. A larger plan is not followed to its end, and counts as complete. */
const mostSteps = 200_000;

export class UnaskedFields {
  readonly #sdl: string;

  constructor(supergraphSdl: string) {
    this.#sdl = supergraphSdl;
  }

  /** The first one in the only operation of `text`. Undefined if there is none. */
  leftOutOf(plan: PlanNode, text: string): string | undefined {
    const following = new Following(federatedGraph(this.#sdl));
    try {
      return following.leftOutOf(plan, text);
    } catch (error) {
      if (error instanceof TooLarge) return undefined;
      throw error;
    }
  }
}

class TooLarge extends Error {}

class Following {
  readonly #graph: FederatedGraph;
  #steps = 0;

  constructor(graph: FederatedGraph) {
    this.#graph = graph;
  }

  leftOutOf(plan: PlanNode, text: string): string | undefined {
    const operation = parse(text, { noLocation: true }).definitions.find(
      (each) => each.kind === Kind.OPERATION_DEFINITION,
    );
    if (operation === undefined) return undefined;
    const root = placeOf([this.#graph.root(operation.operation)]);
    this.#follow(plan, root, undefined);
    return this.#missing(operation.selectionSet.selections, root);
  }

  #follow(node: PlanNode, root: Place, path: readonly PathSegment[] | undefined): void {
    switch (node.kind) {
      case 'Sequence':
      case 'Parallel':
        for (const each of node.nodes) this.#follow(each, root, path);
        return;
      case 'Flatten':
        this.#follow(node.node, root, [...(path ?? []), ...node.path]);
        return;
      case 'Subscription':
        this.#follow(node.primary, root, path);
        return;
      case 'Fetch':
        if (path === undefined) this.#bring(root, this.#read(node), node.outputRewrites);
        else this.#entities(node, [{ ...node, alias: '_entities', paths: [path] }], root);
        return;
      case 'BatchFetch':
        this.#entities(node, node.entityBatch.aliases, root);
    }
  }

  #entities(
    node: FetchNode | BatchFetchNode,
    groups: readonly (EntitySelection & {
      readonly alias: string;
      readonly paths: readonly (readonly PathSegment[])[];
    })[],
    root: Place,
  ): void {
    const { selections, ...request } = this.#read(node);
    // Representations are made before an answer exists.
    const asked = groups.flatMap((group) => {
      const field = selections.find((each) => each.kind === Kind.FIELD && nameOf(each) === group.alias);
      const below = field?.kind === Kind.FIELD ? (field.selectionSet?.selections ?? []) : [];
      return group.paths
        .flatMap((path) => this.#at([root], path))
        .map(({ brought, types }) => {
          const sent = types.filter((type) => this.#isSent(group.requires ?? [], { brought, types: [type] }));
          return { place: { brought, types: sent }, below, rewrites: group.outputRewrites };
        });
    });
    for (const { place, below, rewrites } of asked) this.#bring(place, { ...request, selections: below }, rewrites);
  }

  #read({ serviceName, operation }: FetchNode | BatchFetchNode): Request {
    const { definitions } = parse(operation, { noLocation: true });
    const [graph = ''] = [...this.#graph.names].find(([, name]) => name === serviceName) ?? [];
    const selections = definitions.flatMap((each) =>
      each.kind === Kind.OPERATION_DEFINITION ? each.selectionSet.selections : [],
    );
    return { graph, fragments: fragmentsIn(definitions), selections };
  }

  /** The answer of a request at a place. */
  #bring({ brought, types }: Place, request: Request, rewrites: readonly Rewrite[] | null = []): void {
    const answer = placeOf(types);
    this.#answer(request.selections, answer, request);
    for (const change of rewrites ?? [])
      if ('KeyRenamer' in change) this.#rename(answer, change.KeyRenamer.path, change.KeyRenamer.renameKeyTo);
    this.#merge(brought, answer.brought);
  }

  #answer(selections: readonly SelectionNode[], { brought, types }: Place, request: Omit<Request, 'selections'>): void {
    for (const selection of selections) {
      const fragment =
        selection.kind === Kind.FRAGMENT_SPREAD
          ? request.fragments.get(selection.name.value)
          : selection.kind === Kind.INLINE_FRAGMENT
            ? { type: selection.typeCondition?.name.value, selections: selection.selectionSet }
            : undefined;
      if (fragment !== undefined) {
        const fitting = this.#fitting(types, fragment.type);
        if (fitting.length > 0) this.#answer(fragment.selections.selections, { brought, types: fitting }, request);
      }
      if (selection.kind !== Kind.FIELD) continue;
      for (const type of types) {
        this.#step();
        const fields = brought.get(type);
        const name = nameOf(selection);
        if (selection.selectionSet === undefined) {
          if (!fields?.has(name)) fields?.set(name, undefined);
          continue;
        }
        const typeThere = this.#graph.typeIn(request.graph, type, selection.name.value);
        if (typeThere === undefined) continue;
        const below = placeOf(this.#graph.objectsIn(request.graph, baseOf(typeThere)));
        this.#answer(selection.selectionSet.selections, below, request);
        const known = fields?.get(name);
        if (known === undefined) fields?.set(name, below.brought);
        else this.#merge(known, below.brought);
      }
    }
  }

  /** Two subgraphs that return the same object agree on its type. */
  #merge(target: Brought, added: Brought): void {
    for (const [type, fields] of added) {
      const known = target.get(type);
      for (const [name, below] of known === undefined ? [] : fields) {
        this.#step();
        const before = known?.get(name);
        if (before === undefined || below === undefined) known?.set(name, before ?? below);
        else {
          for (const other of before.keys()) if (!below.has(other)) before.delete(other);
          this.#merge(before, below);
        }
      }
    }
  }

  #rename({ brought, types }: Place, [segment, ...after]: readonly RewriteSegment[], to: string): void {
    if (segment === undefined) return;
    if ('TypenameEquals' in segment) {
      const fits = (type: string) => segment.TypenameEquals.some((condition) => this.#graph.fits(condition, type));
      this.#rename({ brought, types: types.filter(fits) }, after, to);
      return;
    }
    for (const type of types) {
      const fields = brought.get(type);
      if (fields === undefined || !fields.has(segment.Key)) continue;
      const below = fields.get(segment.Key);
      if (after.length > 0) {
        if (below !== undefined) this.#rename(whole(below), after, to);
        continue;
      }
      fields.set(to, below);
      fields.delete(segment.Key);
    }
  }

  #at(places: readonly Place[], path: readonly PathSegment[]): readonly Place[] {
    let at = places;
    for (const segment of path) {
      if (segment === '@') continue;
      at = at.flatMap(({ brought, types }) => {
        if ('TypeCondition' in segment) {
          const fits = (type: string) => segment.TypeCondition.some((condition) => this.#graph.fits(condition, type));
          return [{ brought, types: types.filter(fits) }];
        }
        return types.flatMap((type) => {
          this.#step();
          const below = brought.get(type)?.get(segment.Field);
          return below === undefined ? [] : [whole(below)];
        });
      });
    }
    return at;
  }

  /** Whether the objects have all fields that are sent. */
  #isSent(requires: readonly RequiredSelection[], place: Place): boolean {
    const isForIt = requires.some(
      (each) => each.kind === 'Field' || this.#fitting(place.types, each.typeCondition).length > 0,
    );
    return isForIt && this.#has(requires, place);
  }

  #has(required: readonly RequiredSelection[], { brought, types }: Place): boolean {
    return required.every((each) => {
      if (each.kind === 'InlineFragment')
        return this.#has(each.selections, { brought, types: this.#fitting(types, each.typeCondition) });
      return types.every((type) => {
        this.#step();
        const fields = brought.get(type);
        if (each.name === '__typename' || fields === undefined) return true;
        const below = fields.get(each.name);
        return fields.has(each.name) && (below === undefined || this.#has(each.selections ?? [], whole(below)));
      });
    });
  }

  #missing(selections: readonly SelectionNode[], { brought, types }: Place): string | undefined {
    for (const selection of selections) {
      if (selection.kind === Kind.INLINE_FRAGMENT) {
        const fitting = this.#fitting(types, selection.typeCondition?.name.value);
        const found = this.#missing(selection.selectionSet.selections, { brought, types: fitting });
        if (found !== undefined) return found;
      }
      if (selection.kind !== Kind.FIELD || selection.name.value === '__typename') continue;
      for (const type of types) {
        this.#step();
        const fields = brought.get(type);
        const name = nameOf(selection);
        if (fields?.has(name) === false) return `${type}.${selection.name.value}`;
        const below = fields?.get(name);
        if (below === undefined || selection.selectionSet === undefined) continue;
        const found = this.#missing(selection.selectionSet.selections, whole(below));
        if (found !== undefined) return found;
      }
    }
    return undefined;
  }

  #fitting(types: readonly string[], condition: string | undefined): readonly string[] {
    return condition === undefined ? types : types.filter((type) => this.#graph.fits(condition, type));
  }

  #step(): void {
    this.#steps += 1;
    if (this.#steps > mostSteps) throw new TooLarge();
  }
}

function nameOf({ alias, name }: Extract<SelectionNode, { readonly kind: Kind.FIELD }>): string {
  return (alias ?? name).value;
}

function placeOf(types: readonly string[]): Place {
  return { brought: new Map(types.map((type) => [type, new Map()])), types };
}

function whole(brought: Brought): Place {
  return { brought, types: [...brought.keys()] };
}
