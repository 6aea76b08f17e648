// The time left until a point in time, to the second.
import { useClock } from './clock.ts';
import { formatCountdown } from './format.ts';

/** 0 once it has passed, or when there is none. */
export function useMsLeft(until: string | null): number {
  return useClock((nowMs) => (until === null ? 0 : Math.max(0, 1000 * Math.ceil((Date.parse(until) - nowMs) / 1000))));
}

/** Renders nothing once it has passed, not even `before`. */
export function Countdown({ until, before }: { readonly until: string | null; readonly before?: string }) {
  const msLeft = useMsLeft(until);
  if (until === null || msLeft === 0) return null;
  return (
    <span>
      {before !== undefined && <span className="dim">{before}</span>}
      <time className="countdown" dateTime={until} title={`until ${until}`}>
        {formatCountdown(msLeft)}
      </time>
    </span>
  );
}
