// The answers of one name for clients of each region: read again after its changes, and from time to time, while they are shown.
import { useCallback } from 'react';
import { GslbAnswerForDocument, GslbClientBlocksDocument } from '../../../../../generated/dashboard/graphql.ts';
import { useDependencies } from '../../../context.ts';
import { type Reading, useReading } from '../../../view/use-reading.ts';
import type { AskedRegion } from './region-answers.ts';

const everyMs = 15_000;
/** Each costs a request. */
const mostRegions = 12;

export function useAnswers(id: string, news: string): Reading<readonly AskedRegion[]> {
  const { requester } = useDependencies();
  const read = useCallback(async () => {
    const { gslb } = await requester.request(GslbClientBlocksDocument, { id });
    const byRegion = Map.groupBy(gslb?.clientBlocks ?? [], ({ region }) => region);
    const regions = [...byRegion].slice(0, mostRegions).map(([region, blocks]) => ({
      ...{ region, cidrs: blocks.map(({ cidr }) => cidr) },
    }));
    return Promise.all(
      [...regions, { region: null, cidrs: [] }].map(async ({ region, cidrs }) => {
        const asked = await requester.request(GslbAnswerForDocument, { id, client: cidrs[0] ?? null });
        return { region, cidrs, answer: asked.gslb };
      }),
    );
  }, [requester, id]);
  return useReading(read, news, everyMs);
}
