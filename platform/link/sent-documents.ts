// The documents that one machine has or was sent, compared with the documents that it should have.
import { comparePositions, type Position } from '../values/positions.ts';

interface WantedPosition {
  readonly key: string;
  readonly position: Position;
}

export class SentDocuments<Sent extends { readonly position: Position }> {
  readonly #sent: Map<string, Sent>;

  /** `held`: the documents that the machine has when it connects. */
  constructor(held: Iterable<readonly [string, Sent]>) {
    this.#sent = new Map(held);
  }

  get(key: string): Sent | undefined {
    return this.#sent.get(key);
  }

  set(key: string, sent: Sent): void {
    this.#sent.set(key, sent);
  }

  forget(key: string): void {
    this.#sent.delete(key);
  }

  /** Keys of documents that the machine should not have any more. They are forgotten. */
  takeGone(wanted: readonly WantedPosition[]): string[] {
    const keys = new Set(wanted.map(({ key }) => key));
    const gone = [...this.#sent.keys()].filter((key) => !keys.has(key));
    for (const key of gone) this.#sent.delete(key);
    return gone;
  }

  /** A document of which the machine has a newer version than the database, which therefore was restored. */
  ahead(wanted: readonly WantedPosition[]): (WantedPosition & { readonly has: Position }) | undefined {
    for (const { key, position } of wanted) {
      const has = this.#sent.get(key)?.position;
      if (has !== undefined && comparePositions(has, position) === 'AHEAD') return { key, position, has };
    }
    return undefined;
  }

  /** The wanted documents that the machine lacks or has in another version. */
  lacking<Wanted extends WantedPosition>(wanted: readonly Wanted[]): Wanted[] {
    return wanted.filter(({ key, position }) => {
      const has = this.#sent.get(key)?.position;
      return has === undefined || comparePositions(has, position) !== 'SAME';
    });
  }
}
