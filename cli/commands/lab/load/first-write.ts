// Before a load counts: records existing objects, and waits until a write is acknowledged. Otherwise the time until the first write would look like
// the effect of a fault.
import { setTimeout as sleep } from 'node:timers/promises';
import { ask, type GraphEndpoint } from '../../../../clients/typescript/graph-request.ts';
import { runWriter } from './clients.ts';
import { Tally } from './tally.ts';

/** State before a load. */
export interface Before {
  /** Number of the relay's calls. */
  readonly calls: number;
  readonly unknown: number;
  /** Duration of the load's first acknowledged write. */
  readonly firstWriteMs: number;
}

const countsDocument = 'query { root: relayOperationCounts { state count } }';
const pauseMs = 500;
const tellMs = 5_000;

interface FirstWriteOptions {
  readonly endpoint: GraphEndpoint;
  readonly signal: AbortSignal;
  /** Gets the reason for the wait, every five seconds. */
  readonly onWait: (text: string) => void;
}

/** Undefined if the signal came first. */
export async function untilFirstWrite(options: FirstWriteOptions): Promise<Before | undefined> {
  const { endpoint, signal, onWait } = options;
  const begunAtMs = performance.now();
  const written = new AbortController();
  const tally = new FirstTally(() => written.abort());
  const waiting = setInterval(() => {
    const seconds = Math.round((performance.now() - begunAtMs) / 1_000);
    const last = tally.words.at(-1);
    onWait(`no write is acknowledged yet, after ${seconds} s${last === undefined ? '' : `: ${last}`}`);
  }, tellMs);
  try {
    const counts = await countsOf(endpoint, signal);
    await runWriter({ endpoint, tally, stopping: AbortSignal.any([signal, written.signal]), ending: signal });
    return counts === undefined || tally.firstMs === undefined ? undefined : { ...counts, firstWriteMs: tally.firstMs };
  } finally {
    clearInterval(waiting);
  }
}

class FirstTally extends Tally {
  readonly #begunAtMs = performance.now();
  readonly #onFirst: () => void;
  firstMs: number | undefined;

  constructor(onFirst: () => void) {
    super();
    this.#onFirst = onFirst;
  }

  override acknowledge(write: Parameters<Tally['acknowledge']>[0]): void {
    super.acknowledge(write);
    this.firstMs ??= Math.round(performance.now() - this.#begunAtMs);
    this.#onFirst();
  }
}

async function countsOf(
  endpoint: GraphEndpoint,
  signal: AbortSignal,
): Promise<Pick<Before, 'calls' | 'unknown'> | undefined> {
  while (!signal.aborted) {
    const reply = await ask(endpoint, countsDocument, {}, signal);
    if (reply.kind === 'answer') {
      const rows = reply.value as unknown as readonly { readonly state: string; readonly count: number }[];
      const sum = (some: typeof rows) => some.reduce((total, { count }) => total + count, 0);
      return { calls: sum(rows), unknown: sum(rows.filter(({ state }) => state === 'UNKNOWN')) };
    }
    await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
  }
  return undefined;
}
