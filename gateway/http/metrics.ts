// Metrics of the gateway.
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { SlowLog } from '../../platform/log/slow-log.ts';
import { DeliveryLag } from '../supergraph/delivery-lag.ts';
import { FetchTimes } from '../supergraph/fetch-times.ts';
import { ProofCounts } from '../supergraph/place-proofs.ts';

export interface GatewayMetrics {
  readonly requests: Counter<'kind' | 'status'>;
  readonly requestSeconds: Histogram<'kind'>;
  /** Refused, or executed with `operations.accept: log`. */
  readonly unpublished: Counter<'client'>;
  readonly plansByFields: Counter;
  readonly sockets: Gauge;
  readonly eventStreams: Gauge;
  /** On sockets and event streams. */
  readonly subscriptions: Gauge;
  /** Executions at subgraphs that feed subscriptions; many subscriptions share one. */
  readonly upstreams: Gauge;
  readonly deliveries: Counter;
  readonly deliveryLag: DeliveryLag;
  readonly resumptions: Counter;
  readonly proofs: ProofCounts;
  readonly fetchTimes: FetchTimes;
}

export function gatewayMetrics(registry: Registry, slow?: SlowLog): GatewayMetrics {
  const registers = [registry];
  return {
    requests: new Counter({
      name: 'tidegate_gateway_requests_total',
      help: 'GraphQL requests over HTTP.',
      labelNames: ['kind', 'status'],
      registers,
    }),
    requestSeconds: new Histogram({
      name: 'tidegate_gateway_request_seconds',
      help: 'How long GraphQL requests over HTTP took.',
      labelNames: ['kind'],
      buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 120],
      registers,
    }),
    unpublished: new Counter({
      name: 'tidegate_gateway_unpublished_operations_total',
      help: 'Operations that are not published, by user or API token: refused, or executed with operations.accept log.',
      labelNames: ['client'],
      registers,
    }),
    plansByFields: new Counter({
      name: 'tidegate_gateway_plans_by_fields_total',
      help: 'Plans made field by field, which can take more requests, because the planner had none or a wrong one.',
      registers,
    }),
    sockets: new Gauge({ name: 'tidegate_gateway_sockets', help: 'Open sockets.', registers }),
    eventStreams: new Gauge({
      name: 'tidegate_gateway_event_streams',
      help: 'Open event streams (GraphQL over SSE).',
      registers,
    }),
    subscriptions: new Gauge({ name: 'tidegate_gateway_subscriptions', help: 'Subscriptions of clients.', registers }),
    upstreams: new Gauge({
      name: 'tidegate_gateway_upstreams',
      help: 'Executions at subgraphs that feed subscriptions.',
      registers,
    }),
    deliveries: new Counter({
      name: 'tidegate_gateway_deliveries_total',
      help: 'Events sent to clients.',
      registers,
    }),
    deliveryLag: new DeliveryLag(registry),
    resumptions: new Counter({
      name: 'tidegate_gateway_resumptions_total',
      help: 'Times a lost upstream was resumed at its cursor.',
      registers,
    }),
    proofs: proofCounts(registry),
    fetchTimes: new FetchTimes(registry, slow),
  };
}

/** Updated without a metric for each request, and read when metrics are collected. */
function proofCounts(registry: Registry): ProofCounts {
  const registers = [registry];
  const counts = new ProofCounts();
  new Counter({
    name: 'tidegate_gateway_subgraph_proofs_total',
    help: 'Queries and mutations sent to subgraphs in other processes, by the proof that they come from this gateway.',
    labelNames: ['proof'],
    registers,
    collect() {
      this.reset();
      for (const [proof, count] of Object.entries(counts.requests)) this.inc({ proof }, count);
    },
  });
  new Counter({
    name: 'tidegate_gateway_session_handshakes_total',
    help: 'Sessions that this gateway tried to open with processes of subgraphs, by outcome.',
    labelNames: ['outcome'],
    registers,
    collect() {
      this.reset();
      for (const [outcome, count] of Object.entries(counts.handshakes)) this.inc({ outcome }, count);
    },
  });
  new Counter({
    name: 'tidegate_gateway_unknown_sessions_total',
    help: 'Requests that were signed and sent again because the process of the subgraph did not know the session.',
    registers,
    collect() {
      this.reset();
      this.inc(counts.unknownSessions);
    },
  });
  return counts;
}
