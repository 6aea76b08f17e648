// A page's data, and how updates change it: pure functions, so that versions, cursors and duplicates can be tested without a
// browser. Everything is bounded: entities by their kinds, the feed here.
import type {
  AnyKind,
  Change,
  Entities,
  Entity,
  EntityKind,
  FeedItem,
  Preference,
  StatusChange,
  Viewer,
} from './entity-kind.ts';

export const maxFeedLines = 500;

/**
 * A line of the feed. It keeps the label that the subject had when the change arrived. The label is empty if the name is not known. `ownerId` is the
 * id of the object whose part the subject is, if it is one.
 */
export type FeedLine =
  | {
      readonly type: 'change';
      readonly id: string;
      readonly change: Change;
      readonly label: string;
      readonly ownerId?: string;
    }
  | { readonly type: 'note'; readonly id: string; readonly at: string; readonly text: string };

export interface LiveState {
  /** The cursor to resume from; null before the first snapshot. */
  readonly cursor: string | null;
  readonly viewer: Viewer | null;
  /** By type name; see `entitiesOf`. */
  readonly entities: ReadonlyMap<string, Entities<Entity>>;
  /** Newest first. */
  readonly feed: readonly FeedLine[];
  /** True after a change whose subject could not be read: the lists must be read again. */
  readonly incomplete: boolean;
}

export interface Snapshot {
  readonly cursor: string;
  readonly viewer: Viewer;
  /** Entities of all kinds of the page, in any order. */
  readonly entities: readonly Entity[];
  /** Newest first. */
  readonly history: readonly StatusChange[];
}

/** Preferences by type name. */
type Preferences = ReadonlyMap<string, Preference<Entity>>;

export const emptyState: LiveState = {
  cursor: null,
  viewer: null,
  entities: new Map(),
  feed: [],
  incomplete: false,
};

const none: Entities<never> = new Map<string, never>();
const noPreferences: Preferences = new Map();

/** All known entities of a kind. */
export function entitiesOf<Kind extends Entity>(state: LiveState, kind: EntityKind<Kind>): Entities<Kind> {
  // Only entities of this type name are stored under it, see `merge`.
  return (state.entities.get(kind.typename) as Entities<Kind> | undefined) ?? none;
}

/**
 * Starts again from a snapshot: known entities are dropped, whatever their version, because a failover may have lowered versions.
 * The feed continues; `note` explains the break in it.
 */
export function applySnapshot(
  kinds: readonly AnyKind[],
  state: LiveState,
  snapshot: Snapshot,
  note?: FeedLine,
): LiveState {
  const known = new Set(state.feed.map((line) => line.id));
  const fresh = snapshot.history
    .filter((change) => !known.has(change.id))
    .map((change) => named(kinds, state, [], toLine(kinds, change)));
  return {
    cursor: snapshot.cursor,
    viewer: snapshot.viewer,
    entities: merge(kinds, new Map(), snapshot.entities),
    feed: [...fresh, ...(note === undefined ? [] : [note]), ...state.feed].slice(0, maxFeedLines),
    incomplete: false,
  };
}

/** Applies items of the stream in order: advances the cursor, takes newer entities, drops older ones. */
export function applyItems(
  kinds: readonly AnyKind[],
  state: LiveState,
  items: readonly FeedItem[],
  preferences: Preferences = noPreferences,
): LiveState {
  if (items.length === 0) return state;
  const known = new Set(state.feed.map((line) => line.id));
  const news: Entity[] = [];
  const lines: FeedLine[] = [];
  let incomplete = state.incomplete;
  for (const { kind, change } of items) {
    if (kind === 'CHECKPOINT' || change === null || known.has(change.id)) continue;
    known.add(change.id);
    lines.push(named(kinds, state, lines, toLine(kinds, change)));
    const entity = entityIn(kinds, change);
    if (entity !== null) news.push(entity);
    else if (change.subject === null && missesSubject(kinds, state, change)) incomplete = true;
  }
  return {
    ...state,
    cursor: items.at(-1)?.cursor ?? state.cursor,
    entities: merge(kinds, state.entities, news, preferences),
    feed: lines.length === 0 ? state.feed : [...lines.reverse(), ...state.feed].slice(0, maxFeedLines),
    incomplete,
  };
}

