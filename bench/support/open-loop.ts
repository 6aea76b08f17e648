// Load of an open loop: requests are sent at a fixed rate, independent of earlier ones, as from many independent clients. If the system
// can't sustain the rate, the number of requests in flight grows.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../../trials/random.ts';

interface OpenLoopFigures {
  /** Measured from the time when a request was due, so that a late sender hides nothing. */
  readonly latenciesMs: readonly number[];
  readonly failed: number;
  readonly firstFailure: string | undefined;
  /** The number in flight, at regular times while requests are sent. */
  readonly underWay: readonly number[];
  /** The time until the last answer. */
  readonly elapsedMs: number;
}

interface OpenLoopLoad {
  /** This is the average; the intervals are exponential, as in a Poisson process. */
  readonly perSecond: number;
  readonly forMs: number;
  readonly random: Random;
  /** If more than this many are in flight, requests are not sent and count as failures. */
  readonly mostUnderWay: number;
}

const sampleMs = 100;

/** Ends with the last answer. `ask` has its own deadline, and failures are counted. */
export async function openLoop(load: OpenLoopLoad, ask: () => Promise<void>): Promise<OpenLoopFigures> {
  const latenciesMs: number[] = [];
  const underWay: number[] = [];
  const open = new Set<Promise<void>>();
  let failed = 0;
  let firstFailure: string | undefined;
  const fail = (reason: unknown): void => {
    failed += 1;
    firstFailure ??= reason instanceof Error ? reason.message : String(reason);
  };
  const startMs = performance.now();
  const request = async (dueMs: number): Promise<void> => {
    try {
      await ask();
      latenciesMs.push(performance.now() - startMs - dueMs);
    } catch (error) {
      fail(error);
    }
  };
  const sampling = setInterval(() => underWay.push(open.size), sampleMs);
  for (let dueMs = 0; dueMs < load.forMs; dueMs += (-Math.log(1 - load.random.next()) * 1000) / load.perSecond) {
    const waitMs = startMs + dueMs - performance.now();
    if (waitMs > 1) await sleep(waitMs);
    if (open.size >= load.mostUnderWay) {
      fail(`${load.mostUnderWay} requests are under way`);
      continue;
    }
    const made = request(dueMs);
    open.add(made);
    void made.then(() => open.delete(made));
  }
  clearInterval(sampling);
  await Promise.all(open);
  return { latenciesMs, failed, firstFailure, underWay, elapsedMs: performance.now() - startMs };
}
