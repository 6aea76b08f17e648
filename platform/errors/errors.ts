// The registry of coded errors that a user can meet: their messages, and whether a retry can help.
import { decodeId, encodeId } from '../values/ids.ts';

type Retry = 'SAME_KEY' | 'SAME_KEY_AFTER_ACTION' | 'NEW_KEY' | 'NEVER';

interface CodeEntry {
  readonly retry: Retry;
  /** Meaning and remedy: becomes docs/errors.md. */
  readonly meaning: string;
}

/** Codes of `userErrors`: the request was refused, and nothing happened. */
export const userErrorCodes = {
  // Input
  INVALID_INPUT: {
    retry: 'NEW_KEY',
    meaning: 'A field has a value that is not allowed. Correct the field that `field` names.',
  },
  TOO_LONG: { retry: 'NEW_KEY', meaning: 'The value of a field is too long.' },
  INVALID_ARGUMENTS: {
    retry: 'NEW_KEY',
    meaning: "The arguments do not fit the operation's JSON Schema, which `driverOperations` publishes.",
  },
  EGRESS_DENIED: {
    retry: 'NEW_KEY',
    meaning:
      'The egress policy denies the address that `field` names. Give another one, or have the operator of the installation change `egress.allow` or `egress.deny`.',
  },
  KEY_REQUIRED: { retry: 'NEW_KEY', meaning: 'The operation is not idempotent: send an idempotencyKey.' },
  KEY_CONFLICT: { retry: 'NEW_KEY', meaning: 'The idempotencyKey was used before with another input.' },
  PROJECT_REQUIRED: { retry: 'NEW_KEY', meaning: 'The caller has several projects: name one with projectId.' },
  // Objects
  NOT_FOUND: { retry: 'NEVER', meaning: 'The object does not exist, or the caller may not see it.' },
  ALREADY_EXISTS: { retry: 'NEVER', meaning: 'An object with this name already exists.' },
  NAME_TAKEN: {
    retry: 'NEVER',
    meaning:
      'The DNS name belongs to somebody else, rests after its deletion, or is above or below a name of another project: choose another name, or have its owner share it.',
  },
  DELETION_PROTECTED: {
    retry: 'NEVER',
    meaning: 'The object is protected from deletion: an update with deletionProtected false ends that.',
  },
  STALE_VERSION: { retry: 'NEW_KEY', meaning: 'The object was changed in the meantime: read it again, then decide.' },
  AMBIGUOUS: { retry: 'NEW_KEY', meaning: 'More than one backend matches the selector; the message lists them.' },
  HAS_MAPPINGS: { retry: 'NEVER', meaning: 'The backend has live mappings: remove them, or set orphanMappings.' },
  ALREADY_MAPPED: { retry: 'NEVER', meaning: 'The backend object belongs to another CMP object and is not shared.' },
  WRONG_STATE: { retry: 'NEVER', meaning: 'The state of the object does not allow this.' },
  IN_USE: { retry: 'NEVER', meaning: 'Another object uses this one; the message names it. Change that one first.' },
  LIMIT_REACHED: { retry: 'NEVER', meaning: 'The object can have no more parts of this kind: delete one first.' },
  QUOTA_EXCEEDED: {
    retry: 'SAME_KEY_AFTER_ACTION',
    meaning: "The project's quota is used up: delete something, or have an administrator raise it.",
  },
  DEVICE_TAKEN: {
    retry: 'NEVER',
    meaning:
      'Another backend is the same device; the message says which. Use or delete that one. If the two have no object in common, an administrator can set separateObjects.',
  },
  OTHER_SOURCE: {
    retry: 'NEVER',
    meaning:
      'The object was not made by the source that the request names in its header tidegate-source: leave it to its source, or change it without the header.',
  },
  NOT_TRIED: {
    retry: 'NEVER',
    meaning:
      'The request has the header tidegate-dry-run, and the mutation reaches more than the database: it can only be carried out, not tried.',
  },
  QUIET_MODE: {
    retry: 'SAME_KEY_AFTER_ACTION',
    meaning:
      'The process was started with `serve --quiet`: it reads only. Send the request to the installation itself.',
  },
  // Access
  FORBIDDEN: { retry: 'NEVER', meaning: "The caller's role does not allow it." },
  BAD_CREDENTIALS: { retry: 'NEVER', meaning: 'The name, the password or the token is wrong.' },
  RATE_LIMITED: { retry: 'SAME_KEY', meaning: 'Too many attempts: wait retryAfterMs.' },
  // Relay
  BUSY: {
    retry: 'SAME_KEY',
    meaning:
      'Too many requests wait for the same backend or object, or the database is changing its primary or has too much to do: wait retryAfterMs.',
  },
  IN_PROGRESS: {
    retry: 'SAME_KEY',
    meaning: 'A request with the same key, or on the same object, is in progress: wait retryAfterMs.',
  },
  CIRCUIT_OPEN: {
    retry: 'SAME_KEY',
    meaning: 'The backend keeps failing, so calls to it are refused; `circuit` has the reason.',
  },
  BACKEND_DISABLED: {
    retry: 'SAME_KEY_AFTER_ACTION',
    meaning: 'The backend is disabled: enable it with backendUpdate.',
  },
  HOST_KEY_UNKNOWN: {
    retry: 'SAME_KEY_AFTER_ACTION',
    meaning: 'No host key is accepted yet: accept one with backendHostKeyAccept.',
  },
  CERTIFICATE_UNKNOWN: {
    retry: 'SAME_KEY_AFTER_ACTION',
    meaning: 'No certificate is accepted yet: accept one with backendCertificateAccept, or set caCertificates.',
  },
  CREDENTIALS_REQUIRED: {
    retry: 'NEW_KEY',
    meaning:
      'The change affects where the stored credentials go. Send those that `field` names in the same request, or drop them with backendUpdate { dropCredentials: true }.',
  },
  CREDENTIALS_UNUSABLE: {
    retry: 'SAME_KEY_AFTER_ACTION',
    meaning:
      'No credentials are stored for the backend, or the stored ones are not valid for its present address. Send them with backendUpdate.',
  },
  UNSETTLED_PREDECESSOR: {
    retry: 'SAME_KEY_AFTER_ACTION',
    meaning: 'An earlier call on the same object is UNKNOWN or ACCEPTED: settle it, or set force.',
  },
  OBJECT_BUSY: { retry: 'SAME_KEY', meaning: 'Another call on the same object is in progress: wait retryAfterMs.' },
  VERIFY_FIRST: {
    retry: 'SAME_KEY_AFTER_ACTION',
    meaning:
      'The last verification found no such object, or another one in its place: verify the mapping again, or set force.',
  },
  NOT_SUPPORTED: {
    retry: 'NEVER',
    meaning: 'The backend or its driver does not offer this.',
  },
  INIT_NOT_ALLOWED: { retry: 'NEVER', meaning: 'The backend does not allow INIT operations: set allowInit.' },
  NO_PROBE: { retry: 'NEVER', meaning: "The driver can't read the outcome of the operation: give a verdict." },
  BACKEND_MOVED: {
    retry: 'SAME_KEY_AFTER_ACTION',
    meaning:
      'The call was sent to another address than the backend has now, and its effect is to be seen only there. Look there yourself and give a verdict after quietUntil, or set the address back.',
  },
  QUIET_PERIOD: {
    retry: 'SAME_KEY',
    meaning: 'The call may still take effect until quietUntil: give the verdict after it, or set force.',
  },
  REPLAY_UNCERTAIN: {
    retry: 'NEVER',
    meaning:
      'A restore or a failover lost writes, so it is unknown whether this key was used before. Look at the backend, then run "tidegate timeline lift".',
  },
  // The cluster of hosts
  NOT_CONFIGURED: {
    retry: 'NEVER',
    meaning: 'The database is on a single machine: there is no cluster of hosts.',
  },
  NOT_IN_SYNC: {
    retry: 'SAME_KEY_AFTER_ACTION',
    meaning: 'The host has not every acknowledged write: wait until `haStatus` says IN_SYNC.',
  },
  // Alerts
  NOT_DELIVERED: {
    retry: 'SAME_KEY_AFTER_ACTION',
    meaning: 'The receiver did not take the message; the text says why. Correct the target, or the receiver.',
  },
  // Dependencies
  UNAVAILABLE: {
    retry: 'SAME_KEY',
    meaning: 'A required part of the system is not available at the moment. Nothing was done.',
  },
  DISK_FULL: {
    retry: 'SAME_KEY',
    meaning:
      "The database's disk is full, so nothing was done. Writes are accepted again once someone has freed space.",
  },
} as const satisfies Record<string, CodeEntry>;

