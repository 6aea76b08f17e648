// The start page: a tile for each domain with what needs a person, and the events of weight. What it follows depends on what the
// deployment has, so that is asked for when the page is loaded.
import { useCallback, useEffect, useMemo, useState } from 'react';
import { useDependencies, useLiveState } from '../../context.ts';
import { plainFormat } from '../../filters/filters.ts';
import { useFilters } from '../../filters/use-filters.ts';
import type { Requester } from '../../graph/request.ts';
import type { Page } from '../../page.ts';
import { FeedPanel } from '../../view/feed-panel.tsx';
import { PageFrame } from '../../view/page-frame.tsx';
import { newsOf, usePageTitle } from '../../view/use-page-title.ts';
import { useReading } from '../../view/use-reading.ts';
import { type DomainRow, presentDomains } from './domains.ts';
import { type Domain, followed, subjectsFor } from './kinds.ts';
import { Tile } from './tile.tsx';
import type { TileContent } from './tiles.ts';
import './start.css';

const filterFormat = plainFormat([]);
/** Unknown outcomes and machines have no event of weight. */
const everyMs = 15_000;

export async function load(requester: Requester): Promise<{ readonly page: Page }> {
  const rows = await presentDomains(requester);
  const page: Page = {
    ...subjectsFor(rows.map(({ name }) => name)),
    read: async () => [],
    keys: {
      firstList: 'changes',
      groups: [
        { does: 'First thing that needs a person, events', focus: { 1: '.needs a', 2: '[data-list="changes"]' } },
      ],
    },
    Content: () => <StartPage rows={rows} />,
  };
  return { page };
}

type Counts = Readonly<Partial<Record<Domain, number>>>;

function StartPage({ rows }: { readonly rows: readonly DomainRow[] }) {
  const control = useFilters(filterFormat);
  const [counts, setCounts] = useState<Counts>({});
  const onRead = useCallback(
    (domain: Domain, { needCount }: TileContent) => setCounts((before) => ({ ...before, [domain]: needCount })),
    [],
  );
  const needed = Object.values(counts).reduce((sum, count) => sum + count, 0);
  const isRead = rows.every(({ name }) => counts[name] !== undefined);
  usePageTitle(useMemo(() => newsOf({ [needed === 1 ? 'needs a person' : 'need a person']: needed }), [needed]));
  return (
    <PageFrame control={control} className="start" waitingFor="what needs a person">
      <div className="tiles">
        <p className="needed" role="status" data-needed={needed > 0}>
          {needed > 0
            ? `${needed} ${needed === 1 ? 'thing needs' : 'things need'} a person`
            : isRead
              ? 'Nothing needs a person.'
              : 'Reading…'}
        </p>
        {rows.map((row) => (
          <ReadTile key={row.name} row={row} text={control.filters.text} onRead={onRead} />
        ))}
      </div>
      <FeedPanel control={control} title="Events of weight" />
    </PageFrame>
  );
}

interface ReadTileProps {
  readonly row: DomainRow;
  readonly text: string;
  readonly onRead: (domain: Domain, content: TileContent) => void;
}

function ReadTile({ row, text, onRead }: ReadTileProps) {
  const { requester } = useDependencies();
  const { viewer, feed } = useLiveState();
  const admin = viewer?.admin === true;
  const news = feed.find(
    (line) => line.type === 'note' || followed[row.name].eventKinds.includes(line.change.kind),
  )?.id;
  const read = useCallback(() => row.read(requester, admin), [row, requester, admin]);
  const { value, failure } = useReading(read, news, everyMs);
  useEffect(() => {
    if (value !== undefined) onRead(row.name, value);
  }, [row.name, value, onRead]);
  return <Tile row={row} content={value} failure={failure} text={text} />;
}
