// Log-in at Keystone: Identity API v3, password authentication, a token for one project.

import type { Credentials, HttpCall, HttpLogin, HttpReply, HttpSessions, JsonObject } from '../driver.ts';
import { isObject } from '../json.ts';

/** What is subtracted from a token's life: a call must not meet its end on the way. */
const marginMs = 60_000;

export const sessions: HttpSessions = {
  async open(exchange, credentials, { options }): Promise<HttpLogin> {
    const url = URL.parse(String(options.authUrl));
    if (url === null) return refused('PROTOCOL_FAILED', 'the option authUrl is missing');
    const keystone = {
      kind: 'http',
      origin: url.origin,
      path: `${url.pathname.replace(/\/$/, '')}/auth/tokens`,
    } as const;
    const body = { auth: { identity: identityOf(credentials, options), scope: scopeOf(options) } };
    return readLogin(await exchange({ ...keystone, method: 'POST', body }), keystone);
  },
  // keystonemiddleware answers before Neutron sees anything of the call.
  refusedSession: (reply) => reply.status === 401,
};

function identityOf({ username, password = '' }: Credentials, { userDomain }: JsonObject): JsonObject {
  const user = { name: username, password, domain: { name: userDomain ?? 'Default' } };
  return { methods: ['password'], password: { user } };
}

function scopeOf({ project, projectDomain }: JsonObject): JsonObject {
  return { project: { name: project, domain: { name: projectDomain ?? 'Default' } } };
}

function readLogin(reply: HttpReply, keystone: Pick<HttpCall, 'kind' | 'path' | 'origin'>): HttpLogin {
  // 401 for a wrong password and for an unknown project alike.
  if (reply.status === 401) return refused('AUTH_FAILED', `Keystone refused the credentials: ${wordsOf(reply)}`);
  if (reply.status === 429) return refused('SESSION_REFUSED', 'Keystone gives no token now');
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

/** From Keystone's own clock alone: ours may differ. */
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

/** Keystone's `error.message`; of anything else nothing is told. */
function wordsOf({ body }: HttpReply): string {
  try {
    const parsed: unknown = JSON.parse(body);
    const error = isObject(parsed) && isObject(parsed.error) ? parsed.error : {};
    return typeof error.message === 'string' ? error.message.slice(0, 500) : 'it said nothing';
  } catch {
    return 'it said nothing that can be read';
  }
}

function refused(code: 'AUTH_FAILED' | 'PROTOCOL_FAILED' | 'SESSION_REFUSED', message: string): HttpLogin {
  return { ok: false, code, message };
}
