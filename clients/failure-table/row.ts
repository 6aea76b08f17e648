// The words of the table of failures: what the server plays, and what a correct client does. `tidegate check-client` plays it and
// judges (cli/check-client/); docs/check-client.md explains it to those who write a client.

/** How one request is answered. Without `isCarriedOut` it has no effect. */
export type Play =
  /** As the product does. */
  | { readonly kind: 'answer' }
  /** The connection ends: before anything is done, after it was done, or in the middle of the answer. */
  | { readonly kind: 'cut'; readonly when: 'before' | 'after' | 'in the answer' }
  /** The connection stays open, and no answer comes. */
  | { readonly kind: 'silence' }
  /** An answer that is not one of GraphQL. */
  | {
      readonly kind: 'page';
      readonly status: number;
      readonly isCarriedOut?: true;
      readonly retryAfterSeconds?: number;
    }
  /** To another origin, where nobody may send a token. */
  | { readonly kind: 'redirect' }
  /** An entry of `userErrors`. */
  | {
      readonly kind: 'refusal';
      readonly code: string;
      readonly retry: 'SAME_KEY' | 'SAME_KEY_AFTER_ACTION' | 'NEW_KEY' | 'NEVER';
      readonly retryAfterMs?: number;
    }
  /** A top-level error. `hasOutcome`: `extensions.outcome` has what the device answered. */
  | {
      readonly kind: 'error';
      readonly code: string;
      readonly status?: number;
      readonly retryAfterMs?: number;
      readonly isCarriedOut?: true;
      readonly hasOutcome?: true;
    }
  /** The access token is no longer accepted; with `session`, neither is the refresh token. */
  | { readonly kind: 'expire'; readonly what: 'access token' | 'session' };

/** A state of the work, one for each answer that shows it; the last one stays. */
export type WorkState =
  | 'PENDING'
  | 'SENT'
  | 'ACCEPTED'
  | 'RUNNING'
  | 'SUCCEEDED'
  | 'FAILED'
  | 'NOT_SENT'
  | 'UNKNOWN'
  /** No client of today knows it. */
  | 'HIBERNATING';

export type OutcomeKind = 'SUCCEEDED' | 'FAILED' | 'REFUSED' | 'UNKNOWN' | 'OPEN';

interface Step {
  /** Default 10 s. */
  readonly deadlineMs?: number;
  /** What happens before the client gets the task. */
  readonly before?: 'a person settles the call';
}

/** Carry out one mutation under one key. A second step of a row has the key and the input of the first. */
export interface CallStep extends Step {
  readonly do: 'call';
  /** One for each request of the mutation; all others are answered as the product does. */
  readonly plays?: readonly Play[];
  /** Of the operation once it was carried out; default SUCCEEDED. */
  readonly states?: readonly WorkState[];
  readonly expects: {
    readonly outcome: OutcomeKind | readonly OutcomeKind[];
    /** Least and most requests of the mutation. */
    readonly sends: readonly [number, number];
    /** Whether the call was carried out, after the step. Never twice, in any row. */
    readonly isCarriedOut: boolean;
    /** Least and most exchanges of a refresh token, and logins with the password. */
    readonly refreshes?: readonly [number, number];
    readonly logins?: readonly [number, number];
  };
}

/** Wait for the end of work that is under way. */
export interface WaitStep extends Step {
  readonly do: 'wait';
  readonly states: readonly WorkState[];
  /** One for each read. */
  readonly plays?: readonly Play[];
  readonly timeoutMs?: number;
  readonly expects: {
    /** The state at the end, or OPEN if the timeout passed first. */
    readonly outcome: 'SUCCEEDED' | 'FAILED' | 'UNKNOWN' | 'OPEN';
    readonly reads: readonly [number, number];
  };
}

/** How one subscription goes. */
export interface Opening {
  /** In place of a stream. */
  readonly play?: Play;
  /** Events that happened since the last one, while the client was away. */
  readonly away?: number;
  /** Events that happen while the stream is open. */
  readonly live?: number;
  /** What is special about its items. */
  readonly items?:
    | 'the first one was sent before'
    | 'the last one is only a checkpoint'
    | 'the last one can not be read'
    | 'large';
  /** Default: it stays open. */
  readonly end?:
    | 'the gateway stops'
    | 'the token expires'
    | 'cut'
    | 'cut in an event'
    | 'silence'
    | 'the rights change';
}

/** Read the cursor, then the snapshot, then the changes, until an event comes. */
export interface FollowStep extends Step {
  readonly do: 'follow';
  /** One for each subscription; the last one is repeated. */
  readonly openings: readonly Opening[];
  /** An event happens just after the first answer about the cursor or the snapshot. */
  readonly hasEventAtSnapshot?: true;
  /** How long the consumer is busy with the first change. */
  readonly consumerPauseMs?: number;
  readonly expects: {
    /** What the client passes on, in order: `snapshot VERSION`, `event NUMBER`; with a question mark, perhaps. */
    readonly saw: readonly string[];
    /** The code with which it gives up. Default: it does not. */
    readonly gaveUp?: string;
    readonly subscriptions: readonly [number, number];
    readonly refreshes?: readonly [number, number];
    readonly logins?: readonly [number, number];
  };
}

export interface FailureRow {
  /** In addresses and in the output. */
  readonly name: string;
  /** What fails. */
  readonly failure: string;
  /** What a correct client does. */
  readonly right: string;
  /** Whether the client gets a token, or a name and a password. Default: a token. */
  readonly login?: 'password' | 'wrong password';
  readonly steps: readonly (CallStep | WaitStep | FollowStep)[];
}
