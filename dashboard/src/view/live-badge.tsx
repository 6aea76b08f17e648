// Whether the page shows the current state, and the age of the server's last message.
import { useConnection } from '../context.ts';
import { livenessOf } from '../live/liveness.ts';
import { useClock } from './clock.ts';
import { formatAge, oldMs } from './format.ts';
import { Icon } from './icons.tsx';

const words = { LIVE: 'Live', RECONNECTING: 'Reconnecting', STALE: 'Stale' } as const;
const paths = {
  LIVE: 'M2 8h3l2-5 3 10 2-5h2',
  RECONNECTING: 'M13 8a5 5 0 1 1-1.5-3.6M12 2v3H9',
  STALE: 'M8 2 15 14H1ZM8 6.5v3.5M8 12v.2',
} as const;

export function LiveBadge() {
  const connection = useConnection();
  const liveness = useClock((nowMs) => livenessOf(connection, nowMs));
  const age = useClock((nowMs) => ageWords(connection.lastMessageMs, nowMs));
  return (
    <div className="live" data-live={liveness}>
      <span className="live-word" role="status" aria-live="polite">
        <Icon path={paths[liveness]} />
        <span className="live-text">{words[liveness]}</span>
      </span>
      <span className="live-age">{age}</span>
    </div>
  );
}

/** Nothing while messages come. */
function ageWords(lastMs: number | null, nowMs: number): string {
  if (lastMs === null) return 'waiting for the first message';
  return nowMs - lastMs < oldMs ? '' : `last message ${formatAge(nowMs - lastMs)} ago`;
}

/** A strip over the whole page while it may not show the current state. */
export function StaleStrip() {
  const connection = useConnection();
  const isStale = useClock((nowMs) => livenessOf(connection, nowMs) === 'STALE');
  const age = useClock((nowMs) =>
    connection.lastMessageMs === null ? '' : formatAge(nowMs - connection.lastMessageMs),
  );
  if (!isStale) return null;
  return (
    <p className="strip strip-stale">
      <Icon path={paths.STALE} />
      <span>
        <strong>{age === '' ? 'No answer from the server yet.' : `This page is ${age} old.`}</strong>{' '}
        {connection.reason ?? 'The server stopped responding.'} It keeps trying and will catch up without gaps.
      </span>
    </p>
  );
}
