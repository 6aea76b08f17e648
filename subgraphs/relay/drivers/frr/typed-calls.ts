// The typed mutations of routers as operations of this driver.

import type { Driver, JsonValue } from '../driver.ts';
import { given } from '../json.ts';

export const typedCalls: Driver['typed'] = {
  routerStaticRouteCreate: (input) => ({ operation: 'staticRoute.create', arguments: input }),
  routerBgpNeighborCreate: ({ localAs, ...input }) => ({
    operation: 'bgpNeighbor.create',
    arguments: given({ asNumber: localAs, ...input }),
    fields: { asNumber: 'localAs' },
  }),
  routerPrefixListEntryCreate: ({ action, ...input }) => ({
    operation: 'prefixListEntry.create',
    arguments: given({ ...input, action: lower(action) }),
  }),
};

function lower(word: JsonValue | undefined): string | undefined {
  return word === undefined ? undefined : String(word).toLowerCase();
}
