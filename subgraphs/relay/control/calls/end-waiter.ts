// Waits for the end of a call in any process: this process reports it at once, others through the status stream.
import type { StatusFeed } from '../../../../platform/events/feed.ts';
import { isEnded, type OperationState } from '../../rules/states.ts';
import type { CallEnd, Completions } from '../holding/completions.ts';

interface Waiting {
  /** Undefined if the call ended elsewhere, the deadline has passed, or the process is shutting down. */
  readonly end: Promise<CallEnd | undefined>;
  stop(): void;
}

export class EndWaiter {
  readonly #feed: StatusFeed;
  readonly #completions: Completions;
  readonly #drained = new AbortController();

  constructor(options: { readonly feed: StatusFeed; readonly completions: Completions }) {
    this.#feed = options.feed;
    this.#completions = options.completions;
  }

  /** The process is shutting down: ends every wait, now and later, for calls that it does not have on the wire. */
  drain(): void {
    this.#drained.abort();
  }

  /** Starts to listen at once, so that nothing is missed between a write and the wait. */
  forEnd(operationId: string, waitMs: number): Waiting {
    const abort = new AbortController();
    const drained = this.#drained.signal;
    const drain = () => {
      if (!this.#completions.isUnderWay(operationId)) abort.abort();
    };
    if (drained.aborted) drain();
    else drained.addEventListener('abort', drain, { once: true });
    let stopListening = () => {};
    const here = new Promise<CallEnd>((resolve) => {
      stopListening = this.#completions.on(operationId, resolve);
    });
    const elsewhere = this.#feed
      .waitFor(
        (event) =>
          event.subjectId === operationId &&
          event.kind === 'relayOperation.state' &&
          isEnded(event.to as OperationState),
        { timeoutMs: waitMs, signal: abort.signal },
      )
      .then(
        () => undefined,
        () => undefined,
      );
    return {
      end: Promise.race([here, elsewhere]),
      stop() {
        drained.removeEventListener('abort', drain);
        abort.abort();
        stopListening();
      },
    };
  }
}
