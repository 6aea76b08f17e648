// The page: the door without a login, else the strips, the four panels and what is open beside them.
import { useMemo, useRef, useSyncExternalStore } from 'react';
import { useConnection, useLiveState, useParts } from './context.ts';
import { useFilters } from './filters/use-filters.ts';
import { BackendDrawer } from './view/backend-drawer.tsx';
import { BackendsPanel } from './view/backends-panel.tsx';
import { DriftPanel } from './view/drift-panel.tsx';
import { FeedPanel } from './view/feed-panel.tsx';
import { Header } from './view/header.tsx';
import { useKeyboard } from './view/keyboard.ts';
import { KeysHelp } from './view/keys-help.tsx';
import { StaleStrip } from './view/live-badge.tsx';
import { LoginForm } from './view/login-form.tsx';
import { MappingDrawer } from './view/mapping-drawer.tsx';
import { OperationDrawer } from './view/operation-drawer.tsx';
import { OperationsPanel } from './view/operations-panel.tsx';
import { UnknownStrip } from './view/unknown-strip.tsx';
import { usePageTitle } from './view/use-page-title.ts';

export function App() {
  const { session } = useParts();
  const status = useSyncExternalStore(
    (listener) => session.subscribe(listener),
    () => session.status,
  );
  return status === 'open' ? <Dashboard /> : <LoginForm hasEnded={status === 'ended'} />;
}

function Dashboard() {
  const control = useFilters();
  const { cursor } = useLiveState();
  const dialog = useRef<HTMLDialogElement>(null);
  const { change, filters } = control;
  const actions = useMemo(
    () => ({ close: () => change({ open: null }), help: () => dialog.current?.showModal() }),
    [change],
  );
  useKeyboard(actions);
  usePageTitle();

  return (
    <>
      <Header control={control} onHelp={actions.help} />
      <StaleStrip />
      <UnknownStrip control={control} />
      <main className="panels" aria-busy={cursor === null}>
        {cursor === null ? (
          <Waiting />
        ) : (
          <>
            <BackendsPanel control={control} />
            <div className="middle">
              <OperationsPanel control={control} />
              <DriftPanel control={control} />
            </div>
            <FeedPanel control={control} />
          </>
        )}
      </main>
      {filters.open?.type === 'operation' && (
        <OperationDrawer
          id={filters.open.id}
          onClose={actions.close}
          onOpenMapping={(id) => change({ open: { type: 'mapping', id } })}
        />
      )}
      {filters.open?.type === 'mapping' && (
        <MappingDrawer
          id={filters.open.id}
          onClose={actions.close}
          onOpenOperation={(id) => change({ open: { type: 'operation', id } })}
        />
      )}
      {filters.open?.type === 'backend' && (
        <BackendDrawer
          id={filters.open.id}
          onClose={actions.close}
          onShowOnly={(backendId) => change({ backendId, open: null })}
        />
      )}
      <KeysHelp dialog={dialog} />
    </>
  );
}

function Waiting() {
  const { reason } = useConnection();
  return <p className="waiting">{reason ?? 'Reading backends and operations…'}</p>;
}
