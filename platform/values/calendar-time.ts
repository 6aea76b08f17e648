// Reads points in time strictly. A day that its month does not have is refused, not taken as a day of the next month. The year has
// four digits in UTC, because the database and ISO 8601 have no room for more.

const pattern = /^(\d{4})-(\d{2})-(\d{2})T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})$/i;
const leastYear = 1000;
const mostYear = 9999;

/** An RFC 3339 time from 1000 to 9999. Returns undefined for other text. */
export function readTime(text: string): Date | undefined {
  const [, year, month, day] = pattern.exec(text) ?? [];
  if (!isDay(Number(year), Number(month), Number(day))) return undefined;
  const date = new Date(text);
  const inUtc = date.getUTCFullYear();
  return inUtc >= leastYear && inUtc <= mostYear ? date : undefined;
}

/** Whether the calendar has this day. `month`: 1 to 12. */
export function isDay(year: number, month: number, day: number): boolean {
  const date = new Date(Date.UTC(year, month - 1, day));
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
}
