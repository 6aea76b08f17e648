// Names of BIG-IP objects: `/Partition/name`, and `~Partition~name` in URLs. iControl REST User Guide 13.1, section About URI
// format; the default partition is Common.

import { isIP } from 'node:net';
import { mcpRefusal } from './rest.ts';

export interface ObjectName {
  readonly fullPath: string;
  readonly partition: string;
  readonly name: string;
}

export function objectName(partition: string, name: string): ObjectName {
  return { fullPath: `/${partition}/${name}`, partition, name };
}

/** One segment of a path, already percent-decoded. */
export function fromSegment(segment: string): ObjectName {
  if (!segment.startsWith('~')) return objectName('Common', segment);
  const [, partition = '', ...rest] = segment.split('~');
  return objectName(partition, rest.join('/'));
}

/** A reference in a body: `/Common/x`, or `x` in the referrer's partition. */
export function fromReference(text: string, partition: string): string {
  return text.startsWith('/') ? text : `/${partition}/${text}`;
}

export function toSegment(fullPath: string): string {
  return fullPath.replaceAll('/', '~');
}

interface Endpoint {
  readonly address: string;
  readonly port: number;
}

/** `10.0.0.1:80`, `web-1:80`, and for IPv6 `2001:db8::1.80`. Undefined if it has no port. */
export function splitEndpoint(text: string): Endpoint | undefined {
  const [, address = '', port = ''] = /^(.*)[:.](\d{1,5}|any)$/.exec(text) ?? [];
  if (address === '') return undefined;
  const separator = text.at(address.length);
  if ((isIP(address) === 6) !== (separator === '.')) return undefined;
  return { address, port: port === 'any' ? 0 : Number(port) };
}

/** Refuses names that mcpd refuses; `addressLike`: nodes and members may have an address as name. */
export function checkName({ fullPath, name }: ObjectName, addressLike: boolean): void {
  const allowed = addressLike ? /^[A-Za-z0-9_:][\w.:%-]{0,254}$/ : /^[A-Za-z_][\w.:-]{0,254}$/;
  if (!allowed.test(name)) throw mcpRefusal(400, `01070088:3: The requested object name (${fullPath}) is invalid.`);
}
