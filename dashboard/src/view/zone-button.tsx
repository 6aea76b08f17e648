// Switches the times of all pages between the browser's zone and UTC.
import { useClock } from './clock.ts';
import { chooseZone, useZone, zoneName } from './zone.ts';

const hourMs = 3_600_000;

export function ZoneButton() {
  const zone = useZone();
  // A zone may have another name tomorrow.
  const hour = useClock((nowMs) => Math.floor(nowMs / hourMs));
  const [name, own] = [zoneName(zone, hour * hourMs), zoneName(undefined, hour * hourMs)];
  if (own === 'UTC') return <span className="zone">UTC</span>;
  const other = zone === 'UTC' ? own : 'UTC';
  return (
    <button
      type="button"
      className="quiet zone"
      title={`Times are in ${name}; switch to ${other}`}
      aria-label={`Times are in ${name}. Switch to ${other}`}
      onClick={() => chooseZone(zone === 'UTC' ? undefined : 'UTC')}
    >
      {name}
    </button>
  );
}
