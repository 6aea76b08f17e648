// A node's traffic, reported by its host each second: report `traffic/NODE` of the link. Counters only rise, so a report that was replaced
// by a later one loses nothing. The receiver takes differences between two reports of the same count.
import { z } from 'zod';

/** Further members are left for the next reports, in turn. */
export const mostMembersInReport = 1_000;
const mostListeners = 50;
const mostPools = 50;

const uuid = z.uuid();
/** Rises, also over reloads of HAProxy. */
const counter = z.number().int().nonnegative();
/** Current value. */
const gauge = z.number().int().nonnegative();
const milliseconds = z.number().nonnegative();

/** Answers by the first digit of their status; HTTP only. */
const answers = z.object({ '1xx': counter, '2xx': counter, '3xx': counter, '4xx': counter, '5xx': counter });

const listener = z.object({
  id: uuid,
  /** Accepted connections. */
  connections: counter,
  /** HTTP requests. For TCP the same as connections. */
  requests: counter,
  /** Requests that were not HTTP or incomplete, and answers with 5xx. */
  errors: counter,
  bytesIn: counter,
  bytesOut: counter,
  answers,
  /** Open connections now, and their limit. 0 if the node's limit applies. */
  open: gauge,
  mostOpen: gauge,
  /** As for a pool, over the pools that it uses. */
  latencyMs: milliseconds.default(0),
});

const pool = z.object({
  id: uuid,
  requests: counter,
  errors: counter,
  /** Requests waiting for a member now. */
  waiting: gauge,
  /** Members that get requests now. */
  usableMembers: gauge,
  /** Mean time of the last 1,024 requests, from the request to the first byte of the answer. For TCP, until the member is connected. */
  latencyMs: milliseconds,
});

const member = z.object({
  id: uuid,
  requests: counter,
  /** Failed connections, broken answers, and answers with 5xx. */
  errors: counter,
  bytesIn: counter,
  bytesOut: counter,
  /** Open sessions now. */
  open: gauge,
  /** As for a pool. */
  latencyMs: milliseconds,
  status: z.enum(['UP', 'DOWN', 'DRAIN', 'MAINT', 'UNCHECKED']),
});

export const trafficReport = z.object({
  node: uuid,
  /** UUID of this count. Another UUID means that all counters started at 0 again. */
  count: uuid,
  /** Time of reading: milliseconds since 1970. */
  at: z.number().int().positive(),
  /** Client connections now, and the node's limit. */
  open: gauge,
  mostOpen: gauge,
  /** Earlier configurations with unfinished sessions, which are not in `open`. */
  finishing: gauge,
  /** Share of time in which HAProxy was idle. */
  idlePercent: z.number().min(0).max(100),
  /** Over all listeners. */
  requests: counter,
  errors: counter,
  bytesIn: counter,
  bytesOut: counter,
  listeners: z.array(listener).max(mostListeners),
  pools: z.array(pool).max(mostPools),
  /** Members whose figures changed; from time to time all of them. */
  members: z.array(member).max(mostMembersInReport),
});

export type TrafficReport = z.output<typeof trafficReport>;
export type ListenerTraffic = z.output<typeof listener>;
export type PoolTraffic = z.output<typeof pool>;
export type MemberTraffic = z.output<typeof member>;

/** Over several pools, weighted by requests. */
export function meanLatencyMs(pools: readonly Pick<PoolTraffic, 'requests' | 'latencyMs'>[]): number {
  const requests = pools.reduce((sum, pool) => sum + pool.requests, 0);
  return requests === 0 ? 0 : pools.reduce((sum, pool) => sum + pool.requests * pool.latencyMs, 0) / requests;
}
