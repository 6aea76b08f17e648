// One operation: the newest known version, with its details once they are read.
import { useCallback } from 'react';
import { type OperationDetailFieldsFragment, RelayOperationDocument } from '../../../../generated/dashboard/graphql.ts';
import { useEntities, usePage } from '../../context.ts';
import type { Failure } from '../../view/refusal.tsx';
import { useDetail } from '../../view/use-detail.ts';
import { type Operation, operationKind } from './kinds/operation.ts';

interface OperationReading {
  readonly operation: Operation | null;
  readonly detail: OperationDetailFieldsFragment | null;
  readonly isGone: boolean;
  readonly failure: Failure | null;
}

export function useOperation(id: string): OperationReading {
  const { store } = usePage();
  const known = useEntities(operationKind).get(id) ?? null;
  const version = known?.version ?? 0;
  const take = useCallback((read: Operation) => store.take(operationKind, [read]), [store]);
  const { detail, isGone, failure } = useDetail(RelayOperationDocument, id, version, take);
  const operation = detail !== null && detail.version >= version ? detail : (known ?? detail);
  return { operation, detail, isGone: isGone && known === null, failure };
}
