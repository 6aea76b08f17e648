// The one registry of coded errors: what a user can meet, whether a retry can help, and how the message reads.

export type Retry = 'SAME_KEY' | 'NEW_KEY' | 'NEVER';

interface CodeEntry {
  readonly retry: Retry;
  /** What it means and what to do: becomes docs/errors.md. */
  readonly meaning: string;
}

/** Codes of `userErrors`: refused, and nothing happened. */
export const userErrorCodes = {
  // Input
  INVALID_INPUT: {
    retry: 'NEW_KEY',
    meaning: 'A field has a value that is not allowed. Correct the field that `field` names.',
  },
  TOO_LONG: { retry: 'NEW_KEY', meaning: 'A field is longer than it may be.' },
  INVALID_ARGUMENTS: {
    retry: 'NEW_KEY',
    meaning: "The arguments do not fit the operation's JSON Schema, which `driverOperations` publishes.",
  },
  KEY_REQUIRED: { retry: 'NEW_KEY', meaning: 'The operation is not idempotent: send an idempotencyKey.' },
  KEY_CONFLICT: { retry: 'NEW_KEY', meaning: 'The same idempotencyKey was used with another input.' },
  PROJECT_REQUIRED: { retry: 'NEW_KEY', meaning: 'The caller has several projects: name one with projectId.' },
  // Objects
  NOT_FOUND: { retry: 'NEVER', meaning: 'There is no such object in the projects of the caller.' },
  ALREADY_EXISTS: { retry: 'NEVER', meaning: 'An object of that name exists already.' },
  STALE_VERSION: { retry: 'NEW_KEY', meaning: 'The object has changed since: read it again, then decide.' },
  AMBIGUOUS: { retry: 'NEW_KEY', meaning: 'More than one backend matches the selector; the message lists them.' },
  HAS_MAPPINGS: { retry: 'NEVER', meaning: 'The backend has live mappings: remove them, or set orphanMappings.' },
  ALREADY_MAPPED: { retry: 'NEVER', meaning: 'The backend object belongs to another CMP object and is not shared.' },
  WRONG_STATE: { retry: 'NEVER', meaning: 'The object is not in a state in which this can be done.' },
  // Access
  FORBIDDEN: { retry: 'NEVER', meaning: "The caller's role does not allow it." },
  BAD_CREDENTIALS: { retry: 'NEVER', meaning: 'The name, the password or the token is wrong.' },
  RATE_LIMITED: { retry: 'SAME_KEY', meaning: 'Too many attempts: wait retryAfterMs.' },
  // Relay
  BUSY: { retry: 'SAME_KEY', meaning: "The backend's queue is full: wait retryAfterMs." },
  IN_PROGRESS: {
    retry: 'SAME_KEY',
    meaning: 'A request with the same key, or on the same object, is under way: wait retryAfterMs.',
  },
  CIRCUIT_OPEN: {
    retry: 'SAME_KEY',
    meaning: 'The backend keeps failing, so its calls are held back; `circuit` says why.',
  },
  BACKEND_DISABLED: { retry: 'SAME_KEY', meaning: 'The backend is disabled: enable it with backendUpdate.' },
  HOST_KEY_UNKNOWN: { retry: 'SAME_KEY', meaning: 'No host key is accepted yet: backendHostKeyAccept.' },
  CERTIFICATE_UNKNOWN: { retry: 'SAME_KEY', meaning: 'No certificate is accepted yet: backendCertificateAccept.' },
  UNSETTLED_PREDECESSOR: {
    retry: 'SAME_KEY',
    meaning: 'An earlier call on the same object is UNKNOWN, or a job that was ACCEPTED: settle it, or force.',
  },
  OBJECT_BUSY: { retry: 'SAME_KEY', meaning: 'Another call on the same object is under way: wait retryAfterMs.' },
  NOT_SUPPORTED: { retry: 'NEVER', meaning: "The backend's driver does not offer this operation." },
  INIT_NOT_ALLOWED: { retry: 'NEVER', meaning: 'INIT operations are off for this backend: set allowInit.' },
  NO_PROBE: { retry: 'NEVER', meaning: 'The operation has no probe: give a verdict.' },
  QUIET_PERIOD: { retry: 'SAME_KEY', meaning: 'The call may still take effect until quietUntil: wait, or force.' },
  REPLAY_UNCERTAIN: {
    retry: 'NEVER',
    meaning:
      'A failover lost writes, so it is not known whether this key was used before. An operator must lift the block.',
  },
  // Dependencies
  UNAVAILABLE: {
    retry: 'SAME_KEY',
    meaning: 'A part that this needs is not available at the moment. Nothing was done.',
  },
  OUTCOME_UNCERTAIN: {
    retry: 'SAME_KEY',
    meaning: 'The connection to the database was lost during the commit: the same key tells what became of the write.',
  },
} as const satisfies Record<string, CodeEntry>;