/**
 * Takes entities of one kind from a query. `expected` are ids that the query must return: missing ones are dropped, because they
 * are gone or no longer match.
 */
export function applyEntities<Kind extends Entity>(
  kind: EntityKind<Kind>,
  state: LiveState,
  read: readonly Kind[],
  { expected = [], prefer = () => false }: { expected?: readonly string[]; prefer?: Preference<Kind> } = {},
): LiveState {
  const merged = new Map(kind.merge(entitiesOf(state, kind), read, prefer));
  const listed = new Set(read.map(({ id }) => id));
  for (const id of expected) if (!listed.has(id)) merged.delete(id);
  return { ...state, entities: new Map(state.entities).set(kind.typename, merged) };
}

/** Adds a line of the dashboard's own at the top of the feed. */
export function addNote(state: LiveState, note: FeedLine): LiveState {
  return { ...state, feed: [note, ...state.feed].slice(0, maxFeedLines) };
}

function merge(
  kinds: readonly AnyKind[],
  known: LiveState['entities'],
  news: readonly Entity[],
  preferences: Preferences = noPreferences,
): LiveState['entities'] {
  if (news.length === 0) return known;
  const merged = new Map(known);
  for (const kind of kinds) {
    const own = news.filter(({ __typename }) => __typename === kind.typename);
    if (own.length === 0) continue;
    const prefer = preferences.get(kind.typename) ?? (() => false);
    merged.set(kind.typename, kind.merge(merged.get(kind.typename) ?? none, own, prefer));
  }
  return merged;
}

function entityIn(kinds: readonly AnyKind[], { subject }: StatusChange): Entity | null {
  if (subject === null || subject.id === undefined) return null;
  return kinds.some(({ typename }) => typename === subject.__typename) ? subject : null;
}

function missesSubject(kinds: readonly AnyKind[], state: LiveState, change: StatusChange): boolean {
  const kind = kinds.find(({ typename }) => typename === change.subjectType);
  if (kind === undefined || !kind.isReadAgain) return false;
  return (entitiesOf(state, kind).get(change.subjectId)?.version ?? 0) < change.subjectVersion;
}

function toLine(kinds: readonly AnyKind[], change: StatusChange): FeedLine {
  const { subject, ...rest } = change;
  const entity = entityIn(kinds, change);
  const kind = kinds.find(({ typename }) => typename === entity?.__typename);
  const isKnown = entity !== null && kind !== undefined;
  const label = isKnown ? kind.label(entity) : otherName(subject);
  const ownerId = isKnown ? kind.ownerId?.(entity) : ownerIn(subject);
  return { type: 'change', id: change.id, change: rest, label, ...(ownerId === undefined ? {} : { ownerId }) };
}

function ownerIn(subject: StatusChange['subject']): string | undefined {
  return subject === null || subject.id !== undefined ? undefined : subject.subjectOf?.id;
}

function otherName(subject: StatusChange['subject']): string {
  if (subject === null || subject.id !== undefined) return '';
  return subject.subjectName ?? subject.subjectOf?.name ?? '';
}

/** A deleted entity keeps the name that the page knows. Without one it gets the name that was recorded with the change. */
function named(kinds: readonly AnyKind[], state: LiveState, news: readonly FeedLine[], line: FeedLine): FeedLine {
  if (line.type === 'note' || line.label !== '') return line;
  const { subjectId, subjectType } = line.change;
  const kind = kinds.find(({ typename }) => typename === subjectType);
  const entity = kind === undefined ? undefined : entitiesOf(state, kind).get(subjectId);
  const withOwner = (ownerId: string | undefined) => (ownerId === undefined ? {} : { ownerId });
  if (kind !== undefined && entity !== undefined)
    return { ...line, label: kind.label(entity), ...withOwner(kind.ownerId?.(entity)) };
  const isNamed = (each: FeedLine): each is Extract<FeedLine, { type: 'change' }> =>
    each.type === 'change' && each.change.subjectId === subjectId && each.label !== '';
  const before = news.findLast(isNamed) ?? state.feed.find(isNamed);
  return { ...line, label: before?.label ?? line.change.subjectName ?? '', ...withOwner(before?.ownerId) };
}
