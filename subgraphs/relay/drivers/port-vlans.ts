// The VLANs of a switch port, as arguments of the drivers of switches and of their controllers.
import type { ArgumentFault, JsonObject, TypedObject } from './driver.ts';

export const vlan = { type: 'integer', minimum: 1, maximum: 4_094 } as const;

export const portVlans = {
  mode: {
    type: 'string',
    enum: ['access', 'trunk', 'hybrid'],
    description:
      'access: one untagged VLAN; trunk: several tagged VLANs; hybrid: one untagged VLAN and several tagged VLANs.',
  },
  vlan: { ...vlan, description: 'The untagged VLAN, for access and hybrid.' },
  allowedVlans: {
    type: 'array',
    items: vlan,
    minItems: 1,
    maxItems: 4_094,
    uniqueItems: true,
    description: 'The tagged VLANs, for trunk and hybrid. They replace the current ones.',
  },
} as const;

export type PortMode = 'access' | 'trunk' | 'hybrid';

export type PortVlans = {
  /** Absent, if an operation allows it: the port's default. */
  readonly mode?: PortMode;
  readonly vlan?: number;
  readonly allowedVlans?: readonly number[];
};

export function portVlanFaults({ mode, vlan: untagged, allowedVlans }: PortVlans): ArgumentFault[] {
  const faults: ArgumentFault[] = [];
  const wantsUntagged = mode === 'access' || mode === 'hybrid';
  const wantsTagged = mode === 'trunk' || mode === 'hybrid';
  if ((untagged !== undefined) !== wantsUntagged) {
    faults.push({ path: ['vlan'], message: 'is required for the modes access and hybrid, and not allowed otherwise' });
  }
  if ((allowedVlans !== undefined) !== wantsTagged) {
    faults.push({
      path: ['allowedVlans'],
      message: 'is required for the modes trunk and hybrid, and not allowed otherwise',
    });
  }
  return faults;
}

/** The VLANs of a port in the terms of the typed mutations. A port without a mode has what the device chose. */
export function typedPortVlans(type: string, { mode, ...values }: JsonObject): TypedObject | undefined {
  return typeof mode === 'string' ? { type, fields: { ...values, mode: mode.toUpperCase() } } : undefined;
}
