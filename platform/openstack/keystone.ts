// Login at Keystone: Identity API v3, password authentication, a token for one project.

import type { HttpCall, HttpLogin, HttpReply } from '../net/http.ts';
import { isObject, type JsonObject } from '../values/json.ts';

/** Subtracted from a token's lifetime: a token must not expire during a call. */
const marginMs = 60_000;

export interface KeystoneAccount {
  /** Keystone with its version, for example `https://keystone.example:5000/v3`. */
  readonly authUrl: string;
  /** `applicationCredential`: user name and password are its id and secret. Default `password`. */
  readonly method?: 'password' | 'applicationCredential' | undefined;
  readonly username: string;
  readonly password: string;
  /** The project by its name. */
  readonly project: string;
  /** Default `Default`; likewise for the user's. */
  readonly projectDomain?: string | undefined;
  readonly userDomain?: string | undefined;
}

/** A token for the account's project. `exchange` must be able to reach the origin of `authUrl`. */
export async function logInAtKeystone(
  exchange: (call: HttpCall) => Promise<HttpReply>,
  account: KeystoneAccount,
): Promise<HttpLogin> {
  const { authUrl, username, password, project, projectDomain = 'Default', userDomain = 'Default' } = account;
  const url = URL.parse(authUrl);
  if (url === null) return refused('PROTOCOL_FAILED', 'authUrl, the address of Keystone, is not a valid URL');
  const keystone = {
    kind: 'http',
    origin: url.origin,
    path: `${url.pathname.replace(/\/$/, '')}/auth/tokens`,
  } as const;
  if (account.method === 'applicationCredential') {
    // Identity API v3.10: it is of one project, which can't be chosen here.
    const identity = {
      methods: ['application_credential'],
      application_credential: { id: username, secret: password },
    };
    const reply = await exchange({ ...keystone, method: 'POST', body: { auth: { identity } } });
    const login = readLogin(reply, keystone);
    if (!login.ok || isOf(tokenIn(reply.body), project, projectDomain)) return login;
    if (login.close !== undefined) {
      await exchange({ ...login.close, headers: { ...login.close.headers, ...login.headers } });
    }
    return refused('AUTH_FAILED', `The application credential is not one of the project ${project} (${projectDomain})`);
  }
  const user = { name: username, password, domain: { name: userDomain } };
  const scope = { project: { name: project, domain: { name: projectDomain } } };
  const body = { auth: { identity: { methods: ['password'], password: { user } }, scope } };
  return readLogin(await exchange({ ...keystone, method: 'POST', body }), keystone);
}

function readLogin(reply: HttpReply, keystone: Pick<HttpCall, 'kind' | 'path' | 'origin'>): HttpLogin {
  // 401 both for a wrong password and for an unknown project.
  if (reply.status === 401) return refused('AUTH_FAILED', `Keystone refused the credentials: ${wordsOf(reply)}`);
  if (reply.status === 429) return refused('SESSION_REFUSED', 'Keystone gives no token at the moment (status 429)');
  const token = reply.headers['x-subject-token'];
  if (reply.status !== 201 || token === undefined || token === '') {
    return refused('PROTOCOL_FAILED', `Keystone answered ${reply.status} without a token: ${wordsOf(reply)}`);
  }
  const lifetimeMs = lifetimeOf(reply.body);
  return {
    ok: true,
    headers: { 'x-auth-token': token },
    ...(lifetimeMs === undefined ? {} : { lifetimeMs }),
    close: { ...keystone, method: 'DELETE', headers: { 'x-subject-token': token } },
  };
}

function isOf({ project }: JsonObject, name: string, domainName: string): boolean {
  return isObject(project) && project.name === name && isObject(project.domain) && project.domain.name === domainName;
}

/** By Keystone's own clock: the local one may differ. */
function lifetimeOf(body: string): number | undefined {
  const { issued_at: issued, expires_at: expires } = tokenIn(body);
  const lifetimeMs = Date.parse(String(expires)) - Date.parse(String(issued));
  return Number.isFinite(lifetimeMs) ? lifetimeMs - Math.min(marginMs, lifetimeMs / 10) : undefined;
}

function tokenIn(body: string): JsonObject {
  try {
    const parsed: unknown = JSON.parse(body);
    return isObject(parsed) && isObject(parsed.token) ? parsed.token : {};
  } catch {
    return {};
  }
}

/** Keystone's `error.message`; any other text is not shown. */
function wordsOf({ body }: HttpReply): string {
  try {
    const parsed: unknown = JSON.parse(body);
    const error = isObject(parsed) && isObject(parsed.error) ? parsed.error : {};
    return typeof error.message === 'string' ? error.message.slice(0, 500) : 'no message';
  } catch {
    return 'no readable message';
  }
}

function refused(code: 'AUTH_FAILED' | 'PROTOCOL_FAILED' | 'SESSION_REFUSED', message: string): HttpLogin {
  return { ok: false, code, message };
}
