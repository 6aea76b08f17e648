// Differences that docs/graph.md names, because the planner has no plan or a wrong one. The trial counts each kind by itself, and fails for every other
// difference.
import type { ExecutionResult, GraphQLError } from 'graphql';
import { computedOfInterface } from './graph.ts';

/**
 * `unplanned`: the planner has no plan for the operation. `interfaceObjectRequires`: it does not ask for what the field of an
 * `@interfaceObject` requires, or asks the wrong subgraph for it.
 */
export type KnownGap = 'unplanned' | 'interfaceObjectRequires';

export function knownGap(operation: string, { errors = [] }: ExecutionResult, what: string): KnownGap | undefined {
  if (errors.some(({ extensions }) => extensions?.code === 'NOT_PLANNED')) return 'unplanned';
  const isAsked = new RegExp(`\\b${computedOfInterface}\\b`).test(operation);
  const isBecauseOfIt = ({ message, extensions }: GraphQLError) =>
    extensions?.code === 'INVALID_SUBGRAPH_ANSWER' || /^poison: .* is external in /.test(message);
  const isForAnotherType = what.includes('Fragment cannot be spread here');
  return isAsked && (isForAnotherType || errors.some(isBecauseOfIt)) ? 'interfaceObjectRequires' : undefined;
}
