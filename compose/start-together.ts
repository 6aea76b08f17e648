// Starts independent components at once. When one fails, the others are cancelled. The error is thrown only when each of them has ended or can be
// stopped with the stack, so that no component is left starting.

/** Starts one component. `giveUp` aborts when another component has failed, or the whole start is cancelled. `stop` is called with the stack. */
type StartComponent = <T>(
  start: (giveUp: AbortSignal) => Promise<T>,
  stop: (started: T) => Promise<void>,
) => Promise<T>;

/** Rejects with the first failure. `begin` returns the promises of the components that it starts. */
export async function startTogether<const Components extends readonly Promise<unknown>[]>(
  stack: AsyncDisposableStack,
  signal: AbortSignal,
  begin: (startComponent: StartComponent) => Components,
): Promise<{ readonly [Index in keyof Components]: Awaited<Components[Index]> }> {
  const failed = new AbortController();
  const giveUp = AbortSignal.any([signal, failed.signal]);
  const starting = begin(async (start, stop) => {
    try {
      const started = await start(giveUp);
      stack.defer(() => stop(started));
      return started;
    } catch (error) {
      failed.abort(error);
      throw error;
    }
  });
  await Promise.allSettled(starting);
  if (failed.signal.aborted) throw failed.signal.reason;
  return Promise.all(starting) as unknown as { readonly [Index in keyof Components]: Awaited<Components[Index]> };
}
