// Wraps an iterable of bytes so that a signal ends it, even while it waits for the source.

/** Throws the signal's reason. Calls `return` on the source without waiting for it: the source may be what hangs. */
export async function* untilAborted<Item>(source: AsyncIterable<Item>, signal: AbortSignal): AsyncGenerator<Item> {
  const iterator = source[Symbol.asyncIterator]();
  let stop: (reason: unknown) => void = () => undefined;
  const onAbort = () => stop(signal.reason);
  signal.addEventListener('abort', onAbort);
  let isOver = false;
  try {
    for (;;) {
      signal.throwIfAborted();
      const next = await new Promise<IteratorResult<Item>>((resolve, reject) => {
        stop = reject;
        iterator.next().then(resolve, reject);
      });
      isOver = next.done === true;
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    signal.removeEventListener('abort', onAbort);
    if (!isOver) void Promise.resolve(iterator.return?.()).catch(() => undefined);
  }
}
