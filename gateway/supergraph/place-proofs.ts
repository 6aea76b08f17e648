// Proofs that requests to one place come from this gateway: the MAC of a session with the process there, or a signature while there is none. A
// signature is always accepted, so no request waits for a session or fails for the lack of one.
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import {
  agreementKeyShape,
  type Handshake,
  newAgreementKey,
  otherKeyCode,
  RequestSession,
  unknownSessionCode,
} from '../../platform/graph/request-session.ts';
import { type IdentityClaims, proveIdentity, signIdentity } from '../../platform/graph/signed-identity.ts';
import type { SigningKeys } from '../../platform/secrets/key-pairs.ts';
import { jsonIn } from '../../platform/values/json.ts';

/** Counts of all places. */
export class ProofCounts {
  readonly requests = { mac: 0, signature: 0 };
  readonly handshakes = { opened: 0, refused: 0, failed: 0 };
  /** Requests that were repeated with a signature. */
  unknownSessions = 0;
}

export interface HandshakeAnswer {
  readonly status: number;
  readonly text: string;
}

interface PlaceProofsOptions {
  /** Name of the subgraph. */
  readonly audience: string;
  readonly keys: SigningKeys;
  /** Sends a handshake to the place. */
  readonly handshake: (body: string, signed: string) => Promise<HandshakeAnswer>;
  readonly counts?: ProofCounts | undefined;
  /** Monotonic milliseconds. */
  readonly nowMs?: () => number;
  /** Duration of a session. */
  readonly seconds?: number | undefined;
}

interface OpenSession {
  readonly session: RequestSession;
  /** The key that signed the handshake. */
  readonly signerId: string;
  readonly renewsAtMs: number;
  readonly endsAtMs: number;
}

interface Proof {
  /** The identity header. */
  readonly text: string;
  readonly id: string;
  /** Undefined for a signature. */
  readonly session: RequestSession | undefined;
}

const sessionSeconds = 600;
/** Share of a session's duration. The rest is for its renewal. */
const renewalShare = 0.8;
const betweenHandshakesMs = 1_000;
const afterFailureMs = 5_000;
/** Several processes behind one address share its requests, so no session fits all of them. */
const severalProcessesMs = 60_000;
const mostEarlierKeys = 8;

export class PlaceProofs {
  readonly #options: PlaceProofsOptions;
  readonly #counts: ProofCounts;
  readonly #nowMs: () => number;
  /** Key of the process there, as last stated by it. */
  #key: string | undefined;
  /** Keys of earlier processes. */
  readonly #earlier = new Set<string>();
  #open: OpenSession | undefined;
  #isAsking = false;
  #restsUntilMs = 0;
  #severalUntilMs = 0;

  constructor(options: PlaceProofsOptions) {
    this.#options = options;
    this.#counts = options.counts ?? new ProofCounts();
    this.#nowMs = options.nowMs ?? (() => performance.now());
  }

  /** For a request that is sent immediately. */
  prove(claims: IdentityClaims, body: string | Buffer): Proof {
    const id = randomUUID();
    const session = this.#session();
    if (session === undefined) return { text: this.sign(claims, body, id), id, session };
    this.#counts.requests.mac += 1;
    return { text: proveIdentity(session, claims, { audience: this.#options.audience, body, id }), id, session };
  }

  /** `id`: the request's, if it was sent before. */
  sign(claims: IdentityClaims, body: string | Buffer, id: string): string {
    this.#counts.requests.signature += 1;
    return signIdentity(this.#options.keys, claims, { audience: this.#options.audience, body, id });
  }

  /** Handles the header of an answer. */
  stated(key: unknown): void {
    const parsed = key === undefined ? undefined : agreementKeyShape.safeParse(key);
    if (parsed?.success !== true || parsed.data === this.#key || this.#nowMs() < this.#severalUntilMs) return;
    if (this.#earlier.has(parsed.data)) {
      this.#leaveSeveral();
      return;
    }
    if (this.#key !== undefined) this.#earlier.add(this.#key);
    const [oldest] = this.#earlier;
    if (this.#earlier.size > mostEarlierKeys && oldest !== undefined) this.#earlier.delete(oldest);
    this.#key = parsed.data;
    this.#open = undefined;
  }

  /** The process that got the proof does not know its session. */
  unknown({ session }: Proof, key: string): void {
    this.#counts.unknownSessions += 1;
    if (this.#open?.session === session) this.#open = undefined;
    this.stated(key);
  }

  #session(): RequestSession | undefined {
    const nowMs = this.#nowMs();
    // A new key is used at once, because the old one is about to be retired.
    if (this.#open !== undefined && (nowMs >= this.#open.endsAtMs || this.#open.signerId !== this.#signerId()))
      this.#open = undefined;
    const isDue = this.#open === undefined || nowMs >= this.#open.renewsAtMs;
    if (isDue && this.#key !== undefined && !this.#isAsking && nowMs >= this.#restsUntilMs) void this.#ask(this.#key);
    return this.#open?.session;
  }

  async #ask(key: string): Promise<void> {
    this.#isAsking = true;
    this.#restsUntilMs = this.#nowMs() + betweenHandshakesMs;
    try {
      await this.#handshake(key);
    } catch {
      this.#counts.handshakes.failed += 1;
      this.#restsUntilMs = this.#nowMs() + afterFailureMs;
    } finally {
      this.#isAsking = false;
    }
  }

  async #handshake(key: string): Promise<void> {
    const { audience, keys, handshake, seconds = sessionSeconds } = this.#options;
    const own = newAgreementKey();
    const content: Handshake = { purpose: 'session', subgraphKey: key, gatewayKey: own.publicText, seconds };
    const body = JSON.stringify(content);
    const id = randomUUID();
    const signerId = this.#signerId();
    const session = new RequestSession(own.privateKey, key, { audience, signerId, id, body });
    const fromMs = this.#nowMs();
    const { status, text } = await handshake(
      body,
      signIdentity(keys, { identity: null, requestId: id }, { audience, body, id }),
    );
    if (status === 200 && openedShape.safeParse(jsonIn(text)).data?.session === session.id) {
      this.#counts.handshakes.opened += 1;
      const ms = seconds * 1000;
      // Another process may run there by now.
      if (this.#key === key)
        this.#open = { session, signerId, renewsAtMs: fromMs + ms * renewalShare, endsAtMs: fromMs + ms };
      return;
    }
    this.#counts.handshakes.refused += 1;
    const other = status === 409 ? otherKeyShape.safeParse(jsonIn(text)).data?.subgraphKey : undefined;
    if (other === undefined || other === key) this.#restsUntilMs = this.#nowMs() + afterFailureMs;
    else this.stated(other);
  }

  #leaveSeveral(): void {
    this.#severalUntilMs = this.#nowMs() + severalProcessesMs;
    this.#earlier.clear();
    this.#key = undefined;
    this.#open = undefined;
  }

  #signerId(): string {
    return this.#options.keys.active().id;
  }
}

const openedShape = z.object({ session: z.string() });
const otherKeyShape = z.object({ code: z.literal(otherKeyCode), subgraphKey: agreementKeyShape });
const unknownShape = z.object({
  code: z.literal(unknownSessionCode),
  executed: z.literal(false),
  subgraphKey: agreementKeyShape,
});

/** The key of a process that refuses a request because it does not know the session. It has done nothing. */
export function unknownSessionIn(status: number, text: string): string | undefined {
  return status === 401 ? unknownShape.safeParse(jsonIn(text)).data?.subgraphKey : undefined;
}
