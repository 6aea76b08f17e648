// Uploads and downloads with their progress: those that need a person first. Each can be cancelled, and repeated when it failed.
import { formatBytes } from '../../view/format.ts';
import { MarkBadge, shapes } from '../../view/icons.tsx';
import { Panel } from '../../view/panel.tsx';
import { ScrollRegion } from '../../view/scroll-region.tsx';
import type { Transfer, Transfers } from './transfers.ts';
import type { TransferControl } from './use-transfers.ts';

const mostShown = 50;
/** The order of the list. */
const order = ['taken', 'failed', 'running', 'waiting', 'cancelled', 'done'] as const satisfies Transfer['state'][];
const isOver = ({ state }: Transfer) => state !== 'waiting' && state !== 'running';

export function TransfersPanel({ all, transfers }: TransferControl) {
  if (all.length === 0) return null;
  const shown = all.toSorted((one, other) => order.indexOf(one.state) - order.indexOf(other.state));
  const taken = all.filter(({ state }) => state === 'taken');
  const done = all.filter(({ state }) => state === 'done').length;
  const over = all.filter(isOver).length;
  return (
    <Panel
      name="transfers"
      title="Transfers"
      summary={`${done} of ${all.length} done${over < all.length ? '. They stop when you leave this page' : ''}`}
      tools={
        <span className="tools actions">
          {taken.length > 1 && (
            <button type="button" onClick={() => transfers.replaceTaken()}>
              Replace all {taken.length}
            </button>
          )}
          {over < all.length && (
            <button type="button" onClick={() => transfers.stop()}>
              Cancel all
            </button>
          )}
          {over > 0 && (
            <button type="button" onClick={() => transfers.clear()}>
              Clear finished
            </button>
          )}
        </span>
      }
    >
      <ScrollRegion list="transfers" label="Transfers">
        <ul className="transfers">
          {shown.slice(0, mostShown).map((transfer) => (
            <li key={transfer.id} data-transfer={transfer.name} data-state={transfer.state}>
              <TransferItem transfer={transfer} transfers={transfers} />
            </li>
          ))}
        </ul>
        {shown.length > mostShown && <p className="hint">And {shown.length - mostShown} more.</p>}
      </ScrollRegion>
    </Panel>
  );
}

interface TransferItemProps {
  readonly transfer: Transfer;
  readonly transfers: Transfers;
}

function TransferItem({ transfer, transfers }: TransferItemProps) {
  const { id, name, state, sizeBytes, doneBytes, message, fault } = transfer;
  return (
    <>
      <span className="line">
        <span className="name">{name}</span>
        {state === 'running' ? (
          <>
            <progress max={sizeBytes || 1} value={doneBytes} aria-label={`Transfer of ${name}`} />
            <span className="dim">{`${formatBytes(doneBytes)} of ${formatBytes(sizeBytes)}`}</span>
          </>
        ) : (
          <>
            <StateBadge transfer={transfer} />
            <span className="dim">{formatBytes(sizeBytes)}</span>
          </>
        )}
        <span className="badges">
          {(state === 'running' || state === 'waiting') && (
            <button type="button" aria-label={`Cancel ${name}`} onClick={() => transfers.cancel(id)}>
              Cancel
            </button>
          )}
          {state === 'taken' && (
            <button type="button" aria-label={`Replace ${name}`} onClick={() => transfers.repeat(id, true)}>
              Replace
            </button>
          )}
          {(state === 'cancelled' || (state === 'failed' && fault === undefined)) && (
            <button type="button" aria-label={`Try again ${name}`} onClick={() => transfers.repeat(id)}>
              Try again
            </button>
          )}
        </span>
      </span>
      {message !== null && (
        <span className="message" role="alert">
          {message}
        </span>
      )}
    </>
  );
}

function StateBadge({ transfer: { state, file } }: Pick<TransferItemProps, 'transfer'>) {
  const { check, cross, clock, dash, question } = shapes;
  if (state === 'done') return <MarkBadge mark={{ tone: 'good', path: check }} word={file ? 'stored' : 'saved'} />;
  if (state === 'failed') return <MarkBadge mark={{ tone: 'bad', path: cross }} word="failed" />;
  if (state === 'taken') return <MarkBadge mark={{ tone: 'warn', path: question }} word="exists already" />;
  if (state === 'cancelled') return <MarkBadge mark={{ tone: 'calm', path: dash }} word="cancelled" />;
  return <MarkBadge mark={{ tone: 'calm', path: clock }} word="waiting" />;
}
