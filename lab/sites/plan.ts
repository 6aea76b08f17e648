// The members of the device `sites` and their addresses: one /24 of 198.19.0.0/16 as root; without root the same in 127.78.0.0/16.

export const siteNames = ['eu', 'us', 'ap'] as const;
export const nameServerNames = ['ns1', 'ns2'] as const;
export type SiteName = (typeof siteNames)[number];

export interface SitePlan {
  readonly name: SiteName;
  readonly address: string;
  readonly web: string;
  readonly checker: string;
}

export interface Plan {
  /** The first 24 bits, as `198.19.7`. */
  readonly net: string;
  /** This machine's own address as root, at which the control plane is reachable for them. */
  readonly machine: string;
  /** Source address of this machine's queries to the name servers: a client in eu. */
  readonly clients: string;
  readonly webPort: number;
  readonly dnsPort: number;
  readonly sites: readonly SitePlan[];
  readonly nameServers: readonly { readonly name: string; readonly address: string }[];
  /** A PowerDNS, as operators may already have one. */
  readonly powerdns: { readonly name: string; readonly address: string };
}

/** Location of each vantage point, in degrees. */
export const places: Readonly<Record<SiteName, { readonly latitude: number; readonly longitude: number }>> = {
  eu: { latitude: 50.1, longitude: 8.7 },
  us: { latitude: 39, longitude: -77.5 },
  ap: { latitude: 1.35, longitude: 103.8 },
};

export const zoneName = 'gslb.lab.test';
/** A zone on PowerDNS. */
export const plainZoneName = 'plain.lab.test';
export const flavorName = 'lab';

export function planOf(net: string, isRoot: boolean): Plan {
  return {
    net,
    machine: `${net}.1`,
    clients: isRoot ? `${net}.0/24` : '127.0.0.0/8',
    webPort: isRoot ? 80 : 8080,
    dnsPort: isRoot ? 53 : 5300,
    sites: siteNames.map((name, index) => ({
      ...{ name, address: `${net}.${21 + index}`, web: `${name}-web`, checker: `${name}-checker` },
    })),
    nameServers: nameServerNames.map((name, index) => ({ name, address: `${net}.${11 + index}` })),
    powerdns: { name: 'pdns', address: `${net}.13` },
  };
}
