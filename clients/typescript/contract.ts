// The retry contract (docs/retries.md) as decisions on answers: whether to stop, or what to request next. Pure, except for its
// notes in `Progress`.

export interface Operation {
  readonly id: string;
  readonly name: string;
  /** A later release may have further states. */
  readonly state: 'PENDING' | 'SENT' | 'SUCCEEDED' | 'FAILED' | 'ACCEPTED' | 'UNKNOWN' | 'REJECTED';
  readonly result: unknown;
  readonly deviceError: { readonly code: string; readonly message: string } | null;
  /** Until then a call with the outcome UNKNOWN may still take effect. */
  readonly quietUntil: string | null;
  readonly changedMappings: readonly {
    readonly id: string;
    readonly resource: string;
    readonly scope: string;
    readonly objectKey: string;
    readonly uuid: string | null;
    readonly mappingState: string;
  }[];
}

/** An entry of `userErrors`. */
export interface Refusal {
  readonly code: string;
  readonly message: string;
  readonly field: readonly string[];
  readonly retry: 'SAME_KEY' | 'SAME_KEY_AFTER_ACTION' | 'NEW_KEY' | 'NEVER';
  readonly retryAfterMs: number | null;
}

export type OutcomeKind =
  /** The device executed it. */
  | 'SUCCEEDED'
  /** The device refused: `operation.deviceError`. */
  | 'FAILED'
  /** Nothing happened, and nothing will without a new request: `refusals`, or a call that was never sent. */
  | 'REFUSED'
  /** It was sent, and there is no verdict. */
  | 'UNKNOWN'
  /** The requests ended before the outcome was known. The same request with the same key continues from here. */
  | 'OPEN';

export interface Outcome {
  readonly kind: OutcomeKind;
  readonly idempotencyKey: string;
  readonly operation: Operation | null;
  readonly refusals: readonly Refusal[];
  /** The device's answer when the journal could not store it (OUTCOME_NOT_RECORDED); else null. */
  readonly deviceAnswer: unknown;
  /** What a person has to check; null: nothing. */
  readonly person: string | null;
  /** The number of requests. */
  readonly requests: number;
}

/** The knowledge so far. */
export interface Progress {
  readonly idempotencyKey: string;
  operation: Operation | null;
  refusals: readonly Refusal[];
  deviceAnswer: unknown;
  /** A request got no answer: it may still arrive and be executed, whatever the answers to later ones. */
  uncertain: boolean;
  requests: number;
}

/** `send`: the mutation, same key. `read`: the operation. `look`: have the relay read the job that the call became. */
export type Request = 'send' | 'read' | 'look';

export type Step =
  | { readonly end: Outcome }
  | { readonly next: Request; readonly why: string; readonly afterMs?: number | null };

/** The same request succeeds only after a person has done this. */
const personFirst: Readonly<Record<string, string>> = {
  UNAUTHENTICATED: 'the token is not, or no longer, accepted: get another',
  BACKEND_DISABLED: 'the backend is disabled: enable it',
  HOST_KEY_UNKNOWN: 'no host key of the backend is accepted: compare it, and accept it',
  CERTIFICATE_UNKNOWN: 'no certificate of the backend is accepted: compare it, and accept it',
  CREDENTIALS_UNUSABLE:
    'the stored credentials of the backend are missing, or do not open at its address: send them again',
  UNSETTLED_PREDECESSOR: 'an earlier call on the same object has no verdict: settle it',
};

/** Another request with this key may still take effect. */
const uncertainCodes: ReadonlySet<string> = new Set(['IN_PROGRESS']);

/** Refused: this request did nothing. An earlier one without an answer may have done something. */
export function afterRefusal(progress: Progress, refusals: readonly Refusal[]): Step {
  progress.refusals = refusals;
  if (refusals.some(({ code }) => uncertainCodes.has(code))) progress.uncertain = true;
  const words = wordsOf(refusals);
  const doing = refusals.map(({ code }) => personFirst[code]).find((each) => each !== undefined);
  if (doing === undefined && refusals.every(({ retry }) => retry === 'SAME_KEY'))
    return { next: 'send', why: words, afterMs: refusals[0]?.retryAfterMs ?? null };
  const later = refusals.some(({ retry }) => retry === 'SAME_KEY_AFTER_ACTION');
  const never = refusals.some(({ retry }) => retry === 'NEVER');
  const correct = later
    ? 'remove the cause; then send the same request with the same key'
    : never
      ? 'no retry helps'
      : 'correct the input, and send it with a new key';
  const same = doing && `${doing}; then send the same request with the same key`;
  if (!progress.uncertain) return { end: outcomeOf(progress, 'REFUSED', `${words}: ${same ?? correct}`) };
  const person = `refused (${words}), but an earlier request had no answer and may have been carried out: ${same ?? 'look at the operations of the backend before you send it with another key'}`;
  return { end: outcomeOf(progress, 'OPEN', person) };
}

