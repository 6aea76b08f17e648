// Waits for the end of work that takes a while: a relayed call, a change of a ring, a move of the primary (`LongRunning` in the graph).
import { ask, type GraphEndpoint } from './graph-request.ts';
import { type PauseBounds, pausesOf, sleep, withDeadline } from './pauses.ts';

export interface LongRunning {
  readonly id: string;
  /** The type in the graph, for example RelayOperation. */
  readonly __typename: string;
  /** A state of `LongRunningState`, or one that a later release has added. */
  readonly state: string;
  readonly reason: string | null;
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
  readonly progressPercent: number | null;
}

export type Waited =
  /** `work.state` has the end: SUCCEEDED, FAILED, REJECTED or CANCELLED; UNKNOWN until a person settles it. */
  | { readonly kind: 'ENDED'; readonly work: LongRunning }
  /** It was under way when the time was over; null: it could not be read. */
  | { readonly kind: 'OPEN'; readonly work: LongRunning | null; readonly why: string }
  /** It can't be waited for. */
  | { readonly kind: 'REFUSED'; readonly code: string; readonly message: string };

export interface WaitBounds extends PauseBounds {
  /** Ends the wait, never the work. */
  readonly signal?: AbortSignal;
}

const fields = 'id __typename ... on LongRunning { state reason startedAt finishedAt progressPercent }';
const readDocument = `query ($id: ID!) { root: node(id: $id) { ${fields} } }`;
const lookDocument = `mutation ($input: RelayOperationSettleInput!) { root: relayOperationSettle(input: $input) { userErrors { code } } }`;
const answerWithinMs = 45_000;
const longestPauseMs = 2_000;

const underWay: ReadonlySet<string> = new Set(['PENDING', 'SENT', 'ACCEPTED', 'RUNNING', 'PAUSED']);
const ended: ReadonlySet<string> = new Set(['SUCCEEDED', 'FAILED', 'REJECTED', 'CANCELLED', 'UNKNOWN']);

/** `id`: the global id of the work. Never rejects. */
export async function waitFor(
  endpoint: GraphEndpoint,
  id: string,
  timeoutMs: number,
  bounds: WaitBounds = {},
): Promise<Waited> {
  const timeout = AbortSignal.timeout(timeoutMs);
  const signal = bounds.signal === undefined ? timeout : AbortSignal.any([bounds.signal, timeout]);
  const pauses = pausesOf(bounds, longestPauseMs);
  let work: LongRunning | null = null;
  let why = 'there was no answer';
  while (!signal.aborted) {
    const reply = await ask(endpoint, readDocument, { id }, withDeadline(signal, answerWithinMs));
    let atLeastMs = 0;
    if (reply.kind === 'answer') {
      const { value } = reply;
      if (!('id' in value)) return refused('NOT_FOUND', `there is no work with the id ${id}, or it may not be seen`);
      if (!('state' in value))
        return refused('INVALID_INPUT', `${id} is a ${String(value.__typename)}, not work with an end`);
      const seen = value as unknown as LongRunning;
      if (seen.state !== work?.state) pauses.restart();
      work = seen;
      why = `it was ${work.state}`;
      if (hasEnded(work)) return { kind: 'ENDED', work };
      // The relay reads the device's job only if somebody asks. It calls nothing on the device.
      if (work.state === 'ACCEPTED' && work.__typename === 'RelayOperation')
        await ask(endpoint, lookDocument, { input: { id } }, withDeadline(signal, answerWithinMs));
    } else if (reply.kind === 'refused' && reply.code !== 'RATE_LIMITED') {
      return refused(reply.code, reply.message);
    } else {
      why = reply.kind === 'lost' ? reply.why : `${reply.code}: ${reply.message}`;
      atLeastMs = reply.retryAfterMs ?? 0;
    }
    await sleep(pauses.next(atLeastMs), signal);
  }
  return { kind: 'OPEN', work, why };
}

/** A state that this client does not know has ended if the work says when. */
function hasEnded({ state, finishedAt }: LongRunning): boolean {
  return ended.has(state) || (!underWay.has(state) && finishedAt !== null);
}

function refused(code: string, message: string): Waited {
  return { kind: 'REFUSED', code, message };
}
