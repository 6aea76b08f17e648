// Requests, errors, latency, sessions and bytes of one object, by second, minute or hour.

import { useCallback, useMemo, useState } from 'react';
import type { LoadBalancerTrafficPeriod } from '../../../../generated/dashboard/graphql.ts';
import { useDependencies } from '../../context.ts';
import type { GraphqlDocument } from '../../graph/request.ts';
import { formatBytes, formatDuration } from '../../view/format.ts';
import { Skeleton } from '../../view/skeleton.tsx';
import { useRepeated } from '../../view/use-repeated.ts';
import { Chart, type ChartAxis, type ChartLine } from './chart.tsx';
import { newestOf, type Period, periods, seriesOf, type TrafficFigure } from './traffic-series.ts';
import { formatRate } from './use-rates.ts';

/** A document with one root field, which has traffic. */
type TrafficDocument = GraphqlDocument<
  Readonly<Record<string, { readonly traffic: readonly TrafficFigure[] } | null>>,
  { readonly id: string; readonly period: LoadBalancerTrafficPeriod; readonly periods: number }
>;

interface TrafficProps {
  readonly document: TrafficDocument;
  readonly id: string;
  readonly period: Period;
}

export function TrafficCharts({ document, id, period }: TrafficProps) {
  const { requester } = useDependencies();
  const read = useCallback(async () => {
    const answer = await requester.request(document, { id, period: period.name, periods: period.count });
    return { figures: Object.values(answer)[0]?.traffic ?? [], readAtMs: Date.now() };
  }, [requester, document, id, period]);
  const traffic = useRepeated(read, period.readEveryMs);
  return traffic === null ? <Skeleton /> : <Charts period={period} {...traffic} />;
}

interface PeriodButtonsProps {
  readonly period: Period;
  readonly onChange: (period: Period) => void;
}

export function usePeriod(): readonly [Period, (period: Period) => void] {
  return useState(periods[0] as Period);
}

export function PeriodButtons({ period, onChange }: PeriodButtonsProps) {
  return (
    <fieldset className="states">
      <legend className="visually-hidden">Length of a period</legend>
      {periods.map((each) => (
        <button
          type="button"
          key={each.name}
          className="chip"
          aria-pressed={each === period}
          onClick={() => onChange(each)}
        >
          {each.label}
        </button>
      ))}
    </fieldset>
  );
}

/** In a drawer. */
export function TrafficSection({ document, id }: Omit<TrafficProps, 'period'>) {
  const [period, setPeriod] = usePeriod();
  return (
    <section className="traffic-section">
      <h3>Traffic</h3>
      <PeriodButtons period={period} onChange={setPeriod} />
      <TrafficCharts document={document} id={id} period={period} />
    </section>
  );
}

const rateAxis: ChartAxis = { format: (value) => `${formatTick(value)}/s` };
const timeAxis: ChartAxis = { format: (value) => (value < 1_000 ? `${formatTick(value)} ms` : `${value / 1_000} s`) };
const countAxis: ChartAxis = { format: formatTick };
const bytesAxis: ChartAxis = { format: (value) => formatBytes(value).replace('.0 ', ' '), isBinary: true };

/** Marks are round numbers. */
function formatTick(value: number): string {
  return value < 10_000 ? String(Number(value.toFixed(2))) : `${Number((value / 1_000).toFixed(1))} k`;
}

interface ChartsProps {
  readonly period: Period;
  readonly figures: readonly TrafficFigure[];
  readonly readAtMs: number;
}

function Charts({ period, figures, readAtMs }: ChartsProps) {
  const charts = useMemo(() => {
    const { at, requests, errors, latencyMs, sessions, bytesIn, bytesOut } = seriesOf(figures, period, readAtMs);
    const rates: readonly ChartLine[] = [
      { label: 'requests', tone: 'tone-busy', values: requests },
      ...(errors.some((each) => each !== null && each > 0)
        ? [{ label: 'errors', tone: 'tone-bad', values: errors } as const]
        : []),
    ];
    const times: readonly ChartLine[] = [{ label: 'latency', tone: 'tone-odd', values: latencyMs }];
    const open: readonly ChartLine[] = [{ label: 'sessions', tone: 'tone-busy', values: sessions }];
    const bytes: readonly ChartLine[] = [
      { label: 'in', tone: 'tone-odd', values: bytesIn },
      { label: 'out', tone: 'tone-busy', values: bytesOut },
    ];
    return { at, rates, times, open, bytes };
  }, [figures, period, readAtMs]);
  const newest = newestOf(figures);
  if (newest === undefined) return <p className="hint">No traffic reported in this period.</p>;
  const { at, rates, times, open, bytes } = charts;
  const rate = (count: number): string => formatRate(count / period.seconds);
  const bytesRate = (count: string): string => formatBytes(Math.round(Number(count) / period.seconds));
  const took = newest.latencyMs === null ? 'no requests' : `newest ${formatDuration(newest.latencyMs)}`;
  return (
    <div className="charts">
      <Chart
        title="Requests a second"
        axis={rateAxis}
        caption={`newest ${rate(Number(newest.requests))}, of these ${rate(Number(newest.errors))} failed`}
        at={at}
        lines={rates}
      />
      <Chart title="Latency" axis={timeAxis} caption={took} at={at} lines={times} />
      <Chart title="Sessions" axis={countAxis} caption={`newest ${formatRate(newest.sessions)}`} at={at} lines={open} />
      <Chart
        title="Bytes a second"
        axis={bytesAxis}
        caption={`newest ${bytesRate(newest.bytesIn)} in, ${bytesRate(newest.bytesOut)} out`}
        at={at}
        lines={bytes}
      />
    </div>
  );
}
