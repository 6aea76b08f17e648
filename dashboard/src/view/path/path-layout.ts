// Where the stops of a path stand, from left to right, and the lines between them. Pure.

/** Something that a request passes, or may pass. */
export interface Stop {
  /** Unique in the path. */
  readonly key: string;
  readonly title: string;
  readonly detail: string | null;
  /** The operating status. Null if it has none. */
  readonly status: string | null;
  /** Requests get no further here. */
  readonly isDown: boolean;
  /** Its figures and status are the last that an absent host reported. */
  readonly isOld: boolean;
  /** Rate and latency, for people. Null if they are not known. */
  readonly figures: string | null;
  /** The entity that opens. */
  readonly opens: { readonly type: string; readonly id: string } | null;
}

interface Step {
  readonly title: string;
  readonly stops: readonly Stop[];
}

export interface Way {
  /** Keys of stops; `to` stands further right. */
  readonly from: string;
  readonly to: string;
  /** Used only if no other way is left. */
  readonly isReserve: boolean;
}

export interface Path {
  readonly steps: readonly Step[];
  readonly ways: readonly Way[];
}

interface Line {
  readonly key: string;
  /** The attribute `d` of the SVG path. */
  readonly d: string;
  readonly kind: 'good' | 'down' | 'old' | 'reserve';
  /** Where the cross of a way that is down stands. */
  readonly middle: { readonly x: number; readonly y: number };
}

interface Layout {
  readonly width: number;
  readonly height: number;
  /** The top left corner of each stop. */
  readonly places: ReadonlyMap<string, { readonly x: number; readonly y: number }>;
  readonly lines: readonly Line[];
}

export const stopWidth = 186;
const stopHeight = 76;
const between = { x: 54, y: 10 };
const headHeight = 28;
/** Distance in pixels at which a way passes a stop. */
const aside = 5;

export function layoutOf({ steps, ways }: Path): Layout {
  const tallest = Math.max(1, ...steps.map(({ stops }) => stops.length));
  const heightOf = (count: number) => count * (stopHeight + between.y) - between.y;
  const height = headHeight + heightOf(tallest);
  const places = new Map<string, { readonly x: number; readonly y: number }>();
  const stops = new Map<string, Stop>();
  for (const [column, step] of steps.entries()) {
    const top = headHeight + (heightOf(tallest) - heightOf(step.stops.length)) / 2;
    for (const [row, stop] of step.stops.entries()) {
      places.set(stop.key, { x: column * (stopWidth + between.x), y: top + row * (stopHeight + between.y) });
      stops.set(stop.key, stop);
    }
  }
  const lines = ways.flatMap((way): Line[] => {
    const [from, to] = [places.get(way.from), places.get(way.to)];
    if (from === undefined || to === undefined) return [];
    const start = { x: from.x + stopWidth, y: from.y + stopHeight / 2 };
    const end = { x: to.x, y: to.y + stopHeight / 2 };
    const skipped = [...places.values()].filter(({ x }) => x > from.x && x < to.x);
    const points = [start, ...around(skipped, start, end), end];
    return [
      {
        key: `${way.from} ${way.to}`,
        d: `M${start.x} ${start.y}${points
          .slice(1)
          .map((point, index) => curve(points[index] ?? start, point))
          .join('')}`,
        kind: kindOf(way, [stops.get(way.from), stops.get(way.to)]),
        middle: { x: (start.x + (points[1]?.x ?? end.x)) / 2, y: (start.y + (points[1]?.y ?? end.y)) / 2 },
      },
    ];
  });
  return { width: steps.length * (stopWidth + between.x) - between.x, height, places, lines };
}

interface Point {
  readonly x: number;
  readonly y: number;
}

/** Above or below the stops of the steps that a way skips, whichever is nearer. */
function around(skipped: readonly Point[], start: Point, end: Point): readonly Point[] {
  if (skipped.length === 0) return [];
  const [xs, ys] = [skipped.map(({ x }) => x), skipped.map(({ y }) => y)];
  const [above, below] = [Math.min(...ys) - aside, Math.max(...ys) + stopHeight + aside];
  const middle = (start.y + end.y) / 2;
  const y = Math.abs(above - middle) < Math.abs(below - middle) ? above : below;
  return [
    { x: Math.min(...xs), y },
    { x: Math.max(...xs) + stopWidth, y },
  ];
}

function curve(from: Point, to: Point): string {
  const bend = Math.min(between.x, to.x - from.x) / 2;
  return `C${from.x + bend} ${from.y} ${to.x - bend} ${to.y} ${to.x} ${to.y}`;
}

function kindOf(way: Way, ends: readonly (Stop | undefined)[]): Line['kind'] {
  if (ends.some((stop) => stop?.isOld)) return 'old';
  if (ends.some((stop) => stop?.isDown)) return 'down';
  return way.isReserve ? 'reserve' : 'good';
}

/** Those for whom there is no room are counted in one stop. Those in trouble come first. */
export function withinRoom(stops: readonly Stop[], most: number, what: string): readonly Stop[] {
  const sorted = stops.toSorted((one, other) => Number(other.isDown) - Number(one.isDown));
  if (sorted.length <= most) return sorted;
  const rest = sorted.slice(most - 1);
  const down = rest.filter(({ isDown }) => isDown).length;
  return [
    ...sorted.slice(0, most - 1),
    {
      ...{ key: `rest of ${stops[0]?.key ?? ''}`, title: `${rest.length} more ${what}`, status: null, figures: null },
      detail: down === 0 ? 'none of them is down' : `${down} of them down`,
      ...{ isDown: down === rest.length, isOld: false, opens: null },
    },
  ];
}
