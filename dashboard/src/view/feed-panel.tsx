// Every status change as it happens, newest on top.
import { memo, useMemo } from 'react';
import { useLiveState } from '../context.ts';
import { matchesLine, type OpenType } from '../filters/filters.ts';
import type { FilterControl } from '../filters/use-filters.ts';
import type { FeedLine } from '../live/live-state.ts';
import { formatWord } from './format.ts';
import { Panel } from './panel.tsx';
import { Time } from './time.tsx';

export function FeedPanel({ control }: { readonly control: FilterControl }) {
  const { feed, cursor } = useLiveState();
  const { filters, change } = control;
  const shown = useMemo(() => feed.filter((line) => matchesLine(filters, line)), [feed, filters]);
  const open = (line: FeedLine): void => {
    if (line.type !== 'change') return;
    const { subjectType, subjectId } = line.change;
    const type = openTypes[subjectType];
    if (type !== undefined) change({ open: { type, id: subjectId } });
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
              <FeedRow line={line} onOpen={open} />
            </li>
          ))}
        </ul>
      </div>
    </Panel>
  );
}

const openTypes: Readonly<Record<string, OpenType>> = {
  Operation: 'operation',
  Backend: 'backend',
  Mapping: 'mapping',
};

interface FeedRowProps {
  readonly line: FeedLine;
  readonly onOpen: (line: FeedLine) => void;
}

const FeedRow = memo(
  function FeedRow({ line, onOpen }: FeedRowProps) {
    if (line.type === 'note') {
      return (
        <p className="feed-note">
          <Time at={line.at} /> {line.text}
        </p>
      );
    }
    const { change, label } = line;
    const isOpenable = change.subjectType in openTypes;
    return (
      <div className="feed-line" data-to={change.to}>
        <Time at={change.at} />
        {isOpenable ? (
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
          <span className="dim">{aspect(change.kind)}</span>{' '}
          {change.from !== null && change.from !== '' && <span className="dim">{formatWord(change.from)} → </span>}
          <b data-status={change.to}>{formatWord(change.to)}</b>
        </span>
        {/* The relay gives an operation's name as the reason: it is in the label already. */}
        {change.reason !== null && !label.startsWith(change.reason) && <span className="reason">{change.reason}</span>}
      </div>
    );
  },
  (before, after) => before.line === after.line,
);

/** backend.operatingStatus → operating status, mapping.state → mapping. An operation's state needs no name. */
function aspect(kind: string): string {
  if (kind === 'relayOperation.state') return '';
  const [subject = kind, status = ''] = kind.split('.');
  return status === '' || status === 'state' ? subject : status.replace(/([A-Z])/g, ' $1').toLowerCase();
}
