// A stream whose values need work (a read, the fields of an event): several are worked on at once, and come in the order of their source.
// Their reads can then be made together, and a slow turn of the event loop delays many values once, not each.
import type { PullSource } from './pull-stream.ts';

interface WorkAheadOptions<Value, Done> {
  readonly source: AsyncIterator<Value, unknown>;
  readonly work: (value: Value) => Promise<Done>;
  /** Values that are worked on, or wait for their reader; default 64. Then the source is read no further. */
  readonly most?: number;
}

const usuallyMost = 64;

/** The source is not read before the first `next`. A failure of it, or of the work, comes in its turn. */
export class WorkAhead<Value, Done> implements PullSource<Done> {
  readonly #options: WorkAheadOptions<Value, Done>;
  readonly #most: number;
  readonly #line: Promise<Done | undefined>[] = [];
  /** The last read of the source. */
  #step: Promise<IteratorResult<Value, unknown> | undefined> = Promise.resolve(undefined);
  /** What comes last so far. */
  #last: Promise<unknown> = Promise.resolve();
  #reads = 0;
  #isOver = false;

  constructor(options: WorkAheadOptions<Value, Done>) {
    this.#options = options;
    this.#most = options.most ?? usuallyMost;
  }

  next(): Promise<Done | undefined> {
    const taken = this.#line.shift() ?? this.#read();
    this.#readAhead();
    return taken;
  }

  end(): void {
    this.#isOver = true;
    this.#line.length = 0;
    // Not awaited: the return() of an async generator function waits for a pending next(), which may take long.
    Promise.resolve(this.#options.source.return?.()).catch(() => undefined);
  }

  /** Unless the source is being read: what it gives is followed by the next read. */
  #readAhead(): void {
    if (this.#reads > 0 || this.#isOver || this.#line.length >= this.#most) return;
    const next = this.#read();
    // Its reader learns it from `next`.
    next.catch(() => undefined);
    this.#line.push(next);
  }

  #read(): Promise<Done | undefined> {
    this.#reads += 1;
    const { source, work } = this.#options;
    const step = this.#step.then((last) => (last?.done === true ? last : source.next()));
    this.#step = step;
    const isRead = (isLast: boolean): void => {
      this.#reads -= 1;
      this.#isOver ||= isLast;
      this.#readAhead();
    };
    step.then(
      ({ done }) => isRead(done === true),
      () => isRead(true),
    );
    const done = step.then((result) => (result.done === true ? undefined : work(result.value)));
    // A value that is done early waits for those before it, and so does the end.
    const inTurn = this.#last.then(() => done);
    this.#last = Promise.allSettled([inTurn]);
    done.catch(() => undefined);
    return inTurn;
  }
}
