// The shell: the login form, or the page named by the URL, with its own store and live feed.
import { useEffect, useMemo, useState, useSyncExternalStore } from 'react';
import { startBrowserAlerts } from './alerts/browser-alerts.ts';
import { useBrowserAlerts } from './alerts/choice.ts';
import { PageContext, useDependencies } from './context.ts';
import type { Requester } from './graph/request.ts';
import { LiveStore } from './live/live-store.ts';
import { startLive } from './live/start-live.ts';
import { loadPage } from './load-page.ts';
import type { Page, PageRow } from './page.ts';
import { hrefOf, pathOf, useRoute } from './route.ts';
import { forgetOthersDrafts } from './session/draft-storage.ts';
import { LoginForm } from './view/login-form.tsx';

export function App() {
  const { session, pages, requester } = useDependencies();
  const row = useRoute(pages);
  const status = useSyncExternalStore(
    (listener) => session.subscribe(listener),
    () => session.status,
  );
  const loginId = useSyncExternalStore(
    (listener) => session.subscribe(listener),
    () => session.loginId,
  );
  // A page's data may depend on the viewer's rights, so another viewer gets a fresh page.
  const loaded = useLoaded(status === 'open' ? row : undefined, requester, loginId);
  useAlertsIn(loginId);
  useEffect(() => {
    if (status === 'none') forgetOthersDrafts(window.sessionStorage, null);
  }, [status]);
  if (row === undefined) return <NoSuchPage />;
  if (status !== 'open') return <LoginForm hasEnded={status === 'ended'} />;
  if (loaded === 'failed') return <NotLoaded />;
  return loaded === 'loading' ? null : <OpenPage key={row.name} name={row.name} page={loaded} />;
}

/** Notifications of the browser, if they were switched on. Their code is not loaded apart: nobody would notice that it is missing. */
function useAlertsIn(loginId: string | null): void {
  const dependencies = useDependencies();
  const follower = useBrowserAlerts() ? loginId : null;
  useEffect(() => (follower === null ? undefined : startBrowserAlerts(dependencies)), [follower, dependencies]);
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

interface Loaded {
  readonly row: PageRow;
  /** For whom. */
  readonly loginId: string | null;
  readonly page: Page | 'failed';
}

/** The page's code, loaded when it is first opened. */
function useLoaded(
  row: PageRow | undefined,
  requester: Requester,
  loginId: string | null,
): Page | 'loading' | 'failed' {
  const [loaded, setLoaded] = useState<Loaded | null>(null);
  useEffect(() => {
    if (row === undefined) return;
    const left = new AbortController();
    loadPage(row, requester, left.signal).then(
      (page) => left.signal.aborted || setLoaded({ row, loginId, page }),
      () => left.signal.aborted || setLoaded({ row, loginId, page: 'failed' }),
    );
    return () => left.abort();
  }, [row, requester, loginId]);
  return loaded !== null && loaded.row === row && loaded.loginId === loginId ? loaded.page : 'loading';
}

function NotLoaded() {
  return (
    <main className="door">
      <div>
        <p className="warning">
          This page could not be loaded. The server may be unavailable, or was updated since you opened the dashboard.
        </p>
        <button type="button" className="primary" onClick={() => window.location.reload()}>
          Reload
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
        <p>Page not found.</p>
        <ul>
          {pages.map((page) => (
            <li key={page.name}>
              <a href={hrefOf(pathOf(page))}>{page.title}</a>
            </li>
          ))}
        </ul>
      </div>
    </main>
  );
}
