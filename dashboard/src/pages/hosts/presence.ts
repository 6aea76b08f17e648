// Whether the database has hosts of its own that the viewer may see. Without an answer they are not left out: their page says more.
import { HostsPresenceDocument } from '../../../../generated/dashboard/graphql.ts';
import { askedOnce } from '../../graph/asked-once.ts';
import { isSilence, keepTrying } from '../../graph/keep-trying.ts';
import type { Requester } from '../../graph/request.ts';

const reason = askedOnce((requester) => keepTrying(() => requester.request(HostsPresenceDocument, {})));

export function isPresent(requester: Requester): Promise<boolean> {
  return reason(requester).then(({ haStatusReason }) => haStatusReason === null, isSilence);
}
