// GraphiQL as a separate document, because its editor needs inline styles, which the dashboard forbids.
import 'graphiql/setup-workers/vite';
import { examples } from 'virtual:examples';
import { GraphiQL, HISTORY_PLUGIN } from 'graphiql';
import type { ComponentProps } from 'react';
import { createRoot } from 'react-dom/client';
import { basePath, hrefOf } from '../route.ts';
import { Session } from '../session/session.ts';
import { explainPlugin } from './explain.tsx';
import { graphAccess } from './fetcher.ts';
import { LoginNote } from './login-note.tsx';
import 'graphiql/style.css';
import './graphiql.css';

// It has loaded (graphiql.html).
window.sessionStorage.removeItem('loads');

const root = document.getElementById('root');
if (root === null) throw new Error('The page has no element with the id root');

const home = `${window.location.origin}${basePath()}`;
const url = `${home}/graphql`;
const session = new Session(home, window.localStorage);
const { fetcher, explain } = graphAccess({ url, socketUrl: url.replace(/^http/, 'ws'), session });
const plugins = [HISTORY_PLUGIN, explainPlugin(explain)];

// GraphiQL opens the example that the address names, or at the first visit the first tab; otherwise its stored tabs. At the first visit it always
// opens the first of the tabs.
const [first] = examples;
const isFirstVisit = window.localStorage.getItem('graphiql:tabState') === null;
const nameInAddress = /^#example=([a-z-]+)$/.exec(window.location.hash)?.[1];
const named = examples.find(({ name }) => name === nameInAddress);
const shown = named ?? (isFirstVisit ? first : undefined);
const initial = shown === undefined ? {} : { initialQuery: shown.query, initialVariables: shown.variables ?? '' };
const ordered = named === undefined ? examples : [named, ...examples.filter((each) => each !== named)];
const tabs = ordered.map(({ query, variables = '' }) => ({ query, variables }));

type ScalarSchema = NonNullable<ComponentProps<typeof GraphiQL>['customScalarSchemas']>[string];

// A value of any shape: without this GraphiQL takes objects in it for mistakes.
const anything: ScalarSchema = { type: ['object', 'array', 'string', 'number', 'boolean', 'integer'] };

createRoot(root).render(
  <GraphiQL
    fetcher={fetcher}
    plugins={plugins}
    customScalarSchemas={{ JSON: anything, JsonSchema: anything }}
    defaultTabs={tabs}
    {...initial}
    defaultEditorToolsVisibility="variables"
  >
    <GraphiQL.Logo>
      <a className="home" href={hrefOf('/')}>
        Dashboard
      </a>
    </GraphiQL.Logo>
    <GraphiQL.Footer>
      <LoginNote session={session} />
    </GraphiQL.Footer>
  </GraphiQL>,
);
