// Reads all of one operation, and again each time that a newer version of it is heard of.
import { useEffect, useState } from 'react';
import { useLiveState, useParts } from '../context.ts';
import { operationQuery } from '../graph/documents.ts';
import type { Operation, OperationDetail } from '../graph/types.ts';
import { type Failure, failureOf } from './refusal.tsx';

export interface OperationReading {
  /** The newest that is known; without its details until they are read. */
  readonly operation: Operation | null;
  readonly detail: OperationDetail | null;
  readonly isGone: boolean;
  readonly failure: Failure | null;
}

export function useOperation(id: string): OperationReading {
  const { requester, store } = useParts();
  const known = useLiveState().operations.get(id) ?? null;
  const [read, setRead] = useState<{ readonly id: string; readonly detail: OperationDetail | null } | null>(null);
  const [failure, setFailure] = useState<Failure | null>(null);
  const version = known?.version ?? 0;

  // biome-ignore lint/correctness/useExhaustiveDependencies: a new version is the reason to read again.
  useEffect(() => {
    let isCurrent = true;
    requester
      .request<{ operation: OperationDetail | null }>(operationQuery, { id })
      .then(({ operation }) => {
        if (!isCurrent) return;
        setRead({ id, detail: operation });
        setFailure(null);
        if (operation !== null) store.operations([operation]);
      })
      .catch((error: unknown) => {
        if (isCurrent) setFailure(failureOf(error));
      });
    return () => {
      isCurrent = false;
    };
  }, [id, version, requester, store]);

  const detail = read?.id === id ? read.detail : null;
  const operation = detail !== null && detail.version >= version ? detail : (known ?? detail);
  return { operation, detail, isGone: read?.id === id && detail === null && known === null, failure };
}
