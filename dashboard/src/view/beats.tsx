// Bars of the last 24 hours. A high bar: something was in trouble in that hour.
import type { Beat } from './heartbeat.ts';
import { useZone } from './zone.ts';

/** The last bar is the present hour. */
export function Beats({ beats }: { readonly beats: readonly Beat[] }) {
  const zone = useZone();
  const hour = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', timeZone: zone });
  const bad = beats.filter(({ inTrouble }) => (inTrouble ?? 0) > 0).length;
  const unknown = beats.filter(({ inTrouble }) => inTrouble === null).length;
  const label = [
    bad === 0 ? 'Last 24 hours: no trouble' : `Last 24 hours: trouble in ${bad}`,
    ...(unknown > 0 ? [`${unknown} not known`] : []),
  ].join(', ');
  return (
    <div className="beats" role="img" aria-label={label}>
      {beats.map(({ startMs, inTrouble }) => (
        <span
          key={startMs}
          className="beat"
          data-beat={inTrouble === null ? 'unknown' : inTrouble > 0 ? 'bad' : 'good'}
          title={`${hour.format(startMs)}: ${inTrouble === null ? 'not known' : inTrouble === 0 ? 'no trouble' : `${inTrouble} in trouble`}`}
        />
      ))}
    </div>
  );
}
