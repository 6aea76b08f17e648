// Requests a second of the listed load balancers, over the last ten seconds.
import { useCallback } from 'react';
import { LoadbalancerRatesDocument } from '../../../../generated/dashboard/graphql.ts';
import { useDependencies } from '../../context.ts';
import { readPages } from '../../graph/read-pages.ts';
import { useRepeated } from '../../view/use-repeated.ts';
import { maxPages } from './reads.ts';

const everyMs = 5_000;

/** By load balancer. Load balancers without a report from any node are missing. */
type Rates = ReadonlyMap<string, number>;

export function useRates(): Rates | null {
  const { requester } = useDependencies();
  const read = useCallback(async (): Promise<Rates> => {
    const { nodes } = await readPages(
      maxPages,
      null,
      async (after) => (await requester.request(LoadbalancerRatesDocument, { after })).loadBalancers,
    );
    return new Map(
      nodes.flatMap(({ id, traffic }) =>
        traffic.length === 0
          ? []
          : [[id, traffic.reduce((sum, { requests }) => sum + Number(requests), 0) / traffic.length]],
      ),
    );
  }, [requester]);
  return useRepeated(read, everyMs);
}

/** `0`, `3.2`, `140`, `12.4 k`. */
export function formatRate(rate: number): string {
  if (rate >= 10_000) return `${(rate / 1000).toFixed(1)} k`;
  return rate >= 100 || rate === 0 ? rate.toFixed(0) : rate.toFixed(1);
}
