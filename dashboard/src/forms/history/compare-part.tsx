// Compares settings with those of an earlier time, field by field, with the way back for each object that differs.
import { useCallback, useState } from 'react';
import { FormChangesSinceDocument, type FormVersionFragment } from '../../../../generated/dashboard/graphql.ts';
import { type Difference, differencesOf } from '../../../../schema/kinds/settings-differences.ts';
import { useDependencies } from '../../context.ts';
import { type Page, readPages } from '../../graph/read-pages.ts';
import type { Requester } from '../../graph/request.ts';
import { Link } from '../../view/link.tsx';
import { Failures } from '../../view/refusal.tsx';
import { Skeleton } from '../../view/skeleton.tsx';
import { Moment } from '../../view/time.tsx';
import { useReading } from '../../view/use-reading.ts';
import { enteredOf, latestEntered, pointOf, useZone, zoneName } from '../../view/zone.ts';
import { againLink, versionLink } from '../links.ts';
import { changesOf, partOf } from './version-words.ts';

type Names = ReadonlyMap<string, string>;

interface ComparePartProps {
  readonly id: string;
  /** Another text after each change. */
  readonly news: string;
  readonly names: Names;
}

const everyMs = 60_000;
const hourMs = 3_600_000;
const mostPages = 10;

export function ComparePart(props: ComparePartProps) {
  const zone = useZone();
  const [since, setSince] = useState<string | null>(null);
  return (
    <fieldset className="compare">
      <legend>Compare with an earlier time</legend>
      <label className="field">
        Time ({zoneName(zone, Date.now())})
        <input
          type="datetime-local"
          max={latestEntered}
          value={enteredOf(since, zone)}
          onChange={({ target }) => setSince(pointOf(target.value, zone))}
        />
      </label>
      {quickTimes(Date.now()).map(({ name, agoMs }) => (
        <button
          key={name}
          type="button"
          className="quiet"
          onClick={() => setSince(new Date(Date.now() - agoMs).toISOString())}
        >
          {name}
        </button>
      ))}
      {since !== null && Date.parse(since) > Date.now() && <p className="warning">Choose a time in the past.</p>}
      {since !== null && <Differences key={since} since={since} {...props} />}
    </fieldset>
  );
}

/** A week ago is `Last Tuesday` on a Tuesday. */
function quickTimes(nowMs: number): readonly { readonly name: string; readonly agoMs: number }[] {
  const weekday = new Intl.DateTimeFormat('en-GB', { weekday: 'long' }).format(nowMs);
  return [
    { name: 'An hour ago', agoMs: hourMs },
    { name: 'Yesterday', agoMs: 24 * hourMs },
    { name: `Last ${weekday}`, agoMs: 7 * 24 * hourMs },
  ];
}

function Differences({ id, news, names, since }: ComparePartProps & { readonly since: string }) {
  const { requester } = useDependencies();
  const read = useCallback(() => readSince(requester, id, since), [requester, id, since]);
  const { value: found, failure } = useReading(read, news, everyMs);
  if (failure !== null) return <Failures failures={[failure]} />;
  if (found === undefined) return <Skeleton />;
  if (found.pageInfo.hasNextPage)
    return <p className="warning">There are more than {found.nodes.length} changes since then: choose a later time.</p>;
  const differences = differencesOf(found.nodes.toReversed());
  return (
    <div role="status" className="differences">
      <ResultLine since={since} count={differences.length} oldest={found.nodes.at(-1)} />
      <ul className="calls">
        {differences.map((each) => (
          <li key={each.last.subjectId}>
            <DifferenceItem difference={each} id={id} names={names} />
          </li>
        ))}
      </ul>
    </div>
  );
}

interface ResultLineProps {
  readonly since: string;
  readonly count: number;
  readonly oldest: FormVersionFragment | undefined;
}

function ResultLine({ since, count, oldest }: ResultLineProps) {
  // Nothing older is kept, and the object is older.
  const isCut = oldest !== undefined && oldest.number === 1 && oldest.mutation === null;
  return (
    <p className="hint">
      <span>
        {count === 0 ? 'The settings are the same as on ' : 'Different since '}
        <Moment at={isCut ? oldest.changedAt : since} />.{isCut && ' No earlier settings are recorded.'}
      </span>
    </p>
  );
}

interface DifferenceItemProps {
  readonly difference: Difference<FormVersionFragment>;
  readonly id: string;
  readonly names: Names;
}

function DifferenceItem({ difference: { outcome, changes, first, last }, id, names }: DifferenceItemProps) {
  const part = partOf(last, id);
  return (
    <>
      <span className="line">
        {part !== undefined && <span>{part}</span>}
        {outcome !== 'CHANGED' && <b>{outcome === 'CREATED' ? 'created since' : 'deleted since'}</b>}
        {outcome === 'CHANGED' && <Link href={versionLink(first, 'before')}>Go back to this</Link>}
        {outcome === 'DELETED' && <Link href={againLink(last)}>Create again</Link>}
      </span>
      {changesOf({ ...last, changes }, names).map(({ field, before, after }) => (
        <span key={field} className="line">
          <span className="dim">{field}:</span> {before} → {after}
        </span>
      ))}
    </>
  );
}

/** Newest first. `hasNextPage`: there are more than were read. */
function readSince(requester: Requester, id: string, since: string): Promise<Page<FormVersionFragment>> {
  return readPages(mostPages, null, async (after) => {
    const { configurationVersions } = await requester.request(FormChangesSinceDocument, { id, after });
    const { nodes, pageInfo } = configurationVersions;
    const later = nodes.filter(({ changedAt }) => changedAt >= since);
    return {
      nodes: later,
      pageInfo: { ...pageInfo, hasNextPage: pageInfo.hasNextPage && later.length === nodes.length },
    };
  });
}
