// The calls that this process has on the wire, and the listeners in it that wait for their end.
import type { Recorded } from '../journal/journal.ts';
import type { Verdict } from '../model/operation.ts';

/** `recorded` is undefined if the device has answered (or nothing was sent), and the journal could not be written. */
export interface CallEnd {
  readonly verdict: Verdict | undefined;
  readonly recorded: Recorded | undefined;
}

export class Completions {
  readonly #underWay = new Set<string>();
  readonly #waiting = new Map<string, Set<(end: CallEnd) => void>>();

  begin(operationId: string): void {
    this.#underWay.add(operationId);
  }

  isUnderWay(operationId: string): boolean {
    return this.#underWay.has(operationId);
  }

  /** Calls `listener` once at the end; returns a function that ends the waiting. */
  on(operationId: string, listener: (end: CallEnd) => void): () => void {
    const listeners = this.#waiting.get(operationId) ?? new Set();
    this.#waiting.set(operationId, listeners.add(listener));
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0 && this.#waiting.get(operationId) === listeners) this.#waiting.delete(operationId);
    };
  }

  finish(operationId: string, end: CallEnd): void {
    this.#underWay.delete(operationId);
    const listeners = this.#waiting.get(operationId);
    this.#waiting.delete(operationId);
    for (const listener of listeners ?? []) listener(end);
  }
}
