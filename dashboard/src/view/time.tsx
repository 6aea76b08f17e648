// Times and ages that update themselves.
import { useClock } from './clock.ts';
import { formatAge, formatTime } from './format.ts';

export function Time({ at }: { readonly at: string }) {
  const text = useClock((nowMs) => formatTime(at, nowMs));
  return (
    <time dateTime={at} title={at}>
      {text}
    </time>
  );
}

export function Age({ at }: { readonly at: string }) {
  const text = useClock((nowMs) => formatAge(nowMs - Date.parse(at)));
  return (
    <time dateTime={at} title={at}>
      {text}
    </time>
  );
}
