// The switches that NEO manages, and their form in its resources. NVIDIA NEO REST API Guide 2.7.20:
// Systems, Ports, Systems VLANs.

import type { JsonObject } from './json.ts';

export interface Port {
  /** For example `Eth1/3`. */
  readonly name: string;
  readonly number: number;
  enabled: boolean;
  mtu: number;
  speed: string;
  mode: 'Access' | 'Trunk' | 'Hybrid';
  accessVlan: number;
  readonly allowedVlans: Set<number>;
}

export interface Switch {
  readonly ip: string;
  readonly name: string;
  readonly ports: ReadonlyMap<string, Port>;
  /** Names by VLAN id; VLAN 1 always exists. */
  readonly vlans: Map<number, string>;
  /** Jobs on it fail while it is false. */
  reachable: boolean;
}

export function newSwitch(ip: string, name: string, portCount: number): Switch {
  const ports = Array.from({ length: portCount }, (_, index): [string, Port] => {
    const number = index + 1;
    const caption = `Eth1/${number}`;
    const port: Port = {
      name: caption,
      number,
      enabled: true,
      mtu: 1_500,
      speed: '100G',
      mode: 'Access',
      accessVlan: 1,
      allowedVlans: new Set(),
    };
    return [caption, port];
  });
  return { ip, name, ports: new Map(ports), vlans: new Map([[1, 'default']]), reachable: true };
}

export function showSystem({ ip, name, reachable }: Switch): JsonObject {
  return {
    id: `${ip}.system`,
    ip,
    name,
    status: reachable ? 'Communication OK' : 'Communication Error',
    healthState: reachable ? 'OK' : 'Unknown',
    profile: 'Eth Single Switch',
    vendor: 'Mellanox',
    type: 'SN2410',
    osVersion: 'X86_64 3.6.8008 2018-08-07 17:07:32 x86_64',
    serialNumber: `MT${ip.replaceAll('.', '')}`,
    mlag: null,
  };
}

export function showPort({ ip, name: systemName, vlans }: Switch, port: Port): JsonObject {
  const allowed = [...port.allowedVlans].sort((a, b) => a - b);
  const untagged = port.mode === 'Trunk' ? [] : [port.accessVlan];
  return {
    id: `${ip}.network_port.eth1.${port.number}`,
    name: port.name,
    portNumber: port.number,
    systemIP: ip,
    systemID: `${ip}.system`,
    systemName,
    protocol: 'Ethernet',
    adminState: port.enabled ? 'Enabled' : 'Disabled',
    operationalState: port.enabled ? 'UP' : 'DOWN',
    health: 'OK',
    description: '',
    mtu: port.mtu,
    activeSpeed: port.speed.replace('G', ' Gbps'),
    maxSpeed: '100 Gbps',
    supportedSpeeds: '1G,10G,25G,40G,50G,56G,100G',
    vlanMode: port.mode,
    accessVlan: port.accessVlan,
    allowedVlans: allowed,
    vlans: [...untagged, ...allowed].filter((id) => vlans.has(id)),
    lagMode: null,
    lagMembership: null,
  };
}

export function showVlan({ ip, name: systemName, ports }: Switch, vlanID: number, vlanName: string): JsonObject {
  const members = [...ports.values()].filter(
    (port) => (port.mode !== 'Trunk' && port.accessVlan === vlanID) || port.allowedVlans.has(vlanID),
  );
  return {
    id: `${ip}.vlan.${vlanID}`,
    name: vlanName,
    vlanID,
    vlanName,
    systemIP: ip,
    systemID: `${ip}.system`,
    systemName,
    portNames: members.map((port) => port.name),
    portIDs: members.map((port) => `${ip}.network_port.eth1.${port.number}`),
  };
}
