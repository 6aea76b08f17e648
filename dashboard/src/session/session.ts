// The login, one for all tabs of the browser. The refresh token is in a cookie that no script can read (gateway/web/session-request.ts); each tab
// has the access token in memory only, and tabs give it to each other. Storage has only a random id of the login.
import type { RefusalFragment } from '../../../generated/dashboard/graphql.ts';
import { keepTrying } from '../graph/keep-trying.ts';
import { type Credentials, RequestError, sendJson } from '../graph/request.ts';

const storageKey = 'tidegate.session';
/** The login that has expired, so that other tabs show this too. */
const endedKey = 'tidegate.session.ended';
/** Somebody logged out, and the server does not know it yet. */
const leftKey = 'tidegate.session.left';
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
  /** By the server's clock: the newest token has the latest. */
  readonly expiresMs: number;
  /** By the clock of this browser, which may be far from the server's. */
  readonly endsAtMs: number;
}

interface Payload {
  readonly accessToken?: string | null;
  readonly accessTokenExpiresAt?: string | null;
  readonly userErrors: readonly RefusalFragment[];
}

interface Answer extends Payload {
  readonly serverMs: number;
}

interface Offer {
  readonly type: 'token';
  readonly token: Token;
  readonly loginId: string;
}

type Message = Offer | { readonly type: 'ask' };

export class Session implements Credentials {
  readonly #url: string;
  readonly #storage: Storage;
  readonly #channel = new BroadcastChannel(channelName);
  readonly #listeners = new Set<() => void>();
  #token: Token | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #renewing: Promise<string | undefined> | undefined;
  #asked: (() => void) | undefined;
  /** The last logout, until the server knows it: its answer must not remove the cookie of a later login. */
  #leaving: Promise<void>;
  /** The last one of another tab: it may come before the event of its login. */
  #offer: Offer | undefined;
  #loginId: string | null;
  #status: SessionStatus;

