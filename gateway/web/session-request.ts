// POST /session/login, /session/sessionStart, /session/sessionRefresh and /session/logout: the login of a browser, for all of its tabs. The refresh
// token is in a cookie that no script can read and that is sent only to this path. Pages keep the short-lived access token in memory, and the graph
// itself accepts no cookie (decision 0300).
import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { HttpError, parseJson, readBody } from '../../platform/graph/http-body.ts';
import { type SessionField, sessionMutations } from '../access/session-documents.ts';
import { CrossOrigin } from '../http/cross-origin.ts';
import type { EndpointRequest, EndpointResponse } from '../http/endpoint-request.ts';

type Execute = (request: EndpointRequest) => Promise<EndpointResponse>;
type Taken = Pick<EndpointRequest, 'clientAddress' | 'callerRequestId' | 'requestId' | 'signal' | 'onIdentified'>;

interface SessionParts {
  readonly execute: Execute;
  readonly renewals: Renewals;
  /** Whether an access token is valid at this moment, without caches. True if that can't be determined. */
  readonly isValid: (accessToken: string) => Promise<boolean>;
}

interface SessionAnswer {
  readonly status: number;
  /** In GraphQL's shape, without a refresh token. */
  readonly answer: object;
}

const prefix = '/session/';
const maxBodyBytes = 4_096;
const longestToken = 256;
/** The listed origins of other pages are for bearer tokens only. */
const ownOrigin = new CrossOrigin([]);

interface Payload {
  readonly accessToken?: string | null;
  readonly refreshToken?: string | null;
  readonly refreshTokenExpiresAt?: string | null;
  readonly userErrors: readonly { readonly code: string }[];
}

interface GraphAnswer {
  /** A field is null if its subgraph could not answer. */
  readonly data?: Readonly<Record<string, Payload | null>> | null;
  readonly errors?: readonly unknown[];
}

/** Undefined for any other path. */
export function sessionFieldOf(path: string): SessionField | undefined {
  if (!path.startsWith(prefix)) return undefined;
  const name = path.slice(prefix.length);
  return Object.hasOwn(sessionMutations, name) ? (name as SessionField) : undefined;
}

