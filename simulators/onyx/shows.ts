// The output of `show`, as a table for people and with `| json-print` for programs. JSON formats: the fixtures of the onyx
// modules in ansible/ansible (test/units/modules/network/onyx/fixtures), which were taken from switches; from 3.6.6000 on each
// object is in a list of one (module_utils/network/onyx/onyx.py). A trunk's access VLAN is `N/A` (ansible/ansible issue 46468).

import type { SwitchConfig, Switchport } from './state.ts';
import { formatVlans } from './vlan-ranges.ts';
import { match } from './words.ts';

type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json };

interface Shown {
  readonly json: Json;
  readonly text: string;
}

export interface SwitchIdentity {
  /** For example 3.7.1102. */
  readonly version: string;
  readonly serial: string;
}

export type ShowResult = Shown | { readonly refused: string };

/** Undefined if there is no such command. `words` follow `show`. */
export function show(config: SwitchConfig, identity: SwitchIdentity, words: readonly string[]): ShowResult | undefined {
  const listed = wrapper(identity.version);
  if (match(words, 'version')) return showVersion(identity);
  if (match(words, 'vlan')) return showVlans(config, listed, [...config.vlans.keys()]);
  const [id] = match(words, 'vlan id ID') ?? [];
  if (id !== undefined) {
    return config.vlans.has(Number(id))
      ? showVlans(config, listed, [Number(id)])
      : { refused: `VLAN ${id} does not exist` };
  }
  if (match(words, 'interfaces switchport')) return showSwitchports(switchports(config), listed);
  const [name] = match(words, 'interfaces ethernet NAME switchport') ?? [];
  const [channel] = match(words, 'interfaces port-channel NUMBER switchport') ?? [];
  if (name !== undefined || channel !== undefined) {
    const wanted = name === undefined ? `Po${channel}` : `Eth${name}`;
    const found = switchports(config).filter(([each]) => each === wanted);
    return found.length > 0 ? showSwitchports(found, listed) : { refused: 'Interface does not exist' };
  }
  if (match(words, 'interfaces port-channel summary')) return showPortChannels(config);
  if (match(words, 'mlag')) return showMlag(config);
  if (match(words, 'mlag-vip')) return showMlagVip(config);
  if (match(words, 'hosts')) return table({ Hostname: config.hostname });
  if (match(words, 'running-config')) return { text: runningConfig(config), json: null };
  return undefined;
}

type Wrapper = (value: Json) => Json;

function wrapper(version: string): Wrapper {
  return isAtLeast(version, '3.6.6000') ? (value) => [value] : (value) => value;
}

function isAtLeast(version: string, other: string): boolean {
  return version.localeCompare(other, 'en', { numeric: true }) >= 0;
}

function table(fields: Readonly<Record<string, string>>): Shown {
  const lines = Object.entries(fields).map(([name, value]) => `${`${name}:`.padEnd(22)} ${value}\n`);
  return { json: fields, text: lines.join('') };
}

function showVersion({ version, serial }: SwitchIdentity): Shown {
  return table({
    'Product name': isAtLeast(version, '3.6.6000') ? 'Onyx' : 'MLNX-OS',
    'Product release': version,
    'Build ID': '#1-dev',
    'Build date': '2019-01-16 18:14:32',
    'Target arch': 'x86_64',
    'Target hw': 'x86_64',
    'Product model': 'x86onie',
    'Host ID': '248A07B0141C',
    'System serial num': serial,
    'System UUID': '03d242b6-1a24-11e7-8000-248a07f55400',
    Uptime: '2d 13h 40m 34.992s',
    'Version summary': `X86_64 ${version} 2019-01-16 18:14:32 x86_64`,
  });
}

function switchports(config: SwitchConfig): [string, Switchport][] {
  const alone = [...config.ethernet].filter(([, port]) => port.group === undefined);
  return [
    ...alone.map(([name, port]): [string, Switchport] => [`Eth${name}`, port]),
    ...[...config.portChannels].map(([number, port]): [string, Switchport] => [`Po${number}`, port]),
  ];
}

function showVlans(config: SwitchConfig, listed: Wrapper, vlans: readonly number[]): Shown {
  const rows = [...vlans]
    .sort((a, b) => a - b)
    .map((vlan) => {
      const members = switchports(config).filter(([, port]) => carries(port, vlan));
      return { vlan, name: config.vlans.get(vlan)?.name ?? '', ports: inLines(members.map(([name]) => name)) };
    });
  const lines = rows.map(({ vlan, name, ports }) => `${`${vlan}`.padEnd(7)} ${name.padEnd(20)} ${ports}\n`);
  return {
    json: Object.fromEntries(rows.map(({ vlan, name, ports }) => [`${vlan}`, listed({ Name: name, Ports: ports })])),
    text: `VLAN    Name                 Ports\n----    -----------          --------------------------------------\n${lines.join('')}`,
  };
}

function carries(port: Switchport, vlan: number): boolean {
  return (
    (port.mode !== 'trunk' && port.access === vlan) ||
    ((port.mode === 'trunk' || port.mode === 'hybrid') && port.allowed.has(vlan))
  );
}

