// HAProxy's tables of the nodes of one load balancer, read as often as hosts report them while something shows them.
import { useCallback } from 'react';
import { LoadbalancerStatisticsDocument } from '../../../../../generated/dashboard/graphql.ts';
import { useDependencies } from '../../../context.ts';
import { useRepeated } from '../../../view/use-repeated.ts';

import type { NodeStatistics } from './statistics-rows.ts';

const everyMs = 5_000;

/** Null until they are read. */
export function useStatistics(id: string): readonly NodeStatistics[] | null {
  const { requester } = useDependencies();
  const read = useCallback(
    async () => (await requester.request(LoadbalancerStatisticsDocument, { id })).loadBalancer?.nodes ?? [],
    [requester, id],
  );
  return useRepeated(read, everyMs);
}
