// Formats of times and names. Lists show times of day, because those do not change; ages are shown only where the age matters.

/** The name of a time zone. Undefined for the browser's own. */
type ZoneName = string | undefined;

const formats = new Map<ZoneName, ReturnType<typeof formatsIn>>();

function formatsIn(timeZone: ZoneName) {
  const time = { hour: '2-digit', minute: '2-digit' } as const;
  const day = { day: '2-digit', month: 'short' } as const;
  const format = (options: Intl.DateTimeFormatOptions) => new Intl.DateTimeFormat('en-GB', { ...options, timeZone });
  return {
    day: format({ ...day, year: 'numeric' }),
    timeOfDay: format({ ...time, second: '2-digit' }),
    dayAndTime: format({ ...day, ...time }),
    moment: format({ ...day, year: 'numeric', ...time, second: '2-digit', timeZoneName: 'short' }),
  };
}

function formatsOf(zone: ZoneName): ReturnType<typeof formatsIn> {
  const known = formats.get(zone) ?? formatsIn(zone);
  formats.set(zone, known);
  return known;
}

/** The time of day; of another day the date and the time without seconds, of another year the date. */
export function formatTime(at: string, nowMs: number, zone?: ZoneName): string {
  const atMs = Date.parse(at);
  const { day, timeOfDay, dayAndTime } = formatsOf(zone);
  const [date, today] = [day.format(atMs), day.format(nowMs)];
  if (date === today) return timeOfDay.format(atMs);
  return date.slice(-4) === today.slice(-4) ? dayAndTime.format(atMs) : date;
}

/** With the date and the zone: `28 Nov 2026, 14:03:22 UTC`. */
export function formatMoment(at: string, zone?: ZoneName): string {
  return formatsOf(zone).moment.format(Date.parse(at));
}

/** An age in its largest unit, in steps that do not flicker: `<5 s`, `35 s`, `12 min`, `5 h`, `3 d`. */
export function formatAge(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 5) return '<5 s';
  if (seconds < 60) return `${seconds - (seconds % 5)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}

/** The age from which data is shown with its age. */
export const oldMs = 5_000;

/** `just now`, `12 min ago`. */
export function formatAgo(ms: number): string {
  return ms < oldMs ? 'just now' : `${formatAge(ms)} ago`;
}

/** In its two largest units: `34 ms`, `1.2 s`, `5 s`, `2 min 5 s`, `4 h`, `3 d 2 h`. */
export function formatDuration(ms: number): string {
  if (ms < 1000) return `${Math.max(0, Math.round(ms))} ms`;
  if (ms < 59_950) return `${Number((ms / 1000).toFixed(1))} s`;
  const seconds = Math.round(ms / 1000);
  const parts = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3_600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'min'],
    [seconds % 60, 's'],
  ] as const;
  const largest = parts.findIndex(([count]) => count > 0);
  return parts
    .slice(largest, largest + 2)
    .flatMap(([count, unit]) => (count > 0 ? [`${count} ${unit}`] : []))
    .join(' ');
}

/** The time left, in whole seconds: `34 s`, `9:05`, `1:00:00`. */
export function formatCountdown(ms: number): string {
  const seconds = Math.ceil(Math.max(0, ms) / 1000);
  if (seconds < 60) return `${seconds} s`;
  const two = (number: number): string => String(number).padStart(2, '0');
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  return hours === 0 ? `${minutes}:${two(seconds % 60)}` : `${hours}:${two(minutes)}:${two(seconds % 60)}`;
}

/** LoadBalancerNode → load balancer node, GslbPool → GSLB pool. */
export function formatType(typename: string): string {
  return spelled(typename.replace(/(?<!^)([A-Z])/g, ' $1').toLowerCase());
}

/** LEAST_MAPPED → least mapped, PENDING_DNS → pending DNS. */
export function formatWord(word: string): string {
  return spelled(word.toLowerCase().replaceAll('_', ' '));
}

const acronyms = new RegExp(
  '\\b(?:a{4}|aes|api|caa|cidr|cmp|cname|dns|ecdsa|fqdn|gslb|ha|hmac|https?|icmp|ip|l7|md5|mx|oom|p256|p384|ptr|rsa|s3|sha\\d*|soa|srv|ssh|ssl|' +
    'tcp|tls|ttl|txt|udp|url|utc|uuid|vlan|vrf|vrrp)\\b',
  'g',
);

function spelled(words: string): string {
  return words.replace(acronyms, (word) => word.toUpperCase()).replace(/\bgrpc\b/g, 'gRPC');
}

/** A value of a device: texts unchanged, null as `nothing`, all else as JSON. */
export function formatValue(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  return typeof value === 'string' && value !== '' ? value : JSON.stringify(value);
}

export function formatJson(value: unknown): string {
  return JSON.stringify(value, null, 2) ?? '';
}

const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

/** `812 B`, `1.4 GiB`. */
export function formatBytes(bytes: number): string {
  const power = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(1, bytes)) / 10));
  return `${(bytes / 1024 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power]}`;
}

/** `0`, `812`, `12.3 k`, `4.1 M`. */
export function formatCount(count: number): string {
  if (count < 10_000) return String(count);
  return count < 1_000_000 ? `${(count / 1_000).toFixed(1)} k` : `${(count / 1_000_000).toFixed(1)} M`;
}
