// The simulator's configuration tables with their attributes, after the FortiOS CLI reference (7.4 and 6.2, chapters firewall
// address, addrgrp, service custom, vip, vipgrp, policy, system vdom). Attributes that no caller here needs are left out; unknown
// ones in a request are ignored, like FortiOS does.

import type { Features } from './version.ts';

export type Attribute =
  | { readonly kind: 'string'; readonly max: number; readonly default: string }
  | { readonly kind: 'integer'; readonly min: number; readonly max: number; readonly default: number }
  | { readonly kind: 'option'; readonly values: readonly string[]; readonly default: string }
  /** An address and a mask, for example `10.0.0.0 255.0.0.0`. */
  | { readonly kind: 'subnet'; readonly default: string }
  | { readonly kind: 'ip'; readonly default: string }
  /** One entry of one of these tables. */
  | { readonly kind: 'reference'; readonly to: readonly TablePath[]; readonly default: string }
  /** Entries of these tables. */
  | { readonly kind: 'references'; readonly to: readonly TablePath[]; readonly required: boolean }
  /** Addresses and ranges of a VIP. */
  | { readonly kind: 'ranges' };

/** In the form of a REST path. */
export type TablePath =
  | 'firewall/address'
  | 'firewall/addrgrp'
  | 'firewall/vip'
  | 'firewall/vipgrp'
  | 'firewall/policy'
  | 'firewall.service/custom'
  | 'firewall.service/category'
  | 'firewall.schedule/recurring'
  | 'system/interface'
  | 'system/vdom';

export interface Table {
  readonly path: TablePath;
  /** The attribute that identifies an entry. */
  readonly key: string;
  /** The device assigns a number when the caller gives none or 0. */
  readonly keyKind: 'name' | 'number';
  readonly keyMax: number;
  /** One for the whole device instead of one per VDOM. */
  readonly global: boolean;
  /** The caller determines the order, and can change it with `move`. */
  readonly ordered: boolean;
  /** Attributes that must not be empty. */
  readonly required: readonly string[];
  readonly attributes: Readonly<Record<string, Attribute>>;
}

const text = (max: number): Attribute => ({ kind: 'string', max, default: '' });
const option = (first: string, ...others: string[]): Attribute => ({
  kind: 'option',
  values: [first, ...others],
  default: first,
});
const integer = (min: number, max: number): Attribute => ({ kind: 'integer', min, max, default: min });
const ip: Attribute = { kind: 'ip', default: '0.0.0.0' };
const references = (required: boolean, ...to: TablePath[]): Attribute => ({ kind: 'references', to, required });
const reference = (initial: string, ...to: TablePath[]): Attribute => ({ kind: 'reference', to, default: initial });
const named = { key: 'name', keyKind: 'name', keyMax: 79, global: false, ordered: false, required: [] } as const;

/** Protocols of services without ports. */
const otherProtocols = ['ICMP', 'ICMP6', 'IP', 'HTTP', 'FTP', 'CONNECT', 'SOCKS-TCP', 'SOCKS-UDP', 'ALL'] as const;

