// The calls that wait for a session to one endpoint, in order: each can be cancelled by its own signal, and all fail when no
// session can be opened.

import { failed, givenUp, type ReserveFailure } from './send.ts';

const maxWaiters = 10_000;

type Refused = ReturnType<typeof failed>;

interface Waiter<Result, Note> {
  /** Called after it was taken off the queue. */
  readonly settle: (result: Result | Refused) => void;
  /** Data of its pool. */
  readonly note: Note;
}

/** `Result`: the result of a waiting call. A call may also get a failure. */
export class WaitQueue<Result, Note = undefined> {
  readonly #waiters: Waiter<Result, Note>[] = [];
  #closed = false;

  get length(): number {
    return this.#waiters.length;
  }

  get first(): Waiter<Result, Note> | undefined {
    return this.#waiters[0];
  }

  shift(): Waiter<Result, Note> | undefined {
    return this.#waiters.shift();
  }

  /** Joins the queue at once. The pool checks the queue afterwards. Never rejects. */
  join(signal: AbortSignal | undefined, note: Note): Promise<Result | Refused> {
    if (signal?.aborted) return Promise.resolve(givenUp());
    if (this.#closed) return Promise.resolve(closed());
    if (this.#waiters.length >= maxWaiters)
      return Promise.resolve(failed('SESSION_REFUSED', `${maxWaiters} calls are already waiting for a session.`));
    return new Promise((resolve) => {
      const onAbort = () => {
        const index = this.#waiters.indexOf(waiter);
        if (index >= 0) this.#waiters.splice(index, 1);
        waiter.settle(givenUp());
      };
      const settle = (result: Result | Refused) => {
        signal?.removeEventListener('abort', onAbort);
        resolve(result);
      };
      const waiter = { settle, note };
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#waiters.push(waiter);
    });
  }

  failAll(failure: ReserveFailure): void {
    for (const waiter of this.#waiters.splice(0)) waiter.settle({ ok: false, failure });
  }

  /** Fails all waiting and later callers. */
  close(): void {
    this.#closed = true;
    this.failAll(closed().failure);
  }
}

function closed(): Refused {
  return failed('CLOSED', 'The transport is closed.');
}
