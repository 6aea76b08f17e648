// Logs in with a name and a password, and keeps the login: a fresh access token before each one ends, and a new session when the old one
// has ended. API tokens need none of this.
import { ask, type GraphEndpoint, LoginRefused } from './graph-request.ts';

export interface SessionOptions {
  /** For example https://tidegate.example/graphql. */
  readonly url: string;
  readonly name: string;
  readonly password: string;
  /** Default: the global `fetch`. */
  readonly fetch?: typeof fetch;
}

interface Login {
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly endsAtMs: number;
}

interface LoginPayload {
  readonly accessToken?: string | null;
  readonly accessTokenExpiresAt?: string | null;
  readonly refreshToken?: string | null;
  readonly userErrors?: readonly { readonly code: string; readonly message: string }[];
}

const fields = '{ accessToken accessTokenExpiresAt refreshToken userErrors { code message } }';
const loginDocument = `mutation ($input: LoginInput!) { root: login(input: $input) ${fields} }`;
const refreshDocument = `mutation ($input: SessionRefreshInput!) { root: sessionRefresh(input: $input) ${fields} }`;
const answerWithinMs = 15_000;
/** A token that ends sooner is exchanged first. */
const earlyMs = 30_000;

/** The `token` of an endpoint: `{ url, token: keepLogin({ url, name, password }) }`. Many requests share one login. */
export function keepLogin(options: SessionOptions): Extract<GraphEndpoint['token'], (...args: never) => unknown> {
  let current: Login | undefined;
  let underWay: Promise<Login> | undefined;
  return async (refused) => {
    const known = current;
    if (known !== undefined && known.accessToken !== refused && known.endsAtMs > performance.now())
      return known.accessToken;
    // All wait for the same exchange, and nobody tries a refresh token again: it is good once.
    current = undefined;
    underWay ??= renewed(options, known?.refreshToken).finally(() => {
      underWay = undefined;
    });
    current = await underWay;
    return current.accessToken;
  };
}

/** Throws LoginRefused for a wrong name or password, and another error without an answer. */
async function renewed(options: SessionOptions, refreshToken: string | undefined): Promise<Login> {
  if (refreshToken !== undefined) {
    const login = await exchanged(options, refreshDocument, { refreshToken });
    if (login !== undefined) return login;
  }
  const { name, password } = options;
  const login = await exchanged(options, loginDocument, { name, password });
  if (login === undefined) throw new LoginRefused('the name or the password is wrong');
  return login;
}

/** Undefined: the credentials are wrong. */
async function exchanged({ url, fetch }: SessionOptions, document: string, input: object): Promise<Login | undefined> {
  const endpoint = { url, token: '', ...(fetch === undefined ? {} : { fetch }) };
  const reply = await ask(endpoint, document, { input }, AbortSignal.timeout(answerWithinMs));
  if (reply.kind === 'lost') throw new Error(reply.why);
  if (reply.kind === 'refused') throw new Error(`${reply.code}: ${reply.message}`);
  const { accessToken, accessTokenExpiresAt, refreshToken, userErrors } = reply.value as LoginPayload;
  const [refusal] = userErrors ?? [];
  if (refusal?.code === 'BAD_CREDENTIALS') return undefined;
  if (refusal !== undefined) throw new Error(`${refusal.code}: ${refusal.message}`);
  if (accessToken == null || refreshToken == null) throw new Error('the login has no tokens');
  const livesMs = Math.max(0, Date.parse(accessTokenExpiresAt ?? '') - Date.now()) || 0;
  return { accessToken, refreshToken, endsAtMs: performance.now() + livesMs - Math.min(earlyMs, livesMs / 2) };
}