export type UserErrorCode = keyof typeof userErrorCodes;

/** Codes of top-level errors (`extensions.code`): no login, unavailable dependencies, limits, bugs. */
export const topLevelCodes = {
  UNAUTHENTICATED: 'There is no login, or it has ended: log in again.',
  FORBIDDEN:
    "The caller's role does not allow this. If a stream that had begun ends with it, the rights have changed: begin again, once, with the login, a cursor, a snapshot and the subscription. If subscribing is refused, stop, and tell a person.",
  INVALID_CURSOR:
    'The cursor is not valid here: it has another origin, or the key that sealed it was retired. Read a snapshot and subscribe again.',
  CURSOR_EXPIRED: 'The events after the cursor are no longer kept: read a snapshot and subscribe again.',
  RESYNC_REQUIRED: 'A failover rewrote the history: read a snapshot and subscribe again.',
  INVALID_INPUT: 'An argument has a value that is not allowed.',
  PERSISTED_QUERY_NOT_FOUND:
    'No published operation has the hash of the request. Send the text as `query`, or have an administrator publish it.',
  NOT_PUBLISHED:
    'The gateway executes only published operations (`operations.accept`), or the API token is bound to others. Have an administrator publish this one, or use a token that may send it; `extensions.hash` names it.',
  SCHEMA_CHANGED:
    'The gateway took over a new graph, which the subscription does not fit: read the schema again, change the subscription, and continue after the last cursor.',
  GRAPH_REFUSED:
    'The gateway could not take over the new graph, and the present one stays. The message lists what is wrong with it.',
  NOT_CONFIGURED: 'The database is on a single machine: there is no cluster of hosts.',
  RATE_LIMITED: 'Too many requests of this kind; nothing was done. Wait retryAfterMs.',
  LIMIT_EXCEEDED: 'The operation is larger than allowed; the message names the limit.',
  SUBGRAPH_UNAVAILABLE:
    'A subgraph is not available. Its fields are null, each with such an error; all other fields of the answer are there. Try again.',
  INVALID_SUBGRAPH_ANSWER:
    'A subgraph answered something that does not fit the graph, so the field is null. That is a bug of the subgraph: tell those who run it.',
  NOT_PLANNED:
    'The gateway has no plan for an operation that is valid. Ask for its fields in several operations; the log has the reason.',
  BUSY: 'The database is changing its primary, and none was there in time, or it or the gateway has too much to do. Wait retryAfterMs.',
  UNAVAILABLE: 'A required part of the system is not available at the moment.',
  DISK_FULL:
    "The database's disk is full, and the operation had to write. Writes are accepted again once someone has freed space.",
  OUTCOME_UNCERTAIN:
    'The request may have been carried out: the connection to the database, or to a cluster, was lost before the outcome was known. A request with the same key returns it.',
  OUTCOME_NOT_RECORDED:
    'The device answered, but the journal could not be written; `extensions.outcome` has the outcome.',
  OUTCOME_NOT_READ:
    'The call was accepted, but then the database was lost, or a failover lost the operation: the message says which. `extensions.outcome` has its id. If it still exists, a request with the same key returns it.',
  INTERNAL: 'A bug. The log has the details under the request id.',
} as const;

