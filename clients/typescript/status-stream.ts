// The status changes of the graph as one endless stream: a snapshot, then each change after it once, through lost connections, restarts
// of the server and ends of tokens. Where changes may be missing, another snapshot stands in the stream, with the reason.
import { eventsOf } from './event-stream.ts';
import {
  askAll,
  bearerOf,
  faultOf,
  type GraphAnswer,
  type GraphEndpoint,
  type GraphLoss,
  type GraphRefusal,
  open,
  readRefusal,
  reasonOf,
} from './graph-request.ts';
import { type PauseBounds, type Pauses, pausesOf, sleep, withDeadline } from './pauses.ts';

/** The arguments of `statusChanges`, without `after`. */
export interface StatusFilter {
  readonly projectId?: string;
  readonly kinds?: readonly string[];
  readonly subjectId?: string;
  readonly subjectTypes?: readonly string[];
  readonly cmpObject?: { readonly namespace?: string; readonly type: string; readonly externalId: string };
}

export interface StatusChange {
  readonly id: string;
  readonly changedAt: string;
  readonly kind: string;
  readonly subjectType: string;
  readonly subjectId: string;
  /** A snapshot that shows the subject with this version, or a higher one, has the change already. */
  readonly subjectVersion: number;
  readonly from: string | null;
  readonly to: string;
  readonly reason: string | null;
  readonly requestId: string | null;
}

export type StatusItem<Data> =
  | {
      readonly kind: 'SNAPSHOT';
      /** START, or the code of the error behind which changes may be missing: what was known before is no longer good. */
      readonly reason: string;
      /** The data of the snapshot's query; null without one. */
      readonly data: Data | null;
      readonly cursor: string;
    }
  | { readonly kind: 'CHANGE'; readonly change: StatusChange; readonly cursor: string };

export interface FollowOptions extends PauseBounds {
  readonly filter?: StatusFilter;
  /** A query for what the stream keeps up to date. */
  readonly snapshot?: { readonly query: string; readonly variables?: object };
  /** The cursor of the last item that was dealt with: the stream goes on after it, without a snapshot at its beginning. */
  readonly after?: string;
  readonly signal?: AbortSignal;
  /** The server sends a sign of life every 30 s; without one for so long the client connects again. Default 75 s. */
  readonly silentAfterMs?: number;
  /** Called before each further connection. */
  readonly onAgain?: (again: { readonly why: string; readonly inMs: number }) => void;
}

/** Thrown by the stream: the subscription or its snapshot is refused, and trying again does not help. */
export class StreamRefused extends Error {
  override readonly name = 'StreamRefused';
  readonly code: string;
  /** To go on after it later. */
  readonly cursor: string | undefined;

  constructor({ code, message }: { readonly code: string; readonly message: string }, cursor: string | undefined) {
    super(`${code}: ${message}`);
    this.code = code;
    this.cursor = cursor;
  }
}

const document = `subscription (
    $projectId: ID, $kinds: [String!], $subjectId: ID, $subjectTypes: [String!], $cmpObject: CmpObjectInput, $after: String
  ) {
    statusChanges(
      projectId: $projectId, kinds: $kinds, subjectId: $subjectId, subjectTypes: $subjectTypes, cmpObject: $cmpObject, after: $after
    ) {
      cursor
      change { id changedAt kind subjectType subjectId subjectVersion from to reason requestId }
    }
  }`;
const cursorDocument = '{ statusCursor }';
const defaultSilentAfterMs = 75_000;
const answerWithinMs = 60_000;
/** Of changes already passed on, to know one that comes again. */
const rememberedIds = 1_000;

/** After these the client reads a snapshot. FORBIDDEN: the rights have changed, or there never were any. */
const snapshotCodes: ReadonlySet<string> = new Set([
  'CURSOR_EXPIRED',
  'RESYNC_REQUIRED',
  'INVALID_CURSOR',
  'FORBIDDEN',
]);

