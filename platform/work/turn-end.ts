// The end of the present turn of the event loop, when everything that has arrived is known.
import { setImmediate as endOfTurn } from 'node:timers/promises';

/** All who wait in one turn share one promise. */
export class TurnEnd {
  #next: Promise<void> | undefined;

  reached(): Promise<void> {
    this.#next ??= endOfTurn().then(() => {
      this.#next = undefined;
    });
    return this.#next;
  }
}
