// Each move of the primary with its cause, and for how long there was none; the steps of the newest one.
import { formatDuration, formatWord } from '../../view/format.ts';
import { Panel } from '../../view/panel.tsx';
import { Failures } from '../../view/refusal.tsx';
import { ScrollRegion } from '../../view/scroll-region.tsx';
import { Time } from '../../view/time.tsx';
import type { Reading } from '../../view/use-reading.ts';
import { stepsOf } from './move-steps.ts';
import type { Move } from './use-hosts.ts';

export function MovesPanel({ reading }: { readonly reading: Reading<readonly Move[]> }) {
  const { value: moves, failure } = reading;
  return (
    <Panel name="moves" title="Primary changes" summary={moves === undefined ? undefined : `newest ${moves.length}`}>
      <ScrollRegion list="moves" label="Primary changes">
        <Failures failures={failure === null ? [] : [failure]} />
        {moves?.length === 0 && <p className="hint">No primary changes yet.</p>}
        <ul className="moves">
          {moves?.map((move, index) => (
            <li key={move.id}>
              <MoveItem move={move} hasSteps={index === 0 || move.finishedAt === null} />
            </li>
          ))}
        </ul>
      </ScrollRegion>
    </Panel>
  );
}

function MoveItem({ move, hasSteps }: { readonly move: Move; readonly hasSteps: boolean }) {
  const {
    state,
    timelineEpoch: epoch,
    primaryName: primary,
    previousName: previous,
    reason,
    createdAt,
    gapMs,
    leftBehind,
  } = move;
  return (
    <>
      <span className="line">
        <Time at={createdAt} />
        <span className="name">{previous === primary ? primary : `${previous} → ${primary}`}</span>
        {epoch !== null && <span className="dim">timeline {epoch}</span>}
        <b className="gap" data-status={state}>
          {gapMs === null ? formatWord(state) : `${formatGap(gapMs)} without a primary`}
        </b>
      </span>
      {reason !== null && <span className="line dim">{reason}</span>}
      {hasSteps && <Steps move={move} />}
      {leftBehind.map(({ hostName: host, transactions, folder }) => (
        <span key={host} className="message">
          {host} had {transactions} transactions that {primary} lacks: they are in {folder} there.
        </span>
      ))}
    </>
  );
}

function Steps({ move }: { readonly move: Move }) {
  return (
    <ol className="steps" aria-label="Steps of the move">
      {stepsOf(move).map(({ text, at, afterMs }) => (
        <li key={text} data-done={at !== null}>
          <span>
            {at === null ? <span className="dim">now</span> : <Time at={at} />} {text}
            {afterMs !== null && <span className="dim">, {formatGap(afterMs)} later</span>}
          </span>
        </li>
      ))}
    </ol>
  );
}

/** In milliseconds below ten seconds. */
function formatGap(ms: number): string {
  return ms < 10_000 ? `${Math.round(ms)} ms` : formatDuration(ms);
}
