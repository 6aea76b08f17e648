// Wanted objects in the terms of the typed mutations of routers. Entries of other YANG modules have no counterpart there.
import type { TypedObjects } from '../driver.ts';

export const typedObjects: TypedObjects = {
  'static-route': (fields) => ({ type: 'RouterStaticRoute', fields }),
};
