// The last 24 hours of the listed names, and since when they are as they are.
import { useCallback } from 'react';
import { GslbHoursDocument, type GslbHoursQuery } from '../../../../generated/dashboard/graphql.ts';
import { useDependencies, useLiveState } from '../../context.ts';
import { readPages } from '../../graph/read-pages.ts';
import { useReading } from '../../view/use-reading.ts';
import { maxPages } from './reads.ts';

export type Hours = GslbHoursQuery['gslbs']['nodes'][number]['uptime'];

/** Time passes without a change, too. */
const everyMs = 300_000;

/** By name. Undefined until it is read. */
export function useHours(): ReadonlyMap<string, Hours> | undefined {
  const { requester } = useDependencies();
  const { feed } = useLiveState();
  const news = feed.find((line) => line.type === 'change' && line.change.kind === 'gslb.operatingStatus')?.id;
  const read = useCallback(async () => {
    const { nodes } = await readPages(
      maxPages,
      null,
      async (after) => (await requester.request(GslbHoursDocument, { after })).gslbs,
    );
    return new Map(nodes.map(({ id, uptime }) => [id, uptime]));
  }, [requester]);
  return useReading(read, news, everyMs).value;
}
