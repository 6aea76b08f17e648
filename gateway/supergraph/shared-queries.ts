// Sends identical waiting queries once. A query that was sent is never joined, because its answer may precede a write that was acknowledged in the
// meantime (decision 0281).
import { turnEnd } from '../../platform/work/turn-end.ts';
import { TooLateError } from '../../platform/work/within.ts';

interface SharedQuery<Answer> {
  readonly answer: Promise<Answer>;
  /** Aborts when nobody waits for the answer. */
  readonly over: AbortController;
  callers: number;
}

interface Caller {
  readonly deadlineMs: number;
  /** Text of the failure at the deadline. */
  readonly what: string;
  readonly signal: AbortSignal | undefined;
}

/** Calls `sent` immediately before it sends the query. */
type Ask<Answer> = (signal: AbortSignal, sent: () => void) => Promise<Answer>;

export class SharedQueries<Answer> {
  readonly #unsent = new Map<string, SharedQuery<Answer>>();

  /**
   * The answer to the query that `key` identifies, with everything that the answer depends on.
   *
   * @throws TooLateError at the caller's deadline; the reason of the caller's signal; the error of `ask`
   */
  ask(key: string, { deadlineMs, what, signal }: Caller, ask: Ask<Answer>): Promise<Answer> {
    if (signal?.aborted === true) return Promise.reject(signal.reason);
    const query = this.#unsent.get(key) ?? this.#open(key, ask);
    query.callers += 1;
    return new Promise((resolve, reject) => {
      const end = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
      };
      const leave = (reason: unknown) => {
        end();
        reject(reason);
        query.callers -= 1;
        if (query.callers > 0) return;
        this.#close(key, query);
        query.over.abort(reason);
      };
      const onAbort = () => leave(signal?.reason);
      const timer = setTimeout(() => leave(new TooLateError(what, deadlineMs)), deadlineMs);
      signal?.addEventListener('abort', onAbort, { once: true });
      query.answer.finally(end).then(resolve, reject);
    });
  }

  #open(key: string, ask: Ask<Answer>): SharedQuery<Answer> {
    const over = new AbortController();
    const sent = () => this.#close(key, query);
    const answer = turnEnd()
      .then(() => {
        over.signal.throwIfAborted();
        return ask(over.signal, sent);
      })
      .finally(sent);
    const query: SharedQuery<Answer> = { answer, over, callers: 0 };
    this.#unsent.set(key, query);
    return query;
  }

  #close(key: string, query: SharedQuery<Answer>): void {
    if (this.#unsent.get(key) === query) this.#unsent.delete(key);
  }
}
