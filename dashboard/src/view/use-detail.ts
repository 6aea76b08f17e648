// Reads the details of one object for its drawer, and again for each newer version.
import { useEffect, useState } from 'react';
import { useDependencies } from '../context.ts';
import type { GraphqlDocument } from '../graph/request.ts';
import { type Failure, failureOf } from './refusal.tsx';

interface DetailReading<Detail> {
  /** Null until it is read, and when it is gone. */
  readonly detail: Detail | null;
  readonly isGone: boolean;
  readonly failure: Failure | null;
}

/** `document` has one root field and takes `$id`. `onRead` must be the same in every render. */
export function useDetail<Detail extends object>(
  document: GraphqlDocument<Readonly<Record<string, Detail | null>>, { readonly id: string }>,
  id: string,
  version: number,
  onRead?: (detail: Detail) => void,
): DetailReading<Detail> {
  const { requester } = useDependencies();
  const [read, setRead] = useState<{ readonly id: string; readonly detail: Detail | null } | null>(null);
  const [failure, setFailure] = useState<Failure | null>(null);

  // biome-ignore lint/correctness/useExhaustiveDependencies: a new version is the reason to read again.
  useEffect(() => {
    let isCurrent = true;
    requester
      .request(document, { id })
      .then((data) => {
        if (!isCurrent) return;
        const detail = Object.values(data)[0] ?? null;
        setRead({ id, detail });
        setFailure(null);
        if (detail !== null) onRead?.(detail);
      })
      .catch((error: unknown) => {
        if (isCurrent) setFailure(failureOf(error));
      });
    return () => {
      isCurrent = false;
    };
  }, [document, id, version, requester, onRead]);

  const isOfThis = read?.id === id;
  return { detail: isOfThis ? read.detail : null, isGone: isOfThis && read.detail === null, failure };
}
