// The start page: a tile for each domain with what needs attention, the busiest load balancers, what ends soon, and the recent events. What it follows depends on what the
// deployment has, so that is asked for when the page is loaded.
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { sumText } from '../../../../platform/attention/words.ts';
import { useDependencies, useLiveState } from '../../context.ts';
import { plainFormat } from '../../filters/filters.ts';
import { useFilters } from '../../filters/use-filters.ts';
import { PageFrame } from '../../frame/page-frame.tsx';
import type { Requester } from '../../graph/request.ts';
import type { Page } from '../../page.ts';
import { FeedPanel } from '../../view/feed-panel.tsx';
import { newsOf, usePageTitle } from '../../view/use-page-title.ts';
import { useReading } from '../../view/use-reading.ts';
import { BusyPanel } from './busy-panel.tsx';
import { ChangesPanel } from './changes-panel.tsx';
import { type DomainRow, presentDomains } from './domains.ts';
import { EndsPanel } from './ends-panel.tsx';
import { type Domain, followed, subjectsFor } from './kinds.ts';
import { Tile } from './tile.tsx';
import type { Hours, TileContent } from './tiles.ts';
import './start.css';

const filterFormat = plainFormat([]);
/** Unknown outcomes and machines have no event of weight. */
const everyMs = 15_000;
/** The last hours take more to read. */
const hoursEveryMs = 60_000;

export async function load(requester: Requester): Promise<{ readonly page: Page }> {
  const rows = await presentDomains(requester);
  const page: Page = {
    ...subjectsFor(rows.map(({ name }) => name)),
    read: async () => [],
    keys: {
      firstList: 'changes',
      groups: [
        {
          does: 'First thing that needs attention, events, changed settings',
          focus: { 1: '.needs a', 2: '[data-list="changes"]', 3: '[data-list="settings"]' },
        },
      ],
    },
    Content: () => <StartPage rows={rows} />,
  };
  return { page };
}

/** What a tile last read. Null: it could not be read. */
type Read = Readonly<Partial<Record<Domain, TileContent | null>>>;

function StartPage({ rows }: { readonly rows: readonly DomainRow[] }) {
  const control = useFilters(filterFormat);
  const [read, setRead] = useState<Read>({});
  const onRead = useCallback(
    (domain: Domain, content: TileContent | null) => setRead((before) => ({ ...before, [domain]: content })),
    [],
  );
  const contents = rows.flatMap(({ name }) => read[name] ?? []);
  const needed = contents.reduce((sum, { needCount }) => sum + needCount, 0);
  const unknown = rows.filter(({ name }) => read[name] === null).map(({ title }) => title);
  const hidden = contents.flatMap((each) => each.hidden);
  const isRead = rows.every(({ name }) => read[name] !== undefined);
  const isWell = needed === 0 && unknown.length === 0 && hidden.length === 0;
  const unknownCount = unknown.length;
  usePageTitle(
    useMemo(
      () => newsOf({ [needed === 1 ? 'needs attention' : 'need attention']: needed, 'not known': unknownCount }),
      [needed, unknownCount],
    ),
  );
  return (
    <PageFrame control={control} className="start" waitingFor="what needs attention">
      <div className="tiles">
        <p className="needed" role="status" data-needed={needed > 0} data-tone={isWell ? 'good' : 'calm'}>
          {isRead || needed > 0 || unknownCount > 0 ? sumText({ needed, unknown, hidden }) : 'Loading…'}
        </p>
        {rows.map((row) => (
          <ReadTile key={row.name} row={row} text={control.filters.text} onRead={onRead} />
        ))}
        <BusyPanel text={control.filters.text} />
      </div>
      <div className="column">
        <FeedPanel control={control} title="Recent events" isFolded />
        <ChangesPanel />
        <EndsPanel text={control.filters.text} />
      </div>
    </PageFrame>
  );
}

interface LastHours {
  readonly slots: Hours | null;
  readonly readMs: number;
}

interface ReadTileProps {
  readonly row: DomainRow;
  readonly text: string;
  readonly onRead: (domain: Domain, content: TileContent | null) => void;
}

function ReadTile({ row, text, onRead }: ReadTileProps) {
  const { requester } = useDependencies();
  const { viewer, feed } = useLiveState();
  const admin = viewer?.admin === true;
  const news = feed.find(
    (line) => line.type === 'note' || followed[row.name].eventKinds.includes(line.change.kind),
  )?.id;
  const hours = useRef<LastHours>({ slots: null, readMs: Number.NEGATIVE_INFINITY });
  const read = useCallback(async () => {
    const nowMs = performance.now();
    const wantsHours = nowMs - hours.current.readMs >= hoursEveryMs;
    const content = await row.read(requester, { admin, hours: wantsHours });
    if (wantsHours) hours.current = { slots: content.hours ?? null, readMs: nowMs };
    return content;
  }, [row, requester, admin]);
  const { value, failure } = useReading(read, news, everyMs);
  useEffect(() => {
    // What was read before may have changed since: it is shown in the tile, and not counted.
    if (failure !== null) onRead(row.name, null);
    else if (value !== undefined) onRead(row.name, value);
  }, [row.name, value, failure, onRead]);
  return <Tile row={row} content={value} hours={hours.current.slots} failure={failure} text={text} />;
}
