// Load of a closed loop: a few clients, each of which sends its next request as soon as it has its answer.

export interface LoopFigures {
  readonly latenciesMs: readonly number[];
  readonly elapsedMs: number;
}

/** Ends with the last answer to the requests sent within `forMs`, and before `signal`. Throws the errors of `ask`. */
export async function closedLoop(
  { clients, forMs, signal }: { readonly clients: number; readonly forMs: number; readonly signal?: AbortSignal },
  ask: () => Promise<void>,
): Promise<LoopFigures> {
  const latenciesMs: number[] = [];
  const startMs = performance.now();
  const client = async (): Promise<void> => {
    while (performance.now() - startMs < forMs && signal?.aborted !== true) {
      const askedMs = performance.now();
      await ask();
      latenciesMs.push(performance.now() - askedMs);
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  return { latenciesMs, elapsedMs: performance.now() - startMs };
}
