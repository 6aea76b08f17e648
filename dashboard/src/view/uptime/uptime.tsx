// The uptime of an object in 24 hours, 7 or 30 days: the percentage, a bar for each slot of time, and times without data.
import { useCallback, useState } from 'react';
import type { UptimeFieldsFragment, UptimeWindow } from '../../../../generated/dashboard/graphql.ts';
import { useDependencies, useLiveState } from '../../context.ts';
import type { GraphqlDocument } from '../../graph/request.ts';
import { Beats } from '../beats.tsx';
import { useClock } from '../clock.ts';
import { useReading } from '../use-reading.ts';
import { describeSlot, formatUpPercent, remarksOf } from './uptime-words.ts';

interface UptimeProps {
  /** Has one root field, which has the uptime. */
  readonly document: GraphqlDocument<
    Readonly<Record<string, { readonly uptime: UptimeFieldsFragment } | null>>,
    { readonly id: string; readonly window: UptimeWindow }
  >;
  readonly id: string;
  /** The object's words in the label. */
  readonly of: string;
}

const windows = [
  { name: 'DAY', label: '24 h' },
  { name: 'WEEK', label: '7 d' },
  { name: 'MONTH', label: '30 d' },
] as const satisfies readonly { readonly name: UptimeWindow; readonly label: string }[];

/** Time passes without a change, too. */
const everyMs = 300_000;

export function Uptime({ document, id, of }: UptimeProps) {
  const [window, setWindow] = useState<UptimeWindow>('DAY');
  const { requester } = useDependencies();
  const read = useCallback(
    async () => Object.values(await requester.request(document, { id, window }))[0]?.uptime ?? null,
    [requester, document, id, window],
  );
  const { value: uptime, failure } = useReading(read, useNewsOf(id), everyMs);
  const remarks = useClock((nowMs) => (uptime == null ? '' : remarksOf(uptime, nowMs)));
  if (uptime === null) return null;
  return (
    <section className="uptime" aria-label={`Uptime of ${of}`}>
      <p className="line">
        <b>{uptime === undefined ? '–' : formatUpPercent(uptime.upPercent)}</b>
        <span className="dim">
          up{remarks !== '' && `; ${remarks}`}
          {failure !== null && `, not read: ${failure.message}`}
        </span>
        <span className="windows">
          {windows.map(({ name, label }) => (
            <button
              type="button"
              key={name}
              className="chip"
              aria-pressed={name === window}
              onClick={() => setWindow(name)}
            >
              {label}
            </button>
          ))}
        </span>
      </p>
      {uptime === undefined ? (
        <div className="beats" />
      ) : (
        <Beats slots={uptime.slots} describe={describeSlot} isOfDays={window === 'MONTH'} />
      )}
    </section>
  );
}

/** The id of the object's newest change. */
function useNewsOf(id: string): string | undefined {
  const { feed } = useLiveState();
  return feed.find((line) => line.type !== 'note' && line.change.subjectId === id)?.id;
}
