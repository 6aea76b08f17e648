// The login: the access token is only in memory, the refresh token in the tab's sessionStorage. A refresh token works once, and a
// duplicated tab (or GraphiQL opened from here) starts with a copy, so tabs renew one at a time and share the new token.
import {
  DashboardLoginByCodeDocument,
  DashboardLoginDocument,
  type DashboardLoginMutation,
  DashboardLogoutDocument,
  DashboardRefreshDocument,
  type RefusalFragment,
} from '../../../generated/dashboard/graphql.ts';
import { type Credentials, RequestError, send } from '../graph/request.ts';

const storageKey = 'tidegate.session';
const channelName = 'tidegate.session';
const lockName = 'tidegate.session.renew';
/** An access token with less time left than this is renewed before use. */
const marginMs = 30_000;
const maxTimerMs = 0x7fffffff;

type SessionStatus = 'none' | 'open' | 'ended';

type LoginResult = DashboardLoginMutation['login'];

interface TokenPair {
  readonly accessToken: string;
  readonly accessTokenExpiresAt: string;
  readonly refreshToken: string;
}

interface Renewal {
  readonly usedRefreshToken: string;
  readonly tokens: TokenPair;
}

export class Session implements Credentials {
  readonly #url: string;
  readonly #storage: Storage;
  readonly #channel = new BroadcastChannel(channelName);
  readonly #listeners = new Set<() => void>();
  #refreshToken: string | null;
  #accessToken: string | undefined;
  #accessEndsMs = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #renewing: Promise<string | undefined> | undefined;
  #status: SessionStatus;

  /** `url` is the graph's. */
  constructor(url: string, storage: Storage) {
    this.#url = url;
    this.#storage = storage;
    this.#refreshToken = storage.getItem(storageKey);
    this.#status = this.#refreshToken === null ? 'none' : 'open';
    this.#channel.onmessage = (event: MessageEvent<Renewal>) => {
      if (event.data.usedRefreshToken === this.#refreshToken) this.#adopt(event.data.tokens);
    };
  }

  get status(): SessionStatus {
    return this.#status;
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Returns the refusals. Empty after a login. Throws RequestError when the server can't be reached. */
  async login(name: string, password: string): Promise<readonly RefusalFragment[]> {
    const { login } = await send(this.#url, DashboardLoginDocument, { input: { name, password } });
    return this.#open(login);
  }

  /** Logs in with a one-time code, unless there is a login: a link that somebody else made must not replace it. */
  async start(code: string): Promise<readonly RefusalFragment[]> {
    if ((await this.accessToken().catch(() => undefined)) !== undefined) return [];
    const { sessionStart } = await send(this.#url, DashboardLoginByCodeDocument, { input: { code } });
    return this.#open(sessionStart);
  }

  #open(result: LoginResult): readonly RefusalFragment[] {
    const tokens = tokensOf(result);
    if (tokens === undefined) return result.userErrors;
    this.#adopt(tokens);
    this.#setStatus('open');
    return [];
  }

  async logout(): Promise<void> {
    const bearer = this.#accessToken;
    this.end('none');
    // The tab drops the login even if the server can't be reached.
    if (bearer !== undefined) await send(this.#url, DashboardLogoutDocument, {}, bearer).catch(() => undefined);
  }

  /** Drops the login; with `ended` the form explains that the session has ended. */
  end(status: 'none' | 'ended'): void {
    clearTimeout(this.#timer);
    this.#storage.removeItem(storageKey);
    this.#refreshToken = null;
    this.#accessToken = undefined;
    this.#setStatus(status);
  }

  async accessToken(): Promise<string | undefined> {
    if (this.#accessToken !== undefined && Date.now() < this.#accessEndsMs - marginMs) return this.#accessToken;
    return await this.renew();
  }

  async renew(): Promise<string | undefined> {
    this.#renewing ??= this.#renewAlone().finally(() => {
      this.#renewing = undefined;
    });
    return await this.#renewing;
  }

  async #renewAlone(): Promise<string | undefined> {
    const before = this.#refreshToken;
    // Locks exist only in secure contexts (https, or a loopback address); elsewhere duplicated tabs may have to log in again.
    if (navigator.locks === undefined) return await this.#renewNow(before);
    return await navigator.locks.request(lockName, async () => await this.#renewNow(before));
  }

  async #renewNow(before: string | null): Promise<string | undefined> {
    const used = this.#refreshToken;
    if (used === null) return undefined;
    // Another tab renewed while this one waited for its turn.
    if (used !== before && this.#accessToken !== undefined) return this.#accessToken;
    const data = await send(this.#url, DashboardRefreshDocument, { input: { refreshToken: used } });
    const tokens = tokensOf(data.sessionRefresh);
    if (tokens === undefined) {
      // The other tab's message may arrive only now; its tokens can be used here as well.
      await new Promise((resolve) => setTimeout(resolve, 200));
      if (this.#refreshToken !== used) return this.#accessToken;
      const refusal = data.sessionRefresh.userErrors[0];
      if (refusal?.retry === 'SAME_KEY') throw new RequestError(refusal.code, refusal.message);
      this.end('ended');
      return undefined;
    }
    if (this.#refreshToken !== used) return this.#accessToken;
    this.#channel.postMessage({ usedRefreshToken: used, tokens } satisfies Renewal);
    this.#adopt(tokens);
    return tokens.accessToken;
  }

  #adopt(tokens: TokenPair): void {
    this.#refreshToken = tokens.refreshToken;
    this.#storage.setItem(storageKey, tokens.refreshToken);
    this.#accessToken = tokens.accessToken;
    this.#accessEndsMs = Date.parse(tokens.accessTokenExpiresAt);
    clearTimeout(this.#timer);
    const renewInMs = Math.max(5_000, this.#accessEndsMs - Date.now() - 2 * marginMs);
    this.#timer = setTimeout(() => this.renew().catch(() => undefined), Math.min(renewInMs, maxTimerMs));
  }

  #setStatus(status: SessionStatus): void {
    this.#status = status;
    for (const listener of this.#listeners) listener();
  }
}

function tokensOf(result: LoginResult): TokenPair | undefined {
  const { accessToken, accessTokenExpiresAt, refreshToken } = result;
  return accessToken && accessTokenExpiresAt && refreshToken
    ? { accessToken, accessTokenExpiresAt, refreshToken }
    : undefined;
}
