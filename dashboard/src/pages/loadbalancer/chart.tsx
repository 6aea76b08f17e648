// A chart over time, drawn by uPlot. It uses the page's colours and follows their changes; readers who can't see it have its caption.
import { useEffect, useRef, useSyncExternalStore } from 'react';
import uPlot from 'uplot';
import { useZone } from '../../view/zone.ts';
import 'uplot/dist/uPlot.min.css';

export interface ChartLine {
  readonly label: string;
  /** A class with `--tone`. */
  readonly tone: 'tone-busy' | 'tone-bad' | 'tone-odd';
  readonly values: readonly (number | null)[];
}

/** The one axis of a chart. Must be the same object in each drawing. */
export interface ChartAxis {
  /** With its unit. */
  readonly format: (value: number) => string;
  /** Whether its marks are at multiples of powers of two. */
  readonly isBinary?: boolean;
}

interface ChartProps {
  readonly title: string;
  readonly axis: ChartAxis;
  /** Its present content as text. */
  readonly caption: string;
  /** Seconds since 1970, rising. */
  readonly at: readonly number[];
  readonly lines: readonly ChartLine[];
}

type Zone = ReturnType<typeof useZone>;

const heightPx = 120;
const powersOfTwo = Array.from({ length: 50 }, (_, power) => 2 ** power);
const dark = window.matchMedia('(prefers-color-scheme: dark)');

export function Chart({ title, axis, caption, at, lines }: ChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const legend = useRef<HTMLUListElement>(null);
  const plot = useRef<uPlot | null>(null);
  const isDark = useSyncExternalStore(
    (listener) => {
      dark.addEventListener('change', listener);
      return () => dark.removeEventListener('change', listener);
    },
    () => dark.matches,
  );
  const zone = useZone();
  const names = lines.map(({ label }) => label).join(',');

  // biome-ignore lint/correctness/useExhaustiveDependencies: a canvas is drawn again when the colours or the zone change.
  useEffect(() => {
    if (place.current === null || legend.current === null) return;
    const target = place.current;
    const made = new uPlot(
      optionsOf(target, legend.current, zone, axis),
      [[], ...names.split(',').map(() => [])],
      target,
    );
    plot.current = made;
    const observer = new ResizeObserver(() => {
      if (target.clientWidth > 0) made.setSize({ width: target.clientWidth, height: heightPx });
    });
    observer.observe(target);
    return () => {
      observer.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [names, isDark, zone, axis]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: a new drawing needs its data.
  useEffect(() => {
    plot.current?.setData([[...at], ...lines.map(({ values }) => [...values])]);
  }, [at, lines, isDark, zone]);

  return (
    <figure className="chart">
      <figcaption>
        <b>{title}</b> <span>{caption}</span>
        <ul ref={legend} className={lines.length === 1 ? 'legend visually-hidden' : 'legend'}>
          {lines.map(({ label, tone }) => (
            <li key={label} className={tone}>
              {label}
            </li>
          ))}
        </ul>
      </figcaption>
      <div ref={place} className="plot" aria-hidden="true" />
    </figure>
  );
}

/** Colours are read from elements: a canvas knows no variables. */
function optionsOf(place: HTMLElement, legend: HTMLElement, zone: Zone, of: ChartAxis): uPlot.Options {
  const textOf = timeTexts(zone);
  const text = getComputedStyle(place).color;
  const grid = { stroke: getComputedStyle(place).borderTopColor, width: 1 };
  const axis: uPlot.Axis = { stroke: text, grid, ticks: grid, font: '11px system-ui, sans-serif' };
  return {
    width: Math.max(place.clientWidth, 100),
    height: heightPx,
    ...(zone === undefined ? {} : { tzDate: (at: number) => uPlot.tzDate(new Date(at * 1000), zone) }),
    legend: { show: false },
    cursor: { drag: { x: false, y: false } },
    scales: { y: { range: (_, __, max) => [0, max > 0 ? max * 1.1 : 1] } },
    axes: [
      {
        ...axis,
        size: 26,
        space: 70,
        values: (_, splits, __, ___, stepSeconds) => splits.map((at) => textOf(at, stepSeconds)),
      },
      {
        ...{ ...axis, size: 62, space: 26, values: (_, splits) => splits.map((value) => of.format(value)) },
        ...(of.isBinary === true ? { incrs: powersOfTwo } : {}),
      },
    ],
    series: [
      {},
      ...[...legend.children].map((entry) => ({
        stroke: getComputedStyle(entry).color,
        width: 1.5,
        points: { show: false },
      })),
    ],
  };
}

/** `stepSeconds` lie between two marks. */
function timeTexts(zone: Zone): (at: number, stepSeconds: number) => string {
  const format = (options: Intl.DateTimeFormatOptions) =>
    new Intl.DateTimeFormat('en-GB', { ...options, timeZone: zone });
  const time = format({ hour: '2-digit', minute: '2-digit' });
  const timeAndSeconds = format({ hour: '2-digit', minute: '2-digit', second: '2-digit' });
  const day = format({ day: '2-digit', month: 'short' });
  return (at, stepSeconds) => (stepSeconds < 60 ? timeAndSeconds : stepSeconds < 43_200 ? time : day).format(at * 1000);
}
