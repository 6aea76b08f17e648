// Sends one call on a session, over any wire: first a slot on a live session is reserved, then the call is sent on it. Nothing here
// rejects. A failure states for certain whether the peer can have received a byte of the call.

/** Why no byte of the call was passed to the kernel. */
export type NotSentCode =
  /** No TCP connection, or the peer closed it before login. */
  | 'CONNECT_FAILED'
  /** This host does not have the source address for calls to the peer. */
  | 'SOURCE_MISSING'
  /** The egress policy allows no address of the peer. */
  | 'EGRESS_DENIED'
  /** No common algorithms, or the peer does not speak the protocol. */
  | 'PROTOCOL_FAILED'
  /** The credentials are refused: the transport never tries them again. */
  | 'AUTH_FAILED'
  /** The device presented another key than the pinned one, given in `presented`. */
  | 'HOST_KEY_MISMATCH'
  /** No key is pinned; `presented` has the device's. */
  | 'HOST_KEY_UNKNOWN'
  /** The device presented another certificate than the pinned one, given in `presented`. */
  | 'CERTIFICATE_MISMATCH'
  /** No certificate is pinned and no authority is trusted; `presented` has the device's certificate. */
  | 'CERTIFICATE_UNKNOWN'
  /** The certificate has expired, is for another name, or was not signed by a trusted authority; `presented` has it. */
  | 'CERTIFICATE_INVALID'
  /** The device accepts no further session now. */
  | 'SESSION_REFUSED'
  /** The device refused a channel on two connections, or rejected the exec request. */
  | 'CHANNEL_REFUSED'
  /** `beforeFirstByte` returned false. */
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
      /** The fingerprint that the device presented, for the HOST_KEY and CERTIFICATE codes. */
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
   * Counted from the first byte. After it, the call ends with NO_REPLY within 1 s, and this machine sends no more of the call. Data
   * in the network may still arrive a few seconds later.
   */
  readonly deadlineMs: number;
  /** Default 1 MiB, stdout and stderr together. */
  readonly maxReplyBytes?: number;
  /**
   * Called synchronously, right before the first byte of the call is passed to the kernel: when it returns false nothing is sent,
   * WINDOW_PASSED. Called once more before it resends a call that the device refused unprocessed, and before the input of a command
   * that accepts input later. There, false means NO_VERDICT.
   */
  readonly beforeFirstByte?: () => boolean;
  /** Ends a call only before its first byte; after that only the deadline does. */
  readonly signal?: AbortSignal;
}

/** A slot for one call on a live, logged-in session. Send once, or release. */
export interface Slot<Call, Reply> {
  send(call: Call, options: SendOptions): Promise<SendResult<Reply>>;
  /** Releases an unused slot; does nothing after send. */
  release(): void;
}

export type Reservation<Call, Reply> =
  | { readonly ok: true; readonly slot: Slot<Call, Reply> }
  | { readonly ok: false; readonly failure: ReserveFailure };

/** The sessions to one endpoint. A changed endpoint (host, key, credentials) is a new one. */
export interface Sessions<Call, Reply> {
  /** A slot if one is free on a live session; makes no connection. */
  tryReserve(): Slot<Call, Reply> | undefined;
  /** Waits for a free slot, and connects if no session is live; a slot is always on a logged-in session. */
  reserve(options?: { readonly signal?: AbortSignal }): Promise<Reservation<Call, Reply>>;
  /** Reserve and send. */
  send(call: Call, options: SendOptions): Promise<SendResult<Reply>>;
  state(): { readonly sessions: number; readonly channels: number };
  /** Destroys everything open (calls on the wire end with CONNECTION_LOST). */
  close(): Promise<void>;
}

export function failed(code: NotSentCode, message: string): { readonly ok: false; readonly failure: ReserveFailure } {
  return { ok: false, failure: { kind: 'NOT_SENT', code, message } };
}

export function givenUp() {
  return failed('ABORTED', 'The call was cancelled before its first byte.');
}

/**
 * Why nothing may be sent, checked right before the first byte. Undefined if the call may be sent. `gone`: whether the session can
 * carry no more calls.
 */
export function obstacle(options: SendOptions, gone: boolean): ReturnType<typeof failed> | 'stale' | undefined {
  if (options.signal?.aborted) return givenUp();
  if (gone) return 'stale';
  if (options.beforeFirstByte?.() !== false) return undefined;
  return failed('WINDOW_PASSED', 'Too much time passed after the call was journaled. Nothing was sent.');
}

/** A reply that can't be read, for example because it nests too deeply, allows nothing. */
export function isAllowed<Reply>(guard: { allows(reply: Reply): boolean }, reply: Reply): boolean {
  try {
    return guard.allows(reply);
  } catch {
    return false;
  }
}
