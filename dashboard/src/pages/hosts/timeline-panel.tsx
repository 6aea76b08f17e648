// Each change of the primary with its cause, and for how long there was none.
import { formatDuration } from '../../view/format.ts';
import { Panel } from '../../view/panel.tsx';
import { Failures } from '../../view/refusal.tsx';
import { Time } from '../../view/time.tsx';
import { type Change, useChanges } from './use-hosts.ts';

export function TimelinePanel() {
  const { value: changes, failure } = useChanges();
  return (
    <Panel
      name="timeline"
      title="Changes of the primary"
      summary={changes === undefined ? undefined : `newest ${changes.length}`}
    >
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard. */}
      <section className="scroll" data-list="timeline" tabIndex={0} aria-label="Changes of the primary">
        <Failures failures={failure === null ? [] : [failure]} />
        {changes?.length === 0 && <p className="hint">It has not changed yet.</p>}
        <ul className="timeline">
          {changes?.map((change) => (
            <li key={change.epoch}>
              <ChangeItem change={change} />
            </li>
          ))}
        </ul>
      </section>
    </Panel>
  );
}

function ChangeItem({ change }: { readonly change: Change }) {
  const { epoch, primary, previous, cause, at, gapMs, leftBehind } = change;
  return (
    <>
      <span className="line">
        <Time at={at} />
        <span className="name">{previous === primary ? primary : `${previous} → ${primary}`}</span>
        <span className="dim">timeline {epoch}</span>
        <b className="gap">{gapMs === null ? 'writes not yet open' : `${formatGap(gapMs)} without a primary`}</b>
      </span>
      <span className="line dim">{cause}</span>
      {leftBehind.map(({ host, transactions, folder }) => (
        <span key={host} className="message">
          {host} had {transactions} transactions that {primary} lacks: they are in {folder} there.
        </span>
      ))}
    </>
  );
}

/** In milliseconds below ten seconds. */
function formatGap(ms: number): string {
  return ms < 10_000 ? `${Math.round(ms)} ms` : formatDuration(ms);
}
