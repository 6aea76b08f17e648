// An async generator over a source with one `next` at a time. An async generator function is not suitable for a stream of events:
// its return() waits for a next() that may never resolve.

export interface PullSource<Value> {
  /** The next value. Undefined if there are no more. Rejects when the stream fails. */
  next(): Promise<Value | undefined>;
  /** Called once, when the stream ends, for any reason. */
  end(): void;
}

/** `return()` and `throw()` end a waiting `next()` at once, whatever the source does. */
export function pullStream<Value>(source: PullSource<Value>): AsyncGenerator<Value, void, void> {
  type Step = IteratorResult<Value, void>;
  const over: Step = { done: true, value: undefined };
  const waiting = new Set<(step: Step) => void>();
  let ended = false;
  const end = (): void => {
    if (ended) return;
    ended = true;
    source.end();
    for (const resolve of waiting) resolve(over);
    waiting.clear();
  };
  const stream: AsyncGenerator<Value, void, void> = {
    next() {
      if (ended) return Promise.resolve(over);
      return new Promise((resolve, reject) => {
        waiting.add(resolve);
        source.next().then(
          (value) => {
            waiting.delete(resolve);
            if (value === undefined) end();
            resolve(value === undefined || ended ? over : { done: false, value });
          },
          (error: unknown) => {
            waiting.delete(resolve);
            end();
            reject(error);
          },
        );
      });
    },
    async return() {
      end();
      return over;
    },
    async throw(error) {
      end();
      throw error;
    },
    [Symbol.asyncIterator]: () => stream,
    async [Symbol.asyncDispose]() {
      end();
    },
  };
  return stream;
}

/** The same stream with each value mapped. */
export function mapStream<Value, Mapped>(
  source: AsyncGenerator<Value, void, void>,
  map: (value: Value) => Mapped,
): AsyncGenerator<Mapped, void, void> {
  return pullStream<Mapped>({
    async next() {
      const step = await source.next();
      return step.done === true ? undefined : map(step.value);
    },
    end: () => void source.return(),
  });
}
