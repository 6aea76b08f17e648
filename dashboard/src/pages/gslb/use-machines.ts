// Our own name servers and the checkers, polled: most of what they report has no status change. Only administrators may read them.
import { useCallback } from 'react';
import {
  GslbCheckersDocument,
  type GslbCheckersQuery,
  GslbNameServersDocument,
  type GslbNameServersQuery,
} from '../../../../generated/dashboard/graphql.ts';
import { useDependencies, useLiveState } from '../../context.ts';
import { useRepeated } from '../../view/use-repeated.ts';

export type NameServer = GslbNameServersQuery['gslbNameServers']['nodes'][number];
export type Checker = GslbCheckersQuery['gslbCheckers']['nodes'][number];

export interface Machines {
  /** Null until they are read. */
  readonly nameServers: readonly NameServer[] | null;
  readonly checkers: readonly Checker[] | null;
}

const everyMs = 2_000;

export function useMachines(): Machines {
  const { requester } = useDependencies();
  const { viewer } = useLiveState();
  const isAdmin = viewer?.admin === true;
  const readServers = useCallback(
    async () => (await requester.request(GslbNameServersDocument, {})).gslbNameServers.nodes,
    [requester],
  );
  const readCheckers = useCallback(
    async () => (await requester.request(GslbCheckersDocument, {})).gslbCheckers.nodes,
    [requester],
  );
  const nameServers = useRepeated(isAdmin ? readServers : null, everyMs);
  const checkers = useRepeated(isAdmin ? readCheckers : null, everyMs);
  return { nameServers, checkers };
}

export function absentOf(machines: readonly (NameServer | Checker)[] | null): number {
  return machines?.filter(({ presence }) => presence === 'ABSENT').length ?? 0;
}
