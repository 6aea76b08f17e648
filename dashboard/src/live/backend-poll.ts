// Reads what no status change tells: queues, latencies and the time of the last check. Also reads operations again when a
// change came without its subject.
import type { Requester } from '../graph/request.ts';
import { pause } from './backoff.ts';
import type { LiveStore } from './live-store.ts';
import { readBackends, readOperations } from './snapshot.ts';

const everyMs = 5_000;

/** Runs until the signal aborts; rests while the page is hidden or the stream is down. */
export async function runBackendPoll(
  store: LiveStore,
  requester: Requester,
  isVisible: () => boolean,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await pause(everyMs, signal);
    if (signal.aborted || !isVisible() || !store.connection.connected) continue;
    // A failure needs no word here: the stream's state shows that the server is away, and the next round tries again.
    await readOnce(store, requester, signal).catch(() => undefined);
  }
}

async function readOnce(store: LiveStore, requester: Requester, signal: AbortSignal): Promise<void> {
  const knownBefore = [...store.state.backends.keys()];
  const isIncomplete = store.takeIncomplete();
  const backends = await readBackends(requester);
  if (signal.aborted) return;
  store.backends(backends.nodes, backends.pageInfo.hasNextPage ? undefined : knownBefore);
  if (!isIncomplete) return;
  const operations = await readOperations(requester, {}, 1);
  if (!signal.aborted) store.operations(operations.nodes);
}
