// Names of BIG-IP objects: `/Partition/name`, and `~Partition~name` in URLs. iControl REST User Guide 13.1, section About URI
// format.

import { isIPv6 } from 'node:net';
import type { JsonValue } from '../driver.ts';

export const ltmPath = '/mgmt/tm/ltm';

export function fullPathOf(partition: string, name: string): string {
  return `/${partition}/${name}`;
}

/** One segment of a URL's path. */
export function segmentOf(fullPath: string): string {
  return encodeURIComponent(fullPath.replaceAll('/', '~'));
}

/** A name without a partition is in Common, like the device's own objects. */
export function referenceOf(text: string): string {
  return text.startsWith('/') ? text : fullPathOf('Common', text);
}

/** 13.1 shows a pool's only monitor as `/Common/a `; undefined for none and for rules with several. */
export function onlyMonitorOf(rule: JsonValue | undefined): string | undefined {
  return typeof rule === 'string' && rule.trim() !== '' ? rule.trim() : undefined;
}

/** `10.0.0.1:80`, `web-1:80`, and `2001:db8::1.80` for IPv6. */
export function endpointName(host: string, port: number): string {
  return `${host}${isIPv6(host) ? '.' : ':'}${port}`;
}

/** Undefined when it is not a host with a port. `any` is port 0. */
export function splitEndpoint(text: string): { readonly host: string; readonly port: number } | undefined {
  const [, host = '', port = ''] = /^(.+)[:.](\d{1,5}|any)$/.exec(text) ?? [];
  if (host === '' || isIPv6(host) !== (text.at(host.length) === '.')) return undefined;
  return { host, port: port === 'any' ? 0 : Number(port) };
}
