// What the list has of the traffic of its load balancers: the last ten seconds, and the last hour by minute.
import { useCallback } from 'react';
import { LoadbalancerHoursDocument, LoadbalancerRatesDocument } from '../../../../generated/dashboard/graphql.ts';
import { useDependencies, useLiveState } from '../../context.ts';
import { readPages } from '../../graph/read-pages.ts';
import { useReading } from '../../view/use-reading.ts';
import { useRepeated } from '../../view/use-repeated.ts';
import { requestsOfHour } from './hour.ts';
import { maxPages } from './reads.ts';

const ratesEveryMs = 5_000;
const hoursEveryMs = 60_000;

export interface Rate {
  readonly requestsPerSecond: number;
  /** Mean of all requests. Null without any. */
  readonly latencyMs: number | null;
}

/** By load balancer. Load balancers without a report from any node are missing. */
export function useRates(): ReadonlyMap<string, Rate> | null {
  const { requester } = useDependencies();
  const read = useCallback(async () => {
    const { nodes } = await readPages(
      maxPages,
      null,
      async (after) => (await requester.request(LoadbalancerRatesDocument, { after })).loadBalancers,
    );
    return new Map(nodes.flatMap(({ id, traffic }) => (traffic.length === 0 ? [] : [[id, rateOf(traffic)] as const])));
  }, [requester]);
  return useRepeated(read, ratesEveryMs);
}

interface SecondFigure {
  readonly requests: string;
  readonly latencyMs: number | null;
}

/** Of one second or more. */
export function rateOf(seconds: readonly SecondFigure[]): Rate {
  const timed = seconds.filter(({ latencyMs }) => latencyMs !== null);
  const sum = (some: readonly SecondFigure[], of: (figure: SecondFigure) => number) =>
    some.reduce((total, figure) => total + of(figure), 0);
  const count = ({ requests }: SecondFigure) => Number(requests);
  const timedCount = sum(timed, count);
  return {
    requestsPerSecond: sum(seconds, count) / seconds.length,
    latencyMs: timedCount === 0 ? null : sum(timed, (figure) => count(figure) * (figure.latencyMs ?? 0)) / timedCount,
  };
}

export interface Hour {
  /** A second, by minute, oldest first. */
  readonly requests: readonly (number | null)[];
  /** Since when it has its operating status. Null if that is no longer known. */
  readonly since: string | null;
}

/** By load balancer. Undefined until it is read. */
export function useHours(): ReadonlyMap<string, Hour> | undefined {
  const { requester } = useDependencies();
  const { feed } = useLiveState();
  const news = feed.find((line) => line.type === 'change' && line.change.kind === 'loadBalancer.operatingStatus')?.id;
  const read = useCallback(async () => {
    const { nodes } = await readPages(
      maxPages,
      null,
      async (after) => (await requester.request(LoadbalancerHoursDocument, { after })).loadBalancers,
    );
    const nowMs = Date.now();
    return new Map(
      nodes.map(({ id, traffic, uptime }): [string, Hour] => [
        id,
        { requests: requestsOfHour(traffic, nowMs), since: uptime.statusSince },
      ]),
    );
  }, [requester]);
  return useReading(read, news, hoursEveryMs).value;
}

/** `0`, `3.2`, `140`, `12.4 k`. */
export function formatRate(rate: number): string {
  if (rate >= 10_000) return `${(rate / 1000).toFixed(1)} k`;
  return rate >= 100 || rate === 0 ? rate.toFixed(0) : rate.toFixed(1);
}
