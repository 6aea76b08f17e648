// How long something was up, from its stored changes of status. Time without a verdict is neither up nor down: before it was created, before
// the oldest event that is kept, while its status says that nobody knows, and while nothing ran that could have judged it. Pure.

import type { TimeSpan } from '../../leases/running-time.ts';

export type UptimeWindow = 'DAY' | 'WEEK' | 'MONTH';

export interface Transition {
  readonly atMs: number;
  /** Null for the first status. */
  readonly from: string | null;
  readonly to: string;
}

interface Judged {
  /** In the order of the stream, newest first: a clock that was set back does not change it. */
  readonly transitions: readonly Transition[];
  /** Since when the transitions are complete. */
  readonly completeSinceMs: number;
  /** Whether they are complete since it was created. Then the oldest is its first status: of a machine, nobody knows how it was before. */
  readonly isWhole?: boolean;
  /** The status now, for what has no transition. */
  readonly status: string | null;
  readonly nowMs: number;
  /** The times in which it was judged, in order and without overlaps. */
  readonly judgedIn: readonly TimeSpan[];
}

type SlotState = 'UP' | 'DEGRADED' | 'DOWN' | 'UNKNOWN';

interface UptimeSlot {
  readonly startedAt: Date;
  /** DOWN if it was down at all, else DEGRADED if it was that. */
  readonly state: SlotState;
  /** Of the known time; null if none is known. */
  readonly upPercent: number | null;
  readonly knownPercent: number;
}

export interface Uptime {
  readonly startedAt: Date;
  readonly upPercent: number | null;
  readonly knownPercent: number;
  readonly knownSince: Date | null;
  readonly downCount: number;
  /** Null if the change to its present status is not kept. */
  readonly statusSince: Date | null;
  readonly slots: readonly UptimeSlot[];
}

const hourMs = 3_600_000;
const windows: Readonly<Record<UptimeWindow, { readonly slotMs: number; readonly slots: number }>> = {
  DAY: { slotMs: hourMs, slots: 24 },
  WEEK: { slotMs: 6 * hourMs, slots: 28 },
  MONTH: { slotMs: 24 * hourMs, slots: 30 },
};

type Verdict = 'UP' | 'DEGRADED' | 'DOWN';

/** PRESENT, ABSENT and FLAPPING are those of a machine, IN_SYNC and ONE_COPY the database's. DRAINING is neither: a person takes it out of service. */
const verdicts: Readonly<Record<string, Verdict>> = {
  ...{ ONLINE: 'UP', PRESENT: 'UP', IN_SYNC: 'UP', DEGRADED: 'DEGRADED', FLAPPING: 'DEGRADED' },
  ...{ OFFLINE: 'DOWN', ERROR: 'DOWN', ABSENT: 'DOWN', ONE_COPY: 'DOWN' },
};

/** What the first event of a machine names as its status before, which nobody had judged. */
const neverHeard = 'ABSENT';

/** The last slot is under way at `nowMs`. */
export function windowStart(window: UptimeWindow, nowMs: number): number {
  const { slotMs, slots } = windows[window];
  return Math.floor(nowMs / slotMs) * slotMs - (slots - 1) * slotMs;
}

