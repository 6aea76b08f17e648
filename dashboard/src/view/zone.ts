// The zone of all times on the page: the browser's own, or UTC by choice. The choice is kept in this browser, for all tabs.
import { storedChoice } from './stored-choice.ts';

/** Undefined for the browser's own zone. */
type Zone = 'UTC' | undefined;

const choice = storedChoice('tidegate.zone');

export function useZone(): Zone {
  return choice.use((stored) => (stored === 'UTC' ? 'UTC' : undefined));
}

export function chooseZone(zone: Zone): void {
  choice.choose(zone ?? null);
}

/** Its short name at that time: `UTC`, `CET`, `GMT+5:30`. */
export function zoneName(zone: Zone, atMs: number): string {
  const parts = new Intl.DateTimeFormat('en-GB', { timeZoneName: 'short', timeZone: zone }).formatToParts(atMs);
  return parts.find(({ type }) => type === 'timeZoneName')?.value ?? 'local time';
}

/** The `max` of inputs for dates and times: without it a browser takes years of six digits, which are no points in time. */
export const latestEntered = '9999-12-31T23:59';

/** A point in time as an input for dates and times has it, to the minute. */
export function enteredOf(point: string | null, zone: Zone): string {
  if (point === null) return '';
  const at = new Date(point);
  if (zone === 'UTC') return at.toISOString().slice(0, 16);
  // Not by the zone's offset, which had seconds before 1900: a year that is being typed is so early.
  const digits = (number: number, count = 2): string => String(number).padStart(count, '0');
  const date = [digits(at.getFullYear(), 4), digits(at.getMonth() + 1), digits(at.getDate())].join('-');
  return `${date}T${digits(at.getHours())}:${digits(at.getMinutes())}`;
}

/** The point in time of an input for dates and times, which has no zone of its own. Null if nothing is entered. */
export function pointOf(entered: string, zone: Zone): string | null {
  return entered === '' ? null : new Date(zone === 'UTC' ? `${entered}Z` : entered).toISOString();
}
