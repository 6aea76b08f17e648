// The published operations of the installation in this gateway: all texts, separate from the caches that anybody can fill.
import { CodedError } from '../../platform/errors/errors.ts';

export class PublishedOperations {
  #texts: ReadonlyMap<string, string> = new Map();
  #isKnown: boolean;

  /** `isKnown`: whether there is nothing to wait for. */
  constructor(isKnown = true) {
    this.#isKnown = isKnown;
  }

  /** False until they have been read for the first time. */
  get isKnown(): boolean {
    return this.#isKnown;
  }

  /** `hash`: SHA-256 in lower-case hexadecimal. Throws UNAVAILABLE before they have been read. */
  text(hash: string): string | undefined {
    if (!this.#isKnown)
      throw new CodedError('UNAVAILABLE', 'This gateway has not read the published operations yet; try again.', {
        retryAfterMs: 1_000,
      });
    return this.#texts.get(hash);
  }

  has(hash: string): boolean {
    return this.#texts.has(hash);
  }

  /** Returns the new ones. */
  replace(texts: ReadonlyMap<string, string>): readonly (readonly [hash: string, text: string])[] {
    const before = this.#texts;
    this.#texts = texts;
    this.#isKnown = true;
    return [...texts].filter(([hash]) => !before.has(hash));
  }

  texts(): ReadonlyMap<string, string> {
    return this.#texts;
  }
}
