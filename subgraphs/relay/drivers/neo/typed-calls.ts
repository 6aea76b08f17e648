// The typed mutations of switch controllers as operations of this driver.

import type { Driver } from '../driver.ts';

export const typedCalls: Driver['typed'] = {
  switchControllerVlanCreate: ({ vlan, name, devices }) => ({
    operation: 'vlan.create',
    arguments: { vlan, devices, ...(name === undefined ? {} : { name }) },
  }),
  switchControllerPortVlanSet: ({ device, port, mode, vlan, allowedVlans }) => ({
    operation: 'port.setVlans',
    arguments: {
      ...{ device, port, mode: String(mode).toLowerCase() },
      ...(vlan === undefined ? {} : { vlan }),
      ...(allowedVlans === undefined ? {} : { allowedVlans }),
    },
  }),
};
