// Commands about one interface, in its own mode or after its name on one line: switchport, channel groups, MLAG's links. Syntax:
// Mellanox Onyx User Manual 3.7 to 3.10 (chapters VLANs, Link Aggregation Group, MLAG), as used by Ansible's modules
// onyx_l2_interface, onyx_linkagg and onyx_mlag_ipl. Assumptions are noted where the manual is silent.

import { isIP } from 'node:net';
import type { GroupMode, PortMode, SwitchConfig, Switchport } from './state.ts';
import { highestVlan, parseVlans } from './vlan-ranges.ts';
import { match } from './words.ts';

export type InterfaceId =
  | { readonly kind: 'ethernet'; readonly name: string }
  | { readonly kind: 'port-channel'; readonly number: number }
  | { readonly kind: 'vlan'; readonly number: number };

/** The result of a command: done, or refused with the text after `% `. Undefined if there is no such command. */
export type Done = { readonly ok: true } | { readonly ok: false; readonly message: string };
export const done: Done = { ok: true };
export const refused = (message: string): Done => ({ ok: false, message });

export function runOnInterface(
  config: SwitchConfig,
  id: InterfaceId,
  negated: boolean,
  words: readonly string[],
): Done | undefined {
  if (id.kind === 'vlan') return runOnVlanInterface(config, id.number, negated, words);
  const port = portOf(config, id);
  if (port === undefined) return refused('Interface does not exist');
  if (match(words, 'shutdown')) {
    port.shutdown = !negated;
    return done;
  }
  if (match(words, 'description TEXT') || (negated && match(words, 'description'))) {
    port.description = negated ? '' : (words[1] ?? '');
    return done;
  }
  const switchport = runSwitchport(config, port, negated, words);
  if (switchport !== undefined) {
    // Manual: members of a LAG inherit its settings.
    return isMember(config, id) ? refused('Interface is a member of a port-channel') : switchport();
  }
  return id.kind === 'ethernet'
    ? runChannelGroup(config, id.name, negated, words)
    : runIpl(config, id.number, negated, words);
}

function portOf(config: SwitchConfig, id: InterfaceId): Switchport | undefined {
  if (id.kind === 'ethernet') return config.ethernet.get(id.name);
  return id.kind === 'port-channel' ? config.portChannels.get(id.number) : undefined;
}

function isMember(config: SwitchConfig, id: InterfaceId): boolean {
  return id.kind === 'ethernet' && config.ethernet.get(id.name)?.group !== undefined;
}

function runSwitchport(
  config: SwitchConfig,
  port: Switchport,
  negated: boolean,
  words: readonly string[],
): (() => Done) | undefined {
  const mode = match(words, 'switchport mode MODE') ?? match(words, 'switchport mode MODE force');
  if (mode && !negated) return () => setMode(config, port, mode[0] ?? '');
  const access = match(words, 'switchport access vlan VLAN');
  if (access && !negated) return () => setAccess(config, port, access[0] ?? '');
  if (negated && (match(words, 'switchport mode') || match(words, 'switchport force'))) {
    return () => setMode(config, port, 'access');
  }
  if (negated && match(words, 'switchport access vlan')) return () => setAccess(config, port, '1');
  for (const kind of ['trunk', 'hybrid'] as const) {
    const change = match(words, `switchport ${kind} allowed-vlan VERB VLANS`);
    const whole = match(words, `switchport ${kind} allowed-vlan VLANS`);
    const [verb = 'set', vlans = ''] = change ?? (whole ? ['set', ...whole] : []);
    if ((change || whole) && !negated) return () => setAllowed(config, port, kind, verb, vlans);
  }
  return undefined;
}

/** A new mode resets the VLANs: a trunk has all existing ones, a hybrid port has none tagged. */
function setMode(config: SwitchConfig, port: Switchport, mode: string): Done {
  if (!['access', 'trunk', 'hybrid', 'access-dcb', 'dot1q-tunnel'].includes(mode))
    return refused(`Unrecognized port mode ${mode}`);
  if (port.mode === mode) return done;
  port.mode = mode as PortMode;
  port.access = 1;
  port.allowed.clear();
  if (mode === 'trunk') for (const vlan of config.vlans.keys()) port.allowed.add(vlan);
  return done;
}