export type TopLevelCode = keyof typeof topLevelCodes;

/** The end of a socket or of an event stream, in words: at most 123 bytes of UTF-8 (RFC 6455 section 5.5). */
export interface SocketClose {
  /** RFC 6455 section 7.4. */
  readonly code: number;
  /** Of the error that ends an event stream; absent if only sockets end so. */
  readonly error?: TopLevelCode;
  readonly reason: string;
}

/** How the gateway closes sockets. The codes 4401, 4406, 4408 and 4429 are those of the graphql-ws protocol. */
export const socketCloses = {
  goingAway: {
    code: 1001,
    error: 'UNAVAILABLE',
    reason: 'The server stops: connect again, and subscribe after your last cursor.',
  },
  tooLarge: { code: 1009, reason: 'A message is larger than allowed.' },
  tryLater: {
    code: 1013,
    error: 'LIMIT_EXCEEDED',
    reason: 'Too many sockets and event streams of this user, session or API token: close some first.',
  },
  subscribedTooEarly: {
    code: 4401,
    reason: 'Send connection_init, and wait for connection_ack before you subscribe.',
  },
  credentialMissing: {
    code: 4403,
    reason: 'No bearer token: connection_init needs {"authorization": "Bearer …"}, or the upgrade that header.',
  },
  forbidden: { code: 4403, reason: 'The credential is not valid or has expired: log in again.' },
  otherSession: { code: 4403, reason: 'The token in the ping is not one of this session: connect again with it.' },
  loginEnded: {
    code: 4403,
    error: 'UNAUTHENTICATED',
    reason: 'The session has ended, or the token was revoked: log in again.',
  },
  rightsChanged: {
    code: 4403,
    error: 'FORBIDDEN',
    reason: 'The rights have changed: connect again, read a snapshot, then subscribe.',
  },
  subprotocolMissing: { code: 4406, reason: 'Offer the subprotocol graphql-transport-ws.' },
  initTimeout: {
    code: 4408,
    reason: 'No connection_init came in time: send it as soon as the socket is open.',
  },
  accessTokenEnded: {
    code: 4419,
    error: 'UNAUTHENTICATED',
    reason: 'The access token has expired: get one with sessionRefresh, and subscribe after your last cursor.',
  },
  initTwice: { code: 4429, reason: 'connection_init came twice: send it once.' },
  uncertain: {
    code: 4503,
    error: 'UNAVAILABLE',
    reason: "Credentials can't be checked at the moment: connect again later.",
  },
} as const satisfies Record<string, SocketClose>;

