// Whether the database has hosts of its own that the viewer may see.
import { HostsPresenceDocument } from '../../../../generated/dashboard/graphql.ts';
import type { Requester } from '../../graph/request.ts';

export function isPresent(requester: Requester): Promise<boolean> {
  return requester.request(HostsPresenceDocument, {}).then(
    ({ haStatusReason }) => haStatusReason === null,
    () => false,
  );
}