export function uptimeOf(window: UptimeWindow, judged: Judged): Uptime {
  const { nowMs } = judged;
  const { slotMs } = windows[window];
  const startMs = windowStart(window, nowMs);
  const sums = Array.from({ length: windows[window].slots }, () => ({ up: 0, degraded: 0, down: 0 }));
  let [knownSinceMs, downCount, last]: [number, number, Verdict | undefined] = [nowMs, 0, undefined];
  for (const { verdict, fromMs, untilMs } of periodsOf(judged, startMs)) {
    // Two periods that are down one after the other, as ERROR and OFFLINE are, are one fall.
    if (verdict !== 'DOWN' && last === 'DOWN') downCount += 1;
    last = verdict;
    if (verdict === undefined) continue;
    for (const span of judged.judgedIn) {
      const [from, until] = [Math.max(fromMs, span.fromMs), Math.min(untilMs, span.untilMs)];
      if (until <= from) continue;
      knownSinceMs = Math.min(knownSinceMs, from);
      for (let slot = Math.floor((from - startMs) / slotMs); startMs + slot * slotMs < until; slot += 1) {
        const sum = sums[slot];
        if (sum === undefined) break;
        const lasted = Math.min(until, startMs + (slot + 1) * slotMs) - Math.max(from, startMs + slot * slotMs);
        sum[verdict === 'DOWN' ? 'down' : 'up'] += lasted;
        if (verdict === 'DEGRADED') sum.degraded += lasted;
      }
    }
  }
  if (last === 'DOWN') downCount += 1;
  const whole = { up: 0, down: 0 };
  for (const { up, down } of sums) [whole.up, whole.down] = [whole.up + up, whole.down + down];
  const known = whole.up + whole.down;
  return {
    startedAt: new Date(startMs),
    upPercent: known === 0 ? null : percent(whole.up, known),
    knownPercent: percent(known, nowMs - startMs),
    knownSince: known === 0 ? null : new Date(knownSinceMs),
    downCount,
    statusSince: statusSince(judged),
    slots: sums.map(({ up, degraded, down }, slot) => {
      const slotStartMs = startMs + slot * slotMs;
      return {
        startedAt: new Date(slotStartMs),
        state: down > 0 ? 'DOWN' : degraded > 0 ? 'DEGRADED' : up > 0 ? 'UP' : 'UNKNOWN',
        upPercent: up + down === 0 ? null : percent(up, up + down),
        knownPercent: percent(up + down, Math.min(slotMs, nowMs - slotStartMs)),
      };
    }),
  };
}

/** An event whose status is the same only has another reason. */
function statusSince({ transitions, completeSinceMs, isWhole }: Judged): Date | null {
  const sinceMs = transitions.find(({ from, to }) => from !== to)?.atMs ?? (isWhole === true ? completeSinceMs : null);
  return sinceMs === null ? null : new Date(sinceMs);
}

interface Period extends TimeSpan {
  /** Undefined: nobody knows. */
  readonly verdict: Verdict | undefined;
}

/** Newest first. A transition that seems to be later than the one after it took no time. */
function* periodsOf(
  { transitions, completeSinceMs, isWhole, status, nowMs }: Judged,
  startMs: number,
): Generator<Period> {
  const beginsMs = Math.max(startMs, completeSinceMs);
  let [untilMs, before] = [nowMs, transitions[0]?.to ?? status];
  for (const { atMs, from, to } of transitions) {
    const fromMs = Math.max(beginsMs, Math.min(atMs, untilMs));
    if (fromMs < untilMs) yield { verdict: verdicts[to], fromMs, untilMs };
    [untilMs, before] = [fromMs, from];
    if (untilMs <= beginsMs) return;
  }
  if (isWhole === true && transitions.length > 0 && before === neverHeard) return;
  if (beginsMs < untilMs) yield { verdict: verdicts[before ?? ''], fromMs: beginsMs, untilMs };
}

interface Hour {
  readonly startedAt: Date;
  readonly state: SlotState;
  /** Of the subject of which most is known. */
  readonly knownPercent: number;
}

/**
 * The last 24 hours of several subjects, from their uptimes of a DAY. An hour has the worst state of any of them. `isWhole`: these are all. Else
 * nobody knows that an hour was good.
 */
export function hoursOf(uptimes: readonly Uptime[], { nowMs, isWhole }: { nowMs: number; isWhole: boolean }): Hour[] {
  const { slotMs, slots } = windows.DAY;
  const startMs = windowStart('DAY', nowMs);
  const worstFirst: readonly SlotState[] = isWhole ? ['DOWN', 'DEGRADED', 'UP'] : ['DOWN', 'DEGRADED'];
  return Array.from({ length: slots }, (_, at) => {
    const startedAt = new Date(startMs + at * slotMs);
    const all = uptimes.flatMap((each) => each.slots[at] ?? []);
    const state = worstFirst.find((wanted) => all.some((slot) => slot.state === wanted)) ?? 'UNKNOWN';
    return {
      ...{ startedAt, state },
      knownPercent: state === 'UNKNOWN' ? 0 : Math.max(...all.map((slot) => slot.knownPercent)),
    };
  });
}

/** Rounded down: 100 means all of it. */
function percent(part: number, whole: number): number {
  return whole <= 0 ? 0 : Math.floor((100_000 * part) / whole) / 1_000;
}
