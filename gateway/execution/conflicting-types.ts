// Requests of the planner (0.0.38) that a subgraph refuses: they ask objects of two types for fields with the same name and different types, or an
// object of one type for a field of another.
import { type FieldNode, Kind, parse, type SelectionSetNode } from 'graphql';
import { baseOf, type FederatedGraph, federatedGraph } from './federated-graph.ts';
import { fragmentsIn, type PlanFragments, requestsIn } from './plan-requests.ts';
import type { PlanNode } from './planner.ts';

interface Selected {
  readonly type: string;
  readonly set: SelectionSetNode;
}

export class ConflictingTypes {
  readonly #sdl: string;
  #read: FederatedGraph | undefined;

  constructor(supergraphSdl: string) {
    this.#sdl = supergraphSdl;
  }

  /** The first name in a plan, with its subgraph. Undefined if there is none. */
  askedIn(plan: PlanNode): string | undefined {
    for (const { serviceName, operation } of requestsIn(plan)) {
      if (!operation.includes('...')) continue;
      this.#read ??= federatedGraph(this.#sdl);
      const { definitions } = parse(operation, { noLocation: true });
      const [graph] = [...this.#read.names].find(([, name]) => name === serviceName) ?? [''];
      const look = new Look(this.#read, graph, fragmentsIn(definitions));
      for (const definition of definitions) {
        if (definition.kind !== Kind.OPERATION_DEFINITION) continue;
        const found = look.in([{ type: this.#read.root(definition.operation), set: definition.selectionSet }]);
        if (found !== undefined) return `${found} of ${serviceName}`;
      }
    }
    return undefined;
  }
}

class Look {
  readonly #graph: FederatedGraph;
  readonly #subgraph: string;
  readonly #fragments: PlanFragments;
  /** A condition that no object at its place fulfils. */
  #impossible: string | undefined;

  constructor(graph: FederatedGraph, subgraph: string, fragments: PlanFragments) {
    this.#graph = graph;
    this.#subgraph = subgraph;
    this.#fragments = fragments;
  }

  in(all: readonly Selected[]): string | undefined {
    const fields = all.flatMap((each) => this.#fields(each));
    for (const [name, same] of Map.groupBy(fields, ({ node }) => (node.alias ?? node.name).value)) {
      const types = same.map(({ type, node }) => this.#graph.typeIn(this.#subgraph, type, node.name.value));
      if (new Set(types.map((type) => type && this.#graph.shapeOf(type))).size > 1) return name;
      const below = same.flatMap(({ node }, index) =>
        node.selectionSet === undefined ? [] : [{ type: baseOf(types[index] ?? ''), set: node.selectionSet }],
      );
      const found = this.in(below);
      if (found !== undefined) return found;
    }
    return this.#impossible;
  }

  #fields({ type, set }: Selected): readonly { readonly type: string; readonly node: FieldNode }[] {
    return set.selections.flatMap((node) => {
      if (node.kind === Kind.FIELD) return [{ type, node }];
      const fragment =
        node.kind === Kind.INLINE_FRAGMENT
          ? { type: node.typeCondition?.name.value ?? type, selections: node.selectionSet }
          : this.#fragments.get(node.name.value);
      if (fragment === undefined) return [];
      const isOther = fragment.type !== type && this.#graph.isObject(type) && this.#graph.isObject(fragment.type);
      if (isOther) this.#impossible ??= fragment.type;
      return this.#fields({ type: fragment.type, set: fragment.selections });
    });
  }
}
