// Every status change when it happens, newest first.

import { memo, type ReactNode, useMemo, useState } from 'react';
import { useLiveState, usePage } from '../context.ts';
import type { FilterControl } from '../filters/filters.ts';
import { matchesLine } from '../filters/filters.ts';
import { linkTo } from '../links.ts';
import type { AnyKind, Subjects } from '../live/entity-kind.ts';
import { entitiesOf, type FeedLine, type LiveState } from '../live/live-state.ts';
import { ChangeWords } from './change-words.tsx';
import { Reason } from './device-fault.tsx';
import { type ChangeLine, type Fold, foldFeed, foldWords, ownerOf } from './fold-feed.ts';
import { formatType } from './format.ts';
import { Link } from './link.tsx';
import { Panel } from './panel.tsx';
import { Time } from './time.tsx';

interface FeedPanelProps {
  readonly control: FilterControl;
  /** Default: Changes. */
  readonly title?: string;
  /** A page that shows only one object leaves out the others' changes. Must be the same while its meaning is. */
  readonly isShown?: (line: FeedLine) => boolean;
  /** Whether several changes of one object and its parts are one entry, which can be opened. */
  readonly isFolded?: boolean;
}

export function FeedPanel({ control, title = 'Changes', isShown, isFolded = false }: FeedPanelProps) {
  const { page } = usePage();
  const state = useLiveState();
  const { feed, cursor } = state;
  const { filters, change } = control;
  const shown = useMemo(
    () => feed.filter((line) => matchesLine(filters, line) && (isShown?.(line) ?? true)),
    [feed, filters, isShown],
  );
  const entries = useMemo(() => (isFolded ? foldFeed(shown) : shown), [shown, isFolded]);
  const open = (line: FeedLine): void => {
    if (line.type !== 'change') return;
    const kind = openedKind(page, line.change.subjectType);
    if (kind !== undefined) change({ open: { type: kind.typename, id: line.change.subjectId } });
  };
  const row = (line: FeedLine) => (
    <FeedRow
      line={line}
      label={labelOf(page, state, line)}
      kind={line.type === 'change' ? openedKind(page, line.change.subjectType) : undefined}
      onOpen={open}
    />
  );
  return (
    <Panel name="changes" title={title} summary={shown.length === 0 ? undefined : `newest ${shown.length}`}>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard. */}
      <div className="scroll" data-list="changes" tabIndex={0} role="log" aria-live="off" aria-label="Status changes">
        {shown.length === 0 && cursor !== null && (
          <div className="empty">
            <p>{feed.length === 0 ? 'No changes yet.' : 'No change matches the filters.'}</p>
          </div>
        )}
        <ul className="feed">
          {entries.map((entry) => (
            <li key={entry.id}>
              {entry.type !== 'fold' ? (
                row(entry)
              ) : (
                <FoldRow fold={entry} label={foldLabel(page, state, entry.lines)} row={row} />
              )}
            </li>
          ))}
        </ul>
      </div>
    </Panel>
  );
}

interface FoldRowProps {
  readonly fold: Fold;
  readonly label: string;
  readonly row: (line: FeedLine) => ReactNode;
}

function FoldRow({ fold: { lines }, label, row }: FoldRowProps) {
  const [isOpen, setOpen] = useState(false);
  const at = lines[0]?.change.changedAt ?? '';
  const reason = lines.find(({ change }) => change.reason !== null)?.change.reason ?? null;
  return (
    <details className="fold" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary className="feed-line">
        <Time at={at} />
        <span className="subject" title={label}>
          {label}
        </span>
        <span className="change">
          <b>{foldWords(lines)}</b> <span className="dim">· {lines.length} changes</span>
        </span>
        {reason !== null && !isOpen && (
          <span className="reason">
            <Reason text={reason} />
          </span>
        )}
      </summary>
      {isOpen && (
        <ul>
          {lines.map((line) => (
            <li key={line.id}>{row(line)}</li>
          ))}
        </ul>
      )}
    </details>
  );
}

interface FeedRowProps {
  readonly line: FeedLine;
  readonly label: string;
  /** The kind of entity that a click opens. Undefined if the page can't open it. */
  readonly kind: AnyKind | undefined;
  readonly onOpen: (line: FeedLine) => void;
}

const FeedRow = memo(
  function FeedRow({ line, label, kind, onOpen }: FeedRowProps) {
    if (line.type === 'note') {
      return (
        <p className="feed-note">
          <Time at={line.at} /> {line.text}
        </p>
      );
    }
    const { change } = line;
    return (
      <div className="feed-line" data-to={change.to}>
        <Time at={change.changedAt} />
        {kind !== undefined ? (
          <button
            type="button"
            className="subject"
            tabIndex={-1}
            data-row={change.subjectId}
            title={label}
            onClick={() => onOpen(line)}
          >
            {label}
          </button>
        ) : (
          <OtherSubject label={label} href={linkTo(change.subjectType, change.subjectId)} />
        )}
        <ChangeWords change={change} plainChange={kind?.plainChange} />
        {/* For some events the reason is the subject's name: the label already has it. */}
        {change.reason !== null && !label.includes(change.reason) && (
          <span className="reason">
            <Reason text={change.reason} />
          </span>
        )}
      </div>
    );
  },
  (before, after) => before.line === after.line && before.label === after.label,
);

function OtherSubject({ label, href }: { readonly label: string; readonly href: string | undefined }) {
  if (href === undefined) return <span className="subject">{label}</span>;
  return (
    <Link className="subject" href={href} title={label}>
      {label}
    </Link>
  );
}

/** The kind of the entity that a click on a change of this type opens. */
function openedKind({ kinds, others = [] }: Subjects, typename: string): AnyKind | undefined {
  const opens = others.find((other) => other.typename === typename)?.opens ?? typename;
  return kinds.find((kind) => kind.typename === opens);
}

/** The object that they belong to; without its name, what the newest is about. */
function foldLabel(page: Subjects, state: LiveState, lines: readonly ChangeLine[]): string {
  const [newest] = lines;
  if (newest === undefined) return '';
  const owner = ownerOf(newest);
  for (const kind of page.kinds) {
    const entity = entitiesOf(state, kind).get(owner);
    if (entity !== undefined) return kind.label(entity);
  }
  return labelOf(page, state, lines.find(({ change }) => change.subjectId === owner) ?? newest);
}

/** The subject of a change: its name if it is known, otherwise its id, as for a deleted entity. */
function labelOf(page: Subjects, state: LiveState, line: FeedLine): string {
  if (line.type === 'note') return '';
  const { subjectType, subjectId } = line.change;
  const other = page.others?.find(({ typename }) => typename === subjectType);
  if (other === undefined) return line.label || `${formatType(subjectType)} …${subjectId.slice(-6)}`;
  const opened = page.kinds.find(({ typename }) => typename === other.opens);
  const entity = opened === undefined ? undefined : entitiesOf(state, opened).get(subjectId);
  const name = opened === undefined || entity === undefined ? line.label : opened.label(entity);
  // Without a name, `autoscaling of` becomes `autoscaling`.
  return name === '' ? other.word.replace(/ of$/, '') : `${other.word} ${name}`;
}
