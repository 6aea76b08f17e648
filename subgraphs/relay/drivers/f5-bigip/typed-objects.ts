// Wanted objects in the terms of the typed mutations of web application firewalls.

import type { TypedObjects } from '../driver.ts';

export const typedObjects: TypedObjects = {
  pool: (fields, { scope, key: name }) => ({ type: 'WafPool', fields: { ...fields, name, scope } }),
  'pool-member': (fields) => ({ type: 'WafPoolMember', fields }),
};
