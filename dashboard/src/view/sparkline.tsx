// A small line of the values of a time, from 0 to the largest of them. It has no axis: the text beside it has the newest value.

interface SparklineProps {
  /** Oldest first, at equal distances. Null: not known. */
  readonly values: readonly (number | null)[];
  /** For readers who can't see it. */
  readonly label: string;
}

const width = 100;
const height = 20;

export function Sparkline({ values, label }: SparklineProps) {
  const most = Math.max(...values.map((value) => value ?? 0), 0) || 1;
  const step = width / Math.max(1, values.length - 1);
  const spans = spansOf(values.map((value, index) => (value === null ? null : [index * step, yOf(value / most)])));
  const lines = spans.map((points) => `M${points.map(([x, y]) => `${x.toFixed(1)} ${y.toFixed(1)}`).join('L')}`);
  const areas = spans.map((points, index) => `${lines[index]}V${height}H${points[0]?.[0].toFixed(1)}Z`);
  return (
    <svg
      className="sparkline"
      viewBox={`0 0 ${width} ${height}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={label}
    >
      <path className="area" d={areas.join('')} />
      <path className="line" d={lines.join('')} />
    </svg>
  );
}

type Point = readonly [x: number, y: number];

/** Within the line's width. */
function yOf(share: number): number {
  return height - 1 - share * (height - 2);
}

/** The parts between gaps. A part of one point is a short line. */
function spansOf(points: readonly (Point | null)[]): readonly (readonly Point[])[] {
  const spans: Point[][] = [];
  for (const [index, point] of points.entries()) {
    if (point === null) continue;
    const last = spans.at(-1);
    if (last === undefined || points[index - 1] === null) spans.push([point]);
    else last.push(point);
  }
  return spans.map((span) =>
    span.length > 1 ? span : span.flatMap(([x, y]) => [[x - 0.5, y] as const, [x + 0.5, y] as const]),
  );
}
