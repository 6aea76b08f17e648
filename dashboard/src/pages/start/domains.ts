// The domains of the start page: where each is shown, how its tile is read, and how its first object is created.

import {
  StartGslbDocument,
  StartHostsDocument,
  StartLoadbalancerDocument,
  StartObjectsDocument,
  StartRelayDocument,
} from '../../../../generated/dashboard/graphql.ts';
import { newLink } from '../../forms/links.ts';
import type { Requester } from '../../graph/request.ts';
import { isPresent as hasGslb } from '../gslb/presence.ts';
import { isPresent as hasHosts } from '../hosts/presence.ts';
import { isPresent as hasObjects } from '../objects/presence.ts';
import type { Domain } from './kinds.ts';
import { gslbTile, hostsTile, loadBalancerTile, objectsTile, relayTile, type TileContent } from './tiles.ts';

export interface DomainRow {
  readonly name: Domain;
  readonly title: string;
  readonly read: (requester: Requester, admin: boolean) => Promise<TileContent>;
  /** Where one creates the first of its objects. Undefined: on the command line only. */
  readonly create?: { readonly label: string; readonly href: string };
  /** Default: every deployment has it. */
  readonly isPresent?: (requester: Requester) => Promise<boolean>;
}

const dayMs = 86_400_000;
/** A certificate that ends sooner needs a person. */
const expiryDays = 14;

const domainRows: readonly DomainRow[] = [
  {
    name: 'relay',
    title: 'Relay',
    read: async (requester) => relayTile(await requester.request(StartRelayDocument, {}), Date.now()),
    create: { label: 'Register a backend', href: '/register' },
  },
  {
    name: 'loadbalancer',
    title: 'Load balancers',
    async read(requester, admin) {
      const expiresBefore = new Date(Date.now() + expiryDays * dayMs).toISOString();
      return loadBalancerTile(await requester.request(StartLoadbalancerDocument, { admin, expiresBefore }), Date.now());
    },
    create: { label: 'Create a load balancer', href: newLink('LoadBalancer') },
  },
  {
    name: 'gslb',
    title: 'GSLBs',
    read: async (requester, admin) => gslbTile(await requester.request(StartGslbDocument, { admin }), Date.now()),
    create: { label: 'Create a name', href: newLink('Gslb') },
    isPresent: hasGslb,
  },
  {
    name: 'objects',
    title: 'Object storage',
    read: async (requester, admin) => objectsTile(await requester.request(StartObjectsDocument, { admin }), Date.now()),
    create: { label: 'Create a container', href: newLink('ObjectContainer') },
    isPresent: hasObjects,
  },
  {
    name: 'hosts',
    title: 'Hosts',
    read: async (requester) => hostsTile(await requester.request(StartHostsDocument, {}), Date.now()),
    isPresent: hasHosts,
  },
];

/** What this deployment has, and the viewer may see. */
export async function presentDomains(requester: Requester): Promise<readonly DomainRow[]> {
  const found = await Promise.all(
    domainRows.map(async (row) => ((await (row.isPresent?.(requester) ?? true)) ? [row] : [])),
  );
  return found.flat();
}
