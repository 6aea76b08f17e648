// Names of BIG-IP objects: `/Partition/name`, in addresses `~Partition~name`. iControl REST User Guide 13.1, section About
// URI format.

import { isIPv6 } from 'node:net';
import { canonicalAddressBlock } from '../../../../platform/net/address-block.ts';
import type { JsonValue } from '../driver.ts';

export const ltmPath = '/mgmt/tm/ltm';

export function fullPathOf(partition: string, name: string): string {
  return `/${partition}/${name}`;
}

/** One segment of an address. */
export function segmentOf(fullPath: string): string {
  return encodeURIComponent(fullPath.replaceAll('/', '~'));
}

/** A name without a partition is one of Common, where the device's own things are. */
export function referenceOf(text: string): string {
  return text.startsWith('/') ? text : fullPathOf('Common', text);
}

/** `/Common/a ` as 13.1 shows a pool's only monitor; undefined for none and for rules of several. */
export function onlyMonitorOf(rule: JsonValue | undefined): string | undefined {
  return typeof rule === 'string' && rule.trim() !== '' ? rule.trim() : undefined;
}

/** One text for one address; the schema has let nothing else in. */
export function canonicalAddress(text: string): string {
  return canonicalAddressBlock(text) ?? text;
}

/** `10.0.0.1:80`, `web-1:80`, and `2001:db8::1.80` for IPv6. */
export function endpointName(host: string, port: number): string {
  return `${host}${isIPv6(host) ? '.' : ':'}${port}`;
}

/** Undefined when it is no host with a port. `any` is port 0. */
export function splitEndpoint(text: string): { readonly host: string; readonly port: number } | undefined {
  const [, host = '', port = ''] = /^(.+)[:.](\d{1,5}|any)$/.exec(text) ?? [];
  if (host === '' || isIPv6(host) !== (text.at(host.length) === '.')) return undefined;
  return { host, port: port === 'any' ? 0 : Number(port) };
}
