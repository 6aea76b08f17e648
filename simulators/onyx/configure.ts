// The commands of configuration mode. Syntax: Mellanox Onyx User Manual 3.7 to 3.10, as used by the modules of Ansible and
// OpenStack's generic switch driver. Texts after `%` are this simulator's own if no transcript of them is public.

import { isIP } from 'node:net';
import { type Done, done, type InterfaceId, refused, runOnInterface } from './interfaces.ts';
import { newSwitchport, type SwitchConfig } from './state.ts';
import { parseVlans } from './vlan-ranges.ts';
import { isKeyword, match } from './words.ts';

const highestPortChannel = 4_096;

/** The mode in which a line is typed: configuration, or that of an interface or VLANs. */
export type Place =
  | { readonly at: 'config' }
  | { readonly at: 'vlan'; readonly vlans: readonly number[]; readonly text: string }
  | { readonly at: 'interface'; readonly id: InterfaceId; readonly text: string };

type Configured =
  | { readonly kind: 'done' }
  | { readonly kind: 'enter'; readonly place: Place }
  | { readonly kind: 'refused'; readonly message: string }
  | { readonly kind: 'unrecognized' };

const unrecognized: Configured = { kind: 'unrecognized' };
const refuse = (message: string): Configured => ({ kind: 'refused', message });

/** Executes a line. */
export function configure(config: SwitchConfig, place: Place, words: readonly string[]): Configured {
  const negated = words[0] === 'no';
  const rest = negated ? words.slice(1) : words;
  if (place.at === 'interface') return told(runOnInterface(config, place.id, negated, rest));
  if (place.at === 'vlan') return nameVlans(config, place.vlans, negated, rest);
  const [first = '', ...more] = rest;
  if (first === 'vlan') return configureVlans(config, negated, more);
  if (isKeyword(first, 'interface')) return configureInterface(config, negated, more);
  return told(configureSwitch(config, negated, rest));
}

function told(result: Done | undefined): Configured {
  if (result === undefined) return unrecognized;
  return result.ok ? { kind: 'done' } : refuse(result.message);
}

/** `vlan 10` creates it; `vlan 10 name x` on one line names an existing one. */
function configureVlans(config: SwitchConfig, negated: boolean, words: readonly string[]): Configured {
  const [text = '', ...rest] = words;
  const vlans = parseVlans(text);
  if (vlans === undefined) return refuse(`Invalid vlan ${text}`);
  if (rest.length > 0) {
    const withoutNo = rest[0] === 'no' ? rest.slice(1) : rest;
    return nameVlans(config, vlans, negated || rest[0] === 'no', withoutNo);
  }
  if (!negated) {
    for (const vlan of vlans) if (!config.vlans.has(vlan)) config.vlans.set(vlan, { name: '' });
    return { kind: 'enter', place: { at: 'vlan', vlans, text } };
  }
  if (vlans.includes(1)) return refuse('Default VLAN can not be deleted');
  const missing = vlans.find((vlan) => !config.vlans.has(vlan));
  if (missing !== undefined) return refuse(`VLAN ${missing} does not exist`);
  if (vlans.some((vlan) => config.vlanInterfaces.has(vlan))) return refuse('VLAN has an interface');
  for (const vlan of vlans) forgetVlan(config, vlan);
  return { kind: 'done' };
}

/** Its ports move to VLAN 1. */
function forgetVlan(config: SwitchConfig, vlan: number): void {
  config.vlans.delete(vlan);
  for (const port of [...config.ethernet.values(), ...config.portChannels.values()]) {
    port.allowed.delete(vlan);
    if (port.access === vlan) port.access = 1;
  }
}

function nameVlans(
  config: SwitchConfig,
  vlans: readonly number[],
  negated: boolean,
  words: readonly string[],
): Configured {
  const [name = ''] = match(words, 'name NAME') ?? [];
  if (negated ? !match(words, 'name') : name === '') return unrecognized;
  if (name.length > 40) return refuse('VLAN name is too long');
  for (const vlan of vlans) {
    const known = config.vlans.get(vlan);
    if (known === undefined) return refuse(`VLAN ${vlan} does not exist`);
    known.name = negated ? '' : name;
  }
  return { kind: 'done' };
}

