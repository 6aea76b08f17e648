// Times and ages that update themselves. Each has its date and zone as a title.
import { useClock } from './clock.ts';
import { formatAge, formatAgo, formatMoment, formatTime } from './format.ts';
import { useZone } from './zone.ts';

/** Short, for lists. */
export function Time({ at }: { readonly at: string }) {
  const zone = useZone();
  const text = useClock((nowMs) => formatTime(at, nowMs, zone));
  return (
    <time dateTime={at} title={formatMoment(at, zone)}>
      {text}
    </time>
  );
}

/** With its date and zone, for details. */
export function Moment({ at }: { readonly at: string }) {
  const zone = useZone();
  return (
    <time dateTime={at} title={at}>
      {formatMoment(at, zone)}
    </time>
  );
}

/** `just now`, `12 min ago`. */
export function Ago({ at }: { readonly at: string }) {
  const zone = useZone();
  const text = useClock((nowMs) => formatAgo(nowMs - Date.parse(at)));
  return (
    <time dateTime={at} title={formatMoment(at, zone)}>
      {text}
    </time>
  );
}

export function Age({ at }: { readonly at: string }) {
  const zone = useZone();
  const text = useClock((nowMs) => formatAge(nowMs - Date.parse(at)));
  return (
    <time dateTime={at} title={formatMoment(at, zone)}>
      {text}
    </time>
  );
}
