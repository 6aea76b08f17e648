// The hosts of the database, polled: most of their data comes without a status change.
import { useCallback } from 'react';
import {
  HostsMovesDocument,
  type HostsMovesQuery,
  HostsStatusDocument,
  type HostsStatusQuery,
} from '../../../../generated/dashboard/graphql.ts';
import { useDependencies, useLiveState } from '../../context.ts';
import { type Reading, useReading } from '../../view/use-reading.ts';

export type Status = NonNullable<HostsStatusQuery['haStatus']>;
export type Host = Status['hosts'][number];
export type Move = HostsMovesQuery['haMoves']['nodes'][number];

const everyMs = 2_000;
const movesEveryMs = 10_000;

/** Null: the database is on one machine. */
export function useStatus(): Reading<Status | null> {
  const { requester } = useDependencies();
  const read = useCallback(async () => {
    const { haStatus, haStatusReason } = await requester.request(HostsStatusDocument, {});
    if (haStatus === null && haStatusReason === null) throw new Error('The hosts could not be read.');
    return haStatus;
  }, [requester]);
  return useReading(read, useNews(), everyMs);
}

/** The newest first. They are read again when the move that is under way has come further. */
export function useMoves(status: Status | undefined): Reading<readonly Move[]> {
  const { requester } = useDependencies();
  const read = useCallback(async () => (await requester.request(HostsMovesDocument, {})).haMoves.nodes, [requester]);
  const { move, epoch } = status ?? {};
  return useReading(read, [useNews(), epoch, move?.id, move?.state].join(' '), movesEveryMs);
}

/** The id of the newest event of the hosts. */
function useNews(): string | undefined {
  const { feed } = useLiveState();
  return feed.find((line) => line.type === 'change' && line.change.kind.startsWith('ha.'))?.id;
}
