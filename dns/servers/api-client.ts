// Calls to a name server's HTTP API. HTTPS only, because each call carries the key or token. Every failure becomes a DnsError.

import type { EgressPolicy } from '../../platform/net/egress.ts';
import type { HttpCall, HttpReply, HttpSessions } from '../../platform/net/http.ts';
import { HttpsClient } from '../../platform/net/https-client.ts';
import { addressOfUrl } from '../../platform/net/origin.ts';
import type { SendFailure } from '../../platform/net/send.ts';
import type { Trust } from '../../platform/net/tls-certificate.ts';
import { isObject, type JsonValue, jsonIn } from '../../platform/values/json.ts';
import { DnsError, type DnsErrorCode } from './dns-error.ts';

export interface ApiPlace extends Pick<Trust, 'certificateSha256' | 'caCertificates'> {
  /** For example `https://192.0.2.53:8081`. Each call appends its path. */
  readonly url: string;
}

export interface ApiClientOptions {
  readonly place: ApiPlace;
  /** Other places that a login calls: Keystone. The same authorities are trusted for them. */
  readonly others?: readonly string[];
  readonly headers?: Readonly<Record<string, string>>;
  readonly sessions?: HttpSessions;
  readonly egress: EgressPolicy;
  /** Deadline of one call. */
  readonly timeoutMs: number;
}

interface ApiCall {
  readonly method: HttpCall['method'];
  /** Path, appended to the path of the place. */
  readonly path: string;
  readonly body?: JsonValue;
  /** If false right before the first byte, nothing is sent, and CHANGED_MEANWHILE is thrown. */
  readonly mayChange?: () => boolean;
  /** Statuses that the caller handles, in addition to 2xx. */
  readonly allow?: readonly number[];
}

interface ApiReply {
  readonly status: number;
  /** Undefined if it is not JSON. */
  readonly body: JsonValue | undefined;
}

/** A zone's or name's records are far less. */
const maxReplyBytes = 8 * 1024 * 1024;
const concurrency = 8;

const codes: Readonly<Record<SendFailure['code'], DnsErrorCode>> = {
  CONNECT_FAILED: 'UNREACHABLE',
  EGRESS_DENIED: 'EGRESS_DENIED',
  SOURCE_MISSING: 'UNREACHABLE',
  PROTOCOL_FAILED: 'BAD_ANSWER',
  AUTH_FAILED: 'UNAUTHORIZED',
  HOST_KEY_MISMATCH: 'BAD_CERTIFICATE',
  HOST_KEY_UNKNOWN: 'BAD_CERTIFICATE',
  CERTIFICATE_MISMATCH: 'BAD_CERTIFICATE',
  CERTIFICATE_UNKNOWN: 'BAD_CERTIFICATE',
  CERTIFICATE_INVALID: 'BAD_CERTIFICATE',
  SESSION_REFUSED: 'UNREACHABLE',
  CHANNEL_REFUSED: 'UNREACHABLE',
  WINDOW_PASSED: 'CHANGED_MEANWHILE',
  ABORTED: 'TIMED_OUT',
  CLOSED: 'UNREACHABLE',
  NO_REPLY: 'TIMED_OUT',
  CONNECTION_LOST: 'UNREACHABLE',
};

export class ApiClient {
  readonly #options: ApiClientOptions;
  readonly #base: string;
  readonly #https: HttpsClient;

  constructor(options: ApiClientOptions) {
    const { place, others = [], sessions, egress, timeoutMs } = options;
    this.#options = options;
    this.#base = new URL(place.url).pathname.replace(/\/$/, '');
    const endpointOf = (url: string, certificateSha256: string | null) => {
      const address = addressOfUrl(url);
      if (address === undefined) throw new DnsError('BAD_ANSWER', `${url} is not an https URL`);
      return { ...address, cryptoProfile: 'MODERN' as const, caCertificates: place.caCertificates, certificateSha256 };
    };
    this.#https = new HttpsClient({
      endpoint: endpointOf(place.url, place.certificateSha256),
      others: others.map((url) => endpointOf(url, place.caCertificates === null ? place.certificateSha256 : null)),
      ...{ egress, concurrency, sessions, connectTimeoutMs: timeoutMs },
    });
  }

  /** Throws DnsError. */
  async call({ mayChange, allow = [], ...call }: ApiCall, signal: AbortSignal): Promise<ApiReply> {
    signal.throwIfAborted();
    const sent = this.#https.send(
      { kind: 'http', ...call, path: `${this.#base}${call.path}`, headers: this.#options.headers ?? {} },
      {
        ...{ deadlineMs: this.#options.timeoutMs, maxReplyBytes, signal },
        ...(mayChange === undefined ? {} : { beforeFirstByte: mayChange }),
      },
    );
    const result = await unlessAborted(sent, signal);
    if (!result.ok) throw new DnsError(codes[result.failure.code], withoutStop(result.failure.message));
    const { status } = result.reply;
    const body = jsonOf(result.reply);
    if ((status >= 200 && status < 300) || allow.includes(status)) return { status, body };
    throw new DnsError(codeOf(status), `${call.method} was answered with status ${status}: ${wordsOf(body)}`);
  }

  close(): Promise<void> {
    return this.#https.close();
  }
}

function codeOf(status: number): DnsErrorCode {
  if (status === 401 || status === 403) return 'UNAUTHORIZED';
  if (status === 404) return 'NOT_AUTHORITATIVE';
  return status >= 500 ? 'SERVER_FAILURE' : 'REFUSED';
}

/** A started call continues to its deadline, but nobody waits for it. */
async function unlessAborted<Result>(work: Promise<Result>, signal: AbortSignal): Promise<Result> {
  const { promise, reject } = Promise.withResolvers<never>();
  const end = () => reject(signal.reason);
  signal.addEventListener('abort', end, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener('abort', end);
  }
}

function jsonOf({ body, truncated }: HttpReply): JsonValue | undefined {
  if (truncated) throw new DnsError('BAD_ANSWER', `its answer is longer than ${maxReplyBytes} bytes`);
  return jsonIn(body);
}

/** The error message of PowerDNS or Designate. Other response text is not shown. */
function wordsOf(body: JsonValue | undefined): string {
  const words = isObject(body) ? (body.error ?? body.message) : undefined;
  return typeof words === 'string' ? words.slice(0, 300) : 'without a message';
}

function withoutStop(text: string): string {
  return text.replace(/\.$/, '');
}