/** The next step for an operation's state. */
export function afterState(progress: Progress, operation: Operation): Step {
  progress.operation = operation;
  progress.refusals = [];
  const { state, deviceError } = operation;
  switch (state) {
    case 'SUCCEEDED':
      return { end: outcomeOf(progress, 'SUCCEEDED', null) };
    case 'FAILED':
      // Nothing left the relay, and the key is free again.
      if (deviceError?.code === 'NOT_SENT') return { next: 'send', why: deviceError.message };
      return { end: outcomeOf(progress, 'FAILED', null) };
    case 'REJECTED':
      return { next: 'send', why: deviceError?.message ?? 'it was never sent' };
    case 'PENDING':
    case 'SENT':
      return { next: 'read', why: state };
    case 'ACCEPTED':
      return { next: 'look', why: state };
    default:
      // UNKNOWN, or a state of a later release, which counts as it.
      return { end: outcomeOf(progress, 'UNKNOWN', unknownText(operation, progress.deviceAnswer)) };
  }
}

/** The next step after a refused read of a job. */
export function afterLookRefused(progress: Progress, operation: Operation, refusal: Refusal | undefined): Step {
  const why = refusal === undefined ? 'no answer' : wordsOf([refusal]);
  if (refusal?.retry === 'SAME_KEY') return { next: 'look', why, afterMs: refusal.retryAfterMs };
  // Someone else has settled it meanwhile.
  if (refusal?.code === 'WRONG_STATE') return { next: 'read', why };
  const person = `operation ${operation.id} is a job on the device, and how it ended can't be read from here (${why}): have an operator run relayOperationSettle`;
  return { end: outcomeOf(progress, 'OPEN', person) };
}

/** The deadline has passed, or the caller has stopped. */
export function whenOver(progress: Progress): Outcome {
  const { operation, refusals, uncertain, requests } = progress;
  const unsent = operation === null || operation.state === 'REJECTED' || operation.deviceError?.code === 'NOT_SENT';
  // The relay could not look up whether the key was used before.
  const blind = ({ code, field }: Refusal) =>
    code === 'UNAVAILABLE' || code === 'DISK_FULL' || (code === 'BUSY' && field.length === 0);
  const answered = requests > 0 && !uncertain && !refusals.some(blind);
  if (unsent && answered) {
    const why = refusals.length > 0 ? wordsOf(refusals) : (operation?.deviceError?.message ?? 'it was not sent');
    return outcomeOf(
      progress,
      'REFUSED',
      `${why}: nothing was sent in time; the same request with the same key continues`,
    );
  }
  const seen = operation === null ? 'no operation was seen' : `operation ${operation.id} was ${operation.state}`;
  const last = refusals.length > 0 ? `, and the last answer ${wordsOf(refusals)}` : '';
  const person = `not known at the deadline: ${seen}${last}; the same request with the same key continues`;
  return outcomeOf(progress, 'OPEN', person);
}

export function outcomeOf(progress: Progress, kind: OutcomeKind, person: string | null): Outcome {
  const { idempotencyKey, operation, refusals, deviceAnswer, requests } = progress;
  return { kind, idempotencyKey, operation, refusals, deviceAnswer, person, requests };
}

function unknownText({ id, quietUntil }: Operation, deviceAnswer: unknown): string {
  const until = quietUntil === null ? '' : `; until ${quietUntil} it may still take effect`;
  const said = deviceAnswer === null ? '' : '; the device had answered: see deviceAnswer';
  return `operation ${id} was sent and has no verdict${until}${said}: look at the backend, or let relayOperationSettle look; do not send it with another key before that`;
}

function wordsOf(refusals: readonly Refusal[]): string {
  return refusals.map(({ code, message }) => `${code}: ${message}`).join('; ');
}
