// NEO's login: a form or JSON, then a session cookie. NVIDIA NEO REST API Guide 2.7.20, Login and REST API Version.

import { randomBytes } from 'node:crypto';
import type { DeviceAnswer, DeviceRequest } from '../support/tls-server.ts';
import { answer, readObject } from './json.ts';

interface SessionKnobs {
  /** From login; use does not renew the cookie. */
  lifetimeMs: number;
  /** The answer to a call without a live session: 401, or the login page as for a browser. */
  refusal: 'UNAUTHORIZED' | 'REDIRECT';
}

export class Sessions {
  readonly knobs: SessionKnobs = { lifetimeMs: 3_600_000, refusal: 'UNAUTHORIZED' };
  /** Successful logins since the start. */
  logins = 0;
  readonly #users: ReadonlyMap<string, string>;
  readonly #now: () => number;
  readonly #sessions = new Map<string, { readonly username: string; readonly startedAt: number }>();

  constructor(users: ReadonlyMap<string, string>, now: () => number) {
    this.#users = users;
    this.#now = now;
  }

  /** Ends them all, like a restart of NEO with a new secret. */
  endAll(): void {
    this.#sessions.clear();
  }

  login(request: DeviceRequest, version: string): DeviceAnswer {
    const json = (request.headers['content-type'] ?? '').startsWith('application/json');
    const given = json ? (readObject(request.body) ?? {}) : Object.fromEntries(new URLSearchParams(request.body));
    const { username, password } = given;
    if (typeof username !== 'string' || typeof password !== 'string' || this.#users.get(username) !== password) {
      return answer(401, { error: 'Wrong username or password' });
    }
    const session = `.${randomBytes(24).toString('base64url')}`;
    this.#sessions.set(session, { username, startedAt: this.#now() });
    this.logins += 1;
    return answer(
      200,
      {
        application: { name: 'Mellanox NEO', version },
        next: '/neo',
        server: { ip: '127.0.0.1', name: 'neo.example.com' },
      },
      { 'set-cookie': `session=${session}; Path=/; HttpOnly` },
    );
  }

  /** The user. Undefined without a live session. */
  userOf(request: DeviceRequest): string | undefined {
    const session = this.#sessions.get(request.cookies.get('session') ?? '');
    return session && session.startedAt + this.knobs.lifetimeMs > this.#now() ? session.username : undefined;
  }

  refuse(): DeviceAnswer {
    return this.knobs.refusal === 'REDIRECT'
      ? {
          status: 302,
          headers: { location: '/neo/login', 'content-type': 'text/html' },
          body: '<html>Redirecting</html>',
        }
      : answer(401, { error: 'Unauthorized' });
  }
}
