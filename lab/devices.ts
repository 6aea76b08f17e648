// The table of the lab's devices: their requirements, the troubles that each can have, and their code, which is loaded when a device starts.

import type { DeviceName, LeftOver, StartDevice, Trouble } from './device.ts';

interface DeviceRow {
  readonly summary: string;
  /** Its namespaces need root. The others run without privileges. */
  readonly needsRoot: boolean;
  /** It has more features with root. */
  readonly prefersRoot?: true;
  readonly troubles: readonly Exclude<Trouble, 'none'>[];
  load(): Promise<StartDevice>;
  /** Undefined if everything ends with its process. */
  loadLeftOver?(): Promise<LeftOver>;
}

export const devices: Readonly<Record<DeviceName, DeviceRow>> = {
  firewall: {
    summary: 'A real Linux firewall (nftables) between two hosts.',
    needsRoot: true,
    troubles: ['hang', 'late', 'drop', 'refuse'],
    load: async () => (await import('./devices/firewall.ts')).startFirewall,
  },
  fortigate: {
    summary: 'A simulated FortiGate.',
    needsRoot: false,
    troubles: ['hang', 'late', 'drop', 'refuse', 'full'],
    load: async () => (await import('./devices/fortigate.ts')).startFortiGate,
  },
  bigip: {
    summary: 'A simulated BIG-IP.',
    needsRoot: false,
    troubles: ['hang', 'late', 'drop', 'refuse', 'full'],
    load: async () => (await import('./devices/bigip.ts')).startBigIp,
  },
  onyx: {
    summary: 'A simulated Onyx switch.',
    needsRoot: false,
    troubles: ['hang', 'late', 'drop', 'refuse', 'full'],
    load: async () => (await import('./devices/onyx.ts')).startOnyx,
  },
  neo: {
    summary: 'A simulated NEO with two switches.',
    needsRoot: false,
    troubles: ['hang', 'late', 'drop', 'refuse'],
    load: async () => (await import('./devices/neo.ts')).startNeo,
  },
  openvswitch: {
    summary: 'A real Open vSwitch.',
    needsRoot: true,
    troubles: ['hang', 'late', 'drop', 'refuse'],
    load: async () => (await import('./devices/openvswitch.ts')).startSwitchDevice,
  },
  apache: {
    summary: 'A real Apache with ModSecurity.',
    needsRoot: true,
    troubles: ['refuse'],
    load: async () => (await import('./devices/apache.ts')).startApache,
  },
  neutron: {
    summary: 'A real Neutron with Keystone. Its first start downloads them (120 MB).',
    needsRoot: false,
    troubles: ['hang', 'late', 'drop', 'refuse'],
    load: async () => (await import('./devices/neutron.ts')).startNeutronDevice,
  },
  routers: {
    summary: 'Two real routers (FRR) with a host behind each.',
    needsRoot: true,
    troubles: ['hang', 'late', 'drop', 'refuse'],
    load: async () => (await import('./devices/routers.ts')).startRoutersDevice,
    loadLeftOver: async () => (await import('./devices/routers.ts')).leftOfRouters,
  },
  balancers: {
    summary: 'Two load balancer hosts, three web servers, a DNS server and a client.',
    needsRoot: false,
    prefersRoot: true,
    troubles: [],
    load: async () => (await import('./devices/balancers.ts')).startBalancers,
    loadLeftOver: async () => (await import('./devices/balancers.ts')).leftOfBalancers,
  },
  sites: {
    summary: 'Three sites with a web server and a checker each, and two name servers.',
    needsRoot: false,
    prefersRoot: true,
    troubles: [],
    load: async () => (await import('./devices/sites.ts')).startSites,
    loadLeftOver: async () => (await import('./devices/sites.ts')).leftOfSites,
  },
  clusters: {
    summary: 'Three clusters of object storage, and one that is not linked.',
    needsRoot: true,
    troubles: [],
    load: async () => (await import('./devices/clusters.ts')).startClusters,
    loadLeftOver: async () => (await import('./devices/clusters.ts')).leftOfClusters,
  },
  inbox: {
    summary: 'An inbox for alerts by webhook and mail. Its address is a page that shows them.',
    needsRoot: false,
    troubles: ['refuse'],
    load: async () => (await import('./devices/inbox.ts')).startInbox,
  },
};

/** Whether it runs as root if root is available. */
export function runsAsRoot(name: DeviceName, hasRoot: boolean): boolean {
  return devices[name].needsRoot || (hasRoot && devices[name].prefersRoot === true);
}
