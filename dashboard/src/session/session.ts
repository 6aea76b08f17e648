// The login, one for all tabs of the browser. The refresh token is in a cookie that no script can read (gateway/web/session-request.ts); each tab
// has the access token in memory only, and tabs give it to each other. Storage says only whether there is a login.
import type { RefusalFragment } from '../../../generated/dashboard/graphql.ts';
import { type Credentials, RequestError, sendJson } from '../graph/request.ts';

const storageKey = 'tidegate.session';
const channelName = 'tidegate.session';
const lockName = 'tidegate.session.renew';
/** An access token with less time left than this is renewed before use. */
const marginMs = 30_000;
/** Tabs renew at different moments, so that usually one renews for all. */
const spreadMs = 15_000;
/** How long other tabs have to answer with their token. */
const askedMs = 150;
const maxTimerMs = 0x7fffffff;

type SessionStatus = 'none' | 'open' | 'ended';

interface Token {
  readonly accessToken: string;
  readonly endsAtMs: number;
}

interface Payload {
  readonly accessToken?: string | null;
  readonly accessTokenExpiresAt?: string | null;
  readonly userErrors: readonly RefusalFragment[];
}

type Message = { readonly type: 'token'; readonly token: Token } | { readonly type: 'ask' };

export class Session implements Credentials {
  readonly #url: string;
  readonly #storage: Storage;
  readonly #channel = new BroadcastChannel(channelName);
  readonly #listeners = new Set<() => void>();
  #token: Token | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #renewing: Promise<string | undefined> | undefined;
  #asked: (() => void) | undefined;
  #status: SessionStatus;

  /** `url` is that of the server; `storage` is common to all tabs. */
  constructor(url: string, storage: Storage) {
    this.#url = url;
    this.#storage = storage;
    this.#status = storage.getItem(storageKey) === null ? 'none' : 'open';
    this.#channel.onmessage = ({ data }: MessageEvent<Message>) => {
      if (data.type === 'token') this.#adopt(data.token);
      else if (this.#fresh() !== undefined) this.#share();
    };
    // Another tab logged in or out.
    window.addEventListener('storage', ({ key, newValue }) => {
      if (key !== storageKey) return;
      if (newValue === null) this.#drop('none');
      else this.#setStatus('open');
    });
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
    return this.#open(await this.#post('login', { name, password }));
  }

  /** Logs in with a one-time code, unless there is a login: a link that somebody else made must not replace it. */
  async start(code: string): Promise<readonly RefusalFragment[]> {
    if ((await this.accessToken().catch(() => undefined)) !== undefined) return [];
    return this.#open(await this.#post('sessionStart', { code }));
  }

  async logout(): Promise<void> {
    this.end('none');
    // The tab drops the login even if the server can't be reached.
    await this.#post('logout', {}).catch(() => undefined);
  }

  /** Drops the login in all tabs; with `ended` the form explains that the session has ended. */
  end(status: 'none' | 'ended'): void {
    this.#storage.removeItem(storageKey);
    this.#drop(status);
  }

  async accessToken(): Promise<string | undefined> {
    return this.#fresh() ?? (await this.renew());
  }

  async renew(): Promise<string | undefined> {
    this.#renewing ??= this.#renewAlone().finally(() => {
      this.#renewing = undefined;
    });
    return await this.#renewing;
  }

  #open(payload: Payload): readonly RefusalFragment[] {
    const token = tokenOf(payload);
    if (token === undefined) return payload.userErrors;
    this.#storage.setItem(storageKey, 'open');
    this.#adopt(token);
    this.#share();
    this.#setStatus('open');
    return [];
  }

  async #renewAlone(): Promise<string | undefined> {
    if (this.#storage.getItem(storageKey) === null) return undefined;
    const before = this.#token?.accessToken;
    if (before === undefined) await this.#askOthers();
    // Locks exist only in secure contexts (https, or a loopback address); elsewhere the server gives two tabs the same answer.
    if (navigator.locks === undefined) return await this.#renewNow(before);
    return await navigator.locks.request(lockName, async () => await this.#renewNow(before));
  }

  async #renewNow(before: string | undefined): Promise<string | undefined> {
    // Another tab renewed while this one waited for its turn.
    const fresh = this.#fresh();
    if (fresh !== undefined && fresh !== before) return fresh;
    let payload: Payload;
    try {
      payload = await this.#post('sessionRefresh', {});
    } catch (error) {
      if (!(error instanceof RequestError) || error.code !== 'UNAUTHENTICATED') throw error;
      this.end('ended');
      return undefined;
    }
    const token = tokenOf(payload);
    if (token === undefined) {
      const [refusal] = payload.userErrors;
      if (refusal?.retry === 'SAME_KEY') throw new RequestError(refusal.code, refusal.message);
      this.end('ended');
      return undefined;
    }
    this.#adopt(token);
    this.#share();
    return token.accessToken;
  }

  /** Another tab may have a token: then nothing has to be renewed. */
  async #askOthers(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#asked = resolve;
      setTimeout(resolve, askedMs);
      this.#channel.postMessage({ type: 'ask' } satisfies Message);
    });
    this.#asked = undefined;
  }

  /** With `keepalive`: the cookie of the answer arrives even if the page is left meanwhile. */
  async #post(field: 'login' | 'sessionStart' | 'sessionRefresh' | 'logout', input: object): Promise<Payload> {
    const data = await sendJson<Readonly<Record<string, Payload>>>(`${this.#url}/session/${field}`, input);
    return data[field] ?? { userErrors: [] };
  }

  #fresh(): string | undefined {
    return this.#token !== undefined && Date.now() < this.#token.endsAtMs - marginMs
      ? this.#token.accessToken
      : undefined;
  }

  #adopt(token: Token): void {
    if (token.endsAtMs < (this.#token?.endsAtMs ?? 0)) return;
    this.#token = token;
    clearTimeout(this.#timer);
    const renewInMs = Math.max(5_000, token.endsAtMs - Date.now() - 2 * marginMs) + Math.random() * spreadMs;
    this.#timer = setTimeout(() => this.#renewOld(token), Math.min(renewInMs, maxTimerMs));
    this.#asked?.();
  }

  #renewOld(token: Token): void {
    if (this.#token === token) void this.renew().catch(() => undefined);
  }

  #share(): void {
    if (this.#token !== undefined) this.#channel.postMessage({ type: 'token', token: this.#token } satisfies Message);
  }

  #drop(status: 'none' | 'ended'): void {
    clearTimeout(this.#timer);
    this.#token = undefined;
    this.#setStatus(status);
  }

  #setStatus(status: SessionStatus): void {
    if (status === this.#status) return;
    this.#status = status;
    for (const listener of this.#listeners) listener();
  }
}

function tokenOf({ accessToken, accessTokenExpiresAt }: Payload): Token | undefined {
  if (!accessToken || !accessTokenExpiresAt) return undefined;
  return { accessToken, endsAtMs: Date.parse(accessTokenExpiresAt) };
}
