// Parts of the operations' JSON Schemas, for a switch. No value can contain a quote, a question mark (the command line's help
// key) or a control character.

import { vlan } from '../port-vlans.ts';

/** VLAN 1 always exists. */
export const ownVlan = { ...vlan, minimum: 2 } as const;

export const vlanName = {
  type: 'string',
  pattern: '^[A-Za-z0-9_][A-Za-z0-9_. -]{0,39}$',
  description: '1 to 40 letters, digits, dots, hyphens, underscores and spaces; a letter, digit or underscore first.',
} as const;

export const ethernet = {
  type: 'string',
  pattern: '^(Eth)?[0-9]{1,2}/[0-9]{1,3}(/[0-9]{1,2})?$',
  description: 'An Ethernet port, for example 1/4 or Eth1/4.',
} as const;

export const port = {
  type: 'string',
  pattern: '^((Eth)?[0-9]{1,2}/[0-9]{1,3}(/[0-9]{1,2})?|Po[1-9][0-9]{0,3})$',
  description: 'An Ethernet port, for example 1/4 or Eth1/4, or a port-channel, for example Po22.',
} as const;

/** Mellanox Onyx User Manual, Link Aggregation Group: 1 to 4096. */
export const lag = {
  type: 'integer',
  minimum: 1,
  maximum: 4_096,
  description: 'The number of a port-channel.',
} as const;

/** A port as the switch lists it: `Eth1/4`, `Po22`. */
export const canonicalPortPattern = /^(Eth[0-9]{1,2}\/[0-9]{1,3}(\/[0-9]{1,2})?|Po[1-9][0-9]{0,3})$/;

/** The port as the switch lists it. */
export function canonicalPort(text: string): string {
  return /^\d/.test(text) ? `Eth${text}` : text;
}

/** As the command line takes it: `ethernet 1/4`, `port-channel 22`. */
export function interfaceWords(text: string): string {
  const name = canonicalPort(text);
  return name.startsWith('Po') ? `port-channel ${name.slice(2)}` : `ethernet ${name.slice(3)}`;
}
