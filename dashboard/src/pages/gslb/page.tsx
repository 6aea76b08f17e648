// The page of GSLBs: all names with name servers, checkers and signed zones, or one name with its members.
import { useCallback, useMemo } from 'react';
import { useEntities } from '../../context.ts';
import { useFilters } from '../../filters/use-filters.ts';
import type { Page } from '../../page.ts';
import { FeedPanel } from '../../view/feed-panel.tsx';
import { PageFrame } from '../../view/page-frame.tsx';
import { ShownChip } from '../../view/shown.tsx';
import { newsOf, usePageTitle } from '../../view/use-page-title.ts';
import { filterFormat, type NameControl } from './filters.ts';
import { memberKind } from './kinds/member.ts';
import { type Name, nameKind } from './kinds/name.ts';
import { subjects } from './kinds.ts';
import { MachinePanels, NoCheckersStrip } from './machines-panel.tsx';
import { MemberDrawer } from './member-drawer.tsx';
import { NameView } from './name-view.tsx';
import { NamesPanel } from './names-panel.tsx';
import { poll, readLists } from './reads.ts';
import { absentOf, type Machines, useMachines } from './use-machines.ts';
import { ZonesPanel } from './zones-panel.tsx';
import '../../style/path.css';
import './gslb.css';

export const page: Page = {
  ...subjects,
  read: readLists,
  poll,
  keys: {
    firstList: 'names',
    groups: [
      {
        does: 'Names, name servers, checkers, changes, signed zones',
        focus: {
          1: '[data-list="names"] [data-row]',
          2: '[data-list="nameservers"]',
          3: '[data-list="checkers"]',
          4: '[data-list="changes"]',
          5: '[data-list="zones"]',
        },
      },
      {
        does: 'Of one name: members, the question',
        focus: { m: '[data-list="members"] [data-row]', e: '.question input' },
      },
    ],
  },
  Content: NamesPage,
};

function NamesPage() {
  const control = useFilters(filterFormat);
  const { shownId } = control.filters;
  const machines = useMachines();
  usePageTitle(useNews(machines));
  return (
    <PageFrame
      control={control}
      className={shownId === null ? 'names' : 'name-parts'}
      waitingFor="names"
      chosen={<ChosenName control={control} />}
      strips={<NoCheckersStrip machines={machines} />}
      drawer={<OpenDrawer control={control} />}
    >
      {shownId === null ? (
        <>
          <NamesPanel control={control} />
          <div className="column">
            <MachinePanels machines={machines} />
            <ZonesPanel />
            <FeedPanel control={control} />
          </div>
        </>
      ) : (
        <NameView key={shownId} id={shownId} control={control} />
      )}
    </PageFrame>
  );
}

function useNews({ nameServers, checkers }: Machines): readonly string[] {
  const names = useEntities(nameKind);
  const absent = absentOf(nameServers) + absentOf(checkers);
  return useMemo(() => {
    const count = (...statuses: readonly Name['operatingStatus'][]): number =>
      [...names.values()].filter(({ operatingStatus }) => statuses.includes(operatingStatus)).length;
    return newsOf({ down: count('OFFLINE', 'ERROR'), degraded: count('DEGRADED'), absent });
  }, [names, absent]);
}

/** The name that the page shows. */
function ChosenName({ control: { filters, change } }: { readonly control: NameControl }) {
  const names = useEntities(nameKind);
  if (filters.shownId === null) return null;
  const back = () => change({ shownId: null, open: null });
  return <ShownChip what="name" name={names.get(filters.shownId)?.fqdn} onBack={back} />;
}

function OpenDrawer({ control: { filters, change } }: { readonly control: NameControl }) {
  const close = useCallback(() => change({ open: null }), [change]);
  const { open } = filters;
  return open?.type === memberKind.typename ? <MemberDrawer id={open.id} onClose={close} /> : null;
}
