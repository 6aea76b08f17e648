// What the calls of users need beside the request.
import type { FederationMap } from '../federation-map.ts';
import type { ServiceClient } from '../service-client.ts';

export interface ApiGround {
  readonly map: FederationMap;
  /** Of this cluster. */
  readonly resolvers: Pick<ServiceClient, 'ask'>;
}