function configureInterface(config: SwitchConfig, negated: boolean, words: readonly string[]): Configured {
  const [kind = '', number = '', ...rest] = words;
  const id = interfaceId(kind, number);
  if (id === undefined) return unrecognized;
  const text = `${id.kind} ${number}`;
  if (rest.length > 0) {
    const withoutNo = rest[0] === 'no' ? rest.slice(1) : rest;
    return told(runOnInterface(config, id, negated || rest[0] === 'no', withoutNo));
  }
  if (negated) return told(removeInterface(config, id));
  const made = makeInterface(config, id);
  return made.ok ? { kind: 'enter', place: { at: 'interface', id, text } } : refuse(made.message);
}

function interfaceId(kind: string, number: string): InterfaceId | undefined {
  if (isKeyword(kind, 'ethernet') && /^\d+\/\d+(\/\d+)?$/.test(number)) return { kind: 'ethernet', name: number };
  if (!/^\d{1,4}$/.test(number)) return undefined;
  if (isKeyword(kind, 'port-channel')) return { kind: 'port-channel', number: Number(number) };
  return kind === 'vlan' ? { kind: 'vlan', number: Number(number) } : undefined;
}

function makeInterface(config: SwitchConfig, id: InterfaceId): Done {
  switch (id.kind) {
    case 'ethernet':
      return config.ethernet.has(id.name) ? done : refused(`Interface ethernet ${id.name} does not exist`);
    case 'port-channel':
      if (id.number < 1 || id.number > highestPortChannel) return refused(`Invalid port-channel ${id.number}`);
      if (!config.portChannels.has(id.number)) {
        config.portChannels.set(id.number, { ...newSwitchport(), ipl: undefined });
      }
      return done;
    case 'vlan':
      if (!config.vlans.has(id.number)) return refused(`VLAN ${id.number} does not exist`);
      if (!config.vlanInterfaces.has(id.number)) {
        config.vlanInterfaces.set(id.number, { address: undefined, ipl: undefined });
      }
      return done;
  }
}

/** Members of a removed port-channel become independent again. */
function removeInterface(config: SwitchConfig, id: InterfaceId): Done | undefined {
  switch (id.kind) {
    case 'ethernet':
      return undefined;
    case 'port-channel':
      if (!config.portChannels.delete(id.number)) return refused(`Port-channel ${id.number} does not exist`);
      for (const port of config.ethernet.values()) if (port.group?.channel === id.number) port.group = undefined;
      return done;
    case 'vlan':
      return config.vlanInterfaces.delete(id.number) ? done : refused(`Interface vlan ${id.number} does not exist`);
  }
}

function configureSwitch(config: SwitchConfig, negated: boolean, words: readonly string[]): Done | undefined {
  const [hostname] = match(words, 'hostname NAME') ?? [];
  if (hostname !== undefined && !negated) {
    config.hostname = hostname;
    return done;
  }
  if (match(words, 'lacp')) {
    const members = [...config.ethernet.values()].some((port) => port.group && port.group.mode !== 'on');
    if (negated && members) return refused('LACP has members');
    config.lacp = !negated;
    return done;
  }
  if (match(words, 'protocol mlag')) {
    config.mlagProtocol = !negated;
    if (negated) config.mlagVip = undefined;
    return done;
  }
  return configureMlag(config, negated, words);
}

function configureMlag(config: SwitchConfig, negated: boolean, words: readonly string[]): Done | undefined {
  if (!/^mlag/.test(words[0] ?? '')) return undefined;
  if (!config.mlagProtocol) return refused('Protocol MLAG is not enabled');
  if (match(words, 'mlag shutdown')) {
    config.mlagShutdown = !negated;
    return done;
  }
  const [mac] = match(words, 'mlag system-mac MAC') ?? [];
  if (mac !== undefined) {
    if (!/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i.test(mac)) return refused('Invalid MAC address');
    config.mlagSystemMac = mac.toUpperCase();
    return done;
  }
  if (negated && match(words, 'mlag-vip')) {
    if (config.mlagVip === undefined) return refused('MLAG VIP does not exist');
    config.mlagVip = undefined;
    return done;
  }
  const whole = match(words, 'mlag-vip GROUP ip ADDRESS MASK') ?? match(words, 'mlag-vip GROUP ip ADDRESS MASK force');
  const [group = '', address, mask = ''] = whole ?? match(words, 'mlag-vip GROUP') ?? [];
  if (group === '' || negated) return undefined;
  if (address !== undefined && (isIP(address) !== 4 || !/^\/([0-9]|[12][0-9]|3[0-2])$/.test(mask))) {
    return refused('Invalid IP address');
  }
  config.mlagVip = { group, address: address === undefined ? undefined : `${address}${mask}` };
  return done;
}
