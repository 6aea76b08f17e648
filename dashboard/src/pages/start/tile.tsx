// One domain on the start page: its state, the last 24 hours, and what needs attention.

import { countText } from '../../../../platform/attention/words.ts';
import { containsWords } from '../../filters/filters.ts';
import { Beats } from '../../view/beats.tsx';
import { Reason } from '../../view/device-fault.tsx';
import { Icon, shapes } from '../../view/icons.tsx';
import { Link } from '../../view/link.tsx';
import { type Failure, Failures } from '../../view/refusal.tsx';
import { Skeleton } from '../../view/skeleton.tsx';
import { Age, Moment } from '../../view/time.tsx';
import type { DomainRow } from './domains.ts';
import type { Hours, Need, TileContent } from './tiles.ts';

interface TileProps {
  readonly row: DomainRow;
  /** Undefined until it is read. */
  readonly content: TileContent | undefined;
  /** Null: its things are neither up nor down. */
  readonly hours: Hours | null;
  readonly failure: Failure | null;
  readonly text: string;
}

const shownNeeds = 6;
const paths: Readonly<Record<TileContent['tone'], string>> = {
  ...{ good: shapes.check, bad: shapes.cross, warn: shapes.half, odd: shapes.question, calm: shapes.dash },
};

export function Tile({ row: { name, title, create }, content, hours, failure, text }: TileProps) {
  const matching = content?.needs.filter((need) => containsWords(text, [need.name, need.what, need.why])) ?? [];
  const shown = matching.slice(0, shownNeeds);
  const hidden = text === '' ? (content?.needCount ?? 0) - shown.length : matching.length - shown.length;
  return (
    <section className="panel tile" aria-labelledby={`tile-${name}`} data-domain={name} data-tone={content?.tone}>
      <header className="panel-head">
        <h2 id={`tile-${name}`}>
          <Link href={`/${name}`}>{title}</Link>
        </h2>
        {content !== undefined && (
          <span className={`badge tone-${content.tone}`}>
            <Icon path={paths[content.tone]} />
            {content.word}
          </span>
        )}
      </header>
      {failure !== null && <Failures failures={[failure]} />}
      {content === undefined && failure === null && <Skeleton />}
      {content !== undefined && (
        <>
          <p className="tile-summary">{content.summary}</p>
          {hours !== null && <Beats slots={hours} label={`${title}, last 24 hours`} describe={describeHour} />}
          {content.hidden.length > 0 && (
            <p className="dim">Not shown to you: {content.hidden.map(countText).join(', ')}</p>
          )}
          {shown.length > 0 && (
            <ul className="needs" aria-label={`${title}: what needs attention`}>
              {shown.map((need) => (
                <li key={need.id}>
                  <NeedItem need={need} page={`/${name}`} />
                </li>
              ))}
            </ul>
          )}
          {hidden > 0 && (
            <p className="dim more-needs">
              <Link href={`/${name}`}>and {hidden} more</Link>
            </p>
          )}
        </>
      )}
      {create !== undefined && (
        <footer>
          <Link href={create.href}>{create.label}</Link>
        </footer>
      )}
    </section>
  );
}

function describeHour({ state, knownPercent }: Hours[number]): string {
  if (state === 'UNKNOWN') return 'no data';
  const word = { UP: 'no trouble', DEGRADED: 'not fully up', DOWN: 'trouble' }[state];
  return knownPercent >= 99.9 ? word : `${word}, ${Math.floor(knownPercent)} % of it with data`;
}

function NeedItem({ need, page }: { readonly need: Need; readonly page: string }) {
  const { tone, name, what, why, since, until, href = page } = need;
  return (
    <>
      <Link href={href}>{name}</Link> <b className={`tone-${tone}`}>{what}</b>{' '}
      {since !== null && (
        <span className="dim">
          for <Age at={since} />
        </span>
      )}
      {until !== undefined && <Moment at={until} />}
      {why !== null && why !== '' && (
        <span className="why">
          <Reason text={why} />
        </span>
      )}
    </>
  );
}
