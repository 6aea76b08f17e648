// The domains of the start page: where each is shown, how its tile is read, and how its first object is created.

import {
  StartAlertsDocument,
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
import {
  alertsTile,
  gslbTile,
  hostsTile,
  loadBalancerTile,
  objectsTile,
  relayTile,
  type TileContent,
} from './tiles.ts';

interface Asked {
  /** Whether the viewer is an administrator. */
  readonly admin: boolean;
  /** Whether the last 24 hours are read. */
  readonly hours: boolean;
}

export interface DomainRow {
  readonly name: Domain;
  readonly title: string;
  readonly read: (requester: Requester, asked: Asked) => Promise<TileContent>;
  /** Where one creates the first of its objects. Undefined: on the command line only. */
  readonly create?: { readonly label: string; readonly href: string };
  /** Default: every deployment has it. */
  readonly isPresent?: (requester: Requester) => Promise<boolean>;
}

const domainRows: readonly DomainRow[] = [
  {
    name: 'alerts',
    title: 'Alerts',
    read: async (requester) => alertsTile(await requester.request(StartAlertsDocument, {})),
    create: { label: 'Create a rule', href: newLink('AlertRule') },
  },
  {
    name: 'relay',
    title: 'Relay',
    read: async (requester, { hours }) => relayTile(await requester.request(StartRelayDocument, { hours })),
    create: { label: 'Register a backend', href: '/register' },
  },
  {
    name: 'loadbalancer',
    title: 'Load balancers',
    read: async (requester, { hours }) =>
      loadBalancerTile(await requester.request(StartLoadbalancerDocument, { hours })),
    create: { label: 'Create a load balancer', href: newLink('LoadBalancer') },
  },
  {
    name: 'gslb',
    title: 'GSLBs',
    read: async (requester, { hours }) => gslbTile(await requester.request(StartGslbDocument, { hours })),
    create: { label: 'Create a name', href: newLink('Gslb') },
    isPresent: hasGslb,
  },
  {
    name: 'objects',
    title: 'Object storage',
    read: async (requester, asked) => objectsTile(await requester.request(StartObjectsDocument, { ...asked })),
    create: { label: 'Create a container', href: newLink('ObjectContainer') },
    isPresent: hasObjects,
  },
  {
    name: 'hosts',
    title: 'Hosts',
    read: async (requester, { hours }) => hostsTile(await requester.request(StartHostsDocument, { hours })),
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
