// Parts of the operations' JSON Schemas: what may be said to an Open vSwitch.

import type { ArgumentFault } from '../driver.ts';

/** A bridge's own port and most others are network interfaces of Linux (IFNAMSIZ); a hyphen first is an option to programs. */
export const name = {
  type: 'string',
  pattern: '^[A-Za-z0-9_][A-Za-z0-9_.-]{0,14}$',
  description: '1 to 15 letters, digits, dot, hyphen, underscore; not a dot or hyphen first.',
} as const;

export const uuid = {
  type: 'string',
  pattern: '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$',
  description: "The row's `_uuid`: what is deleted is that one, not another that has its name now.",
} as const;

export const vlan = { type: 'integer', minimum: 1, maximum: 4_094 } as const;

export const vlanSettings = {
  mode: {
    type: 'string',
    enum: ['access', 'trunk', 'hybrid'],
    description: 'access: one VLAN, untagged; trunk: several, tagged; hybrid: one untagged, others tagged.',
  },
  vlan: { ...vlan, description: 'access and hybrid: the untagged VLAN.' },
  allowedVlans: {
    type: 'array',
    items: vlan,
    minItems: 1,
    maxItems: 4_094,
    uniqueItems: true,
    description: 'trunk and hybrid: the tagged VLANs, all of them from now on.',
  },
} as const;

export interface VlanSettings {
  readonly mode?: 'access' | 'trunk' | 'hybrid';
  readonly vlan?: number;
  readonly allowedVlans?: readonly number[];
}

export function vlanFaults({ mode, vlan: untagged, allowedVlans }: VlanSettings): ArgumentFault[] {
  const faults: ArgumentFault[] = [];
  const wantsUntagged = mode === 'access' || mode === 'hybrid';
  const wantsTagged = mode === 'trunk' || mode === 'hybrid';
  if ((untagged !== undefined) !== wantsUntagged) {
    faults.push({ path: ['vlan'], message: 'is for the modes access and hybrid, which need it' });
  }
  if ((allowedVlans !== undefined) !== wantsTagged) {
    faults.push({ path: ['allowedVlans'], message: 'is for the modes trunk and hybrid, which need it' });
  }
  return faults;
}

/** Printable text; OVSDB itself takes anything. */
const text = { type: 'string', maxLength: 255, pattern: '^[^\\p{C}\\p{Zl}\\p{Zp}]*$' } as const;

/** `tidegate-` is ours: with those keys the relay finds what it made. */
export const externalIds = {
  type: 'object',
  propertyNames: { type: 'string', pattern: '^(?!tidegate-)[A-Za-z0-9_.:/-]{1,63}$' },
  additionalProperties: text,
  maxProperties: 50,
} as const;

/** null takes a key away. */
export const externalIdChanges = {
  ...externalIds,
  additionalProperties: { ...text, type: ['string', 'null'] },
  minProperties: 1,
} as const;
