// The bounds of the number of nodes at a time: those of the first open window of the schedule, within those of the load balancer.
import type { ScalingPolicy, ScheduleWindow } from './scaling-policy.ts';

export interface Bounds {
  readonly min: number;
  readonly max: number;
  /** The open window that narrows them. Undefined if none is open. */
  readonly window: ScheduleWindow | undefined;
}

const dayMinutes = 24 * 60;

export function boundsAt(
  { schedule, timeZone }: Pick<ScalingPolicy, 'schedule' | 'timeZone'>,
  own: { readonly minNodes: number; readonly maxNodes: number },
  now: Date,
): Bounds {
  const window = schedule.length === 0 ? undefined : openWindow(schedule, localTime(timeZone, now));
  if (window === undefined) return { min: own.minNodes, max: own.maxNodes, window };
  const within = (count: number) => Math.min(Math.max(count, own.minNodes), own.maxNodes);
  return { min: within(window.minNodes), max: within(window.maxNodes), window };
}

function openWindow(schedule: readonly ScheduleWindow[], { day, minute }: LocalTime): ScheduleWindow | undefined {
  return schedule.find(({ days, from, to }) => {
    const begin = minuteOf(from);
    const end = minuteOf(to);
    const dayBefore = day === 1 ? 7 : day - 1;
    if (end > begin) return days.includes(day) && minute >= begin && minute < end;
    return (days.includes(day) && minute >= begin) || (days.includes(dayBefore) && minute < end);
  });
}

interface LocalTime {
  /** 1 (Monday) to 7. */
  readonly day: number;
  /** Minute of the day. */
  readonly minute: number;
}

const weekdays = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];

/** In wall-clock time of the zone: no window opens in the hour that a zone skips, and a window opens twice in the hour that it repeats. */
function localTime(timeZone: string, now: Date): LocalTime {
  if (timeZone === 'UTC')
    return { day: ((now.getUTCDay() + 6) % 7) + 1, minute: now.getUTCHours() * 60 + now.getUTCMinutes() };
  const format = formatFor(timeZone);
  const parts = new Map(format.formatToParts(now).map(({ type, value }) => [type, value]));
  const minute = Number(parts.get('hour')) * 60 + Number(parts.get('minute'));
  return { day: weekdays.indexOf(parts.get('weekday') ?? '') + 1, minute: minute % dayMinutes };
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** Cached: a format is expensive to create, and there are some hundred zones. Throws RangeError for an unknown zone. */
function formatFor(timeZone: string): Intl.DateTimeFormat {
  const known = formats.get(timeZone);
  if (known !== undefined) return known;
  const parts = { weekday: 'short', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' } as const;
  const format = new Intl.DateTimeFormat('en-GB', { timeZone, ...parts });
  formats.set(timeZone, format);
  return format;
}

/** IANA names only: a name like +01:00 has no daylight saving time. */
export function isTimeZone(name: string): boolean {
  if (!/^[A-Za-z][A-Za-z0-9_+-]*(\/[A-Za-z0-9_+-]+){0,2}$/.test(name)) return false;
  try {
    formatFor(name);
    return true;
  } catch {
    return false;
  }
}

export function isTimeOfDay(text: string): boolean {
  return /^([01]\d|2[0-3]):[0-5]\d$/.test(text);
}

function minuteOf(time: string): number {
  const [hour = 0, minute = 0] = time.split(':').map(Number);
  return hour * 60 + minute;
}
