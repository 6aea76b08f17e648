// Wanted objects in the terms of the typed mutations of switches.

import type { TypedObjects } from '../driver.ts';
import { typedPortVlans } from '../port-vlans.ts';

export const typedObjects: TypedObjects = {
  port: ({ bridge, ...values }) => typedPortVlans('SwitchPortVlans', { ...values, scope: bridge }),
};
