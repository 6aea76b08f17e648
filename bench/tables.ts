// Every benchmark, by name. trials/tables.ts has the failure trials.
import type { Bench } from '../measure/bench.ts';

/** Loaded only on request, because each brings its own servers. */
export const benches: Readonly<Record<string, () => Promise<Bench>>> = {
  start: async () => (await import('./start.ts')).benchStart,
  idle: async () => (await import('./idle.ts')).benchIdle,
  gateway: async () => (await import('./gateway/gateway.ts')).benchGateway,
  'gateway-abuse': async () => (await import('./gateway/gateway-abuse.ts')).benchGatewayAbuse,
  'late-subgraph': async () => (await import('./late-subgraph.ts')).benchLateSubgraph,
  fanout: async () => (await import('./fanout.ts')).benchFanout,
  relay: async () => (await import('./relay.ts')).benchRelay,
  'relay-fleet': async () => (await import('./relay-fleet.ts')).benchRelayFleet,
  writes: async () => (await import('./writes.ts')).benchWrites,
  checks: async () => (await import('./checks.ts')).benchChecks,
  soak: async () => (await import('./soak.ts')).benchSoak,
  'lb-nodes': async () => (await import('./lb-nodes.ts')).benchLbNodes,
  'lb-data': async () => (await import('./lb-data.ts')).benchLbData,
  'lb-heal': async () => (await import('./lb-heal.ts')).benchLbHeal,
  'lb-change': async () => (await import('./lb-change.ts')).benchLbChange,
  'gslb-dns': async () => (await import('./gslb-dns.ts')).benchGslbDns,
  'gslb-checks': async () => (await import('./gslb-checks.ts')).benchGslbChecks,
  'gslb-change': async () => (await import('./gslb-change.ts')).benchGslbChange,
  'gslb-scale': async () => (await import('./gslb-scale.ts')).benchGslbScale,
  objects: async () => (await import('./objects.ts')).benchObjects,
  'object-move': async () => (await import('./object-move.ts')).benchObjectMove,
  'object-catchup': async () => (await import('./object-catchup.ts')).benchObjectCatchup,
  lists: async () => (await import('./lists.ts')).benchLists,
  ha: async () => (await import('./ha.ts')).benchHa,
  'ha-writes': async () => (await import('./ha-writes.ts')).benchHaWrites,
  apply: async () => (await import('./apply.ts')).benchApply,
  backup: async () => (await import('./backup.ts')).benchBackup,
  'mapping-export': async () => (await import('./mapping-export.ts')).benchMappingExport,
};
