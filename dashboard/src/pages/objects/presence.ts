// Whether this deployment has object storage.
import { hasPart } from '../../graph/deployment-parts.ts';
import type { Requester } from '../../graph/request.ts';

export function isPresent(requester: Requester): Promise<boolean> {
  return hasPart(requester, 'objects');
}
