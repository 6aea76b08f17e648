// The credential of a context. A session is renewed before its access token ends, by one process at a time, and the new tokens are written back. Each
// refresh token allows one renewal, and a second use ends the session.
import { ContextStore, type StoredContext, type StoredCredential } from './contexts.ts';
import { givenToken, refreshDocument, renewalInMs } from './credential.ts';
import { CommandFailure } from './failures.ts';
import { type Credential, GraphClient } from './graph-client.ts';
import type { Surroundings } from './verb.ts';

interface Around extends Pick<Surroundings, 'signal' | 'env'> {
  readonly url: URL;
  /** Deadline of a renewal. */
  readonly renewalMs?: number | undefined;
}
type Session = Extract<StoredCredential, { refreshToken: string }>;

export function storedCredential(context: StoredContext, around: Around): Credential {
  return 'token' in context.credential ? givenToken(context.credential.token) : new StoredSession(context, around);
}

/** Answer to a login or a renewal. */
interface SessionTokens {
  readonly accessToken?: string | null | undefined;
  readonly accessTokenExpiresAt?: string | null | undefined;
  readonly refreshToken?: string | null | undefined;
  readonly refreshTokenExpiresAt?: string | null | undefined;
}

/** Throws CommandFailure if the server gave none. */
export function sessionOf({
  accessToken,
  accessTokenExpiresAt,
  refreshToken,
  refreshTokenExpiresAt,
}: SessionTokens): Session {
  if (accessToken == null || accessTokenExpiresAt == null || refreshToken == null)
    throw new CommandFailure('the server gave no tokens for the login');
  const nowMs = Date.now();
  const renewAt = new Date(nowMs + renewalInMs(Date.parse(accessTokenExpiresAt) - nowMs)).toISOString();
  return { accessToken, renewAt, refreshToken, refreshTokenExpiresAt: refreshTokenExpiresAt ?? null };
}

class StoredSession implements Credential {
  readonly #store: ContextStore;
  readonly #around: Around;
  #context: StoredContext;
  #renewing: Promise<void> | undefined;
  #client: GraphClient | undefined;

  constructor(context: StoredContext, around: Around) {
    this.#store = new ContextStore(around.env);
    this.#context = context;
    this.#around = around;
  }

  async token(): Promise<string> {
    const { accessToken, renewAt } = this.#session;
    if (Date.now() >= Date.parse(renewAt)) await this.#renew(accessToken);
    return this.#session.accessToken;
  }

  async inPlaceOf(refused: string): Promise<string | undefined> {
    if (refused === this.#session.accessToken) await this.#renew(refused);
    return this.#session.accessToken;
  }

  async close(): Promise<void> {
    await this.#client?.close();
  }

  get #session(): Session {
    return this.#context.credential as Session;
  }

  async #renew(stale: string): Promise<void> {
    this.#renewing ??= this.#replace(stale).finally(() => {
      this.#renewing = undefined;
    });
    await this.#renewing;
  }

  async #replace(stale: string): Promise<void> {
    const { name } = this.#context;
    await this.#store.renewing(name, this.#around.signal, async () => {
      // Another process may have renewed it.
      this.#context = await this.#store.read(name);
      if (!('refreshToken' in this.#context.credential))
        throw new CommandFailure(`context ${name} is another login now: start again`);
      if (this.#session.accessToken !== stale) return;
      const { refreshToken } = this.#session;
      const { url, renewalMs: deadlineMs } = this.#around;
      // Not cancelled by signals: the token would be used up, and its replacement lost.
      const { signal } = new AbortController();
      this.#client ??= new GraphClient({ url, credential: undefined, signal, deadlineMs });
      const { userErrors, ...tokens } = await this.#client.tryMutate(refreshDocument, { refreshToken });
      const [refusal] = userErrors;
      if (refusal !== undefined)
        throw new CommandFailure(
          `the login of context ${name} has ended (${refusal.message}): tidegate login ${this.#context.url} --as ${name}`,
        );
      this.#context = { ...this.#context, credential: sessionOf(tokens) };
      await this.#store.write(this.#context);
    });
  }
}
