// The host with the address that moves, replication to the others, and which host led when in the last days.
import { useMemo } from 'react';
import { useClock } from '../../../view/clock.ts';
import { formatDuration, formatWord } from '../../../view/format.ts';
import { Panel } from '../../../view/panel.tsx';
import { PathPicture } from '../../../view/path/path-picture.tsx';
import { ScrollRegion } from '../../../view/scroll-region.tsx';
import { Time } from '../../../view/time.tsx';
import type { Move, Status } from '../use-hosts.ts';
import { hostsPath } from './hosts-path.ts';
import { type Leaders, leadersOf } from './leaders.ts';

interface PicturePanelProps {
  readonly status: Status;
  readonly moves: readonly Move[] | undefined;
}

const minuteMs = 60_000;

export function PicturePanel({ status, moves }: PicturePanelProps) {
  const path = useMemo(() => hostsPath(status), [status]);
  const minute = useClock((nowMs) => Math.ceil(nowMs / minuteMs));
  const leaders = useMemo(
    () => moves && leadersOf(moves, status.primaryName, minute * minuteMs),
    [moves, status.primaryName, minute],
  );
  return (
    <Panel name="picture" title="Primary over time">
      <ScrollRegion label="Primary over time">
        <PathPicture
          label="Hosts of the database"
          path={path}
          badge={(state) => <b data-status={state}>{formatWord(state)}</b>}
          onOpen={() => undefined}
        />
        {leaders !== undefined && <TimeLine leaders={leaders} endMs={minute * minuteMs} />}
      </ScrollRegion>
    </Panel>
  );
}

function TimeLine({ leaders: { startMs, lanes }, endMs }: { readonly leaders: Leaders; readonly endMs: number }) {
  const percent = (ms: number) => `${((100 * ms) / (endMs - startMs)).toFixed(2)}%`;
  return (
    <section className="leaders" aria-label="Primary host over time">
      <p className="line dim">
        <span>
          since <Time at={new Date(startMs).toISOString()} />
        </span>
        <span>now</span>
      </p>
      {lanes.map(({ host, spans }) => (
        <div key={host} className="lane">
          <span className="name">{host}</span>
          <div
            className="turns"
            role="img"
            aria-label={`${host} was primary for ${formatDuration(spans.reduce((sum, { fromMs, untilMs }) => sum + untilMs - fromMs, 0))}, ${spans.length} times`}
          >
            {spans.map(({ fromMs, untilMs, gapMs }) => (
              <span
                key={fromMs}
                style={{ left: percent(fromMs - startMs), width: percent(untilMs - fromMs) }}
                title={`${host} was primary for ${formatDuration(untilMs - fromMs)}${gapMs === null ? '' : `, after ${formatDuration(gapMs)} without a primary`}`}
              />
            ))}
          </div>
        </div>
      ))}
    </section>
  );
}
