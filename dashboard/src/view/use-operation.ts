// All of one operation: the newest that is known, with its details once they are read.
import { useCallback } from 'react';
import { useLiveState, useParts } from '../context.ts';
import { operationQuery } from '../graph/documents.ts';
import type { Operation, OperationDetail } from '../graph/types.ts';
import type { Failure } from './refusal.tsx';
import { useDetail } from './use-detail.ts';

export interface OperationReading {
  readonly operation: Operation | null;
  readonly detail: OperationDetail | null;
  readonly isGone: boolean;
  readonly failure: Failure | null;
}

export function useOperation(id: string): OperationReading {
  const { store } = useParts();
  const known = useLiveState().operations.get(id) ?? null;
  const version = known?.version ?? 0;
  const take = useCallback((read: OperationDetail) => store.operations([read]), [store]);
  const { detail, isGone, failure } = useDetail<OperationDetail>(operationQuery, id, version, take);
  const operation = detail !== null && detail.version >= version ? detail : (known ?? detail);
  return { operation, detail, isGone: isGone && known === null, failure };
}
