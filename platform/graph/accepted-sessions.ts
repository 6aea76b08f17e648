// The sessions that gateways have opened at this process for one subgraph, and the process's own key for them.
import type { KeyObject } from 'node:crypto';
import type { PublicKeys } from '../secrets/key-pairs.ts';
import { jsonIn } from '../values/json.ts';
import {
  type AgreementKey,
  handshakeShape,
  newAgreementKey,
  RequestSession,
  type SignedHandshake,
} from './request-session.ts';

interface AcceptedSessionsOptions {
  readonly keys: PublicKeys;
  /** Sessions at a time; the oldest one gives way. Default: 1,000. */
  readonly most?: number;
  /** Monotonic milliseconds. */
  readonly nowMs?: () => number;
}

interface Accepted {
  readonly session: RequestSession;
  readonly signerId: string;
  signer: KeyObject;
  readonly endsAtMs: number;
}

/** A leaked private key is of use for this long, and for the sessions that were opened with it. */
const keyLifetimeMs = 3_600_000;
/** A gateway ends a session earlier: its clock may be slower. */
const graceMs = 60_000;

export class AcceptedSessions {
  readonly #keys: PublicKeys;
  readonly #most: number;
  readonly #nowMs: () => number;
  readonly #byPrefix = new Map<string, Accepted>();
  #own: AgreementKey | undefined;
  #ownEndsAtMs = 0;

  constructor({ keys, most = 1_000, nowMs = () => performance.now() }: AcceptedSessionsOptions) {
    this.#keys = keys;
    this.#most = most;
    this.#nowMs = nowMs;
  }

  /** The public key of this process, base64url. */
  get publicKey(): string {
    return this.#current().publicText;
  }

  /** Opens the session of a handshake whose signature was valid, and returns its id. */
  open(signed: SignedHandshake): { readonly id: string } | 'malformed' | 'other-key' {
    const handshake = handshakeShape.safeParse(jsonIn(signed.body));
    if (!handshake.success) return 'malformed';
    const { subgraphKey, gatewayKey, seconds } = handshake.data;
    const own = this.#current();
    if (subgraphKey !== own.publicText) return 'other-key';
    const signer = this.#keys.byId('gateway', signed.signerId);
    const session = signer && sessionWith(own, gatewayKey, signed);
    if (signer === undefined || session === undefined) return 'malformed';
    const [oldest] = this.#byPrefix.keys();
    if (this.#byPrefix.size >= this.#most && oldest !== undefined) this.#byPrefix.delete(oldest);
    const endsAtMs = this.#nowMs() + seconds * 1000 + graceMs;
    this.#byPrefix.set(session.prefix, { session, signer, signerId: signed.signerId, endsAtMs });
    return { id: session.id };
  }

  /** The session of a proof. Undefined if it is over, or if the key that signed its handshake is no longer a gateway's. */
  of(prefix: string): RequestSession | undefined {
    const accepted = this.#byPrefix.get(prefix);
    if (accepted === undefined) return undefined;
    if (accepted.endsAtMs > this.#nowMs() && this.#isTrusted(accepted)) return accepted.session;
    this.#byPrefix.delete(prefix);
    return undefined;
  }

  /** A proof of the session was valid: its signer's key is in use. */
  noteUse(prefix: string): void {
    const accepted = this.#byPrefix.get(prefix);
    if (accepted !== undefined) this.#keys.noteUse('gateway', accepted.signerId);
  }

  #isTrusted(accepted: Accepted): boolean {
    const now = this.#keys.byId('gateway', accepted.signerId);
    if (now === accepted.signer) return true;
    // The file of public keys was read again.
    if (now === undefined || !now.equals(accepted.signer)) return false;
    accepted.signer = now;
    return true;
  }

  #current(): AgreementKey {
    const nowMs = this.#nowMs();
    if (this.#own === undefined || nowMs >= this.#ownEndsAtMs) {
      this.#own = newAgreementKey();
      this.#ownEndsAtMs = nowMs + keyLifetimeMs;
    }
    return this.#own;
  }
}

/** Undefined if no secret follows from the gateway's key. */
function sessionWith(own: AgreementKey, gatewayKey: string, signed: SignedHandshake): RequestSession | undefined {
  try {
    return new RequestSession(own.privateKey, gatewayKey, signed);
  } catch {
    return undefined;
  }
}
