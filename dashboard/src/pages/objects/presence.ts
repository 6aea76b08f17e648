// Whether this deployment has object storage.
import { ObjectsPresenceDocument } from '../../../../generated/dashboard/graphql.ts';
import { hasType } from '../../graph/has-type.ts';
import type { Requester } from '../../graph/request.ts';

export function isPresent(requester: Requester): Promise<boolean> {
  return hasType(requester, ObjectsPresenceDocument);
}
