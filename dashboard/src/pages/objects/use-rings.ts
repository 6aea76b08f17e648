// The options with their rings, and the changes of rings: no event tells how far a change is.
import { useCallback } from 'react';
import {
  ObjectsOptionsDocument,
  ObjectsRingsDocument,
  type ObjectsRingsQuery,
} from '../../../../generated/dashboard/graphql.ts';
import { useDependencies, useLiveState } from '../../context.ts';
import { useRepeated } from '../../view/use-repeated.ts';
import type { Options } from './picture/rings-path.ts';

export type Rings = ObjectsRingsQuery;

const optionsEveryMs = 5_000;
const ringsEveryMs = 2_000;

/** Null until they are read. */
export function useOptions(): Options | null {
  const { requester } = useDependencies();
  const read = useCallback(
    async () => (await requester.request(ObjectsOptionsDocument, {})).objectOptions.nodes,
    [requester],
  );
  return useRepeated(read, optionsEveryMs);
}

/** Null until they are read, and for those who are no administrators. */
export function useRings(): Rings | null {
  const { requester } = useDependencies();
  const isAdmin = useLiveState().viewer?.admin === true;
  const read = useCallback(() => requester.request(ObjectsRingsDocument, {}), [requester]);
  return useRepeated(isAdmin ? read : null, ringsEveryMs);
}
