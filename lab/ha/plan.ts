// The hosts of the demo of high availability, and their addresses: two with data, a witness, and the address of the primary.

export const hostNames = ['a', 'b', 'w'] as const;
export type HostName = (typeof hostNames)[number];
export const dataHosts = ['a', 'b'] as const;

export interface Plan {
  /** The first 24 bits of all addresses. */
  readonly net: string;
  /** Address of this machine, on which the firewall is reachable. */
  readonly machine: string;
  readonly virtual: string;
  readonly hosts: Readonly<Record<HostName, string>>;
}

export const prefix = 24;
export const endpointPort = 4_000;
/** A port at the machine's address. */
export const firewallPort = 2_222;

export function planOf(net: string): Plan {
  const hosts = { a: `${net}.2`, b: `${net}.3`, w: `${net}.4` };
  return { net, machine: `${net}.1`, virtual: `${net}.10`, hosts };
}

export function isHaHost(text: string): text is HostName {
  return hostNames.some((each) => each === text);
}

/** Actions on one host, besides those for any host of the lab (device.ts). */
export const hostFaults = ['freeze', 'fill-disk', 'freeze-disk'] as const;
export type HostFault = (typeof hostFaults)[number];
export const mostSkewSeconds = 3_600;
