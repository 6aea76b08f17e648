// The hosts of the database, read again and again: most of what they tell comes with no status change.
import { useCallback } from 'react';
import {
  HostsStatusDocument,
  type HostsStatusQuery,
  HostsTimelineDocument,
  type HostsTimelineQuery,
} from '../../../../generated/dashboard/graphql.ts';
import { useLiveState, useParts } from '../../context.ts';
import { type Reading, useReading } from '../../view/use-reading.ts';

export type Status = HostsStatusQuery['haStatus'];
export type Host = Status['hosts'][number];
export type Change = HostsTimelineQuery['haTimeline']['nodes'][number];

const everyMs = 2_000;
const changesEveryMs = 10_000;

export function useStatus(): Reading<Status> {
  const { requester } = useParts();
  const read = useCallback(async () => (await requester.request(HostsStatusDocument, {})).haStatus, [requester]);
  return useReading(read, useNews(), everyMs);
}

/** The newest first. */
export function useChanges(): Reading<readonly Change[]> {
  const { requester } = useParts();
  const read = useCallback(
    async () => (await requester.request(HostsTimelineDocument, {})).haTimeline.nodes,
    [requester],
  );
  return useReading(read, useNews(), changesEveryMs);
}

/** The id of the newest event of the hosts. */
function useNews(): string | undefined {
  const { feed } = useLiveState();
  return feed.find((line) => line.type === 'change' && line.change.kind.startsWith('ha.'))?.id;
}
