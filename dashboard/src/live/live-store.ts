// Holds the live state of one page. Updates are collected for a moment, so that a burst of changes is rendered once.
import type { AnyKind, Entity, EntityKind, FeedItem, Preference } from './entity-kind.ts';
import type { FeedReceiver } from './live-feed.ts';
import {
  addNote,
  applyEntities,
  applyItems,
  applySnapshot,
  emptyState,
  type FeedLine,
  type LiveState,
  type Snapshot,
} from './live-state.ts';
import { type Connection, downAfterMs } from './liveness.ts';

const gatherMs = 50;
/** A hidden tab's timers are slow: beyond this many items they are applied at once. */
const maxGathered = 200;

export class LiveStore implements FeedReceiver {
  /** The page's. */
  readonly kinds: readonly AnyKind[];
  readonly #now: () => number;
  readonly #listeners = new Set<() => void>();
  #state: LiveState = emptyState;
  #connection: Connection;
  #gathered: FeedItem[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #notes = 0;
  readonly #preferences = new Map<string, Preference<Entity>>();

  constructor(kinds: readonly AnyKind[], now: () => number = Date.now) {
    this.kinds = kinds;
    this.#now = now;
    this.#connection = { connected: false, sinceMs: now(), lastMessageMs: null, reason: null };
  }

  get state(): LiveState {
    return this.#state;
  }

  get connection(): Connection {
    return this.#connection;
  }

  /** The newest cursor, including collected items: resuming from it repeats nothing. */
  get cursor(): string | null {
    return this.#gathered.at(-1)?.cursor ?? this.#state.cursor;
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Sets the entities of a kind to keep when there are too many. */
  prefer<Kind extends Entity>(kind: EntityKind<Kind>, preference: Preference<Kind>): void {
    // Called only with entities of the kind.
    this.#preferences.set(kind.typename, preference as Preference<Entity>);
  }

  snapshot(snapshot: Snapshot, note: string | null): void {
    this.#gathered = [];
    this.#set(applySnapshot(this.kinds, this.#state, snapshot, note === null ? undefined : this.#note(note)));
  }

  item(item: FeedItem): void {
    this.#gathered.push(item);
    this.#connection = { ...this.#connection, lastMessageMs: this.#now() };
    if (this.#gathered.length >= maxGathered) this.#flush();
    else this.#timer ??= setTimeout(() => this.#flush(), gatherMs);
  }

  /** Takes the result of a query; see `applyEntities` for `expected`. */
  take<Kind extends Entity>(kind: EntityKind<Kind>, read: readonly Kind[], expected: readonly string[] = []): void {
    this.#flush();
    const prefer: Preference<Kind> = this.#preferences.get(kind.typename) ?? (() => false);
    this.#set(applyEntities(kind, this.#state, read, { expected, prefer }));
  }

  /** True once after each change without its subject. */
  takeIncomplete(): boolean {
    const { incomplete } = this.#state;
    if (incomplete) this.#set({ ...this.#state, incomplete: false });
    return incomplete;
  }

  connected(): void {
    const { connected, sinceMs, lastMessageMs } = this.#connection;
    const downMs = this.#now() - sinceMs;
    this.#connection = { connected: true, sinceMs: this.#now(), lastMessageMs, reason: null };
    if (!connected && lastMessageMs !== null && downMs > downAfterMs) {
      const text = `Connected again after ${Math.round(downMs / 1000)} s. Changes since then follow above.`;
      this.#set(addNote(this.#state, this.#note(text)));
    } else this.#emit();
  }

  disconnected(reason: string): void {
    const { connected, sinceMs, lastMessageMs } = this.#connection;
    this.#flush();
    this.#connection = { connected: false, sinceMs: connected ? this.#now() : sinceMs, lastMessageMs, reason };
    this.#emit();
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#gathered.length === 0) return;
    const items = this.#gathered;
    this.#gathered = [];
    this.#set(applyItems(this.kinds, this.#state, items, this.#preferences));
  }

  #note(text: string): FeedLine {
    this.#notes += 1;
    return { type: 'note', id: `note-${this.#notes}`, at: new Date(this.#now()).toISOString(), text };
  }

  #set(state: LiveState): void {
    this.#state = state;
    this.#emit();
  }

  #emit(): void {
    for (const listener of this.#listeners) listener();
  }
}
