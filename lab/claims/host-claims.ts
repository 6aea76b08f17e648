// Resources of a load balancer host's nodes: network namespaces that outlive its process.
import { NetnsNames } from '../../subgraphs/loadbalancer/agents/lbhost/providers/netns-names.ts';
import type { Claim } from './claims.ts';

/** `folder`: real path of the host's folder. */
export function claimsOfHost(folder: string): readonly Claim[] {
  const { switch: space } = new NetnsNames(folder);
  return [space, `${space}-`].map((what) => ({ kind: 'namespaces', what }));
}
