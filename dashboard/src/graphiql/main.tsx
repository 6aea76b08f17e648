// GraphiQL as a separate document, because its editor needs inline styles, which the dashboard forbids.
import 'graphiql/setup-workers/vite';
import { exampleTabs } from 'virtual:examples';
import { GraphiQL, HISTORY_PLUGIN } from 'graphiql';
import { createRoot } from 'react-dom/client';
import { Session } from '../session/session.ts';
import { explainPlugin } from './explain.tsx';
import { graphAccess } from './fetcher.ts';
import 'graphiql/style.css';
import './graphiql.css';

// It has loaded (graphiql.html).
window.sessionStorage.removeItem('loads');

const root = document.getElementById('root');
if (root === null) throw new Error('The page has no element with the id root');

const url = new URL('/graphql', window.location.href).href;
const session = new Session(url, window.sessionStorage);
const { fetcher, explain } = graphAccess({ url, socketUrl: url.replace(/^http/, 'ws'), session });
const plugins = [HISTORY_PLUGIN, explainPlugin(explain)];

// GraphiQL uses these variables for the first tab only; its stored tabs take precedence.
const isFirstVisit = window.localStorage.getItem('graphiql:tabState') === null;
const [first] = exampleTabs;
const initial =
  isFirstVisit && first !== undefined
    ? { initialQuery: first.query ?? '', initialVariables: first.variables ?? '' }
    : {};

createRoot(root).render(
  <GraphiQL
    fetcher={fetcher}
    plugins={plugins}
    defaultTabs={exampleTabs}
    {...initial}
    defaultEditorToolsVisibility="variables"
  >
    <GraphiQL.Logo>
      <a className="home" href="/">
        Dashboard
      </a>
    </GraphiQL.Logo>
    <GraphiQL.Footer>
      <p className="login-note">
        {session.status === 'open'
          ? "Requests carry the dashboard's login of this tab, unless an Authorization was put into the headers editor."
          : 'No login in this tab: log in on the dashboard first, or put an Authorization into the headers editor of any tab.'}
      </p>
    </GraphiQL.Footer>
  </GraphiQL>,
);
