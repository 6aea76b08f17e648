// The drivers that this relay has, by name.

import type { Driver } from './driver.ts';
import { f5BigIp } from './f5-bigip/driver.ts';
import { fortios } from './fortios/driver.ts';
import { frr } from './frr/driver.ts';
import { linuxIproute2 } from './linux-iproute2/driver.ts';
import { linuxIptables } from './linux-iptables/driver.ts';
import { linuxNftables } from './linux-nftables/driver.ts';
import { modSecurity } from './modsecurity/driver.ts';
import { neo } from './neo/driver.ts';
import { netconf } from './netconf/driver.ts';
import { neutron } from './neutron/driver.ts';
import { onyx } from './onyx/driver.ts';
import { openVswitch } from './openvswitch/driver.ts';

const all: readonly Driver[] = [
  f5BigIp,
  fortios,
  frr,
  linuxIproute2,
  linuxIptables,
  linuxNftables,
  modSecurity,
  neo,
  netconf,
  neutron,
  onyx,
  openVswitch,
];

export const drivers: ReadonlyMap<string, Driver> = new Map(all.map((driver) => [driver.name, driver]));
