// What a simulated device did, in order: the oracle of tests. A call that was refused, or whose connection broke before it
// was carried out, is not in it.

export interface Applied {
  readonly at: Date;
  /** The way in, for example `REST` or `CLI`. */
  readonly via: string;
  /** What was done, in the device's words, for example `POST firewall/address`. */
  readonly action: string;
  /** Everything that was given with it, as text: an operation's mark is somewhere in it. */
  readonly text: string;
}

export class AppliedLog {
  readonly #entries: Applied[] = [];

  add(entry: Omit<Applied, 'at'>): void {
    this.#entries.push({ at: new Date(), ...entry });
  }

  get entries(): readonly Applied[] {
    return this.#entries;
  }

  /** Those whose text has this mark: more than one means that a call was carried out twice. */
  carrying(mark: string): readonly Applied[] {
    return this.#entries.filter((entry) => entry.text.includes(mark));
  }

  clear(): void {
    this.#entries.length = 0;
  }
}
