// Quiet hours of a channel: times of the week, in a time zone, in which it gets only critical alerts.

export const weekdays = ['MONDAY', 'TUESDAY', 'WEDNESDAY', 'THURSDAY', 'FRIDAY', 'SATURDAY', 'SUNDAY'] as const;
type Weekday = (typeof weekdays)[number];

export interface QuietHours {
  /** The days on which they begin. */
  readonly days: readonly Weekday[];
  /** `22:00`. */
  readonly from: string;
  /** `06:00`. If it is not later than `from`, it is on the next day. */
  readonly until: string;
}

export const timeOfDay = /^([01]\d|2[0-3]):[0-5]\d$/;

const dayMinutes = 1_440;
const weekMinutes = 7 * dayMinutes;

export function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

/** How long it stays quiet. Undefined if it is not quiet. When clocks are put forward or back, it is up to an hour wrong: ask again. */
export function quietForMs(hours: readonly QuietHours[], timeZone: string, now: Date): number | undefined {
  if (hours.length === 0) return undefined;
  const minute = minuteOfWeek(timeZone, now);
  const left = hours
    .flatMap(({ days, from, until }) => days.map((day) => lengthLeft(day, minutesOf(from), minutesOf(until), minute)))
    .filter((minutes) => minutes > 0);
  return left.length === 0 ? undefined : Math.max(...left) * 60_000 - (now.getTime() % 60_000);
}

/** Remaining minutes of a period that begins on that day. 0 outside of it. */
function lengthLeft(day: Weekday, from: number, until: number, minute: number): number {
  const begins = weekdays.indexOf(day) * dayMinutes + from;
  const length = until > from ? until - from : until + dayMinutes - from;
  const passed = (minute - begins + weekMinutes) % weekMinutes;
  return Math.max(0, length - passed);
}

function minuteOfWeek(timeZone: string, now: Date): number {
  const format = new Intl.DateTimeFormat('en-GB', {
    ...({ timeZone, weekday: 'long', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' } as const),
  });
  const parts = new Map(format.formatToParts(now).map(({ type, value }) => [type, value]));
  const day = weekdays.indexOf((parts.get('weekday') ?? '').toUpperCase() as Weekday);
  return day * dayMinutes + Number(parts.get('hour')) * 60 + Number(parts.get('minute'));
}

function minutesOf(time: string): number {
  const [hour = 0, minute = 0] = time.split(':').map(Number);
  return hour * 60 + minute;
}
