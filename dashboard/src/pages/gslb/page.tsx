// The page of GSLBs: all names with name servers, checkers and signed zones, or one name with its members.
import { useCallback } from 'react';
import { useEntities } from '../../context.ts';
import { useFilters } from '../../filters/use-filters.ts';
import { PageFrame } from '../../frame/page-frame.tsx';
import type { Page } from '../../page.ts';
import { FeedPanel } from '../../view/feed-panel.tsx';
import { ShownChip } from '../../view/shown.tsx';
import { useAreaTitle } from '../../view/use-area-title.ts';
import { filterFormat, type NameControl } from './filters.ts';
import { memberKind } from './kinds/member.ts';
import { nameKind } from './kinds/name.ts';
import { subjects } from './kinds.ts';
import { MachinePanels, NoCheckersStrip } from './machines-panel.tsx';
import { MemberDrawer } from './member-drawer.tsx';
import { NameView } from './name-view.tsx';
import { NamesPanel } from './names-panel.tsx';
import { poll, readLists } from './reads.ts';
import { useMachines } from './use-machines.ts';
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
  useAreaTitle('gslb');
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
            <FeedPanel control={control} isFolded />
          </div>
        </>
      ) : (
        <NameView key={shownId} id={shownId} control={control} />
      )}
    </PageFrame>
  );
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
