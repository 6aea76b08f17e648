// Wanted objects in the terms of the typed mutations of routers. A route in another table than the main one has no counterpart there.

import type { TypedObjects } from '../driver.ts';

const mainTable = 'table 254';

export const typedObjects: TypedObjects = {
  'static-route': ({ metric: distance, ...fields }, { scope }) =>
    scope === mainTable ? { type: 'RouterStaticRoute', fields: { ...fields, distance } } : undefined,
};
