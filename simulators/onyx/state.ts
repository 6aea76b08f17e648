// The configuration of a switch: the one state behind command line and JSON API.

/** The last two are of switches for storage and for providers: Ansible's modules for MLNX-OS have them. */
export type PortMode = 'access' | 'trunk' | 'hybrid' | 'access-dcb' | 'dot1q-tunnel';
export type GroupMode = 'on' | 'active' | 'passive';

/** The common part of an Ethernet port and a port-channel. */
export interface Switchport {
  mode: PortMode;
  /** The untagged VLAN; a trunk has none. */
  access: number;
  readonly allowed: Set<number>;
  shutdown: boolean;
  description: string;
}

export interface EthernetPort extends Switchport {
  group: { readonly channel: number; readonly mode: GroupMode } | undefined;
}

export interface PortChannel extends Switchport {
  /** The number of its inter-peer link, for MLAG. */
  ipl: number | undefined;
}

interface VlanInterface {
  address: string | undefined;
  ipl: { readonly number: number; readonly peer: string | undefined } | undefined;
}

interface MlagVip {
  readonly group: string;
  /** With prefix length; undefined while only the group is known. */
  readonly address: string | undefined;
}

export interface SwitchConfig {
  hostname: string;
  readonly vlans: Map<number, { name: string }>;
  readonly ethernet: Map<string, EthernetPort>;
  readonly portChannels: Map<number, PortChannel>;
  readonly vlanInterfaces: Map<number, VlanInterface>;
  lacp: boolean;
  mlagProtocol: boolean;
  mlagShutdown: boolean;
  mlagVip: MlagVip | undefined;
  mlagSystemMac: string;
}

export function newSwitchport(): Switchport {
  return { mode: 'access', access: 1, allowed: new Set(), shutdown: false, description: '' };
}

/** Factory defaults: every port in VLAN 1. */
export function factoryConfig(hostname: string, ports: number): SwitchConfig {
  const names = Array.from({ length: ports }, (_, index) => `1/${index + 1}`);
  return {
    hostname,
    vlans: new Map([[1, { name: 'default' }]]),
    ethernet: new Map(names.map((name) => [name, { ...newSwitchport(), group: undefined }])),
    portChannels: new Map(),
    vlanInterfaces: new Map(),
    lacp: false,
    mlagProtocol: false,
    mlagShutdown: true,
    mlagVip: undefined,
    mlagSystemMac: '00:00:5E:00:01:4E',
  };
}