  /** `url`: the server's. `storage`: shared by all tabs. */
  constructor(url: string, storage: Storage) {
    this.#url = url;
    this.#storage = storage;
    this.#loginId = storage.getItem(storageKey);
    this.#status = this.#loginId !== null ? 'open' : storage.getItem(endedKey) === null ? 'none' : 'ended';
    this.#channel.onmessage = ({ data }: MessageEvent<Message>) => {
      if (data.type === 'ask') {
        if (this.#fresh() !== undefined) this.#share();
      } else {
        this.#offer = data;
        if (data.loginId === this.#loginId) this.#adopt(data.token);
      }
    };
    // Another tab logged in or out.
    window.addEventListener('storage', ({ key, newValue }) => {
      if (key !== storageKey) return;
      if (newValue === null) this.#change(null, storage.getItem(endedKey) === this.#loginId ? 'ended' : 'none');
      else this.#change(newValue, 'open', this.#offer?.loginId === newValue ? this.#offer.token : undefined);
    });
    this.#leaving = this.#tellLogout();
  }

  get status(): SessionStatus {
    return this.#status;
  }

  /** Each login has another one, in all tabs the same. Null without a login. */
  get loginId(): string | null {
    return this.#loginId;
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Returns the refusals. Empty after a login. Throws RequestError when the server can't be reached. */
  async login(name: string, password: string): Promise<readonly RefusalFragment[]> {
    await this.#leaving;
    return this.#open(await this.#post('login', { name, password }));
  }

  /** Logs in with a one-time code, unless there is a login: a link that somebody else made must not replace it. */
  async start(code: string): Promise<readonly RefusalFragment[]> {
    if ((await this.accessToken()) !== undefined) return [];
    await this.#leaving;
    return this.#open(await this.#post('sessionStart', { code }));
  }

  /** The tab drops the login even if the server can't be reached. */
  async logout(): Promise<void> {
    this.end('none');
    this.#storage.setItem(leftKey, 'left');
    this.#leaving = this.#tellLogout();
    await this.#leaving;
  }

  /** The cookie stays valid until the server has ended the login. A tab that is opened later tries again; another login replaces the cookie. */
  async #tellLogout(): Promise<void> {
    const tell = async (): Promise<void> => {
      if (this.#storage.getItem(leftKey) === null) return;
      const { userErrors } = await this.#post('logout', {});
      if (userErrors.length === 0) this.#storage.removeItem(leftKey);
    };
    await keepTrying(tell).catch(() => undefined);
  }

  /** Drops the login in all tabs; with `ended` the form explains that the session has ended. */
  end(status: 'none' | 'ended'): void {
    if (status === 'none') this.#storage.removeItem(endedKey);
    else if (this.#loginId !== null) this.#storage.setItem(endedKey, this.#loginId);
    this.#storage.removeItem(storageKey);
    this.#change(null, status);
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

  #open(payload: Answer): readonly RefusalFragment[] {
    const token = tokenOf(payload);
    if (token === undefined) return payload.userErrors;
    const loginId = crypto.getRandomValues(new Uint32Array(2)).join('-');
    this.#storage.setItem(storageKey, loginId);
    this.#storage.removeItem(leftKey);
    this.#storage.removeItem(endedKey);
    this.#change(loginId, 'open', token);
    this.#share();
    return [];
  }

  async #renewAlone(): Promise<string | undefined> {
    const loginId = this.#loginId;
    if (!this.#isOf(loginId)) return undefined;
    const before = this.#token?.accessToken;
    if (before === undefined) await this.#askOthers();
    const renew = async () => await this.#renewNow(loginId, before);
    // Locks exist only in secure contexts (https, or a loopback address); elsewhere the server gives two tabs the same answer.
    return navigator.locks === undefined ? await renew() : await navigator.locks.request(lockName, renew);
  }

  /** Whether this login is still valid. Another tab may have ended or replaced it, and its event may not have arrived yet. */
  #isOf(loginId: string | null): boolean {
    return loginId !== null && loginId === this.#loginId && loginId === this.#storage.getItem(storageKey);
  }

  async #renewNow(loginId: string | null, before: string | undefined): Promise<string | undefined> {
    if (!this.#isOf(loginId)) return undefined;
    // Another tab renewed while this one waited for its turn.
    const fresh = this.#fresh();
    if (fresh !== undefined && fresh !== before) return fresh;
    let payload: Answer;
    try {
      payload = await this.#post('sessionRefresh', {});
    } catch (error) {
      if (!(error instanceof RequestError) || error.code !== 'UNAUTHENTICATED') throw error;
      if (this.#isOf(loginId)) this.end('ended');
      return undefined;
    }
    // The answer is about a login that is over.
    if (!this.#isOf(loginId)) return undefined;
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

  /** Uses `keepalive`, so that the answer's cookie is stored even if the user leaves the page. */
  async #post(field: 'login' | 'sessionStart' | 'sessionRefresh' | 'logout', input: object): Promise<Answer> {
    const url = `${this.#url}/session/${field}`;
    const { data, serverMs } = await sendJson<Readonly<Record<string, Payload>>>(url, input);
    return { userErrors: [], ...data[field], serverMs };
  }

  #fresh(): string | undefined {
    return this.#token !== undefined && Date.now() < this.#token.endsAtMs - marginMs
      ? this.#token.accessToken
      : undefined;
  }

  #adopt(token: Token): void {
    if (token.expiresMs < (this.#token?.expiresMs ?? 0)) return;
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
    if (this.#token === undefined || this.#loginId === null) return;
    this.#channel.postMessage({ type: 'token', token: this.#token, loginId: this.#loginId } satisfies Message);
  }

  #change(loginId: string | null, status: SessionStatus, token?: Token): void {
    const isSame = loginId === this.#loginId && status === this.#status;
    if (loginId !== this.#loginId) {
      clearTimeout(this.#timer);
      this.#token = undefined;
    }
    if (loginId === null) this.#offer = undefined;
    this.#loginId = loginId;
    this.#status = status;
    if (token !== undefined) this.#adopt(token);
    if (!isSame) for (const listener of this.#listeners) listener();
  }
}

function tokenOf({ accessToken, accessTokenExpiresAt, serverMs }: Answer): Token | undefined {
  if (!accessToken || !accessTokenExpiresAt) return undefined;
  const expiresMs = Date.parse(accessTokenExpiresAt);
  return { accessToken, expiresMs, endsAtMs: Date.now() + expiresMs - serverMs };
}
