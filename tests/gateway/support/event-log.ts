// An in-memory status stream with the contract of the real one: dense cursors, an immediate checkpoint for new readers, and CURSOR_EXPIRED
// after retention. It can be cut, as if its subgraph had died.
import { CodedError } from '../../../platform/errors/errors.ts';
import { type Cursor, openCursor, sealCursor } from '../../../platform/events/cursor.ts';
import { CursorSealer } from '../../../platform/secrets/cursor-sealer.ts';
import { Keyring } from '../../../platform/secrets/keyring.ts';

interface LogEvent {
  readonly seq: number;
  readonly thingId: string;
}

export interface FeedItem {
  readonly cursor: string;
  readonly thing: { readonly id: string } | null;
}

const sealer = new CursorSealer(new Keyring({ active: 'k1', keys: { k1: Buffer.alloc(32, 7).toString('base64') } }));

export function positionIn(cursor: string): Cursor | undefined {
  return openCursor(sealer, cursor);
}

const eventIdOf = (seq: number): string =>
  seq === 0 ? '' : `00000000-0000-4000-8000-${String(seq).padStart(12, '0')}`;

export class EventLog {
  readonly events: LogEvent[] = [];
  /** Executions opened so far, and open now. */
  opened = 0;
  open = 0;
  oldest = 0;
  #down = false;
  #cuts = new Set<() => void>();
  #wakes = new Set<() => void>();
  readonly #cursors: string[] = [];

  cursorAt(seq: number): string {
    // The text is the same each time, for tests that compare it.
    const known = this.#cursors[seq] ?? sealCursor(sealer, { timeline: 1, seq, eventId: eventIdOf(seq) });
    this.#cursors[seq] = known;
    return known;
  }

  append(thingId: string): string {
    const seq = this.events.length + 1;
    this.events.push({ seq, thingId });
    for (const wake of [...this.#wakes]) wake();
    return this.cursorAt(seq);
  }

  /** Ends all streams with an error, and refuses new ones until `up`. */
  down(): void {
    this.#down = true;
    for (const cut of [...this.#cuts]) cut();
  }

  up(): void {
    this.#down = false;
  }

  /** Sends all readers a checkpoint at the head. */
  checkpoint(): void {
    this.#checkpoints += 1;
    for (const wake of [...this.#wakes]) wake();
  }
  #checkpoints = 0;

  subscribe(after: string | null | undefined, matches: (event: LogEvent) => boolean): AsyncIterableIterator<FeedItem> {
    if (this.#down) throw new CodedError('UNAVAILABLE', 'The log is away.');
    const start = after == null ? undefined : positionIn(after);
    if (after != null && start === undefined) throw new CodedError('INVALID_CURSOR', 'no cursor');
    if (start !== undefined && start.seq < this.oldest) throw new CodedError('CURSOR_EXPIRED', 'too old');
    let seq = start?.seq ?? this.events.length;
    let greet = start === undefined;
    let checkpoints = this.#checkpoints;
    let failed = false;
    let ended = false;
    let wake: () => void = () => {};
    const cut = (): void => {
      failed = true;
      wake();
    };
    const finish = (): void => {
      if (ended) return;
      ended = true;
      this.open -= 1;
      this.#cuts.delete(cut);
      this.#wakes.delete(poke);
      wake();
    };
    const poke = (): void => wake();
    this.#cuts.add(cut);
    this.#wakes.add(poke);
    this.opened += 1;
    this.open += 1;
    const iterator: AsyncIterableIterator<FeedItem> = {
      next: async () => {
        for (;;) {
          if (ended) return { done: true, value: undefined };
          if (failed) {
            finish();
            throw new CodedError('UNAVAILABLE', 'The log went away.');
          }
          const event = this.events[seq];
          if (event !== undefined) {
            seq += 1;
            if (!matches(event)) continue;
            return { done: false, value: { cursor: this.cursorAt(event.seq), thing: { id: event.thingId } } };
          }
          if (greet || checkpoints < this.#checkpoints) {
            greet = false;
            checkpoints = this.#checkpoints;
            return { done: false, value: { cursor: this.cursorAt(seq), thing: null } };
          }
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
      },
      return: async () => {
        finish();
        return { done: true, value: undefined };
      },
      [Symbol.asyncIterator]: () => iterator,
    };
    return iterator;
  }
}
