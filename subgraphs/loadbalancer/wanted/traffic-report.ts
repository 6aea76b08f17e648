// What a node's traffic was, as its host reports it each second: report `traffic/NODE` of the link. Counters only rise, so that a report
// that was replaced by a later one loses nothing; whoever stores them takes differences between two reports of the same count.
import { z } from 'zod';

/** More members than this in one report are left for the next ones, in turn. */
export const mostMembersInReport = 1_000;
const mostListeners = 50;
const mostPools = 50;

const uuid = z.uuid();
/** Rises; also over reloads of HAProxy. */
const counter = z.number().int().nonnegative();
/** As it is now. */
const gauge = z.number().int().nonnegative();
const milliseconds = z.number().nonnegative();

/** Answers by the first digit of their status; only for HTTP. */
const answers = z.object({ '1xx': counter, '2xx': counter, '3xx': counter, '4xx': counter, '5xx': counter });

const listener = z.object({
  id: uuid,
  /** Accepted connections. */
  connections: counter,
  /** HTTP requests; for TCP the connections again. */
  requests: counter,
  /** Requests that were no HTTP or were not sent whole, and answers with 5xx. */
  errors: counter,
  bytesIn: counter,
  bytesOut: counter,
  answers,
  /** Open connections now, and how many may be open; 0: as many as the node allows. */
  open: gauge,
  mostOpen: gauge,
  /** As of a pool: of the pools that it uses. */
  latencyMs: milliseconds.default(0),
});

const pool = z.object({
  id: uuid,
  requests: counter,
  errors: counter,
  /** Requests that wait for a member now. */
  waiting: gauge,
  /** Members that get requests now. */
  usableMembers: gauge,
  /** Mean time of the last 1,024 requests, from the request to the first byte of the answer; of TCP, until the member is connected. */
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
  /** As of a pool. */
  latencyMs: milliseconds,
  status: z.enum(['UP', 'DOWN', 'DRAIN', 'MAINT', 'UNCHECKED']),
});

export const trafficReport = z.object({
  node: uuid,
  /** UUID of this count: another one means that all counters began at 0 again. */
  count: uuid,
  /** When it was read: milliseconds since 1970. */
  at: z.number().int().positive(),
  /** Connections of clients now, and how many the node may have. */
  open: gauge,
  mostOpen: gauge,
  /** Earlier configurations whose sessions are not finished; theirs are not in `open`. */
  finishing: gauge,
  /** Share of its time in which HAProxy waited. */
  idlePercent: z.number().min(0).max(100),
  /** Of all listeners. */
  requests: counter,
  errors: counter,
  bytesIn: counter,
  bytesOut: counter,
  listeners: z.array(listener).max(mostListeners),
  pools: z.array(pool).max(mostPools),
  /** Those whose figures changed, and all of them now and then. */
  members: z.array(member).max(mostMembersInReport),
});

export type TrafficReport = z.output<typeof trafficReport>;
export type ListenerTraffic = z.output<typeof listener>;
export type PoolTraffic = z.output<typeof pool>;
export type MemberTraffic = z.output<typeof member>;

/** Of several pools together, by their requests. */
export function meanLatencyMs(pools: readonly Pick<PoolTraffic, 'requests' | 'latencyMs'>[]): number {
  const requests = pools.reduce((sum, pool) => sum + pool.requests, 0);
  return requests === 0 ? 0 : pools.reduce((sum, pool) => sum + pool.requests * pool.latencyMs, 0) / requests;
}
