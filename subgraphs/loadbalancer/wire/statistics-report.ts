// HAProxy's own table of statistics of a node, reported by its host every few seconds: report `statistics/NODE` of the link. A report replaces
// the earlier one, and nothing is counted from it. Counters began with HAProxy's present worker, so a reload sets them to 0.
import { z } from 'zod';

/** Further servers are left out; the report has their number. */
export const mostServers = 1_000;
const mostProxies = 100;

const uuid = z.uuid();
const whole = z.number().int().nonnegative();
/** Milliseconds since 1970. */
const time = z.number().int().positive();

const common = {
  id: uuid,
  /** Sessions now, the most at once, and the limit (0: that of the node). */
  open: whole,
  mostOpen: whole,
  limit: whole,
  /** Sessions (of an HTTP listener: requests) in the last second, and the most in a second. */
  rate: whole,
  mostRate: whole,
  /** Sessions, or requests of an HTTP listener. */
  requests: whole,
  bytesIn: whole,
  bytesOut: whole,
};
/** Towards members. */
const backend = {
  connectErrors: whole,
  answerErrors: whole,
  /** Answers with a status of 500 or above. */
  serverErrors: whole,
  retries: whole,
  redispatches: whole,
  /** Requests that wait now, and the most at once. */
  waiting: whole,
  mostWaiting: whole,
  /** Mean of the last 1,024 requests, as in a traffic report. Null without any. */
  latencyMs: whole.nullable(),
};

const listener = z.object({ ...common, requestErrors: whole, denied: whole, serverErrors: whole });
const pool = z.object({ ...common, ...backend, usableMembers: whole });
const server = z.object({
  ...{ ...common, ...backend },
  /** UUID of its pool. `id` is that of the member, which has one server for each of its addresses. */
  pool: uuid,
  address: z.string().max(64),
  /** HAProxy's word, for example UP, DOWN 1/2, DRAIN, MAINT or no check. */
  status: z.string().max(32),
  /** When the status changed. */
  changedAt: time.nullable(),
  weight: whole,
  /** Null without checks. */
  check: z
    .object({
      /** HAProxy's code, for example L7OK. */
      code: z.string().max(16),
      message: z.string().max(255),
      durationMs: whole.nullable(),
      failures: whole,
      /** Since when every report had this code and message. */
      since: time,
    })
    .nullable(),
  falls: whole,
});

export const statisticsReport = z.object({
  node: uuid,
  at: time,
  /** When the counters began. */
  countedSince: time,
  listeners: z.array(listener).max(mostProxies),
  pools: z.array(pool).max(mostProxies),
  servers: z.array(server).max(mostServers),
  /** Servers that are not in the report. */
  leftOut: whole,
});

export type StatisticsReport = z.output<typeof statisticsReport>;
export type ReportedListener = z.output<typeof listener>;
export type ReportedPool = z.output<typeof pool>;
export type ReportedServer = z.output<typeof server>;
