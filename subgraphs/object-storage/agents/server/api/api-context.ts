// What users' API calls need besides the request.
import type { FederationMap } from '../../../engine/federation/federation-map.ts';
import type { ServiceClient } from '../service-client.ts';

export interface ApiContext {
  readonly map: FederationMap;
  /** Resolvers of this cluster. */
  readonly resolvers: Pick<ServiceClient, 'ask'>;
}
