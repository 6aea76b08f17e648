// Every status change when it happens, newest first.
import { memo, useMemo } from 'react';
import { useLiveState, usePage } from '../context.ts';
import type { FilterControl } from '../filters/filters.ts';
import { matchesLine } from '../filters/filters.ts';
import type { AnyKind } from '../live/entity-kind.ts';
import type { FeedLine } from '../live/live-state.ts';
import { formatWord } from './format.ts';
import { Panel } from './panel.tsx';
import { Time } from './time.tsx';

interface FeedPanelProps {
  readonly control: FilterControl;
  /** A page that shows only one object leaves out the others' changes. Must be the same while its meaning is. */
  readonly isShown?: (line: FeedLine) => boolean;
}

export function FeedPanel({ control, isShown }: FeedPanelProps) {
  const { kinds } = usePage().page;
  const { feed, cursor } = useLiveState();
  const { filters, change } = control;
  const shown = useMemo(
    () => feed.filter((line) => matchesLine(filters, line) && (isShown?.(line) ?? true)),
    [feed, filters, isShown],
  );
  const open = (line: FeedLine): void => {
    if (line.type !== 'change') return;
    const { subjectType, subjectId } = line.change;
    change({ open: { type: subjectType, id: subjectId } });
  };
  return (
    <Panel name="changes" title="Changes" summary={shown.length === 0 ? undefined : `newest ${shown.length}`}>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard. */}
      <div className="scroll" data-list="changes" tabIndex={0} role="log" aria-live="off" aria-label="Status changes">
        {shown.length === 0 && cursor !== null && (
          <div className="empty">
            <p>{feed.length === 0 ? 'Nothing has changed yet.' : 'No change matches the filters.'}</p>
          </div>
        )}
        <ul className="feed">
          {shown.map((line) => (
            <li key={line.id}>
              <FeedRow
                line={line}
                kind={line.type === 'change' ? kindOf(kinds, line.change.subjectType) : undefined}
                onOpen={open}
              />
            </li>
          ))}
        </ul>
      </div>
    </Panel>
  );
}

interface FeedRowProps {
  readonly line: FeedLine;
  /** Of the subject; undefined: the page does not have this kind, and can't open it. */
  readonly kind: AnyKind | undefined;
  readonly onOpen: (line: FeedLine) => void;
}

const FeedRow = memo(
  function FeedRow({ line, kind, onOpen }: FeedRowProps) {
    if (line.type === 'note') {
      return (
        <p className="feed-note">
          <Time at={line.at} /> {line.text}
        </p>
      );
    }
    const { change, label } = line;
    return (
      <div className="feed-line" data-to={change.to}>
        <Time at={change.changedAt} />
        {kind !== undefined ? (
          <button
            type="button"
            className="subject"
            tabIndex={-1}
            data-row={change.subjectId}
            onClick={() => onOpen(line)}
          >
            {label}
          </button>
        ) : (
          <span className="subject">{label}</span>
        )}
        <span className="change">
          <span className="dim">{aspect(change.kind, kind)}</span>{' '}
          {change.from !== null && change.from !== '' && <span className="dim">{formatWord(change.from)} → </span>}
          <b data-status={change.to}>{formatWord(change.to)}</b>
        </span>
        {/* The relay uses an operation's name as the reason: the label already has it. */}
        {change.reason !== null && !label.startsWith(change.reason) && <span className="reason">{change.reason}</span>}
      </div>
    );
  },
  (before, after) => before.line === after.line,
);

function kindOf(kinds: readonly AnyKind[], typename: string): AnyKind | undefined {
  return kinds.find((kind) => kind.typename === typename);
}

/** backend.operatingStatus → operating status, mapping.state → mapping; empty for a kind's plain change. */
function aspect(change: string, kind: AnyKind | undefined): string {
  if (change === kind?.plainChange) return '';
  const [subject = change, status = ''] = change.split('.');
  return status === '' || status === 'state' ? subject : status.replace(/([A-Z])/g, ' $1').toLowerCase();
}