const list: readonly Table[] = [
  {
    ...named,
    path: 'firewall/address',
    attributes: {
      uuid: text(36),
      type: option('ipmask', 'iprange', 'fqdn', 'geography', 'wildcard', 'wildcard-fqdn'),
      subnet: { kind: 'subnet', default: '0.0.0.0 0.0.0.0' },
      'start-ip': ip,
      'end-ip': ip,
      fqdn: text(255),
      country: text(2),
      wildcard: { kind: 'subnet', default: '0.0.0.0 0.0.0.0' },
      'wildcard-fqdn': text(255),
      'cache-ttl': integer(0, 86_400),
      'associated-interface': reference('', 'system/interface'),
      comment: text(255),
      color: integer(0, 32),
    },
  },
  {
    ...named,
    path: 'firewall/addrgrp',
    required: ['member'],
    attributes: {
      uuid: text(36),
      member: references(true, 'firewall/address', 'firewall/addrgrp'),
      comment: text(255),
      color: integer(0, 32),
    },
  },
  {
    ...named,
    path: 'firewall.service/custom',
    attributes: {
      category: reference('', 'firewall.service/category'),
      protocol: option('TCP/UDP/SCTP', ...otherProtocols),
      iprange: text(64),
      fqdn: text(255),
      'protocol-number': integer(0, 254),
      icmptype: integer(0, 4_294_967_295),
      icmpcode: integer(0, 255),
      'tcp-portrange': text(1024),
      'udp-portrange': text(1024),
      'sctp-portrange': text(1024),
      comment: text(255),
      color: integer(0, 32),
    },
  },
  { ...named, path: 'firewall.service/category', attributes: { comment: text(255) } },
  { ...named, path: 'firewall.schedule/recurring', keyMax: 31, attributes: { day: text(64) } },
  {
    ...named,
    path: 'firewall/vip',
    required: ['mappedip'],
    attributes: {
      uuid: text(36),
      comment: text(255),
      type: option('static-nat', 'load-balance', 'server-load-balance', 'dns-translation', 'fqdn'),
      extip: text(64),
      mappedip: { kind: 'ranges' },
      extintf: reference('any', 'system/interface'),
      portforward: option('disable', 'enable'),
      protocol: option('tcp', 'udp', 'sctp', 'icmp'),
      extport: text(64),
      mappedport: text(64),
      'nat-source-vip': option('disable', 'enable'),
      'portmapping-type': option('1-to-1', 'm-to-n'),
      color: integer(0, 32),
    },
  },
  {
    ...named,
    path: 'firewall/vipgrp',
    required: ['interface', 'member'],
    attributes: {
      uuid: text(36),
      interface: reference('', 'system/interface'),
      member: references(true, 'firewall/vip'),
      comments: text(255),
      color: integer(0, 32),
    },
  },
  {
    ...named,
    path: 'firewall/policy',
    key: 'policyid',
    keyKind: 'number',
    keyMax: 4_294_967_294,
    ordered: true,
    required: ['srcintf', 'dstintf', 'srcaddr', 'dstaddr', 'service', 'schedule'],
    attributes: {
      status: option('enable', 'disable'),
      name: text(35),
      uuid: text(36),
      srcintf: references(true, 'system/interface'),
      dstintf: references(true, 'system/interface'),
      action: option('deny', 'accept', 'ipsec'),
      srcaddr: references(true, 'firewall/address', 'firewall/addrgrp'),
      dstaddr: references(true, 'firewall/address', 'firewall/addrgrp', 'firewall/vip', 'firewall/vipgrp'),
      schedule: reference('', 'firewall.schedule/recurring'),
      service: references(true, 'firewall.service/custom'),
      logtraffic: option('utm', 'all', 'disable'),
      nat: option('disable', 'enable'),
      comments: text(1023),
    },
  },
  {
    ...named,
    path: 'system/interface',
    keyMax: 15,
    global: true,
    attributes: { vdom: reference('root', 'system/vdom'), type: option('physical', 'vlan', 'tunnel') },
  },
  // 31 characters only after `set long-vdom-name enable`.
  { ...named, path: 'system/vdom', keyMax: 11, global: true, attributes: { flag: integer(0, 65_535) } },
];

export const tables: ReadonlyMap<string, Table> = new Map(list.map((table) => [table.path, table]));

/** The tables of a release. All differences between releases are here. */
export function tablesFor(features: Features): ReadonlyMap<string, Table> {
  if (!features.udpLite) return tables;
  const services = tableOf('firewall.service/custom');
  const attributes = {
    ...services.attributes,
    protocol: option('TCP/UDP/UDP-Lite/SCTP', ...otherProtocols),
    'udplite-portrange': text(1024),
  };
  return new Map([...tables, [services.path, { ...services, attributes }]]);
}

export function tableOf(path: TablePath): Table {
  const table = tables.get(path);
  if (!table) throw new Error(`no table ${path}`);
  return table;
}

/** In the form after `config`: `firewall service custom`. */
export function cliWords(table: Table): string {
  return table.path.replace(/[./]/g, ' ');
}