/** Five per line. */
function inLines(names: readonly string[]): string {
  const lines: string[] = [];
  for (let start = 0; start < names.length; start += 5) lines.push(names.slice(start, start + 5).join(', '));
  return lines.join(',\n');
}

function showSwitchports(ports: readonly [string, Switchport][], listed: Wrapper): Shown {
  const rows = ports.map(([name, port]) => ({
    name,
    mode: port.mode,
    access: port.mode === 'trunk' ? 'N/A' : `${port.access}`,
    allowed: port.mode === 'trunk' || port.mode === 'hybrid' ? formatVlans(port.allowed) : '',
  }));
  const lines = rows.map(
    ({ name, mode, access, allowed }) => `${name.padEnd(12)} ${mode.padEnd(12)} ${access.padEnd(15)} ${allowed}\n`,
  );
  return {
    json: Object.fromEntries(
      rows.map(({ name, mode, access, allowed }) => [
        name,
        listed({ Mode: mode, 'Access vlan': access, 'Allowed vlans': allowed }),
      ]),
    ),
    text: `Interface    Mode         Access vlan     Allowed vlans\n---------    ------       -----------     -------------\n${lines.join('')}`,
  };
}

/** `1 Po22(D)`: every link is down, because nothing is connected. */
function showPortChannels(config: SwitchConfig): Shown {
  const flags = {
    I: 'Individual',
    P: 'Up in port-channel (members)',
    S: 'Suspend in port-channel (members)',
    U: 'Up',
    D: 'Down',
  };
  const rows = [...config.portChannels.keys()]
    .sort((a, b) => a - b)
    .map((number, index) => {
      const members = [...config.ethernet].filter(([, port]) => port.group?.channel === number);
      return {
        title: `${index + 1} Po${number}(D)`,
        type: members.some(([, port]) => port.group?.mode !== 'on') ? 'LACP' : 'STATIC',
        members: members.map(([name]) => `Eth${name}(D)`).join(' '),
      };
    });
  const summary = rows.map(({ title, type, members }) => [title, [{ Type: type, 'Member Ports': members }]]);
  const lines = rows.map(({ title, type, members }) => `${title.padEnd(20)} ${type.padEnd(10)} ${members}\n`);
  return { json: { Flags: flags, ...Object.fromEntries(summary) }, text: lines.join('') };
}

function showMlag(config: SwitchConfig): ShowResult {
  if (!config.mlagProtocol) return { refused: 'Protocol MLAG is not enabled' };
  return table({
    'Admin status': config.mlagShutdown ? 'Disabled' : 'Enabled',
    'Operational status': 'Down',
    'Reload-delay': '30 sec',
    'Keepalive-interval': '1 sec',
    'Upgrade-timeout': '60 min',
    'System-mac': config.mlagSystemMac,
  });
}

function showMlagVip(config: SwitchConfig): ShowResult {
  if (!config.mlagProtocol) return { refused: 'Protocol MLAG is not enabled' };
  const { mlagVip } = config;
  const vip = {
    'MLAG group name': mlagVip?.group ?? '',
    'MLAG VIP address': mlagVip?.address ?? '0.0.0.0/0',
    'Active nodes': '1',
  };
  const node = { 'IP Address': '192.0.2.10', 'VIP-State': 'master' };
  return { json: { 'MLAG-VIP': vip, [config.hostname]: [node] }, text: table(vip).text };
}

function runningConfig(config: SwitchConfig): string {
  const lines: string[] = [`hostname ${config.hostname}`];
  if (config.lacp) lines.push('lacp');
  for (const [vlan, { name }] of config.vlans) {
    if (vlan !== 1) lines.push(`vlan ${vlan}`);
    if (vlan !== 1 && name !== '') lines.push(`vlan ${vlan} name "${name}"`);
  }
  for (const number of config.portChannels.keys()) lines.push(`interface port-channel ${number}`);
  for (const [name, { group }] of config.ethernet) {
    if (group) lines.push(`interface ethernet ${name} channel-group ${group.channel} mode ${group.mode}`);
  }
  for (const [name, port] of switchports(config)) {
    const at = name.startsWith('Eth') ? `ethernet ${name.slice(3)}` : `port-channel ${name.slice(2)}`;
    if (port.mode !== 'access') lines.push(`interface ${at} switchport mode ${port.mode}`);
    if (port.mode !== 'trunk' && port.access !== 1) lines.push(`interface ${at} switchport access vlan ${port.access}`);
    if (port.mode === 'access') continue;
    for (const vlan of port.allowed) lines.push(`interface ${at} switchport ${port.mode} allowed-vlan add ${vlan}`);
  }
  if (config.mlagProtocol) lines.push('protocol mlag');
  if (config.mlagVip?.address) {
    const [address, length] = config.mlagVip.address.split('/');
    lines.push(`mlag-vip ${config.mlagVip.group} ip ${address} /${length} force`);
  }
  return `##\n## Running database "initial"\n##\n${lines.map((line) => `   ${line}\n`).join('')}`;
}
