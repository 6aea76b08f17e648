// The made parts of docs/relay.md: which drivers there are, and the worked example, whose file is compiled and tested.
import { readFileSync } from 'node:fs';
import type { Driver } from '../subgraphs/relay/drivers/driver.ts';
import { drivers } from '../subgraphs/relay/drivers/registry.ts';

const page = new URL('./relay.md', import.meta.url);
const example = new URL('./examples/acme-meter.ts', import.meta.url);

/** Versions that a driver is written for, and what its tests run against. */
const compatibility: Readonly<Record<string, { readonly versions: string; readonly triedAgainst: string }>> = {
  'linux-nftables': { versions: 'nftables 1.0', triedAgainst: 'real nft 1.0.6 behind OpenSSH 9.2' },
  fortios: {
    versions: 'FortiOS 5.6 to 7.6',
    triedAgainst: 'a simulator with the login and replies of each version, whose command line netmiko drives too',
  },
  'f5-bigip': { versions: 'BIG-IP 13.1 and later', triedAgainst: 'a simulator of iControl REST' },
  onyx: {
    versions: 'MLNX-OS and Onyx 3.7 to 3.10',
    triedAgainst: 'a simulator of command line and JSON API, which netmiko drives too',
  },
  neutron: { versions: 'Networking API v2.0, Identity API v3', triedAgainst: 'real neutron-server 21 and Keystone 22' },
  openvswitch: { versions: 'Open vSwitch 2.13 and later', triedAgainst: 'real Open vSwitch 3.1' },
  modsecurity: {
    versions: 'Apache 2.4 with ModSecurity 2.9',
    triedAgainst: 'real Apache 2.4, ModSecurity 2.9 and Core Rule Set 3.3',
  },
  neo: { versions: 'NEO 2.7', triedAgainst: 'a simulator' },
};

export function relayPage(): string {
  const withTable = between(readFileSync(page, 'utf8'), 'drivers', table());
  return between(withTable, 'example', `\`\`\`ts\n${exampleCode()}\`\`\``);
}

function table(): string {
  const rows = [...drivers.values()].map((driver) => {
    const known = compatibility[driver.name];
    if (known === undefined) throw new Error(`docs/relay-page.ts says nothing of driver ${driver.name}`);
    const columns = [
      `\`${driver.name}\``,
      driver.family,
      driver.summary,
      wires(driver),
      known.versions,
      known.triedAgainst,
      Object.keys(driver.typed)
        .map((name) => `\`${name}\``)
        .join(', '),
    ];
    return `| ${columns.join(' | ')} |`;
  });
  return [
    '| driver | family | what | wires | written for | tried against | typed mutations |',
    '|---|---|---|---|---|---|---|',
    ...rows,
  ].join('\n');
}

function wires({ ports }: Driver): string {
  return Object.entries(ports)
    .map(([kind, port]) => `${kind} (${port})`)
    .join(', ');
}

/** As it reads beside the other drivers. */
function exampleCode(): string {
  const [, ...lines] = readFileSync(example, 'utf8').split('\n');
  return lines.join('\n').replaceAll('../../subgraphs/relay/drivers/', './');
}

function between(text: string, name: string, made: string): string {
  const [begin, end] = [`<!-- ${name}:begin -->`, `<!-- ${name}:end -->`];
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`docs/relay.md lacks ${begin} … ${end}`);
  return `${text.slice(0, from)}${begin}\n${made}\n${text.slice(to)}`;
}