/** Sets the cookie of the response. Throws HttpError 400, 403, 405 or 415. */
export async function answerSession(
  parts: SessionParts,
  field: SessionField,
  taken: Taken,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<SessionAnswer> {
  checkOwnPage(request, response);
  const given = sessionMutations[field].given.safeParse(parseJson(await readBody(request, maxBodyBytes)));
  if (!given.success) {
    const [issue] = given.error.issues;
    throw new HttpError(
      400,
      `The body does not match ${field}: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`,
    );
  }
  const cookie = cookieOf(request);
  const setCookie = (token: string, expiresAt: string | null | undefined): void => {
    const until = new Date(expiresAt ?? 0).toUTCString();
    // Without a path it is for /session as the browser sees it, below the path at which a proxy serves the installation.
    const parameters = ['HttpOnly', 'SameSite=Strict', `Expires=${until}`];
    if (isSecure(request)) parameters.push('Secure');
    response.appendHeader('set-cookie', [`${cookieName(request)}=${token}`, ...parameters].join('; '));
  };
  const send = (name: SessionField, input: object, bearer?: string) =>
    executeMutation(parts.execute, taken, name, input, bearer);
  const refresh = (token: string) =>
    parts.renewals.join(token, () => send('sessionRefresh', { refreshToken: token }), parts.isValid);
  const end = async (token: string) =>
    leave(await refresh(token), async (accessToken) => {
      const left = await send('logout', {}, accessToken);
      // Removes it from the caches.
      await parts.isValid(accessToken);
      return left;
    });

  if (field === 'logout') {
    const left = cookie === undefined ? hasEnded : await end(cookie);
    // Else the page asks again, and needs the cookie for it.
    if (left.answer.data?.logout?.userErrors.length === 0) setCookie('', null);
    return left;
  }
  if (field === 'sessionRefresh' && cookie === undefined)
    return {
      status: 401,
      answer: { errors: [{ message: 'This browser is not logged in.', extensions: { code: 'UNAUTHENTICATED' } }] },
    };
  const { status, answer } = await (field === 'sessionRefresh' ? refresh(cookie ?? '') : send(field, given.data));
  const payload = answer.data?.[field];
  if (payload === undefined || payload === null) return { status, answer };
  const { refreshToken, refreshTokenExpiresAt, ...shown } = payload;
  if (typeof refreshToken === 'string') {
    setCookie(refreshToken, refreshTokenExpiresAt);
    // The browser has no other way to end its former session. If it can't be reached now, it ends by age.
    if (field !== 'sessionRefresh' && cookie !== undefined) await end(cookie).catch(() => undefined);
  } else if (field === 'sessionRefresh' && isRefused(payload)) setCookie('', null);
  return { status, answer: { data: { [field]: shown } } };
}

interface Left {
  readonly status: number;
  readonly answer: GraphAnswer;
}

const hasEnded: Left = { status: 200, answer: { data: { logout: { userErrors: [] } } } };

/** `renewed`: a lost part, or a limit, is no end of the session, so it is no answer to a logout. */
async function leave({ status, answer }: Left, logout: (accessToken: string) => Promise<Left>): Promise<Left> {
  const payload = answer.data?.sessionRefresh;
  if (typeof payload?.accessToken === 'string') return await logout(payload.accessToken);
  if (payload === undefined || payload === null) return { status, answer };
  return isRefused(payload) ? hasEnded : { status, answer: { data: { logout: { userErrors: payload.userErrors } } } };
}

/** The session has ended, or never was. */
function isRefused({ userErrors }: Payload): boolean {
  return userErrors.some(({ code }) => code === 'BAD_CREDENTIALS');
}

/** A request that only a page of this origin can send. Other pages can't set this type without a preflight, which is never granted here. */
function checkOwnPage(request: IncomingMessage, response: ServerResponse): void {
  if (request.method !== 'POST') {
    response.setHeader('allow', 'POST');
    throw new HttpError(405, 'Only POST is allowed here.');
  }
  if (!/^\s*application\/json\s*(;|$)/i.test(request.headers['content-type'] ?? ''))
    throw new HttpError(415, 'Send the request as Content-Type: application/json.');
  if (request.headers.origin === undefined || !ownOrigin.admits(request))
    throw new HttpError(
      403,
      'This is for the pages of the dashboard: other clients send the mutation login to /graphql.',
    );
}

async function executeMutation(
  execute: Execute,
  taken: Taken,
  field: SessionField,
  input: object,
  bearer: string | undefined,
): Promise<{ readonly status: number; readonly answer: GraphAnswer }> {
  const query: string = sessionMutations[field].document;
  const headers = new Map([
    ['accept', 'application/graphql-response+json'],
    ['content-type', 'application/json'],
    ...(bearer === undefined ? [] : [['authorization', `Bearer ${bearer}`] as const]),
  ]);
  const body = field === 'logout' ? { query } : { query, variables: { input } };
  const { status, text } = await execute({ ...taken, method: 'POST', search: '', headers, body });
  return { status, answer: JSON.parse(text) as GraphAnswer };
}

/** Cookies do not differ by port: the name does, so that two installations on one host have one each. */
function cookieName({ headers }: IncomingMessage): string {
  const port = /:(\d{1,5})$/.exec(headers.host ?? '')?.[1];
  return port === undefined ? 'tidegate-session' : `tidegate-session-${port}`;
}

function cookieOf(request: IncomingMessage): string | undefined {
  const name = `${cookieName(request)}=`;
  const found = (request.headers.cookie ?? '').split(/; */).find((each) => each.startsWith(name));
  const token = found?.slice(name.length) ?? '';
  return token === '' || token.length > longestToken ? undefined : token;
}

/** The page's own scheme: a proxy may have ended TLS. */
function isSecure({ headers }: IncomingMessage): boolean {
  return headers.origin?.startsWith('https:') === true;
}

type Renewal = Promise<{ readonly status: number; readonly answer: GraphAnswer }>;

const keptMs = 10_000;
const mostKept = 1_000;

/**
 * A refresh token works once, but a browser may send it twice: two tabs at the same moment, or a page that is loaded again before its answer
 * arrived. Within ten seconds both get the same answer, while its access token is valid: not after a logout.
 */
export class Renewals {
  /** Keyed by the token's hash, the oldest first. */
  readonly #kept = new Map<string, { readonly renewal: Renewal; readonly untilMs: number }>();
  readonly #nowMs: () => number;

  constructor(nowMs: () => number = () => performance.now()) {
    this.#nowMs = nowMs;
  }

  async join(token: string, renew: () => Renewal, isValid: SessionParts['isValid']): Renewal {
    const nowMs = this.#nowMs();
    for (const [hash, { untilMs }] of this.#kept) {
      if (untilMs > nowMs && this.#kept.size <= mostKept) break;
      this.#kept.delete(hash);
    }
    const hash = createHash('sha256').update(token).digest('base64url');
    const known = this.#kept.get(hash);
    if (known !== undefined) {
      const renewed = await known.renewal;
      const accessToken = renewed.answer.data?.sessionRefresh?.accessToken;
      if (typeof accessToken !== 'string' || (await isValid(accessToken))) return renewed;
      if (this.#kept.get(hash) === known) this.#kept.delete(hash);
      return this.join(token, renew, isValid);
    }
    const renewal = renew();
    this.#kept.set(hash, { renewal, untilMs: nowMs + keptMs });
    const forget = (): boolean => this.#kept.delete(hash);
    renewal.then(({ answer }) => {
      // After a lost subgraph the next call asks again. A refused token is refused again.
      if (typeof answer.data?.sessionRefresh?.refreshToken !== 'string') forget();
    }, forget);
    return renewal;
  }
}