/** What one connection comes to. */
type End =
  | { readonly kind: 'again'; readonly why: string; readonly retryAfterMs: number }
  | { readonly kind: 'renew' }
  | { readonly kind: 'snapshot'; readonly code: string; readonly message: string; readonly hasLived: boolean };

/** Ends when the signal is aborted. Throws StreamRefused. */
export async function* followStatus<Data = unknown>(
  endpoint: GraphEndpoint,
  options: FollowOptions = {},
): AsyncGenerator<StatusItem<Data>, void, void> {
  const signal = options.signal ?? new AbortController().signal;
  const state: FollowState = {
    ...{ endpoint, options, signal, pauses: pausesOf(options), recent: new Set<string>() },
    ...{ cursor: options.after, refused: undefined },
  };
  let reason = 'START';
  let isForbidden = false;
  while (!signal.aborted) {
    if (state.cursor === undefined) {
      const cursor = await readAgain(state, cursorDocument, {});
      if (cursor === undefined) return;
      state.cursor = String(cursor.statusCursor);
      const snapshot = await snapshotOf<Data>(state, reason);
      if (snapshot === undefined) return;
      yield snapshot;
    }
    const end = yield* connection<Data>(state);
    if (signal.aborted) return;
    if (end.kind === 'renew') continue;
    if (end.kind === 'again') {
      await again(state, end.why, end.retryAfterMs);
      continue;
    }
    if (end.code === 'FORBIDDEN' && isForbidden && !end.hasLived) throw new StreamRefused(end, state.cursor);
    isForbidden = end.code === 'FORBIDDEN';
    reason = end.code;
    state.cursor = undefined;
    await again(state, `${end.code}: ${end.message}`, 0);
  }
}

interface FollowState {
  readonly endpoint: GraphEndpoint;
  readonly options: FollowOptions;
  readonly signal: AbortSignal;
  readonly pauses: Pauses;
  /** Ids of changes that were passed on, the oldest first. */
  readonly recent: Set<string>;
  cursor: string | undefined;
  /** The token that was refused last. */
  refused: string | undefined;
}

/** One subscription, from the cursor on, to its end. */
async function* connection<Data>(state: FollowState): AsyncGenerator<StatusItem<Data>, End, void> {
  const { options, pauses } = state;
  const abort = new AbortController();
  const signal = AbortSignal.any([state.signal, abort.signal]);
  let signs = 0;
  try {
    const opened = await openStream(state, signal);
    if ('kind' in opened) return opened;
    for await (const { event, data } of eventsOf(opened.response, options.silentAfterMs ?? defaultSilentAfterMs)) {
      signs += 1;
      if (event === 'complete') break;
      if (event !== 'next') continue;
      const answer = JSON.parse(data) as GraphAnswer;
      const item = answer.data?.statusChanges as { cursor: string; change: StatusChange | null } | null | undefined;
      if (item == null) {
        const lostCursor = answer.errors?.[0]?.extensions?.cursor;
        // The comment at the beginning and the error itself are no life.
        if (lostCursor === undefined)
          return endOf(state, faultOf(answer), { hasLived: signs > 2, bearer: opened.bearer });
        state.cursor = lostCursor;
        const snapshot = await snapshotOf<Data>(state, 'EVENT_LOST');
        if (snapshot === undefined) return { kind: 'renew' };
        yield snapshot;
        continue;
      }
      state.cursor = item.cursor;
      pauses.restart();
      if (item.change !== null && isNew(state, item.change.id))
        yield { kind: 'CHANGE', change: item.change, cursor: item.cursor };
    }
    return { kind: 'again', why: 'the stream ended', retryAfterMs: 0 };
  } catch (error) {
    if (error instanceof StreamRefused) throw error;
    return { kind: 'again', why: reasonOf(error), retryAfterMs: 0 };
  } finally {
    abort.abort();
  }
}

