// A chart over time, drawn by uPlot. It uses the page's colours and follows their changes; readers who can't see it have its caption.
import { useEffect, useRef, useSyncExternalStore } from 'react';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';

export interface ChartLine {
  readonly label: string;
  /** A class with `--tone`. */
  readonly tone: 'tone-busy' | 'tone-bad' | 'tone-odd';
  readonly values: readonly (number | null)[];
}

interface ChartProps {
  readonly title: string;
  /** Its present content as text. */
  readonly caption: string;
  /** Seconds since 1970, rising. */
  readonly at: readonly number[];
  readonly lines: readonly ChartLine[];
}

const heightPx = 140;
const time = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' });
const timeAndSeconds = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const day = new Intl.DateTimeFormat('en-GB', { day: '2-digit', month: 'short' });
const dark = window.matchMedia('(prefers-color-scheme: dark)');

export function Chart({ title, caption, at, lines }: ChartProps) {
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
  const names = lines.map(({ label }) => label).join(',');

  // biome-ignore lint/correctness/useExhaustiveDependencies: a canvas is redrawn when the colours change.
  useEffect(() => {
    if (place.current === null || legend.current === null) return;
    const target = place.current;
    const made = new uPlot(optionsOf(target, legend.current), [[], ...names.split(',').map(() => [])], target);
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
  }, [names, isDark]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: a new drawing needs its data.
  useEffect(() => {
    plot.current?.setData([[...at], ...lines.map(({ values }) => [...values])]);
  }, [at, lines, isDark]);

  return (
    <figure className="chart">
      <figcaption>
        <b>{title}</b> <span>{caption}</span>
        <ul ref={legend} className="legend">
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
function optionsOf(place: HTMLElement, legend: HTMLElement): uPlot.Options {
  const text = getComputedStyle(place).color;
  const grid = { stroke: getComputedStyle(place).borderTopColor, width: 1 };
  const axis: uPlot.Axis = { stroke: text, grid, ticks: grid, font: '11px system-ui, sans-serif' };
  return {
    width: Math.max(place.clientWidth, 100),
    height: heightPx,
    legend: { show: false },
    cursor: { drag: { x: false, y: false } },
    scales: { y: { range: (_, __, max) => [0, max > 0 ? max * 1.1 : 1] } },
    axes: [
      {
        ...axis,
        size: 26,
        space: 70,
        values: (_, splits, __, ___, stepSeconds) => splits.map((at) => timeText(at, stepSeconds)),
      },
      { ...axis, size: 46, space: 26 },
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
function timeText(at: number, stepSeconds: number): string {
  const format = stepSeconds < 60 ? timeAndSeconds : stepSeconds < 43_200 ? time : day;
  return format.format(at * 1000);
}
