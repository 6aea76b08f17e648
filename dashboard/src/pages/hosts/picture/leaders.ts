// Primary host over time, from the moves of the primary. Pure.
import type { HostsMovesQuery } from '../../../../../generated/dashboard/graphql.ts';

type Move = HostsMovesQuery['haMoves']['nodes'][number];

interface Lane {
  readonly host: string;
  readonly spans: readonly {
    readonly fromMs: number;
    readonly untilMs: number;
    /** For how long nobody led before. Null if it is not known. */
    readonly gapMs: number | null;
  }[];
}

export interface Leaders {
  readonly startMs: number;
  readonly lanes: readonly Lane[];
}

const weekMs = 7 * 86_400_000;
const leastMs = 3_600_000;

/** Of the last week at most; begins with the oldest known move. `primaryName`: the host that leads now. */
export function leadersOf(
  moves: readonly Pick<Move, 'state' | 'primaryName' | 'previousName' | 'createdAt' | 'gapMs'>[],
  primaryName: string | null,
  nowMs: number,
): Leaders {
  const done = moves
    .filter(({ state }) => state === 'SUCCEEDED')
    .toSorted((one, other) => Date.parse(one.createdAt) - Date.parse(other.createdAt));
  const oldestMs = done[0] === undefined ? nowMs : Date.parse(done[0].createdAt);
  const startMs = Math.max(nowMs - weekMs, Math.min(oldestMs, nowMs - leastMs));
  const first = done[0]?.previousName ?? primaryName;
  const turns = [
    { host: first, fromMs: startMs, gapMs: null as number | null },
    ...done.map((move) => ({ host: move.primaryName, fromMs: Date.parse(move.createdAt), gapMs: move.gapMs })),
  ];
  const byHost = new Map<string, Lane['spans'][number][]>();
  for (const [index, { host, fromMs, gapMs }] of turns.entries()) {
    const isLast = index === turns.length - 1;
    // Nobody leads now: when the last one ended is not known.
    if (host === null || (isLast && primaryName === null && index > 0)) continue;
    const untilMs = Math.min(nowMs, turns[index + 1]?.fromMs ?? nowMs);
    if (untilMs <= startMs || untilMs <= fromMs) continue;
    const spans = byHost.get(host) ?? [];
    byHost.set(host, spans);
    spans.push({ fromMs: Math.max(startMs, fromMs), untilMs, gapMs: fromMs < startMs ? null : gapMs });
  }
  const lanes = [...byHost].map(([host, spans]) => ({ host, spans }));
  return { startMs, lanes: lanes.toSorted((one, other) => (one.host < other.host ? -1 : 1)) };
}
