// What the dashboard knows, and how news changes it: pure functions, so that versions, cursors and duplicates can be tested
// without a browser. Everything is bounded; unknown outcomes are the last to be forgotten.
import type { Backend, FeedItem, Mapping, Operation, StatusChange, Viewer } from '../graph/types.ts';
import { mergeMappings } from './drift.ts';

export const maxOperations = 500;
export const maxFeedLines = 500;

/** A line of the feed. What the subject is called is kept as it was when the line came. */
export type FeedLine =
  | {
      readonly type: 'change';
      readonly id: string;
      readonly change: Omit<StatusChange, 'subject'>;
      readonly label: string;
    }
  | { readonly type: 'note'; readonly id: string; readonly at: string; readonly text: string };

export interface LiveState {
  /** Where to resume; null before the first snapshot. */
  readonly cursor: string | null;
  readonly viewer: Viewer | null;
  readonly backends: ReadonlyMap<string, Backend>;
  readonly operations: ReadonlyMap<string, Operation>;
  /** Those that were heard of lately; see `driftIn`. */
  readonly mappings: ReadonlyMap<string, Mapping>;
  /** Newest first. */
  readonly feed: readonly FeedLine[];
  /** True when a change came whose subject could not be read: the lists need another read. */
  readonly incomplete: boolean;
}

export interface Snapshot {
  readonly cursor: string;
  readonly viewer: Viewer;
  readonly backends: readonly Backend[];
  readonly operations: readonly Operation[];
  /** Those that the last look found drifted or missing. */
  readonly drift: readonly Mapping[];
  /** Newest first. */
  readonly history: readonly StatusChange[];
}

/** Says which operations are kept before others when there are too many. */
export type Preference = (operation: Operation) => boolean;

export const emptyState: LiveState = {
  cursor: null,
  viewer: null,
  backends: new Map(),
  operations: new Map(),
  mappings: new Map(),
  feed: [],
  incomplete: false,
};

/**
 * Begins anew from a snapshot: entities known before are dropped, whatever their version, because after a failover a
 * version may have gone back. The feed goes on; `note` says in it why there is a seam.
 */
export function applySnapshot(state: LiveState, snapshot: Snapshot, note?: FeedLine): LiveState {
  const known = new Set(state.feed.map((line) => line.id));
  const fresh = snapshot.history.filter((change) => !known.has(change.id)).map(toLine);
  return {
    cursor: snapshot.cursor,
    viewer: snapshot.viewer,
    backends: mergeBackends(new Map(), snapshot.backends),
    operations: mergeOperations(new Map(), snapshot.operations),
    mappings: mergeMappings(new Map(), snapshot.drift),
    feed: [...fresh, ...(note === undefined ? [] : [note]), ...state.feed].slice(0, maxFeedLines),
    incomplete: false,
  };
}

/** Applies items of the stream in their order: moves the cursor, takes what is newer, drops what came before. */
export function applyItems(state: LiveState, items: readonly FeedItem[], prefer?: Preference): LiveState {
  if (items.length === 0) return state;
  const known = new Set(state.feed.map((line) => line.id));
  const backends: Backend[] = [];
  const operations: Operation[] = [];
  const mappings: Mapping[] = [];
  const lines: FeedLine[] = [];
  let incomplete = state.incomplete;
  for (const { change } of items) {
    if (change === null || known.has(change.id)) continue;
    known.add(change.id);
    lines.push(toLine(change));
    if (isBackend(change.subject)) backends.push(change.subject);
    else if (isOperation(change.subject)) operations.push(change.subject);
    else if (isMapping(change.subject)) mappings.push(change.subject);
    else if (change.subject === null && missesSubject(state, change)) incomplete = true;
  }
  return {
    ...state,
    cursor: items.at(-1)?.cursor ?? state.cursor,
    backends: mergeBackends(state.backends, backends),
    operations: mergeOperations(state.operations, operations, prefer),
    mappings: mergeMappings(state.mappings, mappings),
    feed: lines.length === 0 ? state.feed : [...lines.reverse(), ...state.feed].slice(0, maxFeedLines),
    incomplete,
  };
}

/** Takes operations that were read by a query. */
export function applyOperations(state: LiveState, operations: readonly Operation[], prefer?: Preference): LiveState {
  return { ...state, operations: mergeOperations(state.operations, operations, prefer) };
}

/**
 * Takes backends that were read by a query. With `knownBefore` (the ids known when the read of the whole list began), those
 * of them that are not in it are gone.
 */