export type UserErrorCode = keyof typeof userErrorCodes;

/** Codes of top-level errors (`extensions.code`): no login, lost parts, limits, bugs. */
export const topLevelCodes = {
  UNAUTHENTICATED: 'No login, or it has ended: log in again.',
  FORBIDDEN: "The caller's role does not allow this query.",
  INVALID_CURSOR: 'The cursor is not valid here.',
  CURSOR_EXPIRED: 'The cursor is older than the events that are kept: read a snapshot and subscribe again.',
  RESYNC_REQUIRED: 'A failover rewrote the history: read a snapshot and subscribe again.',
  INVALID_INPUT: 'An argument has a value that is not allowed.',
  LIMIT_EXCEEDED: 'The operation is larger than allowed; the message names the limit.',
  SUBGRAPH_UNAVAILABLE: 'A part of the graph is not available; the fields it owns are null.',
  UNAVAILABLE: 'A part that this needs is not available at the moment.',
  OUTCOME_NOT_RECORDED:
    'The device answered, but the journal could not be written; `extensions.outcome` carries the answer.',
  INTERNAL: 'A bug. The request id finds it in the log.',
} as const;

export type TopLevelCode = keyof typeof topLevelCodes;

/** One entry of `userErrors`. */
export interface UserError {
  readonly code: UserErrorCode;
  readonly message: string;
  readonly field: readonly string[];
  readonly retry: Retry;
  readonly retryAfterMs: number | null;
}

export interface UserErrorOptions {
  readonly field?: readonly string[];
  readonly retryAfterMs?: number;
}

/** Makes an entry of `userErrors`; the registry says whether a retry can help. */
export function userError(code: UserErrorCode, message: string, options: UserErrorOptions = {}): UserError {
  return {
    code,
    message,
    field: options.field ?? [],
    retry: userErrorCodes[code].retry,
    retryAfterMs: options.retryAfterMs ?? null,
  };
}

/** Thrown inside a transaction so that it rolls back; the mutation's edge turns it into `userErrors`. */
export class Refusal extends Error {
  readonly errors: readonly UserError[];

  constructor(errors: readonly UserError[]) {
    super(errors.map((error) => `${error.code}: ${error.message}`).join('; '));
    this.name = 'Refusal';
    this.errors = errors;
  }
}

/** Throws a refusal with one error. */
export function refuse(code: UserErrorCode, message: string, options?: UserErrorOptions): never {
  throw new Refusal([userError(code, message, options)]);
}

/** A top-level error with a code, for queries, subscriptions and lost parts. Its message may be shown to users. */
export class CodedError extends Error {
  readonly code: TopLevelCode;
  readonly details: Readonly<Record<string, unknown>>;
  /** graphql-js copies `extensions` of an original error into the response. */
  readonly extensions: Readonly<Record<string, unknown>>;

  constructor(code: TopLevelCode, message: string, details: Readonly<Record<string, unknown>> = {}, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'CodedError';
    this.code = code;
    this.details = details;
    this.extensions = { code, ...details };
  }
}

/** A value as a message quotes it: cut, with controls escaped. */
export function quoted(value: string | null | undefined): string {
  const text = JSON.stringify(value ?? null);
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

/** Of an id that names nothing, or nothing that the caller may see: the two read the same. `type`: as the graph calls it. */
export function unknownId(type: string, id: string | null | undefined): string {
  return `no ${type} has the id ${quoted(id)}`;
}

/** Throws when a state that can't be is met: a bug. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`invariant: ${message}`);
}
