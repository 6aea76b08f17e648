// Puts the dashboard together: one session, one store, one feed.
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './app.tsx';
import { PartsContext } from './context.ts';
import { createGraphClient, Requester } from './graph/request.ts';
import { startController } from './live/controller.ts';
import { LiveStore } from './live/live-store.ts';
import { Session } from './session/session.ts';
import './style/base.css';
import './style/page.css';
import './style/rows.css';
import './style/drawer.css';

const root = document.getElementById('root');
if (root === null) throw new Error('The page has no element with the id root');

const client = createGraphClient(new URL('/graphql', window.location.href).href);
const session = new Session(client, window.sessionStorage);
const requester = new Requester(client, session);
const store = new LiveStore();
const socketUrl = new URL('/graphql', window.location.href.replace(/^http/, 'ws')).href;
const stop = startController({ session, requester, store, socketUrl });
window.addEventListener('pagehide', (event) => {
  // A page kept for the back button goes on living.
  if (!event.persisted) stop();
});

createRoot(root).render(
  <StrictMode>
    <PartsContext value={{ session, requester, store }}>
      <App />
    </PartsContext>
  </StrictMode>,
);
