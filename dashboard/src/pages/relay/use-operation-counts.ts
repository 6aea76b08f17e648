// The number of operations in each state, as the server counts them: the page has only some. They are counted when the filters
// change, and again after changes.
import { useEffect, useRef, useState } from 'react';
import { useDependencies } from '../../context.ts';
import { isSilence } from '../../graph/keep-trying.ts';
import type { Entities } from '../../live/entity-kind.ts';
import type { RelayFilters } from './filters.ts';
import type { Operation, OperationState } from './kinds/operation.ts';
import { type OperationCount, readOperationCounts } from './reads.ts';
import { typingMs } from './use-older-operations.ts';

type OperationCounts = ReadonlyMap<OperationState, OperationCount>;

/** Not more often while operations change. */
const againMs = 2_000;
const notCounted: OperationCounts = new Map();

/** Empty until they are counted. `operations`: those known, whose change means that the counts have changed, too. */
export function useOperationCounts(
  { projectId, backendId, text }: RelayFilters,
  operations: Entities<Operation>,
): OperationCounts {
  const { requester } = useDependencies();
  const [counts, setCounts] = useState(notCounted);
  const countAgain = useRef(() => {});

  useEffect(() => {
    let isOver = false;
    let isOld = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const wait = (ms: number): void => {
      timer = setTimeout(() => void count(), ms);
    };
    const count = async (): Promise<void> => {
      isOld = false;
      try {
        const counted = await readOperationCounts(requester, { projectId, backendId, text });
        if (!isOver) setCounts(counted);
      } catch (error) {
        // The live state shows that the server is not available.
        if (isSilence(error)) isOld = true;
      }
      timer = undefined;
      if (isOld && !isOver) wait(againMs);
    };
    countAgain.current = () => {
      isOld = true;
      if (timer === undefined) wait(againMs);
    };
    setCounts(notCounted);
    wait(text === '' ? 0 : typingMs);
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }, [requester, projectId, backendId, text]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: their change is the reason to count again.
  useEffect(() => countAgain.current(), [operations]);

  return counts;
}
