// Requests in which the planner (0.0.38) omits a field's requirements, for example for a field of an @interfaceObject whose object is known by its
// own type.
import { Kind, parse, type SelectionNode, type SelectionSetNode } from 'graphql';
import { baseOf, type FederatedGraph, federatedGraph } from './federated-graph.ts';
import { hasKey } from './mended-plan.ts';
import { fragmentsIn, requestsIn } from './plan-requests.ts';
import type { BatchFetchNode, FetchNode, PlanNode, RequiredSelection } from './planner.ts';

export class MissingRequirements {
  readonly #graph: FederatedGraph | undefined;

  constructor(supergraphSdl: string) {
    if (supergraphSdl.includes('requires:')) this.#graph = federatedGraph(supergraphSdl);
  }

  /** The first field in a plan, in words. Undefined if there is none. */
  askedIn(plan: PlanNode): string | undefined {
    const known = this.#graph;
    return known && requestsIn(plan).flatMap((request) => lackingIn(request, known))[0];
  }
}

function lackingIn(request: FetchNode | BatchFetchNode, known: FederatedGraph): readonly string[] {
  const { definitions } = parse(request.operation, { noLocation: true });
  const fragments = fragmentsIn(definitions);
  const [graph] = [...known.names].find(([, name]) => name === request.serviceName) ?? [];
  /** `sent`: for an entity. Other objects are sent nothing. */
  const look = (
    type: string,
    nodes: readonly SelectionNode[],
    sent?: readonly RequiredSelection[],
  ): readonly string[] =>
    nodes.flatMap((node) => {
      if (node.kind === Kind.INLINE_FRAGMENT)
        return look(node.typeCondition?.name.value ?? type, node.selectionSet.selections, sent);
      if (node.kind === Kind.FRAGMENT_SPREAD) {
        const fragment = fragments.get(node.name.value);
        return fragment === undefined ? [] : look(fragment.type, fragment.selections.selections, sent);
      }
      const [name, below] = [node.name.value, node.selectionSet?.selections ?? []];
      if (name === '_entities') return look('', below, sentFor(request, (node.alias ?? node.name).value));
      const place = known.places(type, name).find((each) => each.graph === graph);
      const lacks = place?.requires !== undefined && !isSent(place.requires, type, sent, known);
      return lacks ? [`${type}.${name} of ${request.serviceName}`] : look(baseOf(place?.type ?? ''), below);
    });
  return definitions.flatMap((definition) =>
    definition.kind === Kind.OPERATION_DEFINITION
      ? look(known.root(definition.operation), definition.selectionSet.selections)
      : [],
  );
}

/** Whether each object that can have the type is sent. */
function isSent(
  requires: SelectionSetNode,
  type: string,
  sent: readonly RequiredSelection[] | undefined,
  known: FederatedGraph,
): boolean {
  return (
    sent?.every(
      (each) =>
        each.kind !== 'InlineFragment' || !known.fits(type, each.typeCondition) || hasKey(each.selections, requires),
    ) === true
  );
}

function sentFor(request: FetchNode | BatchFetchNode, alias: string): readonly RequiredSelection[] {
  if (request.kind === 'Fetch') return request.requires ?? [];
  return request.entityBatch.aliases.filter((each) => each.alias === alias).flatMap(({ requires }) => requires ?? []);
}
