// Identical queries that wait to be sent are sent once. A query that was sent is never joined: its answer may be from before a write
// that was acknowledged in the meantime (decision 0281).
import { setImmediate as endOfTurn } from 'node:timers/promises';
import { within } from '../../platform/work/within.ts';

interface SharedQuery<Answer> {
  readonly answer: Promise<Answer>;
  /** Nobody waits for the answer. */
  readonly over: AbortController;
  callers: number;
}

interface Caller {
  readonly deadlineMs: number;
  /** Of the failure at the deadline. */
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
  async ask(key: string, { deadlineMs, what, signal }: Caller, ask: Ask<Answer>): Promise<Answer> {
    signal?.throwIfAborted();
    const query = this.#unsent.get(key) ?? this.#open(key, ask);
    query.callers += 1;
    try {
      return await within(deadlineMs, what, () => query.answer, signal);
    } catch (error) {
      if (query.callers === 1) {
        this.#close(key, query);
        query.over.abort(error);
      }
      throw error;
    } finally {
      query.callers -= 1;
    }
  }

  #open(key: string, ask: Ask<Answer>): SharedQuery<Answer> {
    const over = new AbortController();
    const sent = () => this.#close(key, query);
    const answer = endOfTurn()
      .then(() => {
        over.signal.throwIfAborted();
        return ask(over.signal, sent);
      })
      .finally(sent);
    // When all callers are gone.
    answer.catch(() => undefined);
    const query: SharedQuery<Answer> = { answer, over, callers: 0 };
    this.#unsent.set(key, query);
    return query;
  }

  #close(key: string, query: SharedQuery<Answer>): void {
    if (this.#unsent.get(key) === query) this.#unsent.delete(key);
  }
}
