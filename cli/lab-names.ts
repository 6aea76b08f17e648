// Names of the lab's devices and troubles on the command line.
import { type DeviceName, deviceNames, isDeviceName, isTrouble, type Trouble, troubles } from '../lab/device.ts';
import { UsageError } from './failures.ts';
import { one } from './option.ts';

export const labOption = one('NAMES', 'Parts of the lab from now on, such as firewall,fortigate, or all.', readDevices);

export function readDevice(name: string): DeviceName {
  if (isDeviceName(name)) return name;
  throw new UsageError(`'${name}' is not a part of the lab: one of ${deviceNames.join(', ')}`);
}

export function readTrouble(name: string): Trouble {
  if (isTrouble(name)) return name;
  throw new UsageError(`'${name}' is not a trouble: one of ${troubles.join(', ')}`);
}

function readDevices(given: string, option: string): readonly DeviceName[] {
  if (given === 'all') return deviceNames;
  const names = given.split(',');
  const wrong = names.find((name) => !isDeviceName(name));
  if (wrong !== undefined)
    throw new UsageError(`${option}: '${wrong}' is not a part of the lab: all, or some of ${deviceNames.join(',')}`);
  return names.filter(isDeviceName);
}
