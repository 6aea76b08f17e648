// Reads the details of one object for its drawer, and again for each newer version. Without an answer it tries again.
import { useEffect, useState } from 'react';
import { useDependencies } from '../context.ts';
import { backoffMs, pause } from '../graph/backoff.ts';
import type { GraphqlDocument } from '../graph/request.ts';
import { type Failure, failureOf } from './refusal.tsx';

interface DetailReading<Detail> {
  /** Null until it is read, and when it is gone. */
  readonly detail: Detail | null;
  readonly isGone: boolean;
  /** The last attempt's failure. The reading is repeated automatically. */
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
  const [failed, setFailed] = useState<{ readonly id: string; readonly failure: Failure } | null>(null);

  // biome-ignore lint/correctness/useExhaustiveDependencies: a new version is the reason to read again.
  useEffect(() => {
    const left = new AbortController();
    const { signal } = left;
    const attempt = async (): Promise<void> => {
      for (let failures = 0; !signal.aborted; failures += 1) {
        try {
          const detail = Object.values(await requester.request(document, { id }))[0] ?? null;
          if (signal.aborted) return;
          setRead({ id, detail });
          setFailed(null);
          if (detail !== null) onRead?.(detail);
          return;
        } catch (error) {
          if (signal.aborted) return;
          setFailed({ id, failure: failureOf(error) });
          await pause(backoffMs(failures, Math.random()), signal);
        }
      }
    };
    void attempt();
    return () => left.abort();
  }, [document, id, version, requester, onRead]);

  const isOfThis = read?.id === id;
  return {
    detail: isOfThis ? read.detail : null,
    isGone: isOfThis && read.detail === null,
    failure: failed?.id === id ? failed.failure : null,
  };
}
