// The requests of a plan, for checks.
import { type DefinitionNode, Kind, type SelectionSetNode } from 'graphql';
import type { BatchFetchNode, FetchNode, PlanNode } from './planner.ts';

export function requestsIn(plan: PlanNode): readonly (FetchNode | BatchFetchNode)[] {
  switch (plan.kind) {
    case 'Fetch':
    case 'BatchFetch':
      return [plan];
    case 'Flatten':
      return requestsIn(plan.node);
    case 'Subscription':
      return [plan.primary];
    case 'Sequence':
    case 'Parallel':
      return plan.nodes.flatMap(requestsIn);
  }
}

export type PlanFragments = ReadonlyMap<string, { readonly type: string; readonly selections: SelectionSetNode }>;

export function fragmentsIn(definitions: readonly DefinitionNode[]): PlanFragments {
  return new Map(
    definitions.flatMap((definition) =>
      definition.kind === Kind.FRAGMENT_DEFINITION
        ? [[definition.name.value, { type: definition.typeCondition.name.value, selections: definition.selectionSet }]]
        : [],
    ),
  );
}
