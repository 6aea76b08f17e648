// Sending one call on a session, whatever the wire: a slot on a live session is reserved first, then the call is sent on it.
// Nothing here rejects: a failure says for certain whether the peer can have got a byte of the call.

/** Why not a byte of the call was given to the kernel. */
export type NotSentCode =
  /** No TCP connection, or the peer broke off before log-in. */
  | 'CONNECT_FAILED'
  /** No common algorithms, or the peer does not speak the protocol. */
  | 'PROTOCOL_FAILED'
  /** The credentials are refused: never tried again by the transport. */
  | 'AUTH_FAILED'
  /** The device showed another key than the pinned one; `presented` has it. */
  | 'HOST_KEY_MISMATCH'
  /** No key is pinned; `presented` has the device's. */
  | 'HOST_KEY_UNKNOWN'
  /** The device showed another certificate than the pinned one; `presented` has it. */
  | 'CERTIFICATE_MISMATCH'
  /** Neither a certificate nor an authority that may sign one is accepted; `presented` has the device's. */
  | 'CERTIFICATE_UNKNOWN'
  /** The certificate has expired, is for another name, or no accepted authority signed it; `presented` has it. */
  | 'CERTIFICATE_INVALID'
  /** The device gives no further session now. */
  | 'SESSION_REFUSED'
  /** The device refused a channel on two connections, or answered the exec request with no. */
  | 'CHANNEL_REFUSED'
  /** `beforeFirstByte` said no. */
  | 'WINDOW_PASSED'
  /** The signal was aborted before the first byte. */
  | 'ABORTED'
  /** The transport was closed. */
  | 'CLOSED';

export type SendFailure =
  | {
      readonly kind: 'NOT_SENT';
      readonly code: NotSentCode;
      readonly message: string;
      /** The fingerprint that the device showed, for the HOST_KEY and CERTIFICATE codes. */
      readonly presented?: string;
    }
  /** The call may have been carried out. */
  | { readonly kind: 'NO_VERDICT'; readonly code: 'NO_REPLY' | 'CONNECTION_LOST'; readonly message: string };

/** Failures of a reservation: always NOT_SENT. */
export type ReserveFailure = Extract<SendFailure, { kind: 'NOT_SENT' }>;

export type SendResult<Reply> =
  | { readonly ok: true; readonly reply: Reply; readonly elapsedMs: number }
  | { readonly ok: false; readonly failure: SendFailure };

export interface SendOptions {
  /**
   * From the first byte; past it the call ends with NO_REPLY, at most 1 s later, when this machine sends nothing of it any
   * more. What the network holds may arrive a few seconds later still.
   */
  readonly deadlineMs: number;
  /** Default 1 MiB, stdout and stderr together. */
  readonly maxReplyBytes?: number;
  /**
   * Called synchronously, right before the first byte of the call is given to the kernel; once, or once more before a call
   * that the device refused unread is sent again. When it returns false nothing is sent: WINDOW_PASSED.
   */
  readonly beforeFirstByte?: () => boolean;
  /** Ends a call only before its first byte; after it the deadline alone does. */
  readonly signal?: AbortSignal;
}

/** A place for one call on a live, logged-in session. Send once, or release. */
export interface Slot<Call, Reply> {
  send(call: Call, options: SendOptions): Promise<SendResult<Reply>>;
  /** Gives the slot back unused; nothing happens after send. */
  release(): void;
}

export type Reservation<Call, Reply> =
  | { readonly ok: true; readonly slot: Slot<Call, Reply> }
  | { readonly ok: false; readonly failure: ReserveFailure };

/** The sessions to one endpoint. A changed endpoint (host, key, credentials) is a new one. */
export interface Sessions<Call, Reply> {
  /** A slot if one is free on a live session now; connects nothing. */
  tryReserve(): Slot<Call, Reply> | undefined;
  /** Waits for a free slot, and connects when none is live: a slot is a session that is logged in already. */
  reserve(options?: { readonly signal?: AbortSignal }): Promise<Reservation<Call, Reply>>;
  /** Reserve and send. */
  send(call: Call, options: SendOptions): Promise<SendResult<Reply>>;
  state(): { readonly sessions: number; readonly channels: number };
  /** Destroys what is open (calls on the wire end CONNECTION_LOST) and leaves nothing. */
  close(): Promise<void>;
}

export function failed(code: NotSentCode, message: string): { readonly ok: false; readonly failure: ReserveFailure } {
  return { ok: false, failure: { kind: 'NOT_SENT', code, message } };
}

export function givenUp() {
  return failed('ABORTED', 'The call was cancelled before its first byte.');
}

/** Why nothing may be sent, asked right before the first byte; undefined: it may. `gone`: the session can carry no call. */
export function obstacle(options: SendOptions, gone: boolean): ReturnType<typeof failed> | 'stale' | undefined {
  if (options.signal?.aborted) return givenUp();
  if (gone) return 'stale';
  if (options.beforeFirstByte?.() !== false) return undefined;
  return failed('WINDOW_PASSED', 'Too much time passed after the call was journaled. Nothing was sent.');
}
