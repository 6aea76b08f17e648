// The shell: the login form, or the page named by the URL, with its own store and live feed.
import { useEffect, useMemo, useState, useSyncExternalStore } from 'react';
import { useBrowserAlerts } from './alerts/choice.ts';
import { PageContext, useDependencies } from './context.ts';
import type { Requester } from './graph/request.ts';
import { LiveStore } from './live/live-store.ts';
import { startLive } from './live/start-live.ts';
import { loadPage } from './load-page.ts';
import type { Page, PageRow } from './page.ts';
import { pathOf, useRoute } from './route.ts';
import { LoginForm } from './view/login-form.tsx';

export function App() {
  const { session, pages, requester } = useDependencies();
  const row = useRoute(pages);
  const status = useSyncExternalStore(
    (listener) => session.subscribe(listener),
    () => session.status,
  );
  // What a page has may depend on the viewer's rights.
  const loaded = useLoaded(status === 'open' ? row : undefined, requester);
  useAlertsIn(status === 'open');
  if (row === undefined) return <NoSuchPage />;
  if (status !== 'open') return <LoginForm hasEnded={status === 'ended'} />;
  if (loaded === 'failed') return <NotLoaded />;
  return loaded === 'loading' ? null : <OpenPage key={row.name} name={row.name} page={loaded} />;
}

/** Notifications of the browser, if they were switched on. */
function useAlertsIn(isOpen: boolean): void {
  const dependencies = useDependencies();
  const isWanted = useBrowserAlerts() && isOpen;
  useEffect(() => {
    if (!isWanted) return;
    let stop: (() => void) | 'never' | undefined;
    void import('./alerts/browser-alerts.ts').then(({ startBrowserAlerts }) => {
      if (stop !== 'never') stop = startBrowserAlerts(dependencies);
    });
    return () => {
      if (typeof stop === 'function') stop();
      else stop = 'never';
    };
  }, [isWanted, dependencies]);
}

function OpenPage({ name, page }: { readonly name: string; readonly page: Page }) {
  const dependencies = useDependencies();
  const store = useMemo(() => new LiveStore(page.kinds), [page]);
  useEffect(() => startLive(name, page, { ...dependencies, store }), [name, page, dependencies, store]);
  return (
    <PageContext value={{ page, store }}>
      <page.Content />
    </PageContext>
  );
}

/** The page's code, loaded when it is first opened. */
function useLoaded(row: PageRow | undefined, requester: Requester): Page | 'loading' | 'failed' {
  const [loaded, setLoaded] = useState<{ readonly row: PageRow; readonly page: Page | 'failed' } | null>(null);
  useEffect(() => {
    if (row === undefined) return;
    const left = new AbortController();
    loadPage(row, requester, left.signal).then(
      (page) => setLoaded({ row, page }),
      () => left.signal.aborted || setLoaded({ row, page: 'failed' }),
    );
    return () => left.abort();
  }, [row, requester]);
  return loaded !== null && loaded.row === row ? loaded.page : 'loading';
}

function NotLoaded() {
  return (
    <main className="door">
      <div>
        <p className="warning">
          This page could not be loaded. The server may be unavailable, or newer than the open dashboard.
        </p>
        <button type="button" className="primary" onClick={() => window.location.reload()}>
          Load it again
        </button>
      </div>
    </main>
  );
}

function NoSuchPage() {
  const { pages } = useDependencies();
  return (
    <main className="door">
      <div>
        <p>There is no such page.</p>
        <ul>
          {pages.map((page) => (
            <li key={page.name}>
              <a href={pathOf(page)}>{page.title}</a>
            </li>
          ))}
        </ul>
      </div>
    </main>
  );
}
