// Login and tokens of iControl REST 13.1: 1200 seconds unless changed, at most 100 live ones per user except admin
// (f5-ansible#269). A token's lifetime begins at its login and is not prolonged by use.

import { randomBytes } from 'node:crypto';
import type { DeviceAnswer, DeviceRequest } from '../support/tls-server.ts';
import { type JsonObject, json, readBody, restRefusal } from './rest.ts';

const usualTimeoutSeconds = 1_200;
const maxTimeoutSeconds = 36_000;

interface Token {
  readonly token: string;
  readonly userName: string;
  readonly startedAt: number;
  timeoutSeconds: number;
}

interface TokenKnobs {
  /** Live tokens per user; unlimited for admin. Default 100. */
  maxTokensPerUser: number;
}

export class Tokens {
  readonly knobs: TokenKnobs = { maxTokensPerUser: 100 };
  /** Successful logins since the start. */
  logins = 0;
  readonly #users: ReadonlyMap<string, string>;
  readonly #now: () => number;
  readonly #tokens = new Map<string, Token>();

  constructor(users: ReadonlyMap<string, string>, now: () => number) {
    this.#users = users;
    this.#now = now;
  }

  get live(): number {
    this.#forgetExpired();
    return this.#tokens.size;
  }

  /** Ends every token at once, like a restart of restjavad. */
  revokeAll(): void {
    this.#tokens.clear();
  }

  /** POST /mgmt/shared/authn/login */
  login(request: DeviceRequest): DeviceAnswer {
    const { username, password, loginProviderName } = readBody(request.body);
    if (typeof username !== 'string' || typeof password !== 'string') {
      throw restRefusal(401, 'Authentication failed. Username/Password required');
    }
    if (this.#users.get(username) !== password) throw restRefusal(401, 'Authentication failed.');
    this.#forgetExpired();
    const mine = [...this.#tokens.values()].filter((token) => token.userName === username).length;
    if (username !== 'admin' && mine >= this.knobs.maxTokensPerUser) {
      throw restRefusal(400, `user ${username} has reached maximum active login tokens`);
    }
    const token: Token = {
      token: newToken(),
      userName: username,
      startedAt: this.#now(),
      timeoutSeconds: usualTimeoutSeconds,
    };
    this.#tokens.set(token.token, token);
    this.logins += 1;
    return json(200, {
      username,
      loginProviderName: typeof loginProviderName === 'string' ? loginProviderName : 'local',
      token: describe(token),
      generation: 0,
      lastUpdateMicros: 0,
    });
  }

  /** GET, PATCH, DELETE /mgmt/shared/authz/tokens/<token> */
  manage(request: DeviceRequest, name: string): DeviceAnswer {
    const token = this.#tokens.get(name);
    if (!token) throw restRefusal(404, `${request.path} not found`);
    if (request.method === 'PATCH') {
      const timeout = Number(readBody(request.body).timeout);
      if (!(timeout > 0 && timeout <= maxTimeoutSeconds)) {
        throw restRefusal(406, `timeout must be between 1 and ${maxTimeoutSeconds} seconds`);
      }
      token.timeoutSeconds = timeout;
    }
    if (request.method === 'DELETE') this.#tokens.delete(name);
    return json(200, describe(token));
  }

  /** The user of a call. Refuses without a live token or correct basic credentials. */
  authenticate(request: DeviceRequest): string {
    this.#forgetExpired();
    const given = request.headers['x-f5-auth-token'];
    if (typeof given === 'string') {
      const token = this.#tokens.get(given);
      if (!token) throw restRefusal(401, 'X-F5-Auth-Token does not exist.');
      return token.userName;
    }
    const basic = /^Basic (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? '';
    const [username = '', password = ''] = Buffer.from(basic, 'base64').toString('utf8').split(/:(.*)/s);
    if (basic !== '' && this.#users.get(username) === password) return username;
    throw restRefusal(
      401,
      `Authorization failed: no user authentication header or token detected. Uri:http://localhost:8100${request.path} Referrer:127.0.0.1 Sender:127.0.0.1`,
    );
  }

  #forgetExpired(): void {
    const now = this.#now();
    for (const [name, token] of this.#tokens) {
      if (token.startedAt + token.timeoutSeconds * 1_000 <= now) this.#tokens.delete(name);
    }
  }
}

/** 26 letters and digits of base 32, like those of 13.1. */
function newToken(): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  return [...randomBytes(26)].map((byte) => alphabet[byte % alphabet.length]).join('');
}

function describe({ token, userName, startedAt, timeoutSeconds }: Token): JsonObject {
  return {
    token,
    name: token,
    userName,
    authProviderName: 'tmos',
    timeout: timeoutSeconds,
    startTime: new Date(startedAt).toISOString(),
    address: '127.0.0.1',
    partition: '[All]',
    generation: 1,
    lastUpdateMicros: startedAt * 1_000,
    expirationMicros: (startedAt + timeoutSeconds * 1_000) * 1_000,
    kind: 'shared:authz:tokens:authtokenitemstate',
    selfLink: `https://localhost/mgmt/shared/authz/tokens/${token}`,
  };
}
