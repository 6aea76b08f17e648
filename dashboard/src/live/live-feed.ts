// Keeps the store in step with the server: a snapshot, then the stream after its cursor, repeatedly. A lost stream is resumed
// from the last cursor; one that can't be resumed (CURSOR_EXPIRED, RESYNC_REQUIRED, a change that the server can't complete) begins with
// a new snapshot and a note. A socket ends with its access token: then the stream continues with a new token, and the page does not show it.
import { backoffMs, pause } from '../graph/backoff.ts';
import type { FeedItem } from './entity-kind.ts';
import type { Snapshot } from './live-state.ts';

/** The reason for a stream's end. */
export type StreamEnd =
  | { readonly type: 'lost'; readonly reason: string }
  | { readonly type: 'expired'; readonly code: string }
  /** The server could not complete a change: it passes it over. */
  | { readonly type: 'incomplete' }
  | { readonly type: 'unauthenticated' }
  | { readonly type: 'token-ended' };

export interface StreamListener {
  connected(): void;
  item(item: FeedItem): void;
}

export interface FeedPorts {
  /** Reads the cursor first, then the lists. */
  readonly readSnapshot: () => Promise<Snapshot>;
  /** Listens after the cursor until the stream ends or the signal aborts; does not throw. */
  readonly listen: (cursor: string, listener: StreamListener, signal: AbortSignal) => Promise<StreamEnd>;
  /** Gets a new credential; false when the session has ended. */
  readonly renewCredential: () => Promise<boolean>;
  /** The server rejects even a new credential. */
  readonly endSession: () => void;
  readonly random: () => number;
}

/** The receiver of updates. */
export interface FeedReceiver {
  readonly cursor: string | null;
  snapshot(snapshot: Snapshot, note: string | null): void;
  item(item: FeedItem): void;
  connected(): void;
  disconnected(reason: string): void;
}

/** Runs until the signal aborts or the session ends. */
export async function runLiveFeed(receiver: FeedReceiver, ports: FeedPorts, signal: AbortSignal): Promise<void> {
  let attempt = 0;
  let refusals = 0;
  let needsSnapshot = true;
  let note: string | null = null;
  while (!signal.aborted) {
    const end = await cycle();
    if (signal.aborted) return;
    if (end.type === 'expired') {
      needsSnapshot = true;
      note = noteFor(end.code);
      receiver.disconnected('The server no longer has the changes since then; reading everything again.');
    } else if (end.type === 'incomplete') {
      // Another stream after the last cursor would get the same change. The snapshot has it, and a cursor after it.
      needsSnapshot = true;
      note = 'The server could not tell one of the changes. Lists were read again; that change has no line.';
      receiver.disconnected('A change could not be read; reading everything again.');
    } else if (end.type === 'unauthenticated') {
      // The caller's rights may have changed: the next stream begins with a snapshot.
      needsSnapshot = true;
      receiver.disconnected('The login has to be renewed.');
      refusals += 1;
      if (refusals > 1) return ports.endSession();
      const renewed = await ports.renewCredential().catch(() => true);
      if (!renewed) return;
    } else if (end.type === 'token-ended') {
      const renewed = await ports.renewCredential().catch(() => true);
      if (!renewed) return;
    } else {
      receiver.disconnected(end.reason);
    }
    await pause(backoffMs(attempt, ports.random()), signal);
    attempt += 1;
  }

  async function cycle(): Promise<StreamEnd> {
    try {
      if (needsSnapshot || receiver.cursor === null) {
        const snapshot = await ports.readSnapshot();
        if (signal.aborted) return { type: 'lost', reason: 'closed' };
        receiver.snapshot(snapshot, note);
        needsSnapshot = false;
        note = null;
      }
    } catch (error) {
      if ((error as { code?: unknown }).code === 'UNAUTHENTICATED') return { type: 'unauthenticated' };
      return { type: 'lost', reason: error instanceof Error ? error.message : String(error) };
    }
    const listener: StreamListener = {
      connected: () => receiver.connected(),
      item: (item) => {
        attempt = 0;
        refusals = 0;
        receiver.item(item);
      },
    };
    return await ports.listen(receiver.cursor ?? '', listener, signal);
  }
}

function noteFor(code: string): string {
  return code === 'CURSOR_EXPIRED'
    ? 'This page was disconnected for longer than changes are kept. Lists were read again; changes before this line may be missing.'
    : 'The history was rewritten by a failover. Lists were read again; lines below may not have survived it.';
}
