// The predefined policies, as chains of steps.
import type { GeoWay, PolicyStep } from './plan.ts';

export const presets = ['FAILOVER', 'ROUND_ROBIN', 'WEIGHTED', 'GEO', 'PROXIMITY', 'LATENCY', 'STICKY'] as const;
export type Preset = (typeof presets)[number];

export interface PresetOptions {
  /** Limit of answered members. */
  readonly count?: number;
  readonly geoBy?: readonly GeoWay[];
  readonly toleranceKm?: number;
  readonly toleranceShare?: number;
  readonly stickyIpv4Bits?: number;
  readonly stickyIpv6Bits?: number;
}

/** After a choice by location or latency, weights select from the remaining members. */
export function presetSteps(preset: Preset, options: PresetOptions = {}): readonly PolicyStep[] {
  const first = (usual: number): PolicyStep => ({ step: 'FIRST', count: options.count ?? usual });
  switch (preset) {
    case 'FAILOVER':
      return [{ step: 'PRIORITY' }, { step: 'SHUFFLE' }, first(8)];
    case 'ROUND_ROBIN':
      return [{ step: 'SHUFFLE' }, first(8)];
    case 'WEIGHTED':
      return [{ step: 'WEIGHTED' }, first(1)];
    case 'GEO':
      return [{ step: 'GEO', by: options.geoBy ?? ['CIDR', 'COUNTRY', 'CONTINENT'] }, { step: 'WEIGHTED' }, first(1)];
    case 'PROXIMITY':
      return [{ step: 'PROXIMITY', toleranceKm: options.toleranceKm ?? 100 }, { step: 'WEIGHTED' }, first(1)];
    case 'LATENCY':
      return [{ step: 'LATENCY', toleranceShare: options.toleranceShare ?? 0.1 }, { step: 'WEIGHTED' }, first(1)];
    case 'STICKY':
      return [
        { step: 'STICKY', ipv4Bits: options.stickyIpv4Bits ?? 24, ipv6Bits: options.stickyIpv6Bits ?? 48 },
        first(1),
      ];
  }
}
