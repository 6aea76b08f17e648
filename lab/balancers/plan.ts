// The members of the device `balancers` and their addresses: one /24 of 198.19.0.0/16, which RFC 2544 reserves for tests, as root; without
// root the same in 127.0.0.0/8.

export const hostNames = ['host1', 'host2'] as const;
export const webNames = ['web1', 'web2', 'web3'] as const;
export const clientName = 'client';
/** Nodes on a host: its ranges have 29 addresses. */
export const hostRoom = 28;
type HostName = (typeof hostNames)[number];

interface HostPlan {
  readonly name: HostName;
  readonly address: string;
  readonly publicRange: string;
  readonly managementRange: string;
  /** Its end of the tunnels, in a network between hosts only. */
  readonly tunnelAddress: string;
}

export interface Plan {
  /** The first 24 bits, as `198.19.7`. */
  readonly net: string;
  /** This machine's own address, at which the control plane and the DNS server are reachable for them. */
  readonly machine: string;
  readonly client: string;
  readonly webs: readonly { readonly name: string; readonly address: string; readonly port: number }[];
  readonly hosts: readonly [HostPlan, HostPlan];
}

/** The addresses on the wire are in the lower quarter of the block. */
export const wirePrefix = 26;
export const tunnelPrefix = 28;

export function planOf(net: string, webPort = 80): Plan {
  return {
    net,
    machine: `${net}.1`,
    client: `${net}.3`,
    webs: webNames.map((name, index) => ({ name, address: `${net}.${21 + index}`, port: webPort })),
    hosts: [
      {
        ...{ name: 'host1', address: `${net}.11`, tunnelAddress: `${net}.225` },
        ...{ publicRange: `${net}.64/27`, managementRange: `${net}.96/27` },
      },
      {
        ...{ name: 'host2', address: `${net}.12`, tunnelAddress: `${net}.226` },
        ...{ publicRange: `${net}.128/27`, managementRange: `${net}.160/27` },
      },
    ],
  };
}
