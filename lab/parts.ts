// The table of the lab's parts: what each needs, which troubles it can have, and its code, which is loaded when it starts.

import type { LeftOver, PartName, StartPart, Trouble } from './part.ts';

interface PartRow {
  readonly summary: string;
  /** Only root can make its namespaces. The others run without privileges. */
  readonly needsRoot: boolean;
  /** With root it is more, without it less. */
  readonly prefersRoot?: true;
  readonly troubles: readonly Exclude<Trouble, 'none'>[];
  load(): Promise<StartPart>;
  /** Undefined: everything of it ends with the process that has it. */
  loadLeftOver?(): Promise<LeftOver>;
}

export const parts: Readonly<Record<PartName, PartRow>> = {
  firewall: {
    summary: 'A real Linux firewall (nftables) between two hosts.',
    needsRoot: true,
    troubles: ['hang', 'late', 'drop', 'refuse'],
    load: async () => (await import('./parts/firewall.ts')).startFirewall,
  },
  fortigate: {
    summary: 'A simulated FortiGate.',
    needsRoot: false,
    troubles: ['hang', 'late', 'drop', 'refuse', 'full'],
    load: async () => (await import('./parts/fortigate.ts')).startFortiGate,
  },
  bigip: {
    summary: 'A simulated BIG-IP.',
    needsRoot: false,
    troubles: ['hang', 'late', 'drop', 'refuse', 'full'],
    load: async () => (await import('./parts/bigip.ts')).startBigIp,
  },
  onyx: {
    summary: 'A simulated Onyx switch.',
    needsRoot: false,
    troubles: ['hang', 'late', 'drop', 'refuse', 'full'],
    load: async () => (await import('./parts/onyx.ts')).startOnyx,
  },
  neo: {
    summary: 'A simulated NEO with two switches.',
    needsRoot: false,
    troubles: ['hang', 'late', 'drop', 'refuse'],
    load: async () => (await import('./parts/neo.ts')).startNeo,
  },
  openvswitch: {
    summary: 'A real Open vSwitch.',
    needsRoot: true,
    troubles: ['hang', 'late', 'drop', 'refuse'],
    load: async () => (await import('./parts/openvswitch.ts')).startSwitchPart,
  },
  apache: {
    summary: 'A real Apache with ModSecurity.',
    needsRoot: true,
    troubles: ['refuse'],
    load: async () => (await import('./parts/apache.ts')).startApache,
  },
  neutron: {
    summary: 'A real Neutron with Keystone. Its first start downloads them (120 MB).',
    needsRoot: false,
    troubles: ['hang', 'late', 'drop', 'refuse'],
    load: async () => (await import('./parts/neutron.ts')).startNeutronPart,
  },
  routers: {
    summary: 'Two real routers (FRR) with a host behind each.',
    needsRoot: true,
    troubles: ['hang', 'late', 'drop', 'refuse'],
    load: async () => (await import('./parts/routers.ts')).startRoutersPart,
    loadLeftOver: async () => (await import('./parts/routers.ts')).leftOfRouters,
  },
  balancers: {
    summary: 'Two load balancer hosts, three web servers, a DNS server and a client.',
    needsRoot: false,
    prefersRoot: true,
    troubles: [],
    load: async () => (await import('./parts/balancers.ts')).startBalancers,
    loadLeftOver: async () => (await import('./parts/balancers.ts')).leftOfBalancers,
  },
  sites: {
    summary: 'Three sites with a web server and a checker each, and two name servers.',
    needsRoot: false,
    prefersRoot: true,
    troubles: [],
    load: async () => (await import('./parts/sites.ts')).startSites,
    loadLeftOver: async () => (await import('./parts/sites.ts')).leftOfSites,
  },
  clusters: {
    summary: 'Three clusters of object storage, and one that is not linked.',
    needsRoot: true,
    troubles: [],
    load: async () => (await import('./parts/clusters.ts')).startClusters,
    loadLeftOver: async () => (await import('./parts/clusters.ts')).leftOfClusters,
  },
};

/** Whether it runs as root, where root is to be had. */
export function runsAsRoot(name: PartName, hasRoot: boolean): boolean {
  return parts[name].needsRoot || (hasRoot && parts[name].prefersRoot === true);
}
