// Traffic reports as hosts send them.
import { newUuid } from '../../../../platform/values/ids.ts';
import type {
  ListenerTraffic,
  MemberTraffic,
  TrafficReport,
} from '../../../../subgraphs/loadbalancer/wire/traffic-report.ts';

export function reportOf(node: string, given: Partial<TrafficReport> = {}): TrafficReport {
  return {
    ...{ node, count: newUuid(), at: Date.now(), open: 0, mostOpen: 1_000, finishing: 0, idlePercent: 100 },
    ...{ requests: 0, errors: 0, bytesIn: 0, bytesOut: 0, listeners: [], pools: [], members: [] },
    ...given,
  };
}

export function listenerOf(id: string, given: Partial<ListenerTraffic> = {}): ListenerTraffic {
  const answers = { '1xx': 0, '2xx': 0, '3xx': 0, '4xx': 0, '5xx': 0 };
  return {
    ...{ id, connections: 0, requests: 0, errors: 0, bytesIn: 0, bytesOut: 0, answers, open: 0, mostOpen: 0 },
    latencyMs: 0,
    ...given,
  };
}

export function memberOf(id: string, given: Partial<MemberTraffic> = {}): MemberTraffic {
  return {
    ...{ id, requests: 0, errors: 0, bytesIn: 0, bytesOut: 0, open: 0 },
    ...{ latencyMs: 0, status: 'UP' as const },
    ...given,
  };
}
