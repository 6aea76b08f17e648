// The hosts of the demo of high availability, and their addresses: two with data, a witness, and the address of the primary.

export const hostNames = ['a', 'b', 'w'] as const;
export type HostName = (typeof hostNames)[number];
export const dataHosts = ['a', 'b'] as const;
export type DataHostName = (typeof dataHosts)[number];

export interface Plan {
  /** The first 24 bits of all. */
  readonly net: string;
  /** Of this machine, on which the firewall is reached. */
  readonly machine: string;
  readonly virtual: string;
  readonly hosts: Readonly<Record<HostName, string>>;
}

export const prefix = 24;
export const endpointPort = 4_000;
/** At the machine's address. */
export const firewallPort = 2_222;

export function planOf(net: string): Plan {
  const hosts = { a: `${net}.2`, b: `${net}.3`, w: `${net}.4` };
  return { net, machine: `${net}.1`, virtual: `${net}.10`, hosts };
}

export function isHaHost(text: string): text is HostName {
  return hostNames.some((each) => each === text);
}

/** What is done to one host, beside what is done to any host of the lab (part.ts). */
export const hostFaults = ['freeze', 'fill-disk', 'freeze-disk'] as const;
export type HostFault = (typeof hostFaults)[number];
export const mostSkewSeconds = 3_600;
