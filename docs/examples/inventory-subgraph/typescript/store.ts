// The racks and the events that wait to be sent, in one file, which is replaced as a whole: a rack is never stored without its event.
// A real inventory has a database, and does the same in one transaction.
import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';

export interface Rack {
  readonly id: string;
  readonly name: string;
  readonly units: number;
  readonly projectId: string;
  readonly installedAt: string;
}

/** As StatusEventInput of Tidegate. */
export interface StatusEvent {
  readonly projectId: string;
  readonly subjectId: string;
  readonly kind: string;
  readonly from: string | null;
  readonly to: string;
}

/** The first `count` waiting events, which were or are being sent with this key. */
interface Batch {
  readonly key: string;
  readonly count: number;
}

interface Content {
  readonly racks: Rack[];
  readonly pending: StatusEvent[];
  batch: Batch | null;
}

const mostInBatch = 100;
const mostPending = 10_000;

export class Store {
  readonly #file: string;
  readonly #content: Content;

  constructor(file: string) {
    this.#file = file;
    this.#content = existsSync(file)
      ? (JSON.parse(readFileSync(file, 'utf8')) as Content)
      : { racks: [], pending: [], batch: null };
  }

  get racks(): readonly Rack[] {
    return this.#content.racks;
  }

  /** Throws if too many events wait. */
  add(rack: Rack, event: StatusEvent): void {
    if (this.#content.pending.length >= mostPending) throw new Error('too many events wait to be sent');
    this.#content.racks.push(rack);
    this.#content.pending.push(event);
    this.#save();
  }

  /** The batch to send: the same until it is done. Undefined if nothing waits. */
  next(): { readonly key: string; readonly events: readonly StatusEvent[] } | undefined {
    const { pending } = this.#content;
    if (this.#content.batch === null) {
      if (pending.length === 0) return undefined;
      this.#content.batch = { key: randomUUID(), count: Math.min(pending.length, mostInBatch) };
      this.#save();
    }
    const { key, count } = this.#content.batch;
    return { key, events: pending.slice(0, count) };
  }

  /** The batch was written. */
  done(): void {
    this.#content.pending.splice(0, this.#content.batch?.count ?? 0);
    this.#content.batch = null;
    this.#save();
  }

  /** The batch was refused because of these events of it. */
  leaveOut(places: ReadonlySet<number>): void {
    const left = this.#content.pending.filter((_, index) => !places.has(index));
    this.#content.pending.splice(0, this.#content.pending.length, ...left);
    this.#content.batch = null;
    this.#save();
  }

  #save(): void {
    writeFileSync(`${this.#file}.new`, JSON.stringify(this.#content), { flush: true, mode: 0o600 });
    renameSync(`${this.#file}.new`, this.#file);
  }
}
