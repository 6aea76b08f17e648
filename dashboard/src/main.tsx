// Puts the dashboard together: one session and one requester; the open page has its own store.
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './app.tsx';
import { DependenciesContext } from './context.ts';
import { keepTrying } from './graph/keep-trying.ts';
import { Requester } from './graph/request.ts';
import { pages } from './pages.ts';
import { basePath } from './route.ts';
import { takeCode, watchForCode } from './session/login-code.ts';
import { Session } from './session/session.ts';
import { failureOf, failuresOf } from './view/refusal.tsx';
import './style/base.css';
import './style/page.css';
import './style/rows.css';
import './style/drawer.css';
import './style/shown.css';
import './style/search.css';

// It has loaded (index.html).
window.sessionStorage.removeItem('loads');

const root = document.getElementById('root');
if (root === null) throw new Error('The page has no element with the id root');

const home = `${window.location.origin}${basePath()}`;
const url = `${home}/graphql`;
const session = new Session(home, window.localStorage);
const code = takeCode();
watchForCode();
const codeFailures =
  code === undefined
    ? []
    : await keepTrying(() => session.start(code)).then(failuresOf, (error: unknown) => [failureOf(error)]);
const requester = new Requester(url, session);
const dependencies = { session, codeFailures, requester, pages, socketUrl: url.replace(/^http/, 'ws') };

createRoot(root).render(
  <StrictMode>
    <DependenciesContext value={dependencies}>
      <App />
    </DependenciesContext>
  </StrictMode>,
);
