// Reads objects of OpenStack's APIs for checks, with a token of Keystone. A session belongs to one account at one place. A monitor with another
// password, project or address has another session, so that no token serves another owner's check.
import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { EgressPolicy } from '../../../../../platform/net/egress.ts';
import type { HttpReply } from '../../../../../platform/net/http.ts';
import { HttpsClient } from '../../../../../platform/net/https-client.ts';
import { addressOfUrl } from '../../../../../platform/net/origin.ts';
import { logInAtKeystone } from '../../../../../platform/openstack/keystone.ts';
import { isObject, type JsonObject } from '../../../../../platform/values/json.ts';
import { within } from '../../../../../platform/work/within.ts';

interface StackAccount {
  /** URL of the service, for example `https://openstack.example:9876`. Each call appends its path. */
  readonly url: string;
  /** Keystone URL, with its version. */
  readonly authUrl: string;
  readonly username: string;
  readonly password: string;
  readonly project: string;
  readonly userDomain?: string | undefined;
  readonly projectDomain?: string | undefined;
  /** PEM. Null if the certificate is identified by its fingerprint. */
  readonly caCertificates: string | null;
  readonly certificateSha256: string | null;
}

export interface StackReading {
  readonly status: number;
  /** Undefined if it is no JSON object. */
  readonly body: JsonObject | undefined;
}

interface StackRun {
  readonly egress: EgressPolicy;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

const answerShare = 0.8;
const mostSessions = 1_000;
const concurrency = 8;
const maxReplyBytes = 1024 * 1024;

export class OpenStack {
  readonly #clients = new LRUCache<string, HttpsClient>({
    max: mostSessions,
    dispose: (client) => void client.close(),
  });

  /** Rejects if there is no answer, which is no information about the object. */
  async get(account: StackAccount, path: string, { egress, timeoutMs, signal }: StackRun): Promise<StackReading> {
    const client = this.#clientOf(account, egress, timeoutMs);
    const base = new URL(account.url).pathname.replace(/\/$/, '');
    const call = { kind: 'http', method: 'GET', path: `${base}${path}` } as const;
    // Ends before the check's own deadline, after which the target would count as DOWN.
    const result = await within(
      timeoutMs * answerShare,
      `${account.url} did not answer`,
      (ending) => client.send(call, { deadlineMs: timeoutMs, maxReplyBytes, signal: ending }),
      signal,
    );
    if (!result.ok) throw new Error(result.failure.message);
    return { status: result.reply.status, body: bodyOf(result.reply) };
  }

  async close(): Promise<void> {
    const clients = [...this.#clients.values()];
    this.#clients.clear();
    await Promise.all(clients.map((client) => client.close()));
  }

  #clientOf(account: StackAccount, egress: EgressPolicy, connectTimeoutMs: number): HttpsClient {
    // Keyed by hash, so that memory holds no table of passwords.
    const key = createHash('sha256').update(JSON.stringify(account)).digest('base64');
    const known = this.#clients.get(key);
    if (known !== undefined) return known;
    const { caCertificates, certificateSha256 } = account;
    const endpointOf = (url: string, fingerprint: string | null) => {
      const address = addressOfUrl(url);
      if (address === undefined) throw new Error(`${url} is not an https URL`);
      return { ...address, cryptoProfile: 'MODERN' as const, caCertificates, certificateSha256: fingerprint };
    };
    const client = new HttpsClient({
      endpoint: endpointOf(account.url, certificateSha256),
      others: [endpointOf(account.authUrl, caCertificates === null ? certificateSha256 : null)],
      ...{ egress, concurrency, connectTimeoutMs },
      sessions: {
        open: (exchange) => logInAtKeystone(exchange, account),
        // keystonemiddleware answers before the service sees the call.
        refusedSession: ({ status }) => status === 401,
      },
    });
    this.#clients.set(key, client);
    return client;
  }
}

function bodyOf({ body, truncated }: HttpReply): JsonObject | undefined {
  if (truncated) return undefined;
  try {
    const read: unknown = JSON.parse(body);
    return isObject(read) ? read : undefined;
  } catch {
    return undefined;
  }
}
