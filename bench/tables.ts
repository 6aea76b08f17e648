// Every benchmark and every failure trial, by name.
import type { Bench } from './bench.ts';

/** Loaded only when requested: each brings its own servers. */
export const benches: Readonly<Record<string, () => Promise<Bench>>> = {
  start: async () => (await import('./start.ts')).benchStart,
  gateway: async () => (await import('./gateway/gateway.ts')).benchGateway,
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
  'object-ring': async () => (await import('./object-ring.ts')).benchObjectRing,
  objects: async () => (await import('./objects.ts')).benchObjects,
  'object-move': async () => (await import('./object-move.ts')).benchObjectMove,
  'object-catchup': async () => (await import('./object-catchup.ts')).benchObjectCatchup,
  ha: async () => (await import('./ha.ts')).benchHa,
  'ha-writes': async () => (await import('./ha-writes.ts')).benchHaWrites,
  'mapping-export': async () => (await import('./mapping-export.ts')).benchMappingExport,
};

export const trials: Readonly<Record<string, () => Promise<Bench>>> = {
  events: async () => (await import('./trials/events-main.ts')).trialEvents,
  calls: async () => (await import('./trials/calls-main.ts')).trialCalls,
  'relay-unknown': async () => (await import('./trials/relay-unknown-main.ts')).trialRelayUnknown,
  'relay-netconf': async () => (await import('./trials/relay-netconf-main.ts')).trialRelayNetconf,
  'relay-names': async () => (await import('./trials/relay-names-main.ts')).trialRelayNames,
  stops: async () => (await import('./trials/stops-main.ts')).trialStops,
  'lb-heal': async () => (await import('./trials/lb-heal-main.ts')).trialLbHeal,
  'lb-scale': async () => (await import('./trials/lb-scale.ts')).trialLbScale,
  'lb-changes': async () => (await import('./trials/lb-changes-main.ts')).trialLbChanges,
  'lb-config': async () => (await import('./trials/lb-config-main.ts')).trialLbConfig,
  'gslb-quorum': async () => (await import('./trials/gslb-quorum.ts')).trialGslbQuorum,
  'gslb-outage': async () => (await import('./trials/gslb-outage-main.ts')).trialGslbOutage,
  'dns-answers': async () => (await import('./trials/dns-answers-main.ts')).trialDnsAnswers,
  'objects-model': async () => (await import('./trials/objects-model.ts')).trialObjectsModel,
  objects: async () => (await import('./trials/objects-main.ts')).trialObjects,
  hostile: async () => (await import('./trials/hostile-main.ts')).trialHostile,
  ha: async () => (await import('./trials/ha.ts')).trialHa,
};
