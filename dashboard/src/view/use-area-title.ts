// The title of an area's page counts what needs attention there, as the start page and `tidegate top` do.
import { useCallback, useMemo } from 'react';
import {
  AlertsTitleDocument,
  type AreaCountsFragment,
  GslbTitleDocument,
  HostsTitleDocument,
  LoadbalancerTitleDocument,
  ObjectsTitleDocument,
  RelayTitleDocument,
} from '../../../generated/dashboard/graphql.ts';
import { countText } from '../../../platform/attention/words.ts';
import { useDependencies, useLiveState } from '../context.ts';
import type { Requester } from '../graph/request.ts';
import { usePageTitle } from './use-page-title.ts';
import { useReading } from './use-reading.ts';

type Part = AreaCountsFragment | null | undefined;

const areas = {
  alerts: async (requester: Requester): Promise<Part> =>
    (await requester.request(AlertsTitleDocument, {})).attention?.alerts,
  relay: async (requester: Requester): Promise<Part> =>
    (await requester.request(RelayTitleDocument, {})).attention?.relay,
  loadbalancer: async (requester: Requester): Promise<Part> =>
    (await requester.request(LoadbalancerTitleDocument, {})).attention?.loadBalancing,
  gslb: async (requester: Requester): Promise<Part> => (await requester.request(GslbTitleDocument, {})).attention?.gslb,
  objects: async (requester: Requester): Promise<Part> =>
    (await requester.request(ObjectsTitleDocument, {})).attention?.objectStorage,
  hosts: async (requester: Requester): Promise<Part> =>
    (await requester.request(HostsTitleDocument, {})).attention?.database,
};

/** Absent machines and unknown outcomes have no event on every page. */
const everyMs = 15_000;

export function useAreaTitle(area: keyof typeof areas): void {
  const { requester } = useDependencies();
  const { feed } = useLiveState();
  const read = useCallback(() => areas[area](requester), [area, requester]);
  const { value, failure } = useReading(read, feed[0]?.id, everyMs);
  // After a failure, the last counts may be out of date.
  const isUnknown = failure !== null || value === null;
  const text = isUnknown ? 'not known' : (value?.counts ?? []).map(countText).join(', ');
  usePageTitle(useMemo(() => (text === '' ? [] : [text]), [text]));
}
