// FRRouting 8.4 and later behind OpenSSH, through its shell vtysh. The account must be in FRR's group frrvty. A call hands its
// lines to vtysh as one file. Then it reads the configuration back, which alone proves whether the lines were taken.
//
// FRR keeps no comment with a static route, a prefix list's entry or an instance of BGP. So unknown calls on these objects are
// settled only after quietUntil. A neighbour and an entry of a route map have a description with the call's mark.

import { defineDriver } from '../define-driver.ts';
import type { DriverOperation } from '../driver.ts';
import { bgp, bgpCreate, bgpDelete, bgpList, bgpNeighbor, bgpNeighborCreate, bgpNeighborDelete } from './bgp.ts';
import { prefixListEntry, prefixListEntryCreate, prefixListEntryDelete, prefixListList } from './prefix-lists.ts';
import { routeMapEntry, routeMapEntryCreate, routeMapEntryDelete, routeMapList } from './route-maps.ts';
import { configSave, health, routeGet, routeList, sessionGet, sessionList, systemInfo } from './shows.ts';
import { staticRoute, staticRouteCreate, staticRouteDelete, staticRouteList } from './static-routes.ts';
import { typedCalls } from './typed-calls.ts';
import { typedObjects } from './typed-objects.ts';

const operations: readonly DriverOperation[] = [
  ...[systemInfo, routeList, routeGet, staticRouteList, staticRouteCreate, staticRouteDelete],
  ...[bgpList, bgpCreate, bgpDelete, bgpNeighborCreate, bgpNeighborDelete, sessionList, sessionGet],
  ...[prefixListList, prefixListEntryCreate, prefixListEntryDelete],
  ...[routeMapList, routeMapEntryCreate, routeMapEntryDelete, configSave],
];

export const frr = defineDriver({
  name: 'frr',
  family: 'ROUTER',
  summary: 'FRRouting, over SSH (vtysh).',
  versions: 'FRR 8.4 and later',
  triedAgainst: 'real FRR 8.4',
  ports: { ssh: 22 },
  credentialFields: ['username', 'password', 'privateKey', 'passphrase'],
  checks: 'the words of its lines alone: not values, and not whether what they name exists (vtysh -C)',
  operations,
  resources: {
    'static-route': staticRoute,
    ...{ bgp, 'bgp-neighbor': bgpNeighbor },
    'prefix-list-entry': prefixListEntry,
    'route-map-entry': routeMapEntry,
  },
  ownership: {
    ...{ 'static-route': { by: 'SETTINGS' }, 'prefix-list-entry': { by: 'SETTINGS' } },
    ...{ 'bgp-neighbor': { by: 'MARK' }, 'route-map-entry': { by: 'MARK' } },
    bgp: {
      by: 'KEY',
      because: 'a VRF has one instance, a creation leaves an existing one alone, and no mapping deletes it',
    },
    configuration: { by: 'KEY', because: 'a router has one' },
  },
  health,
  typed: typedCalls,
  objects: typedObjects,
});
