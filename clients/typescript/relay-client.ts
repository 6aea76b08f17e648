// Runs one relaying mutation to its end, following the retry contract (docs/retries.md): every request has the same idempotency
// key, so that the device is called at most once. Decisions that the contract leaves to a person are left to a person, with a
// note of what to check.
import {
  afterLookRefused,
  afterRefusal,
  afterState,
  type Operation,
  type Outcome,
  outcomeOf,
  type Progress,
  type Refusal,
  type Request,
  type Step,
  whenOver,
} from './contract.ts';
import { ask, type GraphEndpoint, type GraphRefusal } from './graph-request.ts';
import { type PauseBounds, pausesOf, sleep, withDeadline } from './pauses.ts';

export interface RelayRequest {
  /** A relaying mutation, for example firewallRuleCreate or relayCall. */
  readonly mutation: string;
  /**
   * One per intended change, stored by the caller before the first request: after a crash the caller repeats the request with it.
   * The relay keeps it for 7 days.
   */
  readonly idempotencyKey: string;
  /** The mutation's input without idempotencyKey, waitMs and dryRun. */
  readonly input: Readonly<Record<string, unknown>>;
}

export interface RelayBounds extends PauseBounds {
  /** Ends the requests, never the call. */
  readonly signal?: AbortSignal;
  /** How long to repeat requests; default 5 minutes. */
  readonly deadlineMs?: number;
  /** Called before each further request. */
  readonly onAgain?: (again: Again) => void;
}

/** The reason, kind and time of the next request. */
export interface Again {
  readonly request: Request;
  readonly why: string;
  readonly inMs: number;
}

/** The data of every request in a run. */
interface Run {
  readonly endpoint: GraphEndpoint;
  readonly request: RelayRequest;
  readonly progress: Progress;
  readonly endsAtMs: number;
  readonly signal: AbortSignal;
}

const defaultDeadlineMs = 300_000;
/** How long a request lets the relay wait for the device, and the additional time for the answer to arrive. */
const [longestWaitMs, answerMarginMs] = [30_000, 15_000];
/** Part of the deadline reserved for the arrival of the last answer. */
const lastAnswerMs = 1_000;

const operationFields = `id name state result deviceError { code message } quietUntil
  changedMappings { id resource scope objectKey uuid mappingState }`;
const payloadFields = `operation { ${operationFields} } userErrors { code message field retry retryAfterMs }`;
const readDocument = `query ($id: ID!) { root: relayOperation(id: $id) { ${operationFields} } }`;
const lookDocument = `mutation ($input: RelayOperationSettleInput!) { root: relayOperationSettle(input: $input) { ${payloadFields} } }`;

/** Never rejects for failures of the relay or the network; throws a TypeError for a request that it can't send. */
export async function carryOut(
  endpoint: GraphEndpoint,
  request: RelayRequest,
  bounds: RelayBounds = {},
): Promise<Outcome> {
  const { mutation, input, idempotencyKey } = request;
  if (!/^[a-z][A-Za-z]{0,63}$/.test(mutation)) throw new TypeError(`${mutation} is not a mutation's name`);
  if (idempotencyKey === '') throw new TypeError('an idempotency key is needed');
  if (input.dryRun === true) throw new TypeError('a dry run has no outcome to wait for');
  const deadlineMs = bounds.deadlineMs ?? defaultDeadlineMs;
  const signals = [AbortSignal.timeout(deadlineMs), ...(bounds.signal === undefined ? [] : [bounds.signal])];
  const signal = AbortSignal.any(signals);
  const progress: Progress = {
    ...{ idempotencyKey, operation: null, refusals: [], deviceAnswer: null, uncertain: false, requests: 0 },
  };
  // Every request sends the same input, even if the caller changes its object meanwhile.
  const kept = { ...request, input: structuredClone(input) };
  const run = { endpoint, request: kept, progress, endsAtMs: performance.now() + deadlineMs, signal };
  const pauses = pausesOf(bounds);
  let next: Request = 'send';
  while (!signal.aborted) {
    progress.requests += 1;
    const step: Step = await requests[next](run);
    if ('end' in step) return step.end;
    if (signal.aborted) break;
    if (step.next !== next) pauses.restart();
    next = step.next;
    const inMs = pauses.next(step.afterMs ?? 0);
    bounds.onAgain?.({ request: next, why: step.why, inMs });
    await sleep(inMs, signal);
  }
  return whenOver(progress);
}

