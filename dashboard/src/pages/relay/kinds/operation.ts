// The operations: the newest of all, and those found by a search. Unknown outcomes are dropped last.
import {
  type OperationFieldsFragment,
  OperationFieldsFragmentDoc,
} from '../../../../../generated/dashboard/graphql.ts';
import type { EntityKind } from '../../../live/entity-kind.ts';
import { mergeVersions } from '../../../live/merge.ts';

export type Operation = OperationFieldsFragment;
export type OperationState = Operation['state'];

/** In the order of the page's buttons. */
export const operationStates = [
  'PENDING',
  'SENT',
  'ACCEPTED',
  'UNKNOWN',
  'FAILED',
  'SUCCEEDED',
  'REJECTED',
] as const satisfies readonly OperationState[];

export const maxOperations = 500;

export const operationKind: EntityKind<Operation> = {
  typename: 'RelayOperation',
  fragment: OperationFieldsFragmentDoc,
  openParameter: 'operation',
  isReadAgain: true,
  plainChange: 'relayOperation.state',
  merge(known, news, prefer) {
    const merged = mergeVersions(known, news);
    if (merged.size <= maxOperations) return merged;
    const rank = (operation: Operation): number => (operation.state === 'UNKNOWN' ? 0 : prefer(operation) ? 1 : 2);
    const kept = [...merged.values()].sort((a, b) => rank(a) - rank(b) || newestFirst(a, b)).slice(0, maxOperations);
    return new Map(kept.map((operation) => [operation.id, operation]));
  },
  label: ({ name, backend }) => (backend === null ? name : `${name} on ${backend.name}`),
};

/** Newest first; ids are ordered by time, which resolves ties. */
export function newestFirst(a: Operation, b: Operation): number {
  if (a.createdAt !== b.createdAt) return a.createdAt < b.createdAt ? 1 : -1;
  return a.id < b.id ? 1 : -1;
}
