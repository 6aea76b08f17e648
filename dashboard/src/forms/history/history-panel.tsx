// The changes of an object's settings, newest first: who, when, old and new values. Links fill in a form that takes a change back.
import { useCallback } from 'react';
import { FormHistoryDocument, type FormVersionFragment } from '../../../../generated/dashboard/graphql.ts';
import { useDependencies } from '../../context.ts';
import { formatWord } from '../../view/format.ts';
import { Link } from '../../view/link.tsx';
import { PagedPanel } from '../../view/paged-panel.tsx';
import { Moment } from '../../view/time.tsx';
import { usePaged } from '../../view/use-paged.ts';
import { againLink, versionLink } from '../links.ts';
import { kindNamed } from '../names.ts';
import { ComparePart } from './compare-part.tsx';
import { changesOf, headingOf, partOf } from './version-words.ts';

interface HistoryPanelProps {
  readonly id: string;
  /** Another text after each change. */
  readonly news: string;
  readonly names: ReadonlyMap<string, string>;
}

const everyMs = 60_000;

export function HistoryPanel({ id, news, names }: HistoryPanelProps) {
  const { requester } = useDependencies();
  const readPage = useCallback(
    async (after: string | null) => (await requester.request(FormHistoryDocument, { id, after })).configurationVersions,
    [requester, id],
  );
  const paged = usePaged(readPage, news, everyMs);
  const newest = paged.page?.nodes.find(({ subjectId }) => subjectId === id)?.id;
  return (
    <PagedPanel
      name="history"
      title="History"
      paged={paged}
      none="No changes are recorded yet."
      keyOf={(version) => version.id}
      item={(version) => <VersionItem version={version} id={id} names={names} isNewest={version.id === newest} />}
    >
      <ComparePart id={id} news={news} names={names} />
    </PagedPanel>
  );
}

interface VersionItemProps extends Omit<HistoryPanelProps, 'news'> {
  readonly version: FormVersionFragment;
  readonly isNewest: boolean;
}

function VersionItem({ version, id, names, isNewest }: VersionItemProps) {
  const { changedAt, actor, subjectType } = version;
  const part = partOf(version, id);
  const heading = headingOf(version);
  const changes = version.number === 1 || version.deleted ? [] : changesOf(version, names);
  const canChange = kindNamed(subjectType)?.actions.update !== undefined;
  return (
    <>
      <span className="line">
        <Moment at={changedAt} />
        {actor !== null && <b>{actor.name}</b>}
        {actor !== null && actor.kind !== 'USER' && <span className="dim">{formatWord(actor.kind)}</span>}
        {part !== undefined && <span>{part}</span>}
        {heading !== '' && <b>{heading}</b>}
      </span>
      {changes.map(({ field, before, after }) => (
        <span key={field} className="line">
          <span className="dim">{field}:</span> {before} → {after}
        </span>
      ))}
      {version.deleted && (
        <span className="line">
          <Link href={againLink(version)}>Create again</Link>
        </span>
      )}
      {canChange && !version.deleted && (
        <span className="line">
          {changes.length > 0 && (
            <Link
              href={versionLink(version, 'undo')}
              aria-label={`Take it back: the change of ${changes[0]?.field ?? ''}`}
            >
              Take it back
            </Link>
          )}
          {!(isNewest && part === undefined) && <Link href={versionLink(version, 'restore')}>Go back to this</Link>}
        </span>
      )}
    </>
  );
}
