// NEO's login: a form, then a session cookie. NVIDIA NEO REST API Guide 2.7.20, Login and REST API Version; the cookie contains
// the signed session itself, so a logout is not needed.

import type { HttpSessions, JsonObject } from '../driver.ts';
import { isObject } from '../json.ts';
import { readAnswer } from './rest.ts';

/** Options of a backend for its login. */
export const sessionOptions: JsonObject = {
  restVersion: {
    type: 'string',
    maxLength: 15,
    pattern: '^[0-9]{1,3}(\\.[0-9]{1,3}){1,2}$',
    default: '1.0.2',
    description: 'The version of the REST API that calls ask for.',
  },
};

export const sessions: HttpSessions = {
  async open(exchange, { username, password = '' }, { options }) {
    const version = { 'Rest-Version': String(options.restVersion ?? '1.0.2') };
    const form = { username, password };
    const reply = await exchange({ kind: 'http', method: 'POST', path: '/neo/login', headers: version, form });
    if (reply.status === 401 || reply.status === 403) {
      return { ok: false, code: 'AUTH_FAILED', message: 'NEO refused the user name or password.' };
    }
    const answer = readAnswer(reply);
    const cookie = cookieIn(reply.headers['set-cookie'] ?? '');
    // Without `application` it is the login page again.
    if (answer.kind !== 'value' || !isObject(answer.value) || !isObject(answer.value.application) || !cookie) {
      const message = `NEO answered the login with status ${reply.status} and without a session.`;
      return { ok: false, code: 'PROTOCOL_FAILED', message };
    }
    return { ok: true, headers: { ...version, Cookie: cookie } };
  },

  /** Refused unprocessed: by 401, or by a redirect to the login page. */
  refusedSession: ({ status, headers }) =>
    status === 401 || ((status === 302 || status === 303) && /\/login\b/.test(headers.location ?? '')),
};

/** `session=…`, from all cookies of the reply, one a line. */
function cookieIn(cookies: string): string | undefined {
  return /^session=[\x21-\x3a\x3c-\x7e]{1,4000}/m.exec(cookies)?.[0];
}