/** One entry of `userErrors`. */
export interface UserError {
  readonly code: UserErrorCode;
  readonly message: string;
  readonly field: readonly string[];
  readonly retry: Retry;
  readonly retryAfterMs: number | null;
}

interface UserErrorOptions {
  readonly field?: readonly string[];
  readonly retryAfterMs?: number;
}

/** Makes an entry of `userErrors`. The registry determines whether a retry can help. */
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

/** The refusal of every change by a process in quiet mode. */
export function quietMode(): UserError {
  return userError(
    'QUIET_MODE',
    'this process was started with serve --quiet and reads only, so nothing was done: send the request to the installation itself',
  );
}

/** Throws it. */
export function refuseQuietly(): never {
  throw new Refusal([quietMode()]);
}

/** A top-level error with a code, for queries, subscriptions and unavailable dependencies. Its message may be shown to users. */
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

/** The end of a message about an outcome that is not known. */
export const sameKeyTells = 'Send the request again with the same key to get its outcome.';

/** A value quoted in a message: cut, with control characters escaped. */
export function quoted(value: unknown): string {
  const text = JSON.stringify(value ?? null);
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

/**
 * For an id that names nothing, or nothing that the caller may see: the two read the same. `type`: the type's name in the graph.
 */
export function unknownId(type: string, id: string | null | undefined): string {
  const none = `no ${type} has the id ${quoted(id)}`;
  if (id == null) return none;
  const actual = decodeId(id)?.type;
  if (actual === type) return none;
  if (actual !== undefined && /^[A-Z][A-Za-z0-9]{0,60}$/.test(actual)) return `${none}, which is the id of a ${actual}`;
  const example = encodeId(type, '0').slice(0, -2);
  return `${none}: an id is a text from an earlier answer of the graph, such as "${example}…"`;
}

/** Throws for an impossible state: a bug. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`invariant: ${message}`);
}
