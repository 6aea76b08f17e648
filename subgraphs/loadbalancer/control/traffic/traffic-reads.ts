// Reads of traffic for the graph, for subjects that the caller may see.
import type { LoadBalancerTrafficPeriod } from '../../../../generated/graph/loadbalancer.ts';
import type { RequestContext } from '../../../../platform/caller/identity.ts';
import type { Database } from '../../../../platform/database/database.ts';
import { CodedError } from '../../../../platform/errors/errors.ts';
import { loader } from '../../../../platform/pages/loader.ts';
import { type Figures, subjectsIn } from './traffic-figures.ts';
import { keptSeconds, type TrafficSeconds } from './traffic-seconds.ts';
import { readTraffic, type TrafficRow, trafficTotals } from './traffic-store.ts';

interface TrafficItem extends Figures {
  /** Start of the period. */
  readonly startedAt: Date;
}

interface TrafficTotal {
  readonly activeConnections: number;
  readonly totalRequests: number;
  readonly requestErrors: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** End of the last counted minute. Null if none was counted. */
  readonly countedUntil: Date | null;
}

interface TrafficArguments {
  readonly period?: LoadBalancerTrafficPeriod | null;
  readonly periods?: number | null;
}

interface Subject {
  /** UUID: of the load balancer, a listener, member or node. */
  readonly id: string;
  readonly balancerId: string;
}

const lengthsMs = { SECOND: 1_000, MINUTE: 60_000, HOUR: 3_600_000 };
const mostPeriods = 1_440;
const totals = Symbol('traffic totals by subject');
/** By the length of the series: the subjects of one load balancer share the seconds. */
const seconds = new Map<number, symbol>();
const rows = new Map<string, symbol>();

export class TrafficReads {
  readonly #db: Database;
  readonly #seconds: TrafficSeconds;
  readonly #now: () => number;

  constructor({ db, seconds, now }: { db: Database; seconds: TrafficSeconds; now?: () => number }) {
    this.#db = db;
    this.#seconds = seconds;
    this.#now = now ?? Date.now;
  }

  /** Newest first. Throws INVALID_INPUT. */
  async series(context: RequestContext, subject: Subject, args: TrafficArguments): Promise<TrafficItem[]> {
    const period = args.period ?? 'SECOND';
    const periods = args.periods ?? 60;
    const most = period === 'SECOND' ? keptSeconds : mostPeriods;
    if (!Number.isInteger(periods) || periods < 1 || periods > most)
      throw new CodedError('INVALID_INPUT', `periods: ${periods} is out of range; give 1 to ${most} for ${period}.`);
    if (period === 'SECOND') return this.#live(context, subject, periods);
    const owner = ownerIn(rows, `${period} ${periods}`);
    const now = this.#now();
    const since = new Date(now - (now % lengthsMs[period]) - (periods - 1) * lengthsMs[period]);
    const found = await loader(context, owner, subject.id, async (ids) =>
      Map.groupBy(await readTraffic(this.#db, ids, period, since), ({ subjectId }) => subjectId),
    );
    return (found ?? []).map(({ subjectId: _, at, ...figures }: TrafficRow) => ({ startedAt: at, ...whole(figures) }));
  }

  /** Excludes the current period, which has not ended. */
  async total(context: RequestContext, subject: Subject): Promise<TrafficTotal> {
    const found = await loader(context, totals, subject.id, async (ids) => {
      const all = await trafficTotals(this.#db, ids);
      return new Map(all.map((each) => [each.subjectId, each]));
    });
    const [now] = await this.#live(context, subject, liveSeconds);
    const { requests = 0, errors = 0, bytesIn = 0, bytesOut = 0 } = found ?? {};
    const numbers = whole({ totalRequests: requests, requestErrors: errors, bytesIn, bytesOut });
    return { activeConnections: now?.sessions ?? 0, ...numbers, countedUntil: found?.until ?? null };
  }

  /** The most in one of the last seconds: 0 if no node had any. Null without a report. */
  async openSessions(context: RequestContext, subject: Subject): Promise<number | null> {
    const found = await this.#live(context, subject, liveSeconds);
    return found.length === 0 ? null : Math.max(...found.map(({ sessions }) => sessions));
  }

  /** Excludes the current second, for which reports are still missing. Empty while Redis is not available. */
  async #live(context: RequestContext, { id, balancerId }: Subject, periods: number): Promise<TrafficItem[]> {
    const last = Math.floor(this.#now() / 1_000) - 1;
    const owner = ownerIn(seconds, periods);
    const found = await loader(context, owner, balancerId, async (balancers) => {
      const read = async (balancer: string) => {
        const reports = await this.#seconds.read(balancer, last - periods + 1, last).catch(() => new Map());
        return [...reports].map(([second, nodes]) => ({ second, subjects: subjectsIn(balancer, nodes) }));
      };
      return new Map(await Promise.all(balancers.map(async (balancer) => [balancer, await read(balancer)] as const)));
    });
    const nothing: Figures = {
      ...{ requests: 0, errors: 0, serverErrors: 0, sessions: 0, bytesIn: 0, bytesOut: 0, latencyMs: null },
    };
    return (found ?? [])
      .map(({ second, subjects }) => ({ startedAt: new Date(second * 1_000), ...whole(subjects.get(id) ?? nothing) }))
      .reverse();
  }
}

/** Each node reports at least once in this time. */
const liveSeconds = 5;

/** Averages and sums of shares of a minute have fractions. */
function whole<Numbers extends object>(numbers: Numbers): Numbers {
  const rounded = Object.entries(numbers).map(([name, value]) => [name, value === null ? null : Math.round(value)]);
  return Object.fromEntries(rounded) as Numbers;
}

function ownerIn<Key>(owners: Map<Key, symbol>, key: Key): symbol {
  const owner = owners.get(key) ?? Symbol(`traffic ${key}`);
  owners.set(key, owner);
  return owner;
}
