// Figures of a node between two of its reports, and their sums over nodes and time. Pure.
import type { TrafficReport } from '../../wire/traffic-report.ts';

/** Figures of one subject: load balancer, listener, member or node. */
export interface Figures {
  readonly requests: number;
  readonly errors: number;
  /** Null if unknown. */
  readonly serverErrors: number | null;
  /** On average. */
  readonly sessions: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** Mean per request. Null if unknown or without requests. */
  readonly latencyMs: number | null;
}

/** Figures of a node since its previous report. They count for the second in which the report arrived. */
export interface NodeSecond {
  /** UUID. */
  readonly node: string;
  /** Time between the two reports. */
  readonly ms: number;
  /** Its sessions in percent of those that it may have. */
  readonly sessionsPercent: number;
  /** Share of time in which HAProxy was busy. */
  readonly busyPercent: number;
  /** By UUID: the node itself, its listeners, and members with traffic. */
  readonly subjects: ReadonlyMap<string, Figures>;
}

/** Requests, errors, server errors (-1: unknown), bytes in and out; they only rise. */
export type Counters = readonly [number, number, number, number, number];

/** Counters in the last report of a node, by subject. */
export interface LastReport {
  /** UUID of the count. */
  readonly count: string;
  readonly at: number;
  readonly counters: ReadonlyMap<string, Counters>;
}

/** After a longer gap, the time of the load is unknown. */
const mostGapMs = 60_000;

/**
 * Undefined if the report is a repetition or older than the last one. Counters decide this, because a clock may be set back. Without a last
 * report, or with another count than in the last one, nothing is known about the time before: a host that adopts a running HAProxy starts a
 * new count with earlier counters.
 */
export function secondOf(
  report: TrafficReport,
  last: LastReport | undefined,
): { readonly second: NodeSecond; readonly last: LastReport } | undefined {
  const isSameCount = last?.count === report.count;
  if (isSameCount && (report.at === last.at || isOlder(report, last))) return undefined;
  const counters = new Map(isSameCount ? last.counters : []);
  const subjects = new Map<string, Figures>();
  const take = (id: string, now: Counters, gauges: { sessions: number; latencyMs: number | null }) => {
    const before = isSameCount ? counters.get(id) : now;
    // A subject that appears within a count started at 0.
    const [requests, errors, serverErrors, bytesIn, bytesOut] = now.map((value, index) =>
      value < 0 ? -1 : Math.max(0, value - Math.max(0, before?.[index] ?? 0)),
    ) as unknown as Counters;
    counters.set(id, now);
    const { sessions, latencyMs } = gauges;
    const figures = {
      requests,
      errors,
      serverErrors: serverErrors < 0 ? null : serverErrors,
      sessions,
      bytesIn,
      bytesOut,
    };
    subjects.set(id, { ...figures, latencyMs: requests === 0 ? null : latencyMs });
    return requests;
  };
  let [timed, timedMs] = [0, 0];
  for (const { id, requests, errors, latencyMs } of report.pools) {
    const done = take(id, [requests, errors, -1, 0, 0], { sessions: 0, latencyMs });
    timed += done;
    timedMs += done * latencyMs;
    subjects.delete(id);
  }
  for (const { id, requests, errors, bytesIn, bytesOut, answers, open, latencyMs } of report.listeners)
    take(id, [requests, errors, answers['5xx'], bytesIn, bytesOut], { sessions: open, latencyMs });
  for (const { id, requests, errors, bytesIn, bytesOut, open, latencyMs } of report.members) {
    take(id, [requests, errors, -1, bytesIn, bytesOut], { sessions: open, latencyMs });
    const figures = subjects.get(id);
    if (figures !== undefined && isNothing(figures)) subjects.delete(id);
  }
  const serverErrors = report.listeners.reduce((sum, { answers }) => sum + answers['5xx'], 0);
  const { node, open, mostOpen, idlePercent, requests, errors, bytesIn, bytesOut } = report;
  const latencyMs = timed === 0 ? null : timedMs / timed;
  take(node, [requests, errors, serverErrors, bytesIn, bytesOut], { sessions: open, latencyMs });
  const sinceMs = isSameCount ? report.at - last.at : 0;
  const ms = sinceMs > 0 ? Math.min(sinceMs, mostGapMs) : 1_000;
  const sessionsPercent = mostOpen === 0 ? 0 : (100 * open) / mostOpen;
  return {
    second: { node, ms, sessionsPercent, busyPercent: 100 - idlePercent, subjects },
    last: { count: report.count, at: report.at, counters },
  };
}

function isOlder({ node, requests, bytesIn, bytesOut }: TrafficReport, { counters }: LastReport): boolean {
  const [requestsBefore, , , bytesInBefore, bytesOutBefore] = counters.get(node) ?? [0, 0, 0, 0, 0];
  return requests < requestsBefore || bytesIn < bytesInBefore || bytesOut < bytesOutBefore;
}

function isNothing({ requests, errors, sessions, bytesIn, bytesOut }: Figures): boolean {
  return requests === 0 && errors === 0 && sessions === 0 && bytesIn === 0 && bytesOut === 0;
}

/** Sums over different nodes, in the same time. */
export function together(all: readonly Figures[]): Figures {
  const sum = (of: (figures: Figures) => number) => all.reduce((total, figures) => total + of(figures), 0);
  const timed = all.filter(({ latencyMs }) => latencyMs !== null);
  const timedRequests = timed.reduce((total, { requests }) => total + requests, 0);
  const known = all.filter(({ serverErrors }) => serverErrors !== null);
  return {
    requests: sum(({ requests }) => requests),
    errors: sum(({ errors }) => errors),
    serverErrors: known.length === 0 ? null : sum(({ serverErrors }) => serverErrors ?? 0),
    sessions: sum(({ sessions }) => sessions),
    bytesIn: sum(({ bytesIn }) => bytesIn),
    bytesOut: sum(({ bytesOut }) => bytesOut),
    latencyMs:
      timedRequests === 0
        ? null
        : timed.reduce((total, { requests, latencyMs }) => total + requests * (latencyMs ?? 0), 0) / timedRequests,
  };
}

/** Figures of all subjects of a load balancer (including itself) in a time, from the reports of its nodes. */
export function subjectsIn(balancerId: string, seconds: readonly NodeSecond[]): ReadonlyMap<string, Figures> {
  const byNode = Map.groupBy(seconds, ({ node }) => node);
  const found = new Map<string, Figures[]>();
  for (const [node, reports] of byNode) {
    const own = new Map<string, Figures[]>();
    for (const { subjects } of reports)
      for (const [id, figures] of subjects) own.set(id, [...(own.get(id) ?? []), figures]);
    for (const [id, all] of own) {
      const whole = together(all);
      // A node that reported ten times does not have ten times as many sessions.
      const figures = { ...whole, sessions: whole.sessions / reports.length };
      const ids = id === node ? [id, balancerId] : [id];
      for (const each of ids) found.set(each, [...(found.get(each) ?? []), figures]);
    }
  }
  return new Map([...found].map(([id, all]) => [id, together(all)]));
}
