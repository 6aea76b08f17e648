// The drivers that this relay has, by name.

import type { Driver } from './driver.ts';
import { linuxNftables } from './linux-nftables/driver.ts';

export const drivers: ReadonlyMap<string, Driver> = new Map([linuxNftables].map((driver) => [driver.name, driver]));
