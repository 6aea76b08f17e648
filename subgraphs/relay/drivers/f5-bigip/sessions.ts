// Tokens of iControl REST 13.1: one login, shared by all calls until shortly before it expires, then deleted. A user has at most
// 100 tokens (f5-ansible#269), so none is requested without need.

import type { HttpCall, HttpReply, HttpSessions, JsonObject } from '../driver.ts';
import { isObject } from '../json.ts';
import { readAnswer } from './rest.ts';

const loginPath = '/mgmt/shared/authn/login';
const tokensPath = '/mgmt/shared/authz/tokens';
/** The transport logs in again before the token expires. */
const earlierMs = 60_000;

/** Options of a backend for its login. */
export const sessionOptions: JsonObject = {
  loginProvider: {
    type: 'string',
    maxLength: 63,
    pattern: '^[A-Za-z0-9._-]+$',
    default: 'tmos',
    description: 'The login provider. tmos: the provider configured on the device (local, LDAP, RADIUS or TACACS+).',
  },
  tokenSeconds: {
    type: 'integer',
    minimum: 120,
    maximum: 36_000,
    default: 1_200,
    description: "The lifetime of a token in seconds. The device's own default, 1200, saves a request at login.",
  },
};

export const sessions: HttpSessions = {
  async open(exchange, { username, password = '' }, { options }) {
    const loginProviderName = String(options.loginProvider ?? 'tmos');
    const body = { username, password, loginProviderName };
    const reply = await exchange({ kind: 'http', method: 'POST', path: loginPath, body });
    const token = tokenIn(reply);
    if (token === undefined) return refusalIn(reply);
    const headers = { 'X-F5-Auth-Token': token.id };
    const path = `${tokensPath}/${token.id}`;
    const seconds = await lifetime(exchange, { path, headers }, token.seconds, Number(options.tokenSeconds ?? 1_200));
    const close: HttpCall = { kind: 'http', method: 'DELETE', path };
    return { ok: true, headers, close, lifetimeMs: seconds * 1_000 - earlierMs };
  },

  /**
   * 401 is sent before a call is processed, for example when the token has expired. It is also sent for missing rights, which a
   * new token would not change.
   */
  refusedSession: ({ status, body }) => status === 401 && !/Authorization failed: user=/.test(body),
};

/** Requests another lifetime if configured; the token's lifetime is the one that the device then reports. */
async function lifetime(
  exchange: (call: HttpCall) => Promise<HttpReply>,
  { path, headers }: { readonly path: string; readonly headers: Readonly<Record<string, string>> },
  given: number,
  wanted: number,
): Promise<number> {
  if (given === wanted) return given;
  const reply = await exchange({ kind: 'http', method: 'PATCH', path, headers, body: { timeout: wanted } });
  const answer = readAnswer(reply);
  const timeout = answer.kind === 'object' ? Number(answer.object.timeout) : Number.NaN;
  return timeout > 0 ? timeout : given;
}

function tokenIn(reply: HttpReply): { readonly id: string; readonly seconds: number } | undefined {
  const answer = readAnswer(reply);
  const token = answer.kind === 'object' ? answer.object.token : undefined;
  if (!isObject(token) || typeof token.token !== 'string' || !/^[A-Za-z0-9._-]{1,512}$/.test(token.token)) {
    return undefined;
  }
  const seconds = Number(token.timeout);
  return { id: token.token, seconds: seconds > 0 ? seconds : 1_200 };
}

/** The device's message is shown only when it can't contain the password. */
function refusalIn(reply: HttpReply) {
  const answer = readAnswer(reply);
  const words = answer.kind === 'refused' ? answer.message : '';
  if (reply.status === 401) {
    return { ok: false, code: 'AUTH_FAILED', message: 'The device refused the user name or password.' } as const;
  }
  if (reply.status === 400 && /maximum active login tokens/.test(words)) {
    const message = 'The user already has the maximum number of tokens. Delete some, or wait until some expire.';
    return { ok: false, code: 'SESSION_REFUSED', message } as const;
  }
  if (reply.status === 503 || (answer.kind === 'refused' && answer.code === 'DEVICE_BUSY')) {
    return { ok: false, code: 'SESSION_REFUSED', message: 'The device is busy or restarting.' } as const;
  }
  const message = `The device answered the login with status ${reply.status} and without a token.`;
  return { ok: false, code: 'PROTOCOL_FAILED', message } as const;
}
