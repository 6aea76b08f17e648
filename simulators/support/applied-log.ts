// The actions of a simulated device, in order: the oracle of tests. Calls that were refused, or whose connection broke before
// they were executed, are not in it.

import { type DeviceMemory, note } from './device-memory.ts';

export interface Applied {
  readonly at: Date;
  /** The interface, for example `REST` or `CLI`. */
  readonly via: string;
  /** The action in the device's terms, for example `POST firewall/address`. */
  readonly action: string;
  /** All its input as text, which contains the operation's mark. */
  readonly text: string;
}

export class AppliedLog {
  readonly #entries: Applied[] = [];
  readonly #memory: DeviceMemory | undefined;

  constructor(memory?: DeviceMemory) {
    this.#memory = memory;
  }

  add(entry: Omit<Applied, 'at'>): void {
    note(this.#entries, { at: new Date(), ...entry }, this.#memory);
  }

  get entries(): readonly Applied[] {
    return this.#entries;
  }

  /** Entries with this mark in their text: more than one means that a call was executed twice. */
  carrying(mark: string): readonly Applied[] {
    return this.#entries.filter((entry) => entry.text.includes(mark));
  }

  clear(): void {
    this.#entries.length = 0;
  }
}
