// Asks whether a write is on a second server, until the answer stays. The token is the write's own: asking repeats nothing.
import { ask, type GraphEndpoint } from './graph-request.ts';
import { sleep } from './pauses.ts';

export interface Replication {
  readonly state: 'CONFIRMED' | 'PENDING' | 'NOT_REPLICATED' | 'LOST' | 'UNKNOWN';
  readonly reason: string | null;
  /** Servers that are known to hold it; null: not known. */
  readonly copies: number | null;
  readonly members: readonly { readonly name: string; readonly state: string }[];
}

export interface ReplicationBounds {
  readonly signal?: AbortSignal;
  /** How long to ask; default 1 minute. */
  readonly deadlineMs?: number;
  /** The pause after no answer, or after one that may change; default 1 s. */
  readonly pauseMs?: number;
}

const document = `query ($token: String!, $waitMs: Int!) {
  root: commit(token: $token) { replication(waitMs: $waitMs) { state reason copies members { name state } } } }`;
const [longestWaitMs, answerMarginMs] = [10_000, 15_000];
const final: ReadonlySet<string> = new Set(['CONFIRMED', 'NOT_REPLICATED', 'LOST']);

/** The last answer: PENDING or UNKNOWN if the deadline passed first; UNKNOWN, with the reason, if there was none. Never rejects. */
export async function untilReplicated(
  endpoint: GraphEndpoint,
  /** `commit.token` of a payload. */
  token: string,
  { signal: given, deadlineMs = 60_000, pauseMs = 1_000 }: ReplicationBounds = {},
): Promise<Replication> {
  const deadline = AbortSignal.timeout(deadlineMs);
  const signal = given === undefined ? deadline : AbortSignal.any([given, deadline]);
  const endsAtMs = performance.now() + deadlineMs;
  let last = unknown('there was no answer');
  while (!signal.aborted) {
    const waitMs = Math.max(0, Math.min(longestWaitMs, Math.floor(endsAtMs - performance.now()) - pauseMs));
    const bound = AbortSignal.any([signal, AbortSignal.timeout(waitMs + answerMarginMs)]);
    const reply = await ask(endpoint, document, { token, waitMs }, bound);
    if (reply.kind === 'refused' && reply.code !== 'RATE_LIMITED') return unknown(`${reply.code}: ${reply.message}`);
    const found = reply.kind === 'answer' ? (reply.value.replication as Replication | undefined) : undefined;
    if (found !== undefined) last = found;
    if (final.has(last.state)) return last;
    await sleep(pauseMs, signal);
  }
  return last;
}

function unknown(reason: string): Replication {
  return { state: 'UNKNOWN', reason, copies: null, members: [] };
}
