// Wanted objects in the terms of the typed mutations of routers.

import type { TypedObjects } from '../driver.ts';

export const typedObjects: TypedObjects = {
  'static-route': (fields) => ({ type: 'RouterStaticRoute', fields }),
  'bgp-neighbor': ({ asNumber: localAs, ...fields }) => ({ type: 'RouterBgpNeighbor', fields: { ...fields, localAs } }),
  'prefix-list-entry': ({ action, ...fields }) => ({
    type: 'RouterPrefixListEntry',
    fields: { ...fields, action: String(action).toUpperCase() },
  }),
};