interface OpenStream {
  readonly response: Response;
  readonly bearer: string;
}

async function openStream(state: FollowState, signal: AbortSignal): Promise<OpenStream | End> {
  const { endpoint, options, cursor } = state;
  const bearer = await bearerOf(endpoint.token, state.refused);
  if (typeof bearer !== 'string') return endOf(state, bearer);
  const variables = { ...options.filter, after: cursor ?? null };
  const response = await opened(open(endpoint, bearer, { query: document, variables }, 'text/event-stream', signal));
  const isStream = response.ok && response.headers.get('content-type')?.startsWith('text/event-stream') === true;
  if (isStream) {
    state.refused = undefined;
    return { response, bearer };
  }
  const fault = await readRefusal(response);
  if (fault.kind === 'refused' && fault.code === 'UNAUTHENTICATED') {
    // A second token was refused, too.
    if (typeof endpoint.token === 'string' || state.refused !== undefined) throw new StreamRefused(fault, cursor);
    state.refused = bearer;
    return { kind: 'renew' };
  }
  return endOf(state, fault);
}

/** No headers in time are no answer. */
async function opened(response: Promise<Response>): Promise<Response> {
  const late = AbortSignal.timeout(answerWithinMs);
  return Promise.race([
    response,
    new Promise<never>((_, reject) => late.addEventListener('abort', () => reject(new Error('no answer in time')))),
  ]);
}

/** `open`: of a stream that had begun. Throws StreamRefused if trying again does not help. */
function endOf(
  state: FollowState,
  fault: GraphRefusal | GraphLoss,
  open?: { readonly hasLived: boolean; readonly bearer: string },
): End {
  const { code = '' } = fault;
  const message = fault.kind === 'lost' ? fault.why : fault.message;
  if (snapshotCodes.has(code)) return { kind: 'snapshot', code, message, hasLived: open?.hasLived ?? false };
  if (fault.kind === 'lost' || code === 'RATE_LIMITED')
    return { kind: 'again', why: message, retryAfterMs: fault.retryAfterMs ?? 0 };
  // The stream has ended with its token.
  if (code === 'UNAUTHENTICATED' && open !== undefined) {
    state.refused = open.bearer;
    return { kind: 'again', why: message, retryAfterMs: 0 };
  }
  throw new StreamRefused({ code, message }, state.cursor);
}

/** Undefined: the caller has stopped. */
async function snapshotOf<Data>(state: FollowState, reason: string): Promise<StatusItem<Data> | undefined> {
  const { options } = state;
  const { query, variables = {} } = options.snapshot ?? {};
  const data = query === undefined ? null : await readAgain(state, query, variables);
  if (data === undefined || state.cursor === undefined) return undefined;
  return { kind: 'SNAPSHOT', reason, data: data as Data | null, cursor: state.cursor };
}

/** Until there is an answer; undefined: the caller has stopped. */
async function readAgain(state: FollowState, query: string, variables: object) {
  const { endpoint, signal } = state;
  while (!signal.aborted) {
    const reply = await askAll(endpoint, query, variables, withDeadline(signal, answerWithinMs));
    if (reply.kind === 'answer') return reply.value;
    if (reply.kind === 'refused' && reply.code !== 'RATE_LIMITED') throw new StreamRefused(reply, state.cursor);
    await again(state, reply.kind === 'lost' ? reply.why : reply.message, reply.retryAfterMs ?? 0);
  }
  return undefined;
}

async function again({ options, pauses, signal }: FollowState, why: string, atLeastMs: number): Promise<void> {
  const inMs = pauses.next(atLeastMs);
  options.onAgain?.({ why, inMs });
  await sleep(inMs, signal);
}

function isNew({ recent }: FollowState, id: string): boolean {
  if (recent.has(id)) return false;
  recent.add(id);
  const [oldest] = recent;
  if (recent.size > rememberedIds && oldest !== undefined) recent.delete(oldest);
  return true;
}
