// Wanted objects in the terms of the typed mutations of switch controllers.

import type { TypedObjects } from '../driver.ts';
import { typedPortVlans } from '../port-vlans.ts';

export const typedObjects: TypedObjects = {
  vlan: (fields) => ({ type: 'SwitchControllerVlan', fields }),
  port: (values) => typedPortVlans('SwitchControllerPortVlans', values),
};
