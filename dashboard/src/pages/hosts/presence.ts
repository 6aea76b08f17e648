// Whether the database has hosts of its own that the viewer may see. Without an answer they are not left out: their page says more.
import { HostsPresenceDocument } from '../../../../generated/dashboard/graphql.ts';
import { isSilence, keepTrying } from '../../graph/keep-trying.ts';
import type { Requester } from '../../graph/request.ts';

export function isPresent(requester: Requester): Promise<boolean> {
  return keepTrying(() => requester.request(HostsPresenceDocument, {})).then(
    ({ haStatusReason }) => haStatusReason === null,
    isSilence,
  );
}
