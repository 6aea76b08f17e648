// Shows each new alert as a notification of the browser, whatever page is open. One tab holds a lock and follows
// the stream. When it is closed, another tab continues at the same position.
import {
  BrowserAlertsDocument,
  type BrowserAlertsSubscription,
  DashboardStartDocument,
} from '../../../generated/dashboard/graphql.ts';
import type { Requester } from '../graph/request.ts';
import type { FeedItem } from '../live/entity-kind.ts';
import { listen } from '../live/listen.ts';
import { type FeedReceiver, runLiveFeed } from '../live/live-feed.ts';
import { go, hrefOf } from '../route.ts';
import type { Session } from '../session/session.ts';
import { formatType, formatWord } from '../view/format.ts';

interface AlertDependencies {
  readonly session: Session;
  readonly requester: Requester;
  /** ws: or wss: address of the graph. */
  readonly socketUrl: string;
}

type Change = NonNullable<BrowserAlertsSubscription['statusChanges']['change']>;

const lockName = 'tidegate.browser-alerts';
const placeKey = 'tidegate.browser-alerts.place';
/** An older position means that no tab was open. Alerts since then are not shown. */
const keptMs = 60_000;

/** Returns a function that stops it. */
export function startBrowserAlerts(dependencies: AlertDependencies): () => void {
  const controller = new AbortController();
  const { signal } = controller;
  void navigator.locks.request(lockName, { signal }, () => follow(dependencies, signal)).catch(() => undefined);
  return () => controller.abort();
}

async function follow({ session, requester, socketUrl }: AlertDependencies, signal: AbortSignal): Promise<void> {
  let cursor = keptPlace();
  let isFirst = true;
  const take = (next: string): void => {
    cursor = next;
    window.localStorage.setItem(placeKey, JSON.stringify({ cursor: next, atMs: Date.now() }));
  };
  const receiver: FeedReceiver = {
    get cursor() {
      return cursor;
    },
    snapshot: (snapshot) => take(snapshot.cursor),
    item(item: FeedItem) {
      take(item.cursor);
      if (item.change !== null) tell(item.change as unknown as Change);
    },
    connected: () => undefined,
    disconnected: () => undefined,
  };
  const subscription = BrowserAlertsDocument.toString();
  await runLiveFeed(
    receiver,
    {
      async readSnapshot() {
        const { statusCursor, me: viewer } = await requester.request(DashboardStartDocument, {});
        const from = isFirst ? (cursor ?? statusCursor) : statusCursor;
        isFirst = false;
        return { cursor: from, viewer, entities: [], history: [] };
      },
      listen: (after, listener, stop) =>
        listen({ url: socketUrl, accessToken: () => session.accessToken(), subscription }, after, listener, stop),
      renewCredential: async () => (await session.renew()) !== undefined,
      // The page's own stream ends the session.
      endSession: () => undefined,
      random: Math.random,
    },
    signal,
  );
}

/** Null without a tab that followed until a moment ago. */
function keptPlace(): string | null {
  try {
    const { cursor, atMs } = JSON.parse(window.localStorage.getItem(placeKey) ?? 'null') as Readonly<
      Record<string, unknown>
    >;
    return typeof cursor === 'string' && Date.now() - Number(atMs) < keptMs ? cursor : null;
  } catch {
    return null;
  }
}

function tell({ subjectId, to, reason, subject }: Change): void {
  if (to !== 'FIRING') return;
  const alert = subject?.__typename === 'Alert' ? subject : null;
  const name = alert === null ? 'An alert fires' : (alert.subjectName ?? `a ${formatType(alert.subjectType)}`);
  const title = alert?.severity === 'CRITICAL' ? `Critical: ${name}` : name;
  const body = [alert === null ? null : formatWord(alert.condition), reason].filter(Boolean).join(': ');
  const notification = new Notification(title, { body, tag: subjectId, icon: hrefOf('/favicon.svg') });
  notification.onclick = () => {
    window.focus();
    go(`/alerts?alert=${encodeURIComponent(subjectId)}`);
    notification.close();
  };
}