export function applyBackends(
  state: LiveState,
  backends: readonly Backend[],
  knownBefore: readonly string[] = [],
): LiveState {
  const merged = new Map(mergeBackends(state.backends, backends));
  const listed = new Set(backends.map((backend) => backend.id));
  for (const id of knownBefore) if (!listed.has(id)) merged.delete(id);
  return { ...state, backends: merged };
}

/**
 * Takes mappings that were read by a query. With `driftBefore` (the ids that had drifted when the read of all of them began),
 * those that are not in it have drifted no longer.
 */
export function applyMappings(
  state: LiveState,
  mappings: readonly Mapping[],
  driftBefore: readonly string[] = [],
): LiveState {
  const listed = new Set(mappings.map((mapping) => mapping.id));
  const merged = new Map(mergeMappings(state.mappings, mappings));
  for (const id of driftBefore) if (!listed.has(id)) merged.delete(id);
  return { ...state, mappings: merged };
}

/** Puts a line of our own on top of the feed. */
export function addNote(state: LiveState, note: FeedLine): LiveState {
  return { ...state, feed: [note, ...state.feed].slice(0, maxFeedLines) };
}

/** Newest first; ids are ordered by time, which settles ties. */
export function newestFirst(a: Operation, b: Operation): number {
  if (a.createdAt !== b.createdAt) return a.createdAt < b.createdAt ? 1 : -1;
  return a.id < b.id ? 1 : -1;
}

/** The same version is taken too: health and queue are observed, and do not raise it. */
function mergeBackends(known: ReadonlyMap<string, Backend>, news: readonly Backend[]): ReadonlyMap<string, Backend> {
  if (news.length === 0) return known;
  const merged = new Map(known);
  for (const backend of news) {
    const old = merged.get(backend.id);
    if (old !== undefined && old.version > backend.version) continue;
    if (backend.provisioningStatus === 'DELETED') merged.delete(backend.id);
    else if (!sameContent(old, backend)) merged.set(backend.id, backend);
  }
  return merged;
}

function mergeOperations(
  known: ReadonlyMap<string, Operation>,
  news: readonly Operation[],
  prefer: Preference = () => false,
): ReadonlyMap<string, Operation> {
  if (news.length === 0) return known;
  const merged = new Map(known);
  for (const operation of news) {
    const old = merged.get(operation.id);
    if (old !== undefined && old.version >= operation.version) continue;
    merged.set(operation.id, operation);
  }
  if (merged.size <= maxOperations) return merged;
  const rank = (operation: Operation): number => (operation.state === 'UNKNOWN' ? 0 : prefer(operation) ? 1 : 2);
  const kept = [...merged.values()].sort((a, b) => rank(a) - rank(b) || newestFirst(a, b)).slice(0, maxOperations);
  return new Map(kept.map((operation) => [operation.id, operation]));
}

/** An entity read again without news keeps its identity, so that its row is not drawn again. */
function sameContent(old: Backend | undefined, backend: Backend): boolean {
  return old !== undefined && JSON.stringify(old) === JSON.stringify(backend);
}

function missesSubject(state: LiveState, change: StatusChange): boolean {
  const entities = change.subjectType === 'Backend' ? state.backends : state.operations;
  const isShown = change.subjectType === 'Backend' || change.subjectType === 'RelayOperation';
  return isShown && (entities.get(change.subjectId)?.version ?? 0) < change.subjectVersion;
}

function toLine(change: StatusChange): FeedLine {
  const { subject, ...rest } = change;
  return { type: 'change', id: change.id, change: rest, label: labelOf(change) };
}

function labelOf({ subject, subjectType }: StatusChange): string {
  if (isBackend(subject)) return subject.name;
  if (isOperation(subject))
    return subject.backend === null ? subject.name : `${subject.name} on ${subject.backend.name}`;
  if (isMapping(subject)) {
    const { key, cmpObject } = subject;
    return cmpObject === null ? key : `${key} for ${cmpObject.type}/${cmpObject.externalId}`;
  }
  return subjectType;
}

function isBackend(subject: StatusChange['subject']): subject is Backend {
  return subject?.__typename === 'Backend';
}

function isOperation(subject: StatusChange['subject']): subject is Operation {
  return subject?.__typename === 'RelayOperation';
}

function isMapping(subject: StatusChange['subject']): subject is Mapping {
  return subject?.__typename === 'Mapping';
}
