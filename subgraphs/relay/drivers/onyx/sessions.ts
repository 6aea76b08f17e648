// Opening sessions: the modes of the command line, and the JSON API's login with its cookie (NVIDIA's manual, chapter JSON API:
// json-login, json-logout, `web https enable`).

import type { CliDialect, HttpReply, HttpSessions } from '../driver.ts';
import { isObject } from '../json.ts';

/**
 * `switch-1 [standalone: master] (config) # `; some models lack the part in brackets. In configuration mode `configure terminal`
 * is unknown, so both lines of `reset` can be typed in any mode.
 */
export const cli: CliDialect = {
  prompt: /^\S+ (\[[^\]]{1,80}\] )?(\(config[^)]{0,80}\) ?)?[#>] ?$/,
  setup: ['enable', 'no cli session paging enable', 'configure terminal'],
  pager: { pattern: /^(--More--|lines \d+-\d+\S*) ?$/, answer: ' ' },
  reset: ['configure terminal', 'exit', 'exit'],
};

const launch = '/admin/launch?script=rh&template=json-request&action=';
/** The switch logs idle web users out after 15 minutes by default (`web auto-logout`). */
const lifetimeMs = 600_000;

export const https: HttpSessions = {
  async open(exchange, { username, password = '' }) {
    const reply = await exchange({
      kind: 'http',
      method: 'POST',
      path: `${launch}json-login`,
      body: { username, password },
    });
    const told = messageOf(reply);
    const cookie = sessionCookie(reply.headers['set-cookie'] ?? '');
    // NVIDIA's own client also takes a 302 with a page as a login. The session's cookie decides.
    const isDone = told === undefined ? reply.status === 302 && !isLoginPage(reply) : told.status === 'OK';
    if (isDone && cookie !== undefined) {
      const close = { kind: 'http', method: 'POST', path: `${launch}json-logout` } as const;
      return { ok: true, headers: { cookie }, lifetimeMs, close };
    }
    if (told?.status !== 'ERROR') {
      return {
        ok: false,
        code: 'PROTOCOL_FAILED',
        message: `The switch answered the login with status ${reply.status}.`,
      };
    }
    if (/invalid username or password|authentication/i.test(told.message)) {
      return { ok: false, code: 'AUTH_FAILED', message: told.message };
    }
    const full = /session|too many|maximum/i.test(told.message);
    return { ok: false, code: full ? 'SESSION_REFUSED' : 'PROTOCOL_FAILED', message: told.message };
  },
  refusedSession(reply) {
    // Older versions redirect to the login page.
    if (reply.status === 401 || reply.status === 302) return true;
    const told = messageOf(reply);
    return told?.status === 'ERROR' && /authentication failure|not logged in/i.test(told.message);
  },
};

/** For a reply about the request as a whole, not about a command. */
function messageOf({ body }: HttpReply): { readonly status: unknown; readonly message: string } | undefined {
  try {
    const parsed = JSON.parse(body);
    if (!isObject(parsed) || 'executed_command' in parsed || 'results' in parsed) return undefined;
    return { status: parsed.status, message: String(parsed.status_message ?? '').slice(0, 500) };
  } catch {
    return undefined;
  }
}

/** A redirection to the page on which people log in is none. */
function isLoginPage({ headers }: HttpReply): boolean {
  return /(?:action|template)=login|\/login/i.test(headers.location ?? '');
}

function sessionCookie(setCookies: string): string | undefined {
  const session = /(?:^|\n)(session=[^;\s]+)/.exec(setCookies)?.[1];
  return session === 'session=' ? undefined : session;
}
