// Short ids: an id of the graph is base64 of its type and UUID, 60 characters and more. Here it becomes `op_` and 22 characters. Nothing is lost, so
// a short id is permanent and global, and decoding needs no request.
import { decodeId, encodeId } from '../platform/values/ids.ts';

/** Keyed by the graph's type. Other types keep their long ids. */
export const idPrefixes: Readonly<Record<string, string>> = {
  Alert: 'alert',
  AlertChannel: 'ach',
  AlertRule: 'arule',
  ApiToken: 'tok',
  AutoscalingPolicy: 'asp',
  Backend: 'be',
  ConfigurationVersion: 'ver',
  DnsBackend: 'dns',
  DnsZone: 'zone',
  Gslb: 'gslb',
  GslbFlavor: 'gfl',
  GslbMonitor: 'gmon',
  GslbPool: 'gpool',
  GslbPoolMember: 'gmem',
  GslbVantagePoint: 'vp',
  HaMove: 'move',
  L7Policy: 'l7p',
  L7Rule: 'l7r',
  Listener: 'lis',
  LoadBalancer: 'lb',
  LoadBalancerHost: 'host',
  LoadBalancerNode: 'node',
  Machine: 'mach',
  Mapping: 'map',
  ObjectAccessKey: 'key',
  ObjectAccount: 'acct',
  ObjectCluster: 'clu',
  ObjectContainer: 'cont',
  ObjectOption: 'opt',
  ObjectRing: 'ring',
  ObjectRingChange: 'rch',
  Pool: 'pool',
  PoolHealthMonitor: 'hm',
  PoolMember: 'mem',
  Project: 'prj',
  ProjectSubnet: 'sub',
  PublishedOperation: 'pub',
  RelayOperation: 'op',
  TlsCertificate: 'cert',
  User: 'user',
};

const types = new Map(Object.entries(idPrefixes).map(([type, prefix]) => [prefix, type]));

/** Omits characters that look alike, so that an id can be read out. A double click selects all of it. */
const digits = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';
const base = BigInt(digits.length);
/** 58^22 is more than 2^128. */
const length = 22;
const shortPattern = /^([a-z0-9]+)_([1-9A-HJ-NP-Za-km-z]{22})$/;
/** Versions 4 and 7, with the variant of RFC 9562. Other text is mistaken for one with a probability of 1/32. */
const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[47][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** The short form of an id. Undefined for other texts, and for types without a short form. */
export function shortId(id: string): string | undefined {
  if (id.length < 48) return undefined;
  const { type = '', key = '' } = decodeId(id) ?? {};
  const prefix = Object.hasOwn(idPrefixes, type) ? idPrefixes[type] : undefined;
  if (prefix === undefined || !uuidPattern.test(key)) return undefined;
  let rest = BigInt(`0x${key.replaceAll('-', '')}`);
  let text = '';
  for (let at = 0; at < length; at += 1) {
    text = `${digits[Number(rest % base)]}${text}`;
    rest /= base;
  }
  return `${prefix}_${text}`;
}

/** The form in tables. Every verb accepts both forms. */
export function shownId(id: string): string {
  return shortId(id) ?? id;
}

/** The full id of a short one. Other text is unchanged. Each part of `BALANCER/POOL` may be one. */
export function wholeId(text: string): string {
  if (!text.includes('_')) return text;
  const parts = text.split('/');
  return parts.length > 2 ? text : parts.map(wholePart).join('/');
}

function wholePart(part: string): string {
  const [, prefix = '', written = ''] = shortPattern.exec(part) ?? [];
  const type = types.get(prefix);
  if (type === undefined) return part;
  const number = [...written].reduce((sum, digit) => sum * base + BigInt(digits.indexOf(digit)), 0n);
  const hex = number.toString(16).padStart(32, '0');
  const uuid = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
  return uuidPattern.test(uuid) ? encodeId(type, uuid) : part;
}
