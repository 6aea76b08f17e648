// Reads what no status change tells: queues, latencies and the time of the last check; now and then what has drifted, for a
// call that changes an object takes back what was found of it without a word. Also reads operations again when a change came
// without its subject.
import type { Requester } from '../graph/request.ts';
import { pause } from './backoff.ts';
import { driftIn } from './drift.ts';
import type { LiveStore } from './live-store.ts';
import { readBackends, readDrift, readOperations } from './snapshot.ts';

const everyMs = 5_000;
const roundsToDrift = 6;

/** Runs until the signal aborts; rests while the page is hidden or the stream is down. */
export async function runBackendPoll(
  store: LiveStore,
  requester: Requester,
  isVisible: () => boolean,
  signal: AbortSignal,
): Promise<void> {
  for (let round = 1; !signal.aborted; round += 1) {
    await pause(everyMs, signal);
    if (signal.aborted || !isVisible() || !store.connection.connected) continue;
    // A failure needs no word here: the stream's state shows that the server is away, and the next round tries again.
    await readOnce(store, requester, signal).catch(() => undefined);
    if (round % roundsToDrift === 0) await readDriftOnce(store, requester, signal).catch(() => undefined);
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

async function readDriftOnce(store: LiveStore, requester: Requester, signal: AbortSignal): Promise<void> {
  const driftBefore = driftIn(store.state.mappings).map(({ id }) => id);
  const drift = await readDrift(requester);
  if (!signal.aborted) store.mappings(drift.nodes, drift.pageInfo.hasNextPage ? undefined : driftBefore);
}