function setAccess(config: SwitchConfig, port: Switchport, text: string): Done {
  const [vlan] = parseVlans(text) ?? [];
  if (vlan === undefined || `${vlan}` !== text) return refused(`Invalid vlan ${text}`);
  if (port.mode === 'trunk') return refused('A trunk port has no access vlan');
  if (!config.vlans.has(vlan)) return refused(`VLAN ${vlan} does not exist`);
  port.access = vlan;
  return done;
}

/** Missing VLANs: an error if named singly, ignored inside a range. */
function setAllowed(config: SwitchConfig, port: Switchport, kind: PortMode, verb: string, text: string): Done {
  if (port.mode !== kind) return refused(`Interface is not in ${kind} mode`);
  const everything = Array.from({ length: highestVlan }, (_, index) => index + 1);
  const special = verb === 'set' ? { all: everything, none: [] }[text] : undefined;
  const vlans = special ?? parseVlans(text);
  if (vlans === undefined || !['set', 'add', 'remove', 'except'].includes(verb)) return refused(`Invalid vlan ${text}`);
  const [only] = vlans;
  if (verb !== 'remove' && vlans.length === 1 && only !== undefined && !config.vlans.has(only)) {
    return refused(`VLAN ${only} does not exist`);
  }
  const given = new Set(vlans);
  if (verb === 'set' || verb === 'except') port.allowed.clear();
  for (const vlan of config.vlans.keys()) {
    if (verb === 'except' ? !given.has(vlan) : given.has(vlan) && verb !== 'remove') port.allowed.add(vlan);
    if (verb === 'remove' && given.has(vlan)) port.allowed.delete(vlan);
  }
  return done;
}

function runChannelGroup(
  config: SwitchConfig,
  name: string,
  negated: boolean,
  words: readonly string[],
): Done | undefined {
  const port = config.ethernet.get(name);
  if (port === undefined) return refused('Interface does not exist');
  if (negated) {
    if (!match(words, 'channel-group')) return undefined;
    port.group = undefined;
    return done;
  }
  const [channelText = '', mode = ''] = match(words, 'channel-group CHANNEL mode MODE') ?? [];
  if (channelText === '') return undefined;
  const channel = Number(channelText);
  if (!['on', 'active', 'passive'].includes(mode)) return refused(`Unrecognized mode ${mode}`);
  if (!config.portChannels.has(channel)) return refused(`Port-channel ${channelText} does not exist`);
  if (mode !== 'on' && !config.lacp) return refused('LACP is not enabled');
  if (port.group !== undefined && port.group.channel !== channel) {
    return refused(`Interface is already a member of port-channel ${port.group.channel}`);
  }
  const other = [...config.ethernet.values()].find((each) => each.group?.channel === channel && each !== port);
  if (other?.group !== undefined && (other.group.mode === 'on') !== (mode === 'on')) {
    return refused('Static and LACP members can not be in one port-channel');
  }
  port.group = { channel, mode: mode as GroupMode };
  return done;
}

function runIpl(config: SwitchConfig, number: number, negated: boolean, words: readonly string[]): Done | undefined {
  const channel = config.portChannels.get(number);
  const [ipl] = match(words, 'ipl NUMBER') ?? [];
  if (channel === undefined || ipl === undefined) return undefined;
  if (!config.mlagProtocol) return refused('Protocol MLAG is not enabled');
  if (ipl !== '1') return refused(`Invalid IPL ${ipl}`);
  channel.ipl = negated ? undefined : 1;
  return done;
}

function runOnVlanInterface(
  config: SwitchConfig,
  number: number,
  negated: boolean,
  words: readonly string[],
): Done | undefined {
  const vlanInterface = config.vlanInterfaces.get(number);
  if (vlanInterface === undefined) return refused('Interface does not exist');
  const [address = '', mask = ''] = match(words, 'ip address ADDRESS MASK') ?? [];
  if (address !== '') {
    if (isIP(address) !== 4 || !/^\/\d{1,2}$/.test(mask)) return refused('Invalid IP address');
    vlanInterface.address = negated ? undefined : `${address}${mask}`;
    return done;
  }
  const [ipl = '', peer] = match(words, 'ipl NUMBER peer-address PEER') ?? match(words, 'ipl NUMBER') ?? [];
  if (ipl === '') return undefined;
  if (!config.mlagProtocol) return refused('Protocol MLAG is not enabled');
  if (peer !== undefined && isIP(peer) !== 4) return refused('Invalid IP address');
  vlanInterface.ipl = negated ? undefined : { number: Number(ipl), peer };
  return done;
}
