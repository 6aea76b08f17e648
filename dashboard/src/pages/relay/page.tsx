// The relay's page: unknown outcomes first, then backends, operations, drift and changes side by side.
import { useCallback } from 'react';
import { useEntities } from '../../context.ts';
import { useFilters } from '../../filters/use-filters.ts';
import { PageFrame } from '../../frame/page-frame.tsx';
import type { Page } from '../../page.ts';
import { FeedPanel } from '../../view/feed-panel.tsx';
import { useAreaTitle } from '../../view/use-area-title.ts';
import { BackendDrawer } from './backend-drawer.tsx';
import { BackendsPanel } from './backends-panel.tsx';
import { DriftPanel } from './drift-panel.tsx';
import { filterFormat, type RelayControl } from './filters.ts';
import { backendKind } from './kinds/backend.ts';
import { mappingKind } from './kinds/mapping.ts';
import { operationKind } from './kinds/operation.ts';
import { subjects } from './kinds.ts';
import { MappingDrawer } from './mapping-drawer.tsx';
import { OperationDrawer } from './operation-drawer.tsx';
import { OperationsPanel } from './operations-panel.tsx';
import { poll, readLists } from './reads.ts';
import { UnknownStrip } from './unknown-strip.tsx';
import './relay.css';

export const page: Page = {
  ...subjects,
  read: readLists,
  poll,
  keys: {
    firstList: 'operations',
    groups: [
      {
        does: 'Backends, operations, changes, drift',
        focus: {
          1: '[data-list="backends"] [data-row]',
          2: '[data-list="operations"] [data-row]',
          3: '[data-list="changes"]',
          4: '[data-list="drift"] [data-row]',
        },
      },
      { does: 'First unknown outcome', focus: { u: '[data-list="unknown"] button' } },
    ],
  },
  Content: RelayPage,
};

function RelayPage() {
  const control = useFilters(filterFormat);
  useAreaTitle('relay');
  return (
    <PageFrame
      control={control}
      className="relay"
      waitingFor="backends and operations"
      chosen={<ChosenBackend control={control} />}
      strips={<UnknownStrip control={control} />}
      drawer={<OpenDrawer control={control} />}
    >
      <BackendsPanel control={control} />
      <div className="middle">
        <OperationsPanel control={control} />
        <DriftPanel control={control} />
      </div>
      <FeedPanel control={control} />
    </PageFrame>
  );
}

/** The backend that the page is filtered by. */
function ChosenBackend({ control: { filters, change } }: { readonly control: RelayControl }) {
  const backends = useEntities(backendKind);
  if (filters.backendId === null) return null;
  return (
    <button type="button" className="chip chosen" onClick={() => change({ backendId: null })}>
      <span className="visually-hidden">Remove the filter: backend </span>
      {backends.get(filters.backendId)?.name ?? 'a deleted backend'} <span aria-hidden="true">×</span>
    </button>
  );
}

function OpenDrawer({ control: { filters, change } }: { readonly control: RelayControl }) {
  const close = useCallback(() => change({ open: null }), [change]);
  const { open } = filters;
  const openOther = (type: string) => (id: string) => change({ open: { type, id } });
  switch (open?.type) {
    case operationKind.typename:
      return <OperationDrawer id={open.id} onClose={close} onOpenMapping={openOther(mappingKind.typename)} />;
    case mappingKind.typename:
      return <MappingDrawer id={open.id} onClose={close} onOpenOperation={openOther(operationKind.typename)} />;
    case backendKind.typename:
      return (
        <BackendDrawer id={open.id} onClose={close} onShowOnly={(backendId) => change({ backendId, open: null })} />
      );
    default:
      return null;
  }
}
