// Opening a session with the REST API: with a token if there is one, else by /api/v2/authentication (from 6.4.2) or /logincheck.
// Sources: Fortinet community 195425 (cookies, CSRF), 227837 (7.6.3), sadrithmina.de 2023-06 (banner) and 2024-05 (authentication);
// the meaning of a reply's numbers is from Fortinet's open clients. A device without a free session, or with `admin-concurrent
// disable`, gives the same answer as to a wrong password (Fortinet community 387113), so the cases are indistinguishable.

import { objectIn } from '../answer.ts';
import type { BackendContext, Credentials, HttpCall, HttpLogin, HttpReply, HttpSessions } from '../driver.ts';
import { globalPath, statusPath } from './system.ts';
import { isAtLeast } from './version.ts';

type Exchange = (call: HttpCall) => Promise<HttpReply>;

const authenticationPath = '/api/v2/authentication';

export const sessions: HttpSessions = {
  async open(exchange, credentials, backend) {
    if (credentials.apiToken !== undefined) return await tokenSession(exchange, credentials.apiToken);
    return await passwordSession(exchange, credentials, backend);
  },
  // Refused unprocessed: the session has ended, for example after `admintimeout`.
  refusedSession: (reply) => reply.status === 401,
};

/** Tried once: wrong credentials lock the caller out, and each call would repeat them. */
async function tokenSession(exchange: Exchange, token: string): Promise<HttpLogin> {
  const headers = { authorization: `Bearer ${token}` };
  const read = (path: string) => exchange({ kind: 'http', method: 'GET', path, headers });
  const status = await read(statusPath);
  const reply = status.status === 404 ? await read(globalPath) : status;
  if (reply.status === 401) return authFailed('The device refused the API token.');
  if (reply.status === 429) return lockedOut;
  // An API user without the right to read the status may still be usable.
  if (reply.status === 200 || reply.status === 403) return { ok: true, headers };
  return protocolFailed(`The device answered a request with the API token with status ${reply.status}.`);
}

async function passwordSession(
  exchange: Exchange,
  { username, password = '' }: Credentials,
  { softwareVersion }: BackendContext,
): Promise<HttpLogin> {
  const isNew = isAtLeast(softwareVersion, 6, 4, 2);
  if (isNew === false) return await logincheck(exchange, username, password);
  const body = { username, secretkey: password, ack_pre_disclaimer: true, ack_post_disclaimer: true };
  const reply = await exchange({ kind: 'http', method: 'POST', path: authenticationPath, body });
  const answer = objectIn(reply.body);
  const status = answer?.status_code ?? answer?.status;
  if (typeof status === 'number') return authenticated(reply, status);
  if (reply.status === 429) return lockedOut;
  // Releases without it refuse it unprocessed, like any path without a session; releases with it would have given a reason.
  const isMissing = reply.status === 401 || reply.status === 404 || reply.status === 405;
  if (isMissing && isNew === undefined) return await logincheck(exchange, username, password);
  if (reply.status === 401) return authFailed('The device refused the user name or password.');
  return protocolFailed(`The device answered the login with status ${reply.status} and an unreadable body.`);
}

function authenticated(reply: HttpReply, status: number): HttpLogin {
  switch (status) {
    case 5:
    case 6:
      return cookieSession(reply, { kind: 'http', method: 'DELETE', path: authenticationPath });
    case 2:
      return authFailed('The device requires a second factor for this account. Use an API token.');
    case 4:
      return authFailed('The device requires a new password for this account. Change it on the device first.');
    default:
      return authFailed('The device refused the user name or password.');
  }
}

async function logincheck(exchange: Exchange, username: string, secretkey: string): Promise<HttpLogin> {
  const form = { username, secretkey, ajax: '1' };
  const reply = await exchange({ kind: 'http', method: 'POST', path: '/logincheck', form });
  if (reply.status === 429) return lockedOut;
  if (reply.truncated || reply.status !== 200) {
    return protocolFailed(`The device answered the login with status ${reply.status}.`);
  }
  switch (reply.body[0]) {
    case '1': {
      const session = cookieSession(reply, { kind: 'http', method: 'POST', path: '/logout' });
      if (session.ok && reply.body.includes('logindisclaimer')) return await passBanner(exchange, session);
      return session;
    }
    case '0':
      return authFailed('The device refused the user name or password.');
    case '2':
      return lockedOut;
    case '3':
      return authFailed('The device requires a second factor for this account. Use an API token.');
    default:
      return protocolFailed("The device's answer to the login is unreadable.");
  }
}

/** `post-login-banner` blocks the session until it is confirmed. */
async function passBanner(exchange: Exchange, session: Extract<HttpLogin, { ok: true }>): Promise<HttpLogin> {
  const headers = { ...session.headers, ...session.writeHeaders };
  const form = { confirm: '1' };
  const reply = await exchange({ kind: 'http', method: 'POST', path: '/logindisclaimer', headers, form });
  if (reply.status >= 200 && reply.status < 400) return session;
  return protocolFailed(`The device answered the confirmation of its login banner with status ${reply.status}.`);
}

/** The cookies are sent back unchanged, including quotes; the CSRF token without its quotes. */
function cookieSession(reply: HttpReply, close: HttpCall): HttpLogin {
  const cookies = new Map<string, string>();
  for (const line of (reply.headers['set-cookie'] ?? '').split('\n')) {
    const [, name = '', value = ''] = /^\s*([^=;\s]+)=([^;]*)/.exec(line) ?? [];
    // A cookie that is empty, or has the value of a refused login, is being deleted.
    if (/^"?(0%260)?"?$/.test(value)) cookies.delete(name);
    else cookies.set(name, value);
  }
  const names = [...cookies.keys()];
  const csrf = cookies.get(names.find((name) => /^ccsrf_?token/.test(name)) ?? '')?.replaceAll('"', '');
  if (csrf === undefined || !names.some((name) => /^(APSCOOKIE_|session_key)/.test(name))) {
    return protocolFailed('The device accepted the login without opening a session, as /logincheck does since 7.6.3.');
  }
  const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
  return { ok: true, headers: { cookie }, writeHeaders: { 'x-csrftoken': csrf }, close };
}

/** After somebody's failed attempts; it ends by itself. */
const lockedOut: HttpLogin = {
  ok: false,
  code: 'SESSION_REFUSED',
  message: 'The device has locked out logins for a while after failed attempts.',
};

function authFailed(message: string): HttpLogin {
  return { ok: false, code: 'AUTH_FAILED', message };
}

function protocolFailed(message: string): HttpLogin {
  return { ok: false, code: 'PROTOCOL_FAILED', message };
}