const requests: Readonly<Record<Request, (run: Run) => Promise<Step>>> = { send, read, look };

/** The mutation, with its key; the relay waits for the device meanwhile. */
async function send({ endpoint, request, progress, endsAtMs, signal }: Run): Promise<Step> {
  const { mutation, input, idempotencyKey } = request;
  const leftMs = Math.floor(endsAtMs - performance.now()) - lastAnswerMs;
  const waitMs = Math.max(0, Math.min(longestWaitMs, leftMs));
  const type = `${mutation.charAt(0).toUpperCase()}${mutation.slice(1)}Input`;
  const document = `mutation ($input: ${type}!) { root: ${mutation}(input: $input) { ${payloadFields} } }`;
  const variables = { input: { ...input, idempotencyKey, waitMs } };
  const reply = await ask(endpoint, document, variables, withDeadline(signal, waitMs + answerMarginMs));
  if (reply.kind === 'lost') {
    progress.uncertain = true;
    progress.deviceAnswer = reply.outcome ?? progress.deviceAnswer;
    return { next: 'send', why: reply.why, afterMs: reply.retryAfterMs ?? null };
  }
  if (reply.kind === 'refused') return afterRefusal(progress, [refusalOf(reply)]);
  const { operation, userErrors } = payloadOf(reply.value);
  if (userErrors.length > 0) return afterRefusal(progress, userErrors);
  if (operation !== null) return afterState(progress, operation);
  const person = 'the key was used for a call that the journal no longer has: look at the backend';
  return { end: outcomeOf(progress, 'OPEN', person) };
}

/** The current state of the operation. */
async function read({ endpoint, progress, signal }: Run): Promise<Step> {
  const { operation } = progress;
  if (operation === null) return { next: 'send', why: 'no operation is known' };
  const { id, state } = operation;
  const reply = await ask(endpoint, readDocument, { id }, withDeadline(signal, answerMarginMs));
  if (reply.kind === 'lost') return { next: 'read', why: reply.why, afterMs: reply.retryAfterMs ?? null };
  if (reply.kind === 'refused' && reply.code === 'RATE_LIMITED')
    return { next: 'read', why: reply.code, afterMs: reply.retryAfterMs };
  if (reply.kind === 'refused') {
    const person = `operation ${id} was ${state}, and can't be read (${reply.code}: ${reply.message})`;
    return { end: outcomeOf(progress, 'OPEN', person) };
  }
  // Missing or no longer visible: the key still finds it.
  if (!('id' in reply.value)) return { next: 'send', why: 'the operation can not be read' };
  return afterState(progress, reply.value as unknown as Operation);
}

/** Has the relay read the device's job of an ACCEPTED call. Only a read: it calls nothing on the device. */
async function look({ endpoint, progress, signal }: Run): Promise<Step> {
  const { operation } = progress;
  if (operation === null) return { next: 'send', why: 'no operation is known' };
  const input = { id: operation.id };
  const reply = await ask(endpoint, lookDocument, { input }, withDeadline(signal, longestWaitMs + answerMarginMs));
  if (reply.kind === 'lost') return { next: 'look', why: reply.why, afterMs: reply.retryAfterMs ?? null };
  if (reply.kind === 'refused') return afterLookRefused(progress, operation, refusalOf(reply));
  const { operation: seen, userErrors } = payloadOf(reply.value);
  return seen === null ? afterLookRefused(progress, operation, userErrors[0]) : afterState(progress, seen);
}

function payloadOf(value: Readonly<Record<string, unknown>>) {
  const { operation, userErrors } = value as { operation?: Operation | null; userErrors?: readonly Refusal[] };
  return { operation: operation ?? null, userErrors: userErrors ?? [] };
}

const sameKey: ReadonlySet<string> = new Set(['UNAUTHENTICATED', 'RATE_LIMITED']);

/** A refusal of the whole request as an entry of `userErrors`. */
function refusalOf({ code, message, retryAfterMs }: GraphRefusal): Refusal {
  const retry = sameKey.has(code) ? 'SAME_KEY' : code === 'FORBIDDEN' ? 'NEVER' : 'NEW_KEY';
  return { code, message, field: [], retry, retryAfterMs };
}
